--- Calls of the host's at the end of a job.

local choice = require("gptimage2.waiting.choice")
local core = require("gptimage2.core")
local failures = require("gptimage2.waiting.failures")
local loop = require("gptimage2.waiting.loop")
local steps = require("gptimage2.waiting.steps")
local waiters = require("gptimage2.waiting.waiters")

local ends = {}

--- Calls fn(job, err) once, in a later step. Where there is a loop, that runs until then.
---@param job gptimage2.Job
---@param fn function
function ends.on_done(job, fn)
  local told = false
  local function tell()
    if told then -- an error of the host's came behind the call
      return
    end
    told = true
    local ok, err = pcall(fn, job, job.error)
    if not ok then
      failures.keep(err, "on_done", job)
    end
  end
  ends.attend(job)
  if job:done() then
    core.later(tell, true)
    steps.remind()
  else
    waiters.add(job, tell)
  end
end

--- Where there is a loop, that runs until the job is done. Raises nothing: the job is going.
---@param job gptimage2.Job
function ends.attend(job)
  local ok, err = pcall(function()
    local host, key = choice.loop()
    if host then
      loop.attend_end(host, key, job)
    end
  end)
  if not ok then
    failures.keep(err, "loop", job)
  end
end

return ends
