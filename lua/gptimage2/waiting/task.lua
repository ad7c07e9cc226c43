--- Tasks: coroutines that `step` drives.

local check = require("gptimage2.check")
local choice = require("gptimage2.waiting.choice")
local core = require("gptimage2.core")
local coroutines = require("gptimage2.waiting.coroutines")
local failures = require("gptimage2.waiting.failures")
local follow = require("gptimage2.waiting.follow")
local loop = require("gptimage2.waiting.loop")
local natives = require("gptimage2.waiting.natives")
local steps = require("gptimage2.waiting.steps")
local wait = require("gptimage2.waiting.wait")
local waiters = require("gptimage2.waiting.waiters")

-- Loaded once more in the same state: the tasks that are alive are the first one's.
if core.kept.task then
  return core.kept.task
end

local task = {}

local unpack = table.unpack or unpack -- luacheck: ignore

--- Seconds that `run` stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

---@class gptimage2.Task
local methods = {}
local mt = { __index = methods, __name = "gptimage2.Task" }

--- Tasks that have not ended.
local live = {}

function mt.__tostring(self)
  local state = not self.ended and "running"
    or self.failed and "failed"
    or self.cancelled and "cancelled"
    or "done"
  return ("gptimage2.Task (%s)"):format(state)
end

local function check_task(self, fname)
  if type(self) ~= "table" or getmetatable(self) ~= mt then
    check.fail(0, fname, "task expected: call it as task:" .. fname .. "()", 3)
  end
end

local function pack(count, ...)
  return { n = count, ... }
end

--- Whether somebody waits for the task, and will get its error.
local function is_watched(self)
  for co in pairs(self.watchers) do
    if co == true or natives.status(co) ~= "dead" then
      return true
    end
  end
  return false
end

--- What `run` waits for in a loop of the host's: that no task is left. There is a new one each
--- time, for who waits is told once, and another task may begin before he goes on.
local round

local function new_round()
  round = { over = false }
  function round:done()
    return self.over
  end
end

new_round()

--- The task has ended, and those who wait for it are told. An error of the host's may break it off:
--- then it is done once more.
local function leave(self)
  self.ended = true
  live[self] = nil
  local pump = self.pump
  self.pump = nil
  if pump then
    loop.leave(pump)
  end
  waiters.finished(self)
  if next(live) == nil then
    round.over = true
    waiters.finished(round)
    new_round()
  end
end

--- The task has ended. Somebody who waits for it gets its error; else the next step raises it.
local function finish(self, ok, err)
  if not ok and not self.results and not self.ended then
    if not self.failed then
      self.failed, self.error = true, err
    end
    if not is_watched(self) then
      self.failure = self.failure or failures.keep(self.error, "task")
    end
  end
  leave(self)
end

--- The coroutine was closed by somebody else, or its end got lost in an error of a hook.
local function give_up(self)
  if self.ended then
    return leave(self)
  end
  self.cancelled = core.error({
    kind = "cancelled",
    code = "task_closed",
    message = "the task's coroutine was closed before its function returned",
    retryable = false,
  })
  leave(self)
end

