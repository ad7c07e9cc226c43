--- The loop of a host: waiting that is told, not asked.
---
--- A loop is a table:
---
---   start(step)            the first waiter or task has come: call step when `gptimage2.fd()` is
---                          readable, or each tick; gives stop(), which is called after the last
---   suspend(w, seconds)    stop this coroutine until resume(w), or so long (nil: endless); `w` is
---                          an empty table for its own things. Left out: a plain yield
---   resume(w)              let that one go on; called once, inside of step; `w.awake` is true then
---   turn(ready, deadline)  one turn, for waits outside of coroutines. Left out: block
---   current()              which loop of this kind runs here, nil for none: each is started and
---                          stopped for itself. Left out: there is one
---   forbids(in_coroutine)  why nothing can be waited for here; nil where it can. Left out: nothing
---
--- What they give is ignored otherwise, and none of them may call `step`.

local core = require("gptimage2.core")
local failures = require("gptimage2.waiting.failures")
local natives = require("gptimage2.waiting.natives")
local waiters = require("gptimage2.waiting.waiters")

-- Loaded once more in the same state: the loops that run are known to the first one.
if core.kept.loop then
  return core.kept.loop
end

---@class gptimage2.Loop
---@field start fun(step: function): function|nil
---@field suspend? fun(w: table, seconds: number|nil)
---@field resume? fun(w: table)
---@field turn? fun(ready: (fun(): boolean), deadline: number|nil)
---@field current? fun(): any
---@field forbids? fun(in_coroutine: boolean): string|nil

local loop = {}

loop.KEYS =
  { start = true, suspend = true, resume = true, turn = true, current = true, forbids = true }

--- Whether a coroutine can yield out of a pcall: not in Lua 5.1.
local CAN_YIELD_IN_PCALL = _VERSION ~= "Lua 5.1" or rawget(_G, "jit") ~= nil

--- Loop -> key -> its pump: who calls `step` there, as long as somebody waits.
---@type table<gptimage2.Loop, table<any, table>>
local pumps = {}

--- Pumps that nobody needs any more; the end of the step stops them, for who was woken in it may
--- wait for the next thing at once.
local idle = {}

--- The step that is given to `start`: steps.lua says what it is.
loop.step = nil

--- Whether no step is under way, nor left to be done: steps.lua knows, and asks for one that is.
--- Who has left a seat may still have to be woken by it, so that the loop must call it.
---@type fun(): boolean
loop.is_at_rest = nil

--- Why a table is no loop; nil when it is one.
---@param given table
---@return string|nil
function loop.fault(given)
  for key, value in pairs(given) do
    if not loop.KEYS[key] then
      local message = "a loop has no '%s'; it has start, suspend, resume, turn, current and forbids"
      return message:format(tostring(key))
    elseif type(value) ~= "function" then
      return ("a loop's '%s' must be a function"):format(key)
    end
  end
  if not given.start then
    return "a loop needs a function 'start'"
  elseif (given.suspend == nil) ~= (given.resume == nil) then
    return "a loop's 'suspend' and 'resume' go together"
  end
end

--- The loop, and which of its kind, where one runs here.
---@param given gptimage2.Loop
---@return gptimage2.Loop|nil
---@return any key
function loop.here(given)
  if not given.current then
    return given, true
  end
  local key = given.current()
  if key then
    return given, key
  end
end

--- Whether somebody waits in another loop than that.
---@param given gptimage2.Loop
---@return boolean
function loop.other_than(given)
  for each in pairs(pumps) do
    if each ~= given then
      return true
    end
  end
  return false
end

local function forget(pump)
  local of_loop = pumps[pump.loop]
  of_loop[pump.key] = nil
  if next(of_loop) == nil then
    pumps[pump.loop] = nil
  end
end

--- What `start` raises goes to who waits, or spawns.
local function begin(pump)
  local ok, stop = pcall(pump.loop.start, loop.step)
  if not ok then
    forget(pump)
    error(stop, 0)
  end
  pump.stop = type(stop) == "function" and stop or nil
end

--- Takes a seat: the loop runs until it is left.
---@param given gptimage2.Loop
---@param key any of `loop.here`
---@return table pump for `loop.leave`
function loop.enter(given, key)
  local of_loop = pumps[given] or {}
  local pump = of_loop[key]
  if not pump then
    pump = { loop = given, key = key, seats = 0 }
    pumps[given], of_loop[key] = of_loop, pump
    begin(pump)
  end
  pump.seats = pump.seats + 1
  idle[pump] = nil
  return pump
end

