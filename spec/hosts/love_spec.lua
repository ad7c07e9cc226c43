--- LÖVE itself, in a display of its own (Xvfb): the scene of examples/love.

local folder = require("spec.folder")
local love = require("spec.helpers.love")
local support = require("spec.support")

local about = love.it({ it = it, pending = pending })

--- Plays a scene: what the driver saw.
local function play(scene, box)
  local what = { example = "love", driver = "driver", scene = scene }
  local seen, exit, output = love.play(what, box)
  assert.equal(0, exit, output)
  return seen
end

--- What took too long; nil where nothing did.
local function slowness(seen)
  local most = tonumber(seen.decoding) / 2 -- that is done elsewhere
  if tonumber(seen.update) >= most then
    return ("%s ms was an update, at most %s wanted"):format(seen.update, most)
  end
  return love.slow_steps(seen)
end

describe("The LÖVE scene", function()
  after_each(support.clean)
  after_each(folder.clean)

  about(
    "shows the picture, its prompt and the credits, and no step takes a frame's time",
    function()
      local slow
      for _ = 1, 3 do -- times are the best of three
        local seen = play("picture", support.sandbox({ duration = 0.5, image_size = 1024 }))
        assert.is_true(tonumber(seen.after) >= 90, seen.after .. " % of the points have its colour")
        assert.is_true(tonumber(seen.before) < 50, seen.before .. " % had it before")
        assert.truthy(seen.texts:find("a red lighthouse", 1, true), seen.texts)
        assert.truthy(seen.texts:find("490 credits", 1, true), seen.texts)
        assert.is_true(tonumber(seen.steps) >= 400)
        slow = slowness(seen)
        if not slow then
          break
        end
      end
      assert.is_nil(slow)
    end
  )

  about("is left while jobs are in flight", function()
    local seen = play("leave", support.sandbox({ duration = 60 }))
    assert.equal("20", seen.pending)
  end)
end)
