-- What the documentation's blocks of Lua expect to be there; they follow this in one file. They run
-- against a sandbox, in the current folder.
local real = require("gptimage2")
local box = assert(require("gptimage2.sandbox").start({ duration = 0, image_size = 32 }))

local spending -- one client at a time spends on a ledger

local function new(options)
  local given = options or {}
  given.base_url, given.api_key = given.base_url or box.url, given.api_key or box.api_key
  given.poll = { first = 0.02, interval = 0.02 }
  given.verify_references = false
  if given.ledger and spending then
    spending:close()
  end
  local made, err = real.new(given)
  spending = given.ledger and made or spending
  return made, err
end

local manifest = assert(io.open("pictures.lua", "wb"))
manifest:write('return { pictures = { ["textures/brick.png"] = { subject = "x" } } }')
manifest:close()
local decisions = assert(io.open("decisions.json", "wb"))
decisions:write('{ "version": 1, "reject": { "textures/brick.png": [1] } }')
decisions:close()

-- luacheck: push ignore 111 113 121
gptimage2 = setmetatable({ new = new }, { __index = real })
package.loaded.gptimage2 = gptimage2
client = new()
job = assert(client:generate({ prompt = "x" }))
load_texture, show_message = function() end, error
real_print = print
local printed
function print(...)
  local words = {}
  for i = 1, select("#", ...) do
    words[i] = tostring((select(i, ...)))
  end
  printed = table.concat(words, "\t")
end
-- Behind or below a print: that this is what it printed, or, before "...", how that begins.
function says(text)
  local start = text:match("^(.*) %.%.%.$")
  if printed ~= text and printed:sub(1, #(start or text)) ~= start then
    error(("it prints %q, not %q"):format(printed, text), 2)
  end
end
-- luacheck: pop
