-- Makes the pictures that a document describes: ![a lighthouse at dusk](){.generate ratio=16:9}
--   GPTIMAGE2_API_KEY=... pandoc --lua-filter examples/pandoc/generate.lua notes.md -o notes.html
-- They are kept in the folder pictures (the document's field `pictures` names another): one that
-- is there is not made again. The module must be installed for the Lua that pandoc has: 5.3, or
-- 5.4 since pandoc 3; `pandoc lua -v` tells.
local gptimage2 = require("gptimage2")

local FIELDS = { "ratio", "style", "lighting", "camera", "negative" }
local KINDS = { "png", "jpg", "webp", "gif", "avif" }

local folder = "pictures"
local client
local pictures = {} -- name without its ending -> path, or false while it is being made
local failures = {}

-- What an image asks for, and the name that says so.
local function read_request(image)
  local request = { prompt = pandoc.utils.stringify(image.caption) }
  local all = { request.prompt }
  for _, field in ipairs(FIELDS) do
    request[field] = image.attributes[field]
    all[#all + 1] = field .. "=" .. (request[field] or "")
  end
  return request, folder .. "/" .. pandoc.utils.sha1(table.concat(all, "\n")):sub(1, 16)
end

local function find_file(name)
  for _, kind in ipairs(KINDS) do
    local file = io.open(name .. "." .. kind, "rb")
    if file then
      file:close()
      return name .. "." .. kind
    end
  end
  return false
end

local function make(request, name)
  if not client then
    local why
    client, why = gptimage2.new()
    assert(client, tostring(why))
  end
  local job, err = client:generate(request, { save = { name .. ".{ext}", sidecar = false } })
  if job and job.files then
    pictures[name] = job.files[1]
    return
  end
  local why = request.prompt .. ": " .. tostring(err or job.save_error)
  if job then
    why = ("%s; it is paid: job %s, %s"):format(why, job.id, job.results[1].image_url)
  end
  table.insert(failures, why)
end

local function read_meta(meta)
  folder = meta.pictures and pandoc.utils.stringify(meta.pictures) or folder
end

-- Begins with all of them at once.
local function ask(image)
  if image.classes:includes("generate") then
    local request, name = read_request(image)
    if pictures[name] == nil then
      pictures[name] = find_file(name)
      if not pictures[name] then
        gptimage2.spawn(make, request, name)
      end
    end
  end
end

-- Those that were made stay, whatever became of the others.
local function wait()
  gptimage2.run()
  if failures[1] then
    error("generate.lua: " .. table.concat(failures, "\n"), 0)
  end
end

local function link(image)
  if image.classes:includes("generate") then
    local _, name = read_request(image)
    image.src = pictures[name]
    image.classes = image.classes:filter(function(class)
      return class ~= "generate"
    end)
    for _, field in ipairs(FIELDS) do
      image.attributes[field] = nil
    end
    return image
  end
end

return { { Meta = read_meta }, { Image = ask }, { Pandoc = wait }, { Image = link } }
