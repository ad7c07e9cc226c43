--- gptimage2: the GPTImage2.ai image service for any Lua program.
---
--- Describe a picture, get files; never stall a frame, never pay twice, never lose a picture.

local core = require("gptimage2.load").core() -- before all that needs it

local check = require("gptimage2.check")
local choice = require("gptimage2.waiting.choice")
local client = require("gptimage2.objects.client")
local failures = require("gptimage2.waiting.failures")
local hosts = require("gptimage2.waiting.hosts")
local migrate = require("gptimage2.migrate")
local naps = require("gptimage2.waiting.naps")
local prompt = require("gptimage2.prompt")
local steps = require("gptimage2.waiting.steps")
local task = require("gptimage2.waiting.task")
require("gptimage2.objects.client_ledger") -- methods of clients
require("gptimage2.objects.error") -- methods of errors
require("gptimage2.objects.job") -- methods of jobs

---@class gptimage2
local gptimage2 = {
  _NAME = "gptimage2",
  _VERSION = "gptimage2 " .. core.version,
  _DESCRIPTION = "The GPTImage2.ai image service for any Lua program",
  _LICENSE = "MIT",
  _URL = "https://github.com/gptimage2/gptimage2-lua",
  prompt = prompt,
  migrate = migrate,
  loops = hosts.loops,
  --- Gets the errors of tasks and handlers that nobody waits for; nil: `step` and `run` raise them.
  ---@type fun(err: any, what: string)|nil
  on_error = nil,
}

failures.handler = function()
  return gptimage2.on_error
end

--- A client for one account.
---@param options? gptimage2.Options
---@return gptimage2.Client|nil
---@return gptimage2.Error|nil err
function gptimage2.new(options)
  if options == gptimage2 then
    check.fail(1, "new", "options expected, got the module: call it as gptimage2.new{}")
  end
  local self, err = client.new(options)
  return self, err
end

local function seconds(value, fname)
  check.argument(value, 1, fname, "number", 3)
  if value ~= value or value < 0 then
    check.fail(1, fname, "a number of seconds, 0 or more, expected", 3)
  end
  return value
end

--- Handles what has arrived: updates jobs, calls on_event, resumes waiting coroutines.
---@param timeout? number seconds to wait when nothing has arrived; never waits without it
---@return integer|nil handled
---@return gptimage2.Error|nil err
function gptimage2.step(timeout)
  if timeout == nil then
    return steps.step()
  end
  return steps.step(seconds(timeout, "step"))
end

--- Jobs and downloads not yet finished, those included whose end is left to the next step. In a
--- forked process 0: they are its parent's.
---@return integer
function gptimage2.pending()
  local count = core.pending()
  return count and count + steps.undelivered() or 0
end

--- A descriptor that becomes readable when `step` has something to do.
---@return integer|nil fd
---@return gptimage2.Error|nil err
function gptimage2.fd()
  return core.fd()
end

--- Whether anything goes on: jobs and downloads that are not finished, tasks, sleeps. A loop may
--- end when it is 0. In a forked process 0: nothing goes on there.
---@return integer
function gptimage2.busy()
  if not core.pending() then
    return 0
  end
  return gptimage2.pending() + task.count() + naps.count()
end

--- Starts fn(...) as a coroutine that `step` drives.
---@param fn function
---@return gptimage2.Task
function gptimage2.spawn(fn, ...)
  check.argument(fn, 1, "spawn", "function")
  return task.spawn(fn, ...)
end

--- Steps until all tasks are done, and gives what fn returned. Re-raises a task's error.
---@param fn? function started as a task first
function gptimage2.run(fn, ...)
  if fn ~= nil then
    check.argument(fn, 1, "run", "function")
  end
  return task.run(fn, ...)
end

--- Waits the way all waiting calls do.
---@param time number seconds
---@return true|nil
---@return gptimage2.Error|nil err
function gptimage2.sleep(time)
  return naps.sleep(seconds(time, "sleep"))
end

--- Seconds on the clock that deadlines are told in; only differences mean something.
---@return number
function gptimage2.now()
  return core.now()
end

--- What waiting does.
---@param loop string|gptimage2.Loop|{ wait: fun(ready: (fun(): boolean), deadline: number?) }
function gptimage2.use(loop)
  choice.use(loop)
end

return gptimage2
