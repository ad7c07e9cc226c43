-- A game that starts with stand-ins; the pictures come in while it runs, and no frame is late.
--
-- Run it with  lua5.4 examples/art.lua
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, which costs nothing.
-- Run it once more: all pictures are there, and nothing is sent.
local assets = require("gptimage2.assets")
local gptimage2 = require("gptimage2")

local MANIFEST = "pictures.lua" -- here; a game's would lie beside it
local FRAME = 1 / 60 -- seconds

local PICTURES = [[
return {
  prompt = { style = "isometric game art, soft colours" },
  ratio = "1:1",
  pictures = {
    ["art/{what}.png"] = {
      each = { what = { "door", "window", "chimney" } },
      subject = "a {what}",
    },
    ["art/sky.png"] = { subject = "a clear evening sky", ratio = "16:9" },
  },
}
]]

local file = io.open(MANIFEST)
if not file then
  file = assert(io.open(MANIFEST, "w"))
  file:write(PICTURES)
end
file:close()

local options = { ledger = assert(assets.ledger(MANIFEST)) }
local sandbox
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = assert(require("gptimage2.sandbox").start({ image_size = 512 }))
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
end
local client = assert(gptimage2.new(options))

-- What the game draws: name -> file. At a change it would load a texture again.
local frame, waiting, sprites = 0, 0, {}
local art
local function on_change(path)
  sprites[path] = art:path(path)
  waiting = waiting - 1
  print(("frame %4d  %-16s %s"):format(frame, path, sprites[path]))
end
local function on_error(path, err)
  waiting = waiting - 1
  print(("frame %4d  %-16s %s"):format(frame, path, tostring(err)))
end
art = assert(assets.open(MANIFEST, {
  client = client,
  budget = 100, -- credits, for this run
  on_change = on_change,
  on_error = on_error,
}))

for _, name in ipairs({ "door", "window", "chimney", "sky" }) do
  local path = "art/" .. name .. ".png"
  local sprite, is_there = art:path(path) -- at once: the picture, or a checker with its name
  sprites[path] = assert(sprite, tostring(is_there))
  waiting = waiting + (is_there and 0 or 1)
  print(("frame %4d  %-16s %s"):format(frame, path, sprites[path]))
end

local worst, sum = 0, 0
local next_frame = gptimage2.now()
while waiting > 0 do
  frame = frame + 1
  local before = gptimage2.now()
  gptimage2.step() -- all that a frame does for the pictures
  local took = gptimage2.now() - before
  worst, sum = math.max(worst, took), sum + took
  next_frame = next_frame + FRAME
  repeat -- the display makes a game wait
  until gptimage2.now() >= next_frame
end
local saved, why = art:close()
assert(saved, tostring(why))
local text = "%d frames, step took %.3f ms on average, %.3f ms at worst"
print(text:format(frame, sum / math.max(frame, 1) * 1000, worst * 1000))
