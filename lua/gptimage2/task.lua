--- Tasks: coroutines that `step` drives.

local core = require("gptimage2.core")
local wait = require("gptimage2.wait")

-- Loaded once more in the same state: the tasks that are alive are the first one's.
if core.kept.task then
  return core.kept.task
end

local task = {}

--- Seconds that `run` stays away from Lua, so that Ctrl-C works.
local SLICE = 0.1

---@class gptimage2.Task
local methods = {}
local mt = { __index = methods, __name = "gptimage2.Task" }

--- Tasks that have not ended.
local live = 0

function mt.__tostring(self)
  local state = not self.ended and "running" or self.failed and "failed" or "done"
  return ("gptimage2.Task (%s)"):format(state)
end

local function pack(count, ...)
  return { n = count, ... }
end

--- The task has ended. Somebody who waits for it gets its error; else the next step raises it.
local function finish(self, ok, ...)
  live = live - 1
  self.ended = true
  local results = (...)
  if ok then
    ok, results = pcall(pack, ...) -- there may be no memory for them
  end
  if ok then
    self.results = results
  else
    self.failed, self.error = true, results
    if self.watchers == 0 then
      self.failure = wait.fail(self.error)
    end
  end
  wait.finished(self)
end

--- Whether the function has returned or raised.
---@return boolean
function methods:done()
  return self.ended
end

--- Waits for the task's end: gives what its function returned, raises what it raised.
---@param timeout? number seconds; then nil, err (kind timeout)
function methods:wait(timeout)
  self.watchers = self.watchers + 1
  local done, err = wait.until_done(self, timeout)
  self.watchers = self.watchers - 1
  if done == nil then
    return nil, err
  elseif not done then
    return nil, wait.timeout_error("the task", timeout)
  elseif self.failed then
    wait.forget(self.failure)
    error(self.error, 0)
  end
  return wait.unpack(self.results, 1, self.results.n)
end

--- Starts `fn(...)` in a coroutine, which runs until its first wait. See `gptimage2.spawn`.
---@param fn function
---@return gptimage2.Task
function task.spawn(fn, ...)
  local self = setmetatable({ ended = false, watchers = 0 }, mt)
  local co = coroutine.create(function(...) -- Lua 5.1 takes no C function here
    return fn(...)
  end)
  live = live + 1
  wait.own(co, function(ok, ...)
    finish(self, ok, ...)
  end)
  wait.resume(co, ...)
  wait.remind()
  return self
end

--- Steps until all tasks are done. See `gptimage2.run`.
---@param fn? function
---@return any ...
function task.run(fn, ...)
  if wait.is_owned(coroutine.running()) then
    error("gptimage2.run called inside a task, which would wait for itself", 3)
  end
  local main = fn and task.spawn(fn, ...)
  while live > 0 or wait.failing() do
    local handled, err = wait.step(live > 0 and SLICE or nil)
    if not handled then
      return nil, err
    end
  end
  if main then
    return wait.unpack(main.results, 1, main.results.n)
  end
end

core.kept.task = task

return task
