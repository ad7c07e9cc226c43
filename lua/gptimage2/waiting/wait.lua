--- Waiting: the one place where a call stops until something is done.
---
--- Whoever waits, a coroutine or a callback, is kept here by the thing it waits for; `step` runs
--- the engine's events and then wakes them. Things are waited for through `object:done()`.
---
--- Finalizers and hooks of the host run between any two lines of this file, may call all of the
--- module, and may raise. So who is to be woken leaves the core's ready queue only when that was
--- done, and must not mind being woken twice.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

-- Loaded once more in the same state: those who wait are in the first one.
if core.kept.wait then
  return core.kept.wait
end

local wait = {}

--- Seconds that a blocking wait stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

--- Seconds that a step goes on waking those who wait; the rest is left to the next, however many
--- wait for the same thing: they must not cost a frame.
local STINT = 0.0003

local unpack = table.unpack or unpack -- luacheck: ignore

--- Resumes of a coroutine that waits, without a step in between, until it is taken as one that
--- nobody drives.
local RESUMES_MAX = 1000

--- What is waited for -> list of coroutines and functions.
local waiters = {}
--- The finished thing whose waiters are being put into the ready queue; it is still in the core's
--- list.
local telling
--- Steps so far.
local steps = 0
--- Errors of coroutines and callbacks that no step has raised yet, and one there was no memory to
--- put there.
local failures, spare_failure = {}, nil
--- Coroutine -> function(ok, error) that is told when it ends; see task.lua.
local owners = setmetatable({}, { __mode = "k" })
--- Coroutine -> what it yields while it is inside a wait.
local waiting = setmetatable({}, { __mode = "k" })
--- What `use` has chosen.
local mode = "auto"

--- Marks `object` as done for those who wait for it. For things made in Lua; the core's own come
--- by themselves.
---@param object any
function wait.finished(object)
  if waiters[object] then
    core.finish(object) -- may raise: there is no memory
  end
end

local function add(object, waiter)
  if type(object) == "userdata" then
    core.await(object)
  end
  core.add(waiters, object, waiter)
  if object:done() then -- a hook has stepped meanwhile
    wait.finished(object)
  end
end

local function remove(object, waiter)
  core.remove(waiters, object, waiter)
end

--- Calls `callback` inside a step once `object` is done; at once when it is. A callback that raises
--- is called again by the next step: an error of the host's may have broken it off anywhere. So it
--- must not mind being called twice, and end at some time.
---@param object any
---@param callback function
function wait.on_done(object, callback)
  if object:done() then
    callback()
  else
    add(object, callback)
  end
end

--- What the core is to remember by a job when it hands that to the engine (`by_job` of its submit),
--- so that `callback` is called as on_done does: no error of the host's can come in between.
---@param callback function
---@return table by_job
function wait.at_end(callback)
  return { [waiters] = { callback } }
end

local function keep_failure(err)
  local failure = { err }
  table.insert(failures, failure)
  return failure
end

--- Keeps an error until a step can raise it. Never raises itself.
---@param err any
---@return table|nil failure for `wait.forget`
function wait.fail(err)
  local ok, failure = pcall(keep_failure, err)
  if ok then
    return failure
  end
  spare_failure = err
end

--- No step raises this failure any more: somebody has got its error.
---@param failure table|nil
function wait.forget(failure)
  for i = #failures, 1, -1 do
    if failures[i] == failure then
      table.remove(failures, i)
    end
  end
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
    if coroutine.close then
      wait.closing = co
      coroutine.close(co)
    end
  end
  if owner then
    owner(ok, err)
    owners[co] = nil -- now: it was told
  elseif not ok then
    wait.fail(err)
  end
end

local function after_resume(co, ok, ...)
  if coroutine.status(co) == "dead" then
    tell_end(co, ok, ...)
  elseif owners[co] and (waiting[co] == nil or waiting[co] ~= (...)) then
    if waiting[co] then -- a wait whose yield failed, see stands_still
      remove(waiting[co], co)
      waiting[co] = nil
    end
    core.later(co)
  end
end

--- Goes on with a coroutine.
---@param co thread
function wait.resume(co, ...)
  local status = coroutine.status(co)
  if status == "suspended" then
    after_resume(co, coroutine.resume(co, ...))
  elseif status == "dead" and owners[co] then -- an error came between its end and the telling
    owners[co](false, "the end of the task was interrupted by an error")
  end
end

--- Tells `owner` how `co` ends: function(true) or function(false, error).
---@param co thread
---@param owner function
function wait.own(co, owner)
  owners[co] = owner
end

--- Whether a coroutine is a task that has not ended.
---@param co? thread
---@return boolean
function wait.is_owned(co)
  return co ~= nil and owners[co] ~= nil
end

--- Whether the coroutine still stands in a wait. Where Lua cannot tell beforehand that a coroutine
--- may not yield (5.1, 5.2), its yield may have failed, and a pcall of its own kept it alive.
local stands_still

--- Whether the coroutine is to be resumed: it stands in a wait, or is a task. Any other may have
--- been woken before, and yields to somebody else by now.
local function is_ours(co)
  if waiting[co] then
    return stands_still(co)
  end
  return owners[co] ~= nil
