--- Steps: the Lua side's part of each, which wakes those who wait for what is done.
---
--- Finalizers and hooks of the host run between any two lines of this file, may call all of the
--- module, and may raise. So who is to be woken leaves the core's ready queue only when that was
--- done, and must not mind being woken twice.

local core = require("gptimage2.core")
local coroutines = require("gptimage2.waiting.coroutines")
local failures = require("gptimage2.waiting.failures")
local loop = require("gptimage2.waiting.loop")
local waiters = require("gptimage2.waiting.waiters")

-- Loaded once more in the same state: what is being told is known to the first one.
if core.kept.steps then
  return core.kept.steps
end

local steps = {}

--- Seconds that a blocking wait stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

--- Seconds that a step goes on waking those who wait; the rest is left to the next, however many
--- wait for the same thing: they must not cost a frame.
local STINT = 0.0003

--- The finished thing whose waiters are being put into the ready queue; it is still in the core's
--- list.
local telling

--- Raises no error of the waiter's: there are others to wake.
local function wake(waiter)
  local ok, err
  if type(waiter) ~= "thread" then
    ok, err = pcall(waiter)
  elseif coroutines.is_ours(waiter) then
    ok, err = pcall(coroutines.resume, waiter)
  else
    return
  end
  if not ok then
    core.later(waiter, true) -- perhaps it did not come to its end
    failures.keep(err, "step")
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
    failures.keep(err, "on_event")
  end
  waiters.ready(object)
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
function steps.undelivered()
  local told = telling ~= nil and core.first() == telling and core.is_stepping("any")
  local waking = core.waiting()
  return core.undelivered() + waking - (told and 1 or 0)
end

--- Whether the next step has something to do that the core knows nothing of.
local function is_left()
  local _, waking = core.waiting()
  return waking or core.undelivered() > 0
end

function loop.is_at_rest()
  if core.is_stepping("any") then
    return false
  elseif is_left() then
    core.remind()
    return false
  end
  return true
end

--- Makes the descriptor readable when something is left to the next step.
function steps.remind()
  if is_left() or failures.any() then
    core.remind()
  end
end

--- The core's step, but for long times in slices: a signal that comes just before the core stands
--- still sets its hook (Ctrl-C does), and the hook waits for Lua code to run. `left`: there is
--- something to do at once.
local function step_in_slices(timeout, left)
  if left or not timeout or timeout <= SLICE then
    return core.step(drain, left, timeout)
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

--- One step, and what comes after each: nil and the error where there is no engine any more. Raises
--- what code of the host's raised in the middle of it: a hook, a finalizer.
local function advance(timeout, left)
  coroutines.count_step()
  local handled, err = step_in_slices(timeout, left)
  if handled and not core.is_handling() then
    failures.hand_over()
    loop.settle()
  end
  return handled, err
end

--- Raises what was taken of the failures, if anything was.
local function hand_out(failure, spare)
  if failure then
    steps.remind()
    error(failure[1], 0)
  elseif spare ~= nil then
    steps.remind()
    error(spare, 0)
  end
end

--- Handles what has arrived. See `gptimage2.step`.
---@param timeout? number seconds
---@return integer|nil handled
---@return gptimage2.Error|nil err
function steps.step(timeout)
  local handled, err = advance(timeout, is_left() or failures.any())
  if not handled then
    return nil, err
  elseif core.is_handling() or (handled == 0 and not is_left() and not failures.any()) then
    return handled
  end
  hand_out(failures.take())
  if failures.any() then -- what an on_error has brought about is for the next step's
    core.remind()
  end
  return handled
end

--- The step of a wait, which raises the errors of the job that is waited for, and nobody else's,
--- but for one that there was no memory to keep.
---@param timeout number|nil seconds
---@param job any
---@return integer|nil handled
---@return gptimage2.Error|nil err
function steps.wait(timeout, job)
  local handled, err = advance(timeout, is_left())
  if handled and not core.is_handling() then
    hand_out(failures.take_of(job))
  end
  return handled, err
end

local function step_quietly()
  advance(nil, is_left())
  if is_left() then
    core.remind()
  end
end

--- The step of a loop, which would end if it raised.
function loop.step()
  local ok, err = pcall(step_quietly)
  if not ok then
    failures.keep(err, "step")
  end
  pcall(failures.write)
end

core.kept.steps = steps

return steps
