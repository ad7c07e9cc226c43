--- Waiting: the one place where a call stops until something is done.
---
--- Whoever waits is kept by the thing it waits for (waiters.lua); `step` runs the engine's events
--- and then wakes them (steps.lua). Things are waited for through `object:done()`.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local coroutines = require("gptimage2.waiting.coroutines")
local steps = require("gptimage2.waiting.steps")

-- Loaded once more in the same state: what `use` has chosen is known to the first one.
if core.kept.wait then
  return core.kept.wait
end

local wait = {}

--- Seconds that a blocking wait stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

--- What `use` has chosen.
local mode = "auto"

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

--- The coroutine that a wait yields from, or nil.
local function yields()
  return mode ~= "block" and type(mode) ~= "table" and yieldable() or nil
end

--- Whether a wait that begins here steps until it is over: what is below it goes on only then.
---@return boolean
function wait.blocks()
  return not yields()
end

--- Whether the coroutine cannot go on before a wait that begins here has returned: it is the one
--- that waits, or has resumed it, at once or further down, and the wait does not yield to it. So is
--- the one that has called os.exit, too, while the Lua state closes.
---@param co thread
---@param stepping? boolean the wait steps and never yields
---@return boolean
function wait.is_below(co, stepping)
  local status = coroutine.status(co)
  if status ~= "normal" then
    return status == "running"
  end
  local leaves = not stepping and (type(mode) == "table" and yieldable() or yields())
  return not leaves
end

--- The error for a wait where nothing can be waited for, or nil. Calls that cost something ask
--- before they begin. Raises where a wait would.
---@param stepping? boolean it does not wait, but steps until something is done
---@return gptimage2.Error|nil err
function wait.refusal(stepping)
  local co = yields()
  if not co and core.is_handling() then
    return select(2, core.cannot_wait())
  elseif not co and mode == "yield" and not stepping then
    error('cannot wait here: gptimage2.use("yield") needs a coroutine that may yield', 0)
  end
end

--- Seconds left, or nil without a deadline.
local function left(deadline)
  return deadline and deadline - core.now()
end

local function block(object, deadline)
  local refused = wait.refusal()
  if refused then
    return nil, refused
  end
  while not object:done() do
    local rest = left(deadline)
    if rest and rest <= 0 then
      return false
    end
    local handled, err = steps.step(rest and math.min(rest, SLICE) or SLICE)
    if not handled then
      return nil, err
    end
  end
  return true
end

--- Lets the host's own loop wait, and handles what has come after each turn of it. `loop` is what
--- was chosen when the wait began: it goes on in there whatever is chosen meanwhile.
local function delegate(object, deadline, loop)
  local refused = wait.refusal()
  if refused then
    return nil, refused
  end
  local function ready()
    return object:done()
  end
  while not object:done() do
    local rest = left(deadline)
    if rest and rest <= 0 then
      return false
    end
    loop.wait(ready, deadline)
    local handled, err = steps.step()
    if not handled then
      return nil, err
    end
  end
  return true
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
  if type(mode) == "table" then
    return delegate(object, deadline, mode)
  end
  local co = yields()
  if co then
    return coroutines.suspend(object, deadline, co)
  end
  return block(object, deadline)
end

--- Chooses what waiting does. See `gptimage2.use`.
---@param loop "auto"|"block"|"yield"|{ wait: function }
function wait.use(loop)
  mode = loop
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

core.kept.wait = wait

return wait
