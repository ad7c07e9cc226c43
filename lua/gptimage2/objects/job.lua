--- The methods of jobs that wait or save; the others are in the core.

local answer = require("gptimage2.objects.answer")
local check = require("gptimage2.check")
local core = require("gptimage2.core")
local ends = require("gptimage2.waiting.ends")
local fetch = require("gptimage2.files.fetch")
local follow = require("gptimage2.waiting.follow")
local options = require("gptimage2.objects.options")
local save = require("gptimage2.files.save")
local settings = require("gptimage2.objects.settings")
local wait = require("gptimage2.waiting.wait")

---@class gptimage2.Job
local methods = core.job_methods

local function check_job(self, fname)
  if type(self) ~= "userdata" or not core.is_job(self) then
    check.fail(0, fname, "job expected: call it as job:" .. fname .. "()", 3)
  end
end

--- Waits until the job is done. Its own timeout running out leaves the job going. A job that was
--- only created, or is a handle for an id, is taken up.
---@param timeout? number seconds
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:wait(timeout)
  check_job(self, "wait")
  timeout = follow.timeout(timeout, 1, "wait")
  if not self:done() or self.error or self.status == "succeeded" or not self.id then
    return follow.job(self, timeout) -- there is nothing to take up
  end
  local job, err = follow.by_id(self.client, "wait", "resume", self.id, timeout, self)
  if not job then
    return nil, err
  end
  return follow.job(job)
end

--- Stops waiting and polling. The service has no cancel: credits stay spent.
function methods:cancel()
  check_job(self, "cancel")
  core.cancel(self)
end

--- Whether the service has said what became of the job: done() of a job that was polled or created
--- is true, too, and only says that nothing more happens by itself.
---@return boolean
function methods:finished()
  check_job(self, "finished")
  return self.status == "succeeded" or self.status == "failed"
end

--- Calls fn(job, err) once when the job is done; in a later step, and never inside of this call.
---@param fn fun(job: gptimage2.Job, err: gptimage2.Error|nil)
function methods:on_done(fn)
  check_job(self, "on_done")
  check.argument(fn, 1, "on_done", "function", 2)
  ends.on_done(self, fn)
end

--- The job as the service itself tells of one: its documented JSON, in which arrays are arrays.
---@return string|nil json
---@return gptimage2.Error|nil err code `no_job_id`
function methods:answer()
  check_job(self, "answer")
  return answer.of(self)
end

--- Downloads every image to files, and writes the sidecar `{id}.json`. Waits.
---@param where string a folder, or a pattern with {id} {n} {seed} {ext} {date}
---@param opts? { overwrite: boolean?, sidecar: boolean? }
---@return string[]|nil paths
---@return gptimage2.Error|nil err
function methods:save(where, opts)
  check_job(self, "save")
  check.argument(where, 1, "save", "string", 2)
  opts = options.save(opts, "save", 2, 2)
  local refused = wait.refusal()
  if refused then
    return nil, core.about(self, refused)
  end
  local config = settings.get(self.client)
  local saving, err = save.start(self, where, opts, config)
  if not saving then
    return nil, err
  end
  local done
  done, err = wait.until_done(saving)
  if done == nil then
    return nil, err
  end
  return saving:result()
end

local function no_such_image(self, n)
  local message = "there is no image %s: the job has %d"
  local _, err = check.invalid("no_such_image", "n", message:format(check.number(n), #self.results))
  return err
end

--- Image n in memory. Waits.
---@param n? integer default 1
---@return string|nil bytes
---@return gptimage2.Error|nil err
function methods:data(n)
  check_job(self, "data")
  n = n == nil and 1 or n
  check.argument(n, 1, "data", "number", 2)
  local err = save.refusal(self) or wait.refusal()
  err = err or not self.results[n] and no_such_image(self, n)
  if err then
    return nil, core.about(self, err)
  end
  local image = fetch.start(self, n, settings.get(self.client).timeout)
  local ok
  ok, err = wait.until_done(image)
  err = err or image.err
  if ok == nil or err then
    return nil, core.about(self, err)
  end
  return image.value
end
