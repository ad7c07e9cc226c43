--- gptimage2: the GPTImage2.ai image service for any Lua program.
---
--- Describe a picture, get files; never stall a frame, never pay twice, never lose a picture.

local check = require("gptimage2.check")
local client = require("gptimage2.objects.client")
local core = require("gptimage2.core")
local migrate = require("gptimage2.migrate")
local prompt = require("gptimage2.prompt")
local steps = require("gptimage2.waiting.steps")
local task = require("gptimage2.waiting.task")
local wait = require("gptimage2.waiting.wait")
require("gptimage2.objects.client_ledger") -- methods of clients
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
}

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
  time = seconds(time, "sleep")
  local timer
  local err = wait.refusal()
  if not err then
    timer, err = core.sleep(time)
  end
  if err then
    return nil, err
  end
  local done
  done, err = wait.until_done(timer)
  return done, err
end

--- Seconds on the clock that deadlines are told in; only differences mean something.
---@return number
function gptimage2.now()
  return core.now()
end

--- What waiting does.
---@param loop "auto"|"block"|"yield"|{ wait: fun(ready: (fun(): boolean), deadline: number?) }
function gptimage2.use(loop)
  if type(loop) == "table" then
    if type(loop.wait) ~= "function" then
      check.fail(1, "use", "a loop is a table with a function 'wait'")
    end
  elseif loop ~= "auto" and loop ~= "block" and loop ~= "yield" then
    local known = { "auto", "block", "yield" }
    local hint = check.did_you_mean(loop, known)
    check.fail(1, "use", "'auto', 'block', 'yield' or a table with 'wait' expected" .. hint)
  end
  wait.use(loop)
end

return gptimage2
