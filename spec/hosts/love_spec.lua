--- LÖVE itself, in a display of its own (Xvfb): the scene of examples/love.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local LOVE, XVFB = program.find("love"), program.find("Xvfb")

--- Runs the rest of the command line in a display of its own; a game that hangs ignores TERM.
local IN_DISPLAY = [[
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>"$HOME/display" 2>/dev/null & server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 300); do [ -s "$HOME/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$HOME/display") timeout -k 5 60 "$@"
]]

--- The example with the driver in front of it.
local function new_game(home)
  local copy =
    "cp -r %s/examples/love %s/game && cd %s/game && mv main.lua scene.lua && cp %s main.lua"
  local driver = program.ROOT .. "/spec/hosts/love/driver.lua"
  assert.equal("", folder.run(copy:format(program.ROOT, home, home, driver)))
  return home .. "/game"
end

--- Plays a scene: what the driver saw.
local function play(scene, box)
  local home = folder.new()
  local variables = program.environment("jit", box)
  variables.HOME, variables.XDG_DATA_HOME = home, home .. "/data"
  variables.SDL_AUDIODRIVER, variables.LIBGL_ALWAYS_SOFTWARE = "dummy", "1"
  variables.SPEC_SCENE, variables.SPEC_REPORT = scene, home .. "/report"
  local words = { "sh", "-c", IN_DISPLAY, "sh", LOVE, new_game(home) }
  local exit, output = program.run(words, variables)
  assert.equal(0, exit, output)
  return program.read_report(home .. "/report"), output
end

local is_there = LOVE and XVFB and program.is_built("jit")
local lacks = "LÖVE or Xvfb is not installed, or the module not built for LuaJIT"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

--- What took too long; nil where nothing did.
local function slowness(seen)
  local most = tonumber(seen.decoding) / 2 -- that is done elsewhere
  if tonumber(seen.median) >= 1 then
    return seen.median .. " ms is a step's median"
  elseif tonumber(seen.p99) >= 1 then
    return seen.p99 .. " ms are 99 % of the steps"
  elseif tonumber(seen.update) >= most then
    return ("%s ms was an update, at most %s wanted"):format(seen.update, most)
  end
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