end

--- Raises no error of the waiter's: there are others to wake.
local function wake(waiter)
  local ok, err
  if type(waiter) ~= "thread" then
    ok, err = pcall(waiter)
  elseif is_ours(waiter) then
    ok, err = pcall(wait.resume, waiter)
  else
    return
  end
  if not ok then
    core.later(waiter, true) -- perhaps it did not come to its end
    wait.fail(err)
  end
end

--- Wakes those in the ready queue, one at least, until `stop`. Gives how many that were.
local function wake_some(stop)
  local count = 0
  repeat
    local waiter, place = core.take()
    if waiter == nil then
      return count
    end
    wake(waiter)
    core.woken(place)
    count = count + 1
  until core.now() >= stop
  return count
end

--- Puts those who wait for `object` into the ready queue, and tells the on_event of a job that was
--- cancelled.
local function tell(object)
  local ok, err = pcall(core.announce, object)
  if not ok then
    wait.fail(err)
  end
  core.ready(waiters, object)
end

--- The Lua side's part of a step, after the events. `outermost`: no other step is under way.
local function drain(handled, outermost)
  if outermost then
    core.again()
  end
  core.turn()
  local stop = core.now() + STINT
  local woken = wake_some(stop)
  handled = handled + woken
  local object = core.first()
  while object ~= nil do
    telling = object
    tell(object)
    telling = nil
    core.drop(object)
    handled = handled + 1
    if woken == 0 or core.now() < stop then -- one at least, however slow the machine
      woken = woken + wake_some(stop)
    end
    object = core.now() < stop and core.first() or nil
  end
  return handled
end

--- How many things are done but not told: what a step had no time for is not finished yet, for
--- it may start something, as the end of a job starts its saving.
---@return integer
function wait.untold()
  local told = telling ~= nil and core.first() == telling and core.is_stepping("any")
  local waking = core.waiting()
  return core.untold() + waking - (told and 1 or 0)
end

--- Whether the next step has something to do that the core knows nothing of.
local function is_left()
  local _, waking = core.waiting()
  return waking or failures[1] ~= nil or spare_failure ~= nil or core.untold() > 0
end

--- Makes the descriptor readable when something is left to the next step.
function wait.remind()
  if is_left() then
    core.remind()
  end
end

--- The core's step, but for long times in slices: a signal that comes just before the core stands
--- still sets its hook (Ctrl-C does), and the hook waits for Lua code to run.
local function step_in_slices(timeout)
  local left_over = is_left()
  if left_over or not timeout or timeout <= SLICE then
    return core.step(drain, left_over, timeout)
  end
  local now = core.now()
  local deadline = now + timeout
  local handled, err, slice_end
  repeat
    slice_end = math.min(now + SLICE, deadline)
    handled, err = core.step(drain, false, slice_end - now)
    now = core.now()
  until handled ~= 0 or now >= deadline or now < slice_end -- what woke it may be the caller's
  return handled, err
end

--- Handles what has arrived. See `gptimage2.step`.
---@param timeout? number seconds
---@return integer|nil handled
---@return gptimage2.Error|nil err
function wait.step(timeout)
  steps = steps + 1
  local handled, err = step_in_slices(timeout)
  if not handled then
    return nil, err
  elseif core.is_handling() or (handled == 0 and not is_left()) then
    return handled
  end
  local failure = table.remove(failures, 1)
  local spare = spare_failure
  if not failure then
    spare_failure = nil
  end
  wait.remind()
  if failure then
    error(failure[1], 0)
  elseif spare ~= nil then
    error(spare, 0)
  end
  return handled
end

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
    local handled, err = wait.step(rest and math.min(rest, SLICE) or SLICE)
    if not handled then
      return nil, err
    end
  end
  return true
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
    coroutine.yield(object)
    resumes = resumes + 1
  until object:done() or (timer and timer:done())
  return true
end

if coroutine.isyieldable then
  function stands_still()
    return true
  end
else
  --- `yield` is near the top of its stack, below coroutine.yield.
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
local function suspend(object, deadline, co)
  local timer, err
  if deadline then
    timer, err = core.sleep(left(deadline))
    if not timer then
      return nil, err
    end
    add(timer, co)
  end
  if waiting[co] then
    remove(waiting[co], co) -- from a wait whose yield failed
  end
  add(object, co)
  waiting[co] = object
  local driven = yield(object, timer)
  waiting[co] = nil
  remove(object, co)
  if timer then
    remove(timer, co)
    core.cancel(timer)
  end
  if not driven then
    error(NOT_DRIVEN:format(RESUMES_MAX), 0)
  end
  return object:done()
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
    local handled, err = wait.step()
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
    return suspend(object, deadline, co)
  end
  return block(object, deadline)
end

--- Chooses what waiting does. See `gptimage2.use`.
---@param loop "auto"|"block"|"yield"|{ wait: function }
function wait.use(loop)
  mode = loop
end

--- Whether a step would raise an error.
---@return boolean
function wait.failing()
  return failures[1] ~= nil or spare_failure ~= nil
end

wait.unpack = unpack
core.kept.wait = wait

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
