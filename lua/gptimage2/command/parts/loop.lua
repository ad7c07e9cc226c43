--- The program's own loop: what a command does runs as a task, while this one looks at signals and
--- at the clock.

local core = require("gptimage2.core")
local gptimage2 = require("gptimage2")

local loop = {}

local TICK = 0.1 -- seconds

--- From here on the first Ctrl-C lets what is under way end, and the second ends all at once.
local function be_patient()
  return core.signals.patience(2)
end

--- Whether somebody has asked for the end.
---@return boolean
function loop.interrupted()
  return core.signals.count() > 0
end

--- Waits until somebody asks for the end. A signal is only counted: one that comes just before the
--- step stands still does not wake it.
function loop.until_interrupted()
  be_patient()
  while not loop.interrupted() do
    gptimage2.step(TICK)
  end
end

--- Runs `body` as a task to its end; gives what it gives, and raises what it raises. `hooks.tick`
--- is called ten times a second, `hooks.interrupt` once when somebody asks for the end.
---@param body fun(): any
--- Where `tick` gives true the rest is left undone: nil comes then.
---@param hooks? { tick: (fun(self): boolean|nil), interrupt: fun(self) }
---@return any ...
function loop.run(body, hooks)
  hooks = hooks or {}
  be_patient()
  local told = false
  local work = gptimage2.spawn(body)
  while not work:done() do
    gptimage2.step(TICK)
    if hooks.interrupt and loop.interrupted() and not told then
      told = true
      hooks:interrupt()
    end
    if hooks.tick and hooks:tick() then
      return nil
    end
  end
  return work:wait()
end

return loop