--- Starts the loop for somebody who is about to wait: what `start` raises comes now. Unless he
--- takes his seat, `loop.settle` stops it.
---@param given gptimage2.Loop
---@param key any of `loop.here`
function loop.ready(given, key)
  local pump = loop.enter(given, key)
  pump.seats = pump.seats - 1
  if pump.seats == 0 then
    idle[pump] = true
  end
end

local function stop(pump)
  idle[pump] = nil
  if pump.seats > 0 or pump.stopped then
    return
  end
  pump.stopped = true
  forget(pump)
  if pump.stop then
    local ok, err = pcall(pump.stop)
    if not ok then
      failures.keep(err, "loop")
    end
  end
end

--- Stops what nobody needs any more: at the end of a step.
function loop.settle()
  local pump = loop.is_at_rest() and next(idle) or nil
  while pump do
    stop(pump)
    pump = next(idle)
  end
end

--- Leaves a seat.
---@param pump table of `loop.enter`
function loop.leave(pump)
  pump.seats = pump.seats - 1
  if pump.seats > 0 then
    return
  end
  idle[pump] = true
  loop.settle()
end

--- Nobody is to be woken from this seat any more.
local function get_up(seat)
  seat.told = true
  waiters.remove(seat.object, seat.wake)
  seat.leave()
end

--- Closed with the coroutine, where somebody closes that.
local seat_mt = { __close = get_up }

--- A seat that is left when `object` is done, whatever became of who waits for it: a coroutine that
--- was dropped keeps no loop running. `tell` is called before that, once, inside of the step.
local function new_seat(given, key, object, tell)
  local pump = loop.enter(given, key)
  local seat = setmetatable({ object = object, told = false }, seat_mt)
  function seat.leave()
    if pump then
      local mine = pump
      pump = nil
      loop.leave(mine)
    end
  end
  function seat.wake()
    if not seat.told and tell then
      seat.told = true
      local ok, err = pcall(tell)
      if not ok then
        failures.keep(err, "loop")
      end
    end
    seat.leave()
  end
  local ok, err = pcall(waiters.add, object, seat.wake)
  if not ok then
    seat.leave()
    error(err, 0)
  end
  return seat
end

--- Leaves the seat, raising what `...` says where `ok` is false. Gives what `...` is otherwise.
local function stand_up(seat, ok, ...)
  get_up(seat)
  if not ok then
    error((...), 0)
  end
  return ...
end

--- Calls a function that may yield, from a seat.
local function from_seat(seat, fn, ...)
  if CAN_YIELD_IN_PCALL then
    return stand_up(seat, pcall(natives.closing, seat, fn, ...))
  end
  return stand_up(seat, true, fn(...))
end

--- Never below 0, which hosts take for an error, or for ever: the clock may pass the deadline after
--- it was looked at.
local function left(deadline)
  return deadline and math.max(deadline - core.now(), 0)
end

local function is_over(object, deadline)
  return object:done() or (deadline ~= nil and deadline <= core.now())
end

--- What wakes `w`. Made in a function of its own, so that nothing in it stands on the stack of the
--- coroutine that waits: nginx gives that of a request whose client has gone to another one.
local function waker(given, w)
  return function()
    w.awake = true
    given.resume(w)
  end
end

--- Waits in a coroutine of the host's, which the loop suspends. Its error is raised as it is.
---@param given gptimage2.Loop
---@param key any
---@param object any
---@param deadline number|nil
---@return boolean done
function loop.suspend(given, key, object, deadline)
  local w = {}
  local seat = new_seat(given, key, object, waker(given, w))
  from_seat(seat, function()
    while not is_over(object, deadline) do
      given.suspend(w, left(deadline))
    end
  end)
  return object:done()
end

--- Waits outside of coroutines: lets the loop turn.
---@param given gptimage2.Loop
---@param key any
---@param object any
---@param deadline number|nil
---@return boolean done
function loop.turn(given, key, object, deadline)
  local function ready()
    return object:done()
  end
  local function turn()
    while not is_over(object, deadline) do
      given.turn(ready, deadline)
    end
  end
  local seat = new_seat(given, key, object)
  stand_up(seat, pcall(turn))
  return object:done()
end

--- Calls `fn(...)`, which yields to the steps, while the loop runs.
---@param given gptimage2.Loop
---@param key any
---@param object any what it waits for
---@param fn function
---@return any ...
function loop.attend(given, key, object, fn, ...)
  return from_seat(new_seat(given, key, object), fn, ...)
end

--- The loop runs until `object` is done.
---@param given gptimage2.Loop
---@param key any
---@param object any
function loop.attend_end(given, key, object)
  new_seat(given, key, object)
end

core.kept.loop = loop

return loop
