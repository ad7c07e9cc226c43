--- Waiting: the one place where a call stops until something is done.
---
--- Whoever waits is kept by the thing it waits for (waiters.lua); `step` runs the engine's events
--- and then wakes them (steps.lua). Things are waited for through `object:done()`.

local check = require("gptimage2.check")
local choice = require("gptimage2.waiting.choice")
local core = require("gptimage2.core")
local coroutines = require("gptimage2.waiting.coroutines")
local loop = require("gptimage2.waiting.loop")
local natives = require("gptimage2.waiting.natives")
local steps = require("gptimage2.waiting.steps")

local wait = {}

--- Seconds that a blocking wait stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

--- A coroutine that may yield, or nil. Lua 5.1 and 5.2 cannot tell a coroutine inside pcall; that
--- it is inside of a step we know.
local function yieldable()
  local co, is_main = coroutine.running()
  if not co or is_main or core.is_stepping() then
    return nil
  end
  if coroutine.isyieldable and not coroutine.isyieldable() then
    return nil
  end
  return co
end

--- What a wait that begins here does: "yield" to the steps (the coroutine), be "suspend"ed by a
--- loop (its loop and key), let a loop "turn", call the host's own function ("ask"), or "block".
--- Tasks always yield to the steps.
local function way()
  local co = yieldable()
  if coroutines.is_owned(co) then
    return "yield", co
  end
  local host, key = choice.loop()
  if host and co then
    return host.suspend and "suspend" or "yield", co, host, key
  elseif host and not choice.wait() then
    return host.turn and not core.is_stepping("any") and "turn" or "block", nil, host, key
  elseif choice.wait() then
    return "ask", co
  elseif co and choice.word() ~= "block" then
    return "yield", co
  end
  return "block"
end

--- Whether a wait that begins here steps until it is over: what is below it goes on only then.
---@return boolean
function wait.blocks()
  local how = way()
  return how ~= "yield" and how ~= "suspend"
end

--- Whether the coroutine cannot go on before a wait that begins here has returned: it is the one
--- that waits, or has resumed it, at once or further down, and the wait does not yield to it. So is
--- the one that has called os.exit, too, while the Lua state closes.
---@param co thread
---@param stepping? boolean the wait steps and never yields
---@return boolean
function wait.is_below(co, stepping)
  local status = natives.status(co)
  if status ~= "normal" then
    return status == "running"
  end
  local _, leaves = way()
  return stepping or not leaves
end

local NO_COROUTINE = 'cannot wait here: gptimage2.use("yield") needs a coroutine that may yield'

--- The error for a wait where nothing can be waited for, or nil. Calls that cost something ask
--- before they begin. Raises where a wait would.
---@param stepping? boolean it does not wait, but steps until something is done
---@return gptimage2.Error|nil err
function wait.refusal(stepping)
  local how, co, host = way()
  local why = host and host.forbids and host.forbids(co ~= nil)
  if why then
    error("gptimage2 cannot wait here: " .. why, 0)
  elseif how ~= "yield" and how ~= "suspend" and core.is_handling() then
    return select(2, core.cannot_wait())
  elseif how == "block" and not stepping and choice.word() == "yield" then
    error(NO_COROUTINE, 0)
  end
end

--- The loop that a wait which begins here is left to runs from now on, so that what its `start`
--- raises comes before anything is paid. `wait.unprepare` where nothing is waited for after all.
function wait.prepare()
  local how, _, host, key = way()
  if host and how ~= "block" then
    loop.ready(host, key)
  end
end

function wait.unprepare()
  loop.settle()
end

--- Seconds left, or nil without a deadline.
local function left(deadline)
  return deadline and deadline - core.now()
end

--- The job that something is about, whose errors are those of who waits for it.
local function job_of(object)
  if type(object) == "table" then
    return object.job
  end
  return object
end

--- Steps until it is over. `ask`: what is done before each step, instead of waiting in it.
local function block(object, deadline, ask)
  local refused = wait.refusal()
  if refused then
    return nil, refused
  end
  while not object:done() do
    local rest = left(deadline)
    if rest and rest <= 0 then
      break
    end
    local slice = not ask and (rest and math.min(rest, SLICE) or SLICE) or nil
    if ask then
      ask()
    end
    local handled, err = steps.wait(slice, job_of(object))
    if not handled then
      return nil, err
    end
  end
  steps.remind()
  return object:done()
end

--- Lets the host's own function wait, and handles what has come after each call of it. It is the
--- one that was chosen when the wait began, whatever is chosen meanwhile.
local function ask(object, deadline)
  local host = choice.wait()
  local function ready()
    return object:done()
  end
  return block(object, deadline, function()
    host.wait(ready, deadline)
  end)
end

--- Yields to the steps, which somebody calls: where there is a loop, that.
local function yield(object, deadline, co, host, key)
  if not host then
    return coroutines.suspend(object, deadline, co)
  end
  return loop.attend(host, key, object, coroutines.suspend, object, deadline, co)
end

--- Waits until `object:done()`.
---@param object any
---@param timeout? number seconds
---@return boolean|nil done false when the time ran out
---@return gptimage2.Error|nil err the engine is not usable any more
function wait.until_done(object, timeout)
  if object:done() then
    return true
  end
  local deadline = timeout and timeout < math.huge and core.now() + timeout or nil
  local how, co, host, key = way()
  if how == "block" then
    return block(object, deadline)
  elseif how == "ask" then
    return ask(object, deadline)
  end
  local refused = wait.refusal()
  if refused then
    return nil, refused
  elseif how == "yield" then
    return yield(object, deadline, co, host, key)
  elseif how == "suspend" then
    return loop.suspend(host, key, object, deadline)
  end
  return loop.turn(host, key, object, deadline)
end

--- What a wait that ran out says. The thing itself goes on.
function wait.timeout_error(what, timeout, job_id)
  return core.error({
    kind = "timeout",
    code = "wait_timeout",
    message = ("%s is not done after %s s; it goes on"):format(what, check.number(timeout, "%g")),
    job_id = job_id,
    retryable = true,
  })
end

return wait
