--- Pictures for specs: what their files begin and end with, jobs that have made one, and answers
--- that say where they are.
---
--- Use with `after_each(support.clean)`.

local cjson = require("cjson")
local support = require("spec.support")

local picture = {}

picture.CUP = { prompt = "a cup" }

--- A number in four bytes, the highest first.
local function be32(number)
  local bytes = {}
  for i = 4, 1, -1 do
    bytes[i] = string.char(number % 256)
    number = math.floor(number / 256)
  end
  return table.concat(bytes)
end

--- The first and the last bytes of a PNG.
picture.PNG = "\137PNG\r\n\26\n"
picture.PNG_END = "\0\0\0\0IEND\174B`\130"

--- A chunk of a PNG: its length, its type and its data; the checksum is nobody's concern here.
---@param kind string four letters
---@param data string
---@return string
function picture.chunk(kind, data)
  return be32(#data) .. kind .. data .. "crc."
end

--- A box of an AVIF.
---@param kind string four letters
---@param data string
---@return string
function picture.box(kind, data)
  return be32(#data + 8) .. kind .. data
end

--- A PNG as far as its chunks tell, with so many of these letters.
---@param letter string
---@param count number
---@return string
function picture.png(letter, count)
  return picture.PNG .. picture.chunk("IDAT", letter:rep(count)) .. picture.PNG_END
end

--- The beginnings of the sorts of images, with bytes behind that make them long enough to tell.
local BEGINNINGS = {
  png = picture.PNG .. picture.chunk("IDAT", ("\0"):rep(64)),
  jpg = "\255\216\255\224\0\2" .. ("\0"):rep(64),
  gif = "GIF89a\1\0\1\0\0\0\0" .. ("\0"):rep(64),
  webp = "RIFF\64\0\0\0WEBPVP8 " .. ("\0"):rep(64),
  avif = picture.box("ftyp", "avif\0\0\0\0mif1avif")
    .. picture.box("meta", ("\0"):rep(28))
    .. picture.box("mdat", ("\0"):rep(64)),
}

local ENDS = { png = picture.PNG_END, jpg = "\255\217", gif = ";", webp = "", avif = "" }

--- Whole images, as far as their kind and their end tell.
picture.IMAGES = {}
for kind, beginning in pairs(BEGINNINGS) do
  picture.IMAGES[kind] = beginning .. ENDS[kind]
end

--- One that has its end.
picture.JPEG = picture.IMAGES.jpg

--- A job that has succeeded, its sandbox and its client.
---@param request? table
---@param client_options? gptimage2.Options
---@param sandbox_options? table
---@return gptimage2.Job job
---@return table sandbox
---@return gptimage2.Client client
function picture.made(request, client_options, sandbox_options)
  local client, box = support.pair(client_options, sandbox_options)
  return assert(client:generate(request or picture.CUP)), box, client
end

--- What an answer says of images at these URLs.
---@param urls string[]
---@return table[] results
function picture.at(urls)
  local results = {}
  for i, url in ipairs(urls) do
    results[i] = { imageUrl = url, seed = tostring(i), finalPrompt = "a cup" }
  end
  return results
end

--- The body of an answer that says that the job has these results.
---@param results table[]
---@return string
function picture.body(results)
  return cjson.encode({ status = "succeeded", results = results })
end

--- Makes the next poll, or so many, say that the job has these results.
---@param box table
---@param results table[]
---@param times? number
function picture.answer(box, results, times)
  box:fault({ on = "poll", action = "body", body = picture.body(results), times = times or 1 })
end

--- Makes all further polls say so.
---@param box table
---@param results table[]
function picture.answer_all(box, results)
  picture.answer(box, results, math.huge)
end

return picture