--- Ends the tasks whose coroutine is dead and which nobody has ended.
local function sweep()
  local dead = {}
  for self, co in pairs(live) do
    if natives.status(co) == "dead" then
      dead[#dead + 1] = self
    end
  end
  for i = 1, #dead do
    give_up(dead[i])
  end
end

--- What the function returned is kept inside of its own coroutine.
local function keep(guard, ...)
  guard.over = true
  guard.task.results = pack(select("#", ...), ...)
end

--- The body of a task's coroutine: calls `fn`. Where Lua has variables that are to be closed, one
--- of them tells when the coroutine is closed by somebody else.
local call = function(guard, fn, ...)
  keep(guard, fn(...))
end

if natives.close then
  call = assert(load(
    [[
    local keep = ...
    return function(guard, fn, ...)
      local closed <close> = guard
      keep(guard, fn(...))
    end
  ]],
    "=gptimage2.task"
  ))(keep)
end

local guard_mt = {}

function guard_mt.__close(guard)
  if not guard.over and coroutines.closing ~= guard.co then
    give_up(guard.task)
  end
end

--- The running coroutine waits for the task, and will get its error.
local function watch(self)
  local me = coroutine.running() or true
  self.watchers[me] = (self.watchers[me] or 0) + 1
  return me
end

local function unwatch(self, me)
  self.watchers[me] = self.watchers[me] > 1 and self.watchers[me] - 1 or nil
end

--- Whether the function has returned or raised.
---@return boolean
function methods:done()
  check_task(self, "done")
  return self.ended
end

--- Waits for the task's end: gives what its function returned, raises what it raised. Raises where
--- the task could not end before this call has returned.
---@param timeout? number seconds; then nil, err (kind timeout)
function methods:wait(timeout)
  check_task(self, "wait")
  timeout = follow.timeout(timeout, 1, "wait")
  local co = live[self]
  if co and wait.is_below(co) then
    error("a task's wait called inside that task, which would wait for itself", 2)
  end
  local me = watch(self)
  local done, err = wait.until_done(self, timeout)
  unwatch(self, me)
  if done == nil then
    return nil, err
  elseif not done then
    return nil, wait.timeout_error("the task", timeout)
  elseif self.cancelled then
    return nil, self.cancelled
  elseif self.failed then
    failures.forget(self.failure)
    error(self.error, 0)
  end
  return unpack(self.results, 1, self.results.n)
end

--- The task is alive, and runs until its first wait. Where there is a loop, that runs as long.
local function begin(self, co, ...)
  local host, key = choice.loop()
  self.pump = host and loop.enter(host, key)
  live[self] = co
  coroutines.resume(co, ...)
end

--- Starts `fn(...)` in a coroutine, which runs until its first wait. See `gptimage2.spawn`.
---@param fn function
---@return gptimage2.Task
function task.spawn(fn, ...)
  local self = setmetatable({ ended = false, watchers = {} }, mt)
  local guard = setmetatable({ task = self, over = false }, guard_mt)
  local co = natives.create(function(...) -- Lua 5.1 takes no C function here
    guard.begun = true
    call(guard, fn, ...)
  end)
  guard.co = co
  coroutines.own(co, function(ok, err)
    finish(self, ok, err)
  end)
  local ok, raised = pcall(begin, self, co, ...)
  if ok then
    steps.remind()
    return self
  end
  -- An error of the host's, in between. What has begun the steps go on with.
  if guard.begun then
    core.later(co, true)
    steps.remind()
  else
    live[self] = nil
  end
  error(raised, 0)
end

--- The task whose function is running, and has not ended.
---@return gptimage2.Task|nil
function task.running()
  local me = coroutine.running()
  for self, co in pairs(live) do
    if co == me then
      return self
    end
  end
end

--- Something that is done once all tasks of a list have ended, or one has failed.
local function end_of(list)
  local all = {}
  function all.done()
    local ended = true
    for _, one in ipairs(list) do
      if one.failed then
        return true
      end
      ended = ended and one.ended
    end
    return ended
  end
  for _, one in ipairs(list) do
    waiters.on_done(one, function()
      if all.done() then
        waiters.finished(all)
      end
    end)
  end
  return all
end

--- Waits until all tasks of a list have ended, or one has failed. Nobody else gets their errors
--- then.
---@param list gptimage2.Task[]
---@return gptimage2.Task|nil failed the first of them, with its `error`
function task.settle(list)
  local me, failed
  for _, one in ipairs(list) do
    me = watch(one)
  end
  wait.until_done(end_of(list))
  for _, one in ipairs(list) do
    unwatch(one, me)
    if one.failed then
      failures.forget(one.failure)
      failed = failed or one
    end
  end
  return failed
end

--- Whether this is called by a task, at once or further down: it cannot end before this returns.
local function is_inside()
  for _, co in pairs(live) do
    if wait.is_below(co, true) then
      return true
    end
  end
  return coroutines.is_owned(coroutine.running())
end

--- How many tasks have not ended.
---@return integer
function task.count()
  local count = 0
  for _ in pairs(live) do
    count = count + 1
  end
  return count
end

--- Steps until all tasks are done, or `main` has failed, as nobody else does.
local function step_all(main)
  while (next(live) or failures.any()) and not (main and main.failed) do
    local handled, err = steps.step(next(live) and SLICE or nil)
    if not handled then
      return nil, err
    elseif handled == 0 then
      sweep()
    end
  end
  return true
end

--- Leaves the steps to the loop, until all tasks are done, or `main` has failed. What nobody else
--- has got is raised here.
local function await_all(main)
  local done, err = true, nil
  if main then
    done, err = wait.until_done(main)
  end
  while done and next(live) and not (main and main.failed) do
    done, err = wait.until_done(round)
  end
  if not done or (main and main.failed) then
    return done, err
  end
  local failure, spare = failures.take()
  if failure or spare ~= nil then
    error(failure and failure[1] or spare, 0)
  end
  return true
end

--- Steps until all tasks are done. See `gptimage2.run`.
---@param fn? function
---@return any ...
function task.run(fn, ...)
  if is_inside() then
    error("gptimage2.run called inside a task, which would wait for itself", 3)
  end
  local refused = wait.refusal(true)
  if refused then
    return nil, refused
  end
  local main = fn and task.spawn(fn, ...)
  local me = main and watch(main)
  if main and main.failed then -- at once: nobody else is to get its error
    failures.forget(main.failure)
  end
  local all = (choice.loop() or choice.wait()) and await_all or step_all
  local ok, err = all(main)
  if main then
    unwatch(main, me)
  end
  if not ok then
    return nil, err
  elseif main then
    return main:wait()
  end
end

core.kept.task = task

return task
