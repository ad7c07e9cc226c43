--- LÖVE itself, in a display of its own (Xvfb), with a driver in front of an example of ours.

local folder = require("spec.folder")
local program = require("spec.helpers.program")

local love = {}

local LOVE, XVFB = program.find("love"), program.find("Xvfb")
local DRIVERS = program.ROOT .. "/spec/hosts/love/"

--- Runs the rest of the command line in a display of its own; a game that hangs ignores TERM.
local IN_DISPLAY = [[
Xvfb -displayfd 3 -screen 0 1024x768x24 -nolisten tcp 3>"$HOME/display" 2>/dev/null & server=$!
trap 'kill $server 2>/dev/null' EXIT
for _ in $(seq 300); do [ -s "$HOME/display" ] && break; sleep 0.1; done
DISPLAY=:$(cat "$HOME/display") timeout -k 5 60 "$@"
]]

--- busted's `it`, or one that skips by name where there is no LÖVE.
---@param busted { it: function, pending: function }
---@return function
function love.it(busted)
  local is_there = LOVE and XVFB and program.is_built("jit")
  local lacks = "LÖVE or Xvfb is not installed, or the module not built for LuaJIT"
  return program.it(busted, is_there, lacks)
end

--- The example with the driver in front of it; its own main.lua is scene.lua then.
local function new_game(home, example, driver)
  local copy = "cp -r %s/examples/%s %s/game && cd %s/game && mv main.lua scene.lua "
    .. "&& cp %smeter.lua . && cp %s%s.lua main.lua"
  local line = copy:format(program.ROOT, example, home, home, DRIVERS, DRIVERS, driver)
  assert(folder.run(line) == "", line)
  return home .. "/game"
end

--- Plays a scene to its end: what the driver saw.
---@param what { example: string, driver: string, scene: string?, words: string[]?, home: string? }
---@param box? table sandbox
---@return table<string, string> seen
---@return integer exit
---@return string output
function love.play(what, box)
  local home = folder.new()
  local variables = program.environment("jit", box)
  variables.HOME, variables.XDG_DATA_HOME = home, (what.home or home) .. "/data"
  variables.SDL_AUDIODRIVER, variables.LIBGL_ALWAYS_SOFTWARE = "dummy", "1"
  variables.SPEC_SCENE, variables.SPEC_REPORT = what.scene, home .. "/report"
  local words = { "sh", "-c", IN_DISPLAY, "sh", LOVE, new_game(home, what.example, what.driver) }
  for _, word in ipairs(what.words or {}) do
    words[#words + 1] = word
  end
  local exit, output = program.run(words, variables)
  return program.read_report(home .. "/report"), exit, output
end

--- What took too long of the steps that a driver has measured; nil where nothing did.
---@param seen table<string, string>
---@return string|nil
function love.slow_steps(seen)
  if tonumber(seen.median) >= 1 then
    return seen.median .. " ms is a step's median"
  elseif tonumber(seen.p99) >= 1 then
    return seen.p99 .. " ms are 99 % of the steps"
  end
end

return love
