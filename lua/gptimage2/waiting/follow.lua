--- Following a job: waiting for its end, and taking one up by its id.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local settings = require("gptimage2.objects.settings")
local wait = require("gptimage2.waiting.wait")
local waiters = require("gptimage2.waiting.waiters")

local follow = {}

--- A timeout that was given: a number of seconds, or nil; raises for anything else.
function follow.timeout(value, argn, fname)
  if value == nil then
    return nil
  end
  check.argument(value, argn, fname, "number", 3)
  if value ~= value or value < 0 then
    check.fail(argn, fname, "a number of seconds, 0 or more, expected", 3)
  end
  return value
end

--- The job when it went well, else nil and its error.
function follow.outcome(job)
  if job.error then
    return nil, job.error
  end
  return job
end

--- Waits for a job: gives it when it went well, else nil and its error.
---@param job gptimage2.Job
---@param timeout? number seconds; running out leaves the job going
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function follow.job(job, timeout)
  local done, err = wait.until_done(job, timeout)
  if done == nil then
    return nil, err
  elseif not done then
    return nil, core.about(job, wait.timeout_error("the job", timeout, job.id))
  end
  return follow.outcome(job)
end

--- Whether the service has said what became of the job.
local function is_settled(job)
  return job.status == "succeeded" or job.status == "failed"
end

--- The created jobs that are kept: by id, and their ids in order.
local function created_by(self)
  local created = core.created(self)
  if not created.jobs then
    created.order, created.first, created.last, created.jobs = {}, 1, 0, {}
  end
  return created
end

--- How many created jobs are kept until they are settled: of older ones the credits stay spent.
local CREATED_MAX = 4096

--- A created job is kept until it is settled: whoever polls it by its id may learn that its credits
--- come back. May be called again where it was broken off.
---@param self gptimage2.Client
---@param made table of `follow.tie_created`
function follow.keep_created(self, made)
  local job = made.job
  if made.kept or job.error or is_settled(job) then
    return
  end
  local created = created_by(self)
  created.last = created.last + 1
  created.order[created.last], created.jobs[job.id] = job.id, job
  if created.last - created.first >= CREATED_MAX then
    local oldest = created.order[created.first]
    if created.jobs[oldest] then
      core.spend(self, created.jobs[oldest].idempotency_key)
      created.jobs[oldest] = nil
    end
    created.order[created.first] = nil
    created.first = created.first + 1
  end
  made.kept = true
end

--- The job that is created with these options is kept once it was made, whatever becomes of the
--- call that waits for it.
---@param self gptimage2.Client
---@param opts table of `core.submit`
---@return table made for `follow.keep_created`
function follow.tie_created(self, opts)
  local made = { job = nil, kept = false }
  opts.holder, opts.key = made, "job"
  opts.by_job = waiters.at_end(function()
    follow.keep_created(self, made)
  end)
  return made
end

--- The created job with the id of the one that these options make is kept no longer once that is
--- settled.
local function tie_kept(jobs, id, opts)
  local going = { job = nil }
  opts.holder, opts.key = going, "job"
  opts.by_job = waiters.at_end(function()
    if is_settled(going.job) then
      jobs[id] = nil
    end
  end)
end

--- Whether the id may go into a path: true, or nil and the error. `level` says whom a wrong type
--- blames, as in `error`: 2 the function that called this one.
function follow.check_id(id, fname, level)
  check.argument(id, 1, fname, "string", level)
  if core.is_job_id(id) then
    return true
  end
  local message = "a job id has 1 to 256 visible ASCII characters, no backslash among them, no '.' "
    .. "or '/' in front and no '.' or '..' between slashes, not %s"
  local _, err = check.invalid("invalid_job_id", "id", message:format(check.show(id)))
  err.sent, err.charged = nil, "unknown" -- of the job that was meant
  return nil, err
end

--- What the ledger has of the job with this id: its key, request and metadata; nil where nobody may
--- write to its row but the one who is at work on it, or it cannot be read. (The job can be had
--- without: it is paid.)
local function recorded(self, id)
  local config = settings.get(self)
  if not config.ledger then
    return nil
  end
  return require("gptimage2.ledger").of_id(self, config, id)
end

--- Hands the job with this id to the engine: `mode` "poll" (once) or "resume" (to its end).
--- `origin` is the job that the new one goes on with, if there is one.
function follow.by_id(self, fname, mode, id, timeout, origin)
  settings.of(self, fname, 4)
  local ok, err = follow.check_id(id, fname, 4)
  err = not ok and err or wait.refusal()
  if err then
    return nil, err
  end
  local jobs = created_by(self).jobs
  local kept = jobs[id]
  local opts = { id = id, timeout = timeout, origin = kept or origin }
  local known = opts.origin
  if not (known and known.idempotency_key) then
    known = recorded(self, id) or known
  end
  if known then
    opts.request = known.request
    opts.metadata = known.metadata
    opts.tenant = known.tenant
    opts.idempotency_key = known.idempotency_key
    opts.vouched = known.vouched
  end
  if kept then
    tie_kept(jobs, id, opts)
  end
  return core.submit(self, mode, opts)
end

return follow
