-- Makes doc/review.webp, the picture of the review page, from nothing: a manifest, the sandbox, a
-- build, the page, and a headless Chromium. Run it from the project's folder:
--
--   build/lua/5.4/lua doc/screenshot.lua [folder for pictures of all looks]
local assets = require("gptimage2.assets")
local browser = require("spec.helpers.browser")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local sandbox = require("gptimage2.sandbox")

local MANIFEST = [[
return {
  prompt = { style = "hand-painted, muted greens", light = "soft daylight" },
  pictures = {
    ["cards/fire-mage.png"] = { subject = "a fire mage", candidates = 4, ratio = "3:4" },
    ["icons/{item}-{metal}.png"] = {
      each = { item = { "sword", "shield", "helmet" }, metal = { "bronze", "iron" } },
      subject = "{metal} {item}, game icon",
    },
    ["textures/brick.png"] = { subject = "seamless brick wall, top view", candidates = 3 },
  },
}
]]

--- A page with pictures that wait, and some that are not made.
local function make_page()
  local dir = folder.new() .. "/game"
  folder.run("mkdir " .. dir)
  local manifest = dir .. "/pictures.lua"
  folder.write(manifest, MANIFEST)
  local box = assert(sandbox.start({ duration = 0.1, image_size = 768 }))
  local client = assert(gptimage2.new({
    base_url = box.url,
    api_key = box.api_key,
    ledger = assert(assets.ledger(manifest)),
  }))
  assert(assets.build(manifest, { client = client, only = { "cards/*", "icons/*-bronze.png" } }))
  return "file://" .. assert(assets.review(manifest, { client = client }))
end

local function keep(base64, path)
  local pipe = assert(io.popen("base64 -d > " .. folder.quote(path), "w"))
  pipe:write(base64)
  pipe:close()
end

local function rest(seen)
  seen:eval("new Promise(function (done) { setTimeout(done, 400); })")
end

--- The page in all its looks, for who wants to look at them.
local function look_at_all(seen, dir)
  for _, scheme in ipairs({ "light", "dark" }) do
    for name, size in pairs({ desktop = { 1280, 900 }, phone = { 390, 844 } }) do
      seen:show_as(size[1], size[2], scheme)
      for key, view in pairs({ v = "review", g = "grid", s = "sheet" }) do
        seen:press(key)
        rest(seen)
        keep(seen:shot(), ("%s/%s-%s-%s.png"):format(dir, view, name, scheme))
      end
      seen:press("v")
      seen:eval("document.querySelector('.shot').click()")
      rest(seen)
      keep(seen:shot(), ("%s/flip-%s-%s.png"):format(dir, name, scheme))
      seen:press("Escape")
    end
  end
end

local url = make_page()
local seen = browser.start()
seen:show_as(1120, 720, "light")
seen:open(url)
seen:press("ArrowDown")
seen:press("ArrowRight")
seen:press("a")
seen:press("5")
seen:eval("document.activeElement.blur()")
rest(seen)
keep(seen:shot("webp"), "doc/review.webp")
if arg[1] then
  look_at_all(seen, arg[1])
end
seen:close()
folder.clean()
