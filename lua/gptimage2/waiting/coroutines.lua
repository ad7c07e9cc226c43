--- Coroutines: those that stand in a wait, going on with them, and who is told of their end.
---
--- Finalizers and hooks of the host run between any two lines of this file, may call all of the
--- module, and may raise.

local core = require("gptimage2.core")
local failures = require("gptimage2.waiting.failures")
local natives = require("gptimage2.waiting.natives")
local waiters = require("gptimage2.waiting.waiters")

-- Loaded once more in the same state: the coroutines are known to the first one.
if core.kept.coroutines then
  return core.kept.coroutines
end

local coroutines = {}

--- Resumes of a coroutine that waits, without a step in between, until it is taken as one that
--- nobody drives.
local RESUMES_MAX = 1000

--- Coroutine -> function(ok, error) that is told when it ends; see task.lua.
local owners = setmetatable({}, { __mode = "k" })
--- Coroutine -> what it yields while it is inside a wait.
local waiting = setmetatable({}, { __mode = "k" })
--- Steps so far.
local steps = 0

--- A step begins: somebody drives those who wait.
function coroutines.count_step()
  steps = steps + 1
end

--- An error with where it happened in `co`; tables pass as they are.
local function with_traceback(co, err)
  if type(err) == "string" then
    return debug.traceback(co, err)
  end
  return err
end

--- `co` is dead. Variables that are to be closed are closed now, and not when it is collected.
local function tell_end(co, ok, ...)
  local owner, err = owners[co], nil
  if not ok then
    err = with_traceback(co, (...))
    if natives.close then
      coroutines.closing = co
      natives.close(co)
    end
  end
  if owner then
    owner(ok, err)
    owners[co] = nil -- now: it was told
  elseif not ok then
    failures.keep(err, "coroutine")
  end
end

--- Seconds between two turns of a task that yields by itself: what it waits for is the host's, and
--- nobody tells when that is there.
local NAP = 0.01

--- Task that yields by itself -> when it went on after that, 0 before it has.
local dozed = setmetatable({}, { __mode = "k" })

--- Goes on with the task in the next step, but not before its nap is over.
local function doze(co)
  local rest = (dozed[co] or 0) + NAP - core.now()
  local nap = rest > 0 and core.sleep(rest) or nil
  dozed[co] = dozed[co] or 0
  if nap then
    waiters.add(nap, co)
  else -- it is time; or there is no memory, or no engine any more
    core.later(co)
  end
end

local function after_resume(co, ok, ...)
  if natives.status(co) == "dead" then
    tell_end(co, ok, ...)
  elseif owners[co] and (waiting[co] == nil or waiting[co] ~= (...)) then
    if waiting[co] then -- a wait whose yield failed, see stands_still
      waiters.remove(waiting[co], co)
      waiting[co] = nil
    end
    doze(co)
  end
end

--- Goes on with a coroutine.
---@param co thread
function coroutines.resume(co, ...)
  local status = natives.status(co)
  if status == "suspended" then
    if dozed[co] then
      dozed[co] = core.now()
    end
    after_resume(co, natives.resume(co, ...))
  elseif status == "dead" and owners[co] then -- an error came between its end and the telling
    owners[co](false, "the end of the task was interrupted by an error")
  end
end

--- Tells `owner` how `co` ends: function(true) or function(false, error).
---@param co thread
---@param owner function
function coroutines.own(co, owner)
  owners[co] = owner
end

--- Whether a coroutine is a task that has not ended.
---@param co? thread
---@return boolean
function coroutines.is_owned(co)
  return co ~= nil and owners[co] ~= nil
end

--- Whether the coroutine still stands in a wait. Where Lua cannot tell beforehand that a coroutine
--- may not yield (5.1, 5.2), its yield may have failed, and a pcall of its own kept it alive.
local stands_still

--- Whether the coroutine is to be resumed: it stands in a wait, or is a task. Any other may have
--- been woken before, and yields to somebody else by now.
---@param co thread
---@return boolean
function coroutines.is_ours(co)
  if waiting[co] then
    return stands_still(co)
  end
  return owners[co] ~= nil
end

--- Yields `object` until it, or the timer, is done.
local function yield(object, timer)
  local seen, resumes = steps, 0
  repeat
    if seen ~= steps then
      seen, resumes = steps, 0
    elseif resumes == RESUMES_MAX then
      return false
    end
    natives.yield(object)
    resumes = resumes + 1
  until object:done() or (timer and timer:done())
  return true
end

if coroutine.isyieldable then
  function stands_still()
    return true
  end
else
  --- `yield` is near the top of its stack, below the one that yields.
  function stands_still(co)
    for level = 0, 3 do
      local info = debug.getinfo(co, level, "f")
      if not info or info.func == yield then
        return info ~= nil
      end
    end
    return false
  end
end

local NOT_DRIVEN = "this coroutine waits for gptimage2, and was resumed %d times while nobody "
  .. "called gptimage2.step: what it yields is not a result. Start it with gptimage2.spawn, let "
  .. "the loop that resumes it call gptimage2.step, or call "
  .. 'gptimage2.use("block") (validation/not_driven)'

--- Leaves it to the steps to go on with the coroutine; who resumes it too early just sees it yield
--- again.
---@param object any
---@param deadline number|nil
---@param co thread the running one
---@return boolean|nil done
---@return gptimage2.Error|nil err
function coroutines.suspend(object, deadline, co)
  local timer, err
  if deadline then
    timer, err = core.sleep(deadline - core.now())
    if not timer then
      return nil, err
    end
    waiters.add(timer, co)
  end
  if waiting[co] then
    waiters.remove(waiting[co], co) -- from a wait whose yield failed
  end
  waiters.add(object, co)
  waiting[co] = object
  local driven = yield(object, timer)
  waiting[co] = nil
  waiters.remove(object, co)
  if timer then
    waiters.remove(timer, co)
    core.cancel(timer)
  end
  if not driven then
    error(NOT_DRIVEN:format(RESUMES_MAX), 0)
  end
  return object:done()
end

core.kept.coroutines = coroutines

return coroutines
