--- Waiting: the one place where a call stops until something is done.
---
--- Whoever waits, a coroutine or a callback, is kept here by the thing it waits for; `step` runs
--- the engine's events and then wakes them. Things are waited for through `object:done()`.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

-- Loaded once more in the same state: those who wait are in the first one.
if core.kept.wait then
  return core.kept.wait
end

local wait = {}

--- Seconds that a blocking wait stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

--- Seconds that a step goes on waking those who wait; the rest is left to the next: many that are
--- woken at once must not cost a frame.
local STINT = 0.0003

local unpack = table.unpack or unpack -- luacheck: ignore

--- What is waited for -> list of coroutines and functions.
local waiters = {}
--- Things that are done and whose waiters must be woken; `first` to `last`.
local queue, first, last = {}, 1, 0
--- Coroutines to go on with at the next step: they yielded for reasons of their own.
local runnable = {}
--- Errors of coroutines and callbacks that no step has raised yet, and one there was no memory to
--- put there.
local failures, spare_failure = {}, nil
--- Coroutine -> function(ok, ...) that is told when it ends; see task.lua.
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
    queue[last + 1] = object -- may raise: there is no memory
    last = last + 1
  end
end

local function add(object, waiter)
  if type(object) == "userdata" then
    core.await(object)
  end
  local list = waiters[object]
  if list then
    list[#list + 1] = waiter
  else
    waiters[object] = { waiter }
  end
end

local function remove(object, waiter)
  local list = waiters[object]
  for i = list and #list or 0, 1, -1 do
    if list[i] == waiter then
      table.remove(list, i)
    end
  end
  if list and #list == 0 then
    waiters[object] = nil
  end
end

--- Calls `callback` inside a step once `object` is done; at once when it is.
---@param object any
---@param callback function
function wait.on_done(object, callback)
  if object:done() then
    callback()
  else
    add(object, callback)
  end
end

local function keep_failure(err)
  local failure = { err }
  failures[#failures + 1] = failure
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

local function after_resume(co, ok, ...)
  if coroutine.status(co) == "dead" then
    local owner = owners[co]
    owners[co] = nil
    if owner then
      owner(ok, ok and select("#", ...) or with_traceback(co, (...)), ...)
    elseif not ok then
      wait.fail(with_traceback(co, (...)))
    end
  elseif owners[co] and (waiting[co] == nil or waiting[co] ~= (...)) then
    runnable[#runnable + 1] = co
  end
end

--- Goes on with a coroutine.
---@param co thread
function wait.resume(co, ...)
  if coroutine.status(co) == "suspended" then
    after_resume(co, coroutine.resume(co, ...))
  end
end

--- Tells `owner` how `co` ends: function(true, count, ...) or function(false, error).
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

--- Never raises: there are others to wake.
local function wake(waiter)
  local ok, err
  if type(waiter) == "thread" then
    ok, err = pcall(wait.resume, waiter)
  else
    ok, err = pcall(waiter)
  end
  if not ok then
    wait.fail(err)
  end
end

--- Told of each thing that is done, before those who wait for it.
local announce = function() end

--- Sets who is told of each thing that is done, inside the step.
---@param listener fun(object: any)
function wait.announce_to(listener)
  announce = function(object)
    local ok, err = pcall(listener, object)
    if not ok then
      wait.fail(err)
    end
  end
end

local function wake_all(object)
  announce(object)
  local list = waiters[object]
  waiters[object] = nil
  for i = 1, list and #list or 0 do
    if list[i] then
      wake(list[i])
    end
  end
end

--- Moves the core's finished things into the queue: the list may grow while it is worked off.
local function collect()
  local finished = core.finished
  local count = #finished
  for i = 1, count do -- may raise: then all of it is done once more
    queue[last + i] = finished[i]
  end
  last = last + count
  for i = count, 1, -1 do
    finished[i] = nil
  end
end

local function run_runnable()
  local list = runnable
  runnable = {}
  for i = 1, #list do
    wait.resume(list[i])
  end
  return #list
end

local function drain()
  local woken = run_runnable()
  local stop = core.now() + STINT
  collect()
  while first <= last do
    local object = queue[first]
    queue[first] = nil
    first = first + 1
    wake_all(object)
    collect()
    woken = woken + 1
    if core.now() >= stop then
      break
    end
  end
  if first > last then
    first, last = 1, 0
  end
  return woken
end

--- How many things are done but not told: what a step had no time for is not finished yet, for
--- it may start something, as the end of a job starts its saving.
---@return integer
function wait.untold()
  return last - first + 1 + #core.finished
end

--- Whether the next step has something to do that the core knows nothing of.
local function is_left()
  return first <= last
    or runnable[1] ~= nil
    or failures[1] ~= nil
    or spare_failure ~= nil
    or core.finished[1] ~= nil
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
  if not timeout or timeout <= SLICE then
    return core.step(timeout)
  end
  local now = core.now()
  local deadline = now + timeout
  local handled, err, slice_end
  repeat
    slice_end = math.min(now + SLICE, deadline)
    handled, err = core.step(slice_end - now)
    now = core.now()
  until handled ~= 0 or now >= deadline or now < slice_end -- what woke it may be the caller's
  return handled, err
end

--- Handles what has arrived. See `gptimage2.step`.
---@param timeout? number seconds
---@return integer|nil handled
---@return gptimage2.Error|nil err
function wait.step(timeout)
  if is_left() then
    timeout = nil
  end
  local handled, err = step_in_slices(timeout)
  if not handled then
    return nil, err
  end
  if handled == 0 and not is_left() then
    return 0
  end
  handled = handled + drain()
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

--- A coroutine that may yield, or nil. Lua 5.1 and 5.2 cannot tell a coroutine inside pcall.
local function yieldable()
  local co, is_main = coroutine.running()
  if not co or is_main then
    return nil
  end
  if coroutine.isyieldable and not coroutine.isyieldable() then
    return nil
  end
  return co
end

--- Seconds left, or nil without a deadline.
local function left(deadline)
  return deadline and deadline - core.now()
end

local function block(object, deadline)
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

--- Yields the object until it is done; who resumes the coroutine too early just sees it yield
--- again.
local function yield(object, deadline, co)
  local timer, err
  if deadline then
    timer, err = core.sleep(left(deadline))
    if not timer then
      return nil, err
    end
    add(timer, co)
  end
  add(object, co)
  waiting[co] = object
  repeat
    coroutine.yield(object)
  until object:done() or (timer and timer:done())
  waiting[co] = nil
  remove(object, co)
  if timer then
    remove(timer, co)
    core.cancel(timer)
  end
  return object:done()
end

--- Lets the host's own loop wait, and handles what has come after each turn of it.
local function delegate(object, deadline)
  local function ready()
    return object:done()
  end
  while not object:done() do
    local rest = left(deadline)
    if rest and rest <= 0 then
      return false
    end
    mode.wait(ready, deadline)
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
    return delegate(object, deadline)
  end
  local co = mode ~= "block" and yieldable()
  if co then
    return yield(object, deadline, co)
  end
  if mode == "yield" then
    error('cannot wait here: gptimage2.use("yield") needs a coroutine that may yield', 0)
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
    message = ("%s is not done after %s s; it goes on"):format(
      what,
      check.number(timeout, "%g")
    ),
    job_id = job_id,
    retryable = true,
  })
end

return wait
