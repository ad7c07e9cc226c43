--- LÖVE itself, in a display of its own (Xvfb): examples/love-art, which starts with stand-ins.

local folder = require("spec.folder")
local love = require("spec.helpers.love")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local about = love.it({ it = it, pending = pending })

local COUNT = 6

--- Plays it in a folder of LÖVE's that may have been there before.
local function play(scene, home, box, words)
  local what = { example = "love-art", driver = "art", scene = scene, home = home, words = words }
  local seen, exit, output = love.play(what, box)
  assert.equal(0, exit, output)
  assert.equal("", seen.note)
  return seen
end

describe("The LÖVE game", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("starts with stand-ins, the pictures come in, and no step takes a millisecond", function()
    local slow
    for _ = 1, 3 do -- times are the best of three
      local box, home = support.sandbox({ duration = 3, image_size = 1024 }), folder.new()
      local seen = play("come", home, box)
      assert.equal(tostring(COUNT), seen.count)
      assert.is_true(tonumber(seen.standins) >= 80, seen.standins .. " % are the stand-in's")
      assert.is_true(tonumber(seen.pictures) >= 90, seen.pictures .. " % are the picture's")
      assert.equal(10 * COUNT, pictures.paid(box))
      slow = love.slow_steps(seen)
      if not slow then
        break
      end
    end
    assert.is_nil(slow)
  end)

  about("has all pictures at once the next time, and as it is shipped", function()
    local box, home = support.sandbox({ duration = 0.1, image_size = 256 }), folder.new()
    play("come", home, box)
    local asked = #box:ledger().log
    for _, words in ipairs({ {}, { "shipped" } }) do
      local seen = play("stay", home, box, words)
      assert.equal("true", seen.first)
      assert.is_true(tonumber(seen.pictures) >= 90, seen.pictures .. " % are the picture's")
    end
    assert.equal(asked, #box:ledger().log)
  end)
end)
