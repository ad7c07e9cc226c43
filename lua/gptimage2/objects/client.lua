--- Clients: what their calls check before the core gets it, and those that wait.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local ends = require("gptimage2.waiting.ends")
local failures = require("gptimage2.waiting.failures")
local follow = require("gptimage2.waiting.follow")
local json = require("gptimage2.files.json")
local naming = require("gptimage2.files.naming")
local options = require("gptimage2.objects.options")
local request = require("gptimage2.request.request")
local save = require("gptimage2.files.save")
local settings = require("gptimage2.objects.settings")
local wait = require("gptimage2.waiting.wait")

local client = {}

---@class gptimage2.Client
local methods = core.client_methods
local function unloadable(why)
  return core.error({
    kind = "ledger",
    code = "ledger_unopenable",
    message = "the ledger's part of this module cannot be loaded: " .. tostring(why),
  })
end

--- A new client. See `gptimage2.new`.
---@param opts? table
---@return gptimage2.Client|nil
---@return gptimage2.Error|nil err
function client.new(opts)
  local config, err = options.client(opts, 3)
  if not config then
    return nil, err
  end
  if config.ledger then
    local loaded, why = pcall(require, "gptimage2.ledger") -- now, and not when a crash needs it
    if not loaded then
      return nil, unloadable(why)
    end
  end
  config.on_event = config.on_event and core.guard(config.on_event, failures.keep)
  config.user_agent = config.user_agent or "gptimage2-lua/" .. core.version
  local self
  self, err = core.client(config)
  if not self then
    return nil, err
  end
  settings.keep(self, config)
  core.created(self).on_error = config.on_error
  return self
end

--- The save of the options, checked as far as that is possible before anything is paid, and fixed
--- to the folder that the program is in now.
local function check_save(wanted, count)
  local where, base = wanted.where, save.base(wanted.where)
  local is_dir = core.is_folder(base .. where)
  local ok, err = naming.check(where, is_dir, count)
  if not ok then
    return nil, err
  end
  for _, target in ipairs(naming.targets(where, is_dir, count)) do
    local place = base .. target.folder
    ok, err = core.check_target(place, target.name, target.exact, wanted.overwrite)
    if not ok then
      err.sent, err.charged = "no", "no"
      return nil, err
    end
  end
  wanted.base = base
  return true
end

--- Checks everything and hands the job to the engine. Gives the job and, where a save was asked
--- for, that; of a create what follow.keep_created wants. `waits`: the caller is going to.
--- An error of the host's (a hook's) may come before and after the core's submit, and not inside of
--- it: what must be known of a job that is going, and paid for, is tied to it in there.
local function start(self, fname, mode, req, opts, waits)
  local config = settings.of(self, fname, 4)
  local normalised, tied, job, err
  opts, err = options.job(opts, fname, 2, 3)
  if not opts then
    return nil, err
  end
  if opts.save and mode == "create" then
    check.fail(2, fname, "option 'save' is for generate and submit: create does not poll", 3)
  end
  normalised, err = request.normalise(req, config, fname, 3)
  if not err and opts.tenant and not config.ledger then
    err = settings.no_ledger()
    err.sent, err.charged = "no", "no"
  end
  err = err or waits and wait.refusal() -- before anything is paid
  if err then
    return nil, err
  end
  if opts.save then
    local ok
    ok, err = check_save(opts.save, normalised.count)
    if not ok then
      return nil, err
    end
    tied = save.new(opts.save.where, opts.save, config)
    save.tie(tied, opts)
  elseif mode == "create" then
    tied = follow.tie_created(self, opts)
  end
  opts.request = normalised
  opts.metadata_json = opts.metadata and json.object(opts.metadata)
  if waits then
    wait.prepare()
  end
  job, err = core.submit(self, mode, opts)
  if not job then
    wait.unprepare()
    return nil, err
  end
  if core.handler(job) and not waits then
    ends.attend(job) -- somebody wants its events
  end
  return job, nil, tied
end

--- Waits for the files of a job that has succeeded, as long as its own time lasts.
local function await_files(job, saving, deadline, timeout)
  local done, err = wait.until_done(saving, math.max(deadline - core.now(), 0))
  if done == false and not saving:done() then
    local late = wait.timeout_error("saving the images", timeout, job.id)
    core.saved(job, nil, core.about(job, late))
  end
  return done ~= nil, err
end

--- The whole thing: create, poll, finish (and save, where options.save says so). Waits.
---@param req gptimage2.Request
---@param opts? gptimage2.JobOptions
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:generate(req, opts)
  local began = core.now()
  local job, err, saving = start(self, "generate", "generate", req, opts, true)
  if not job then
    return nil, err
  end
  local done
  done, err = wait.until_done(job)
  if done and saving and job.status == "succeeded" then
    local timeout = opts.timeout or settings.get(self).timeout
    done, err = await_files(job, saving, began + timeout, timeout)
  end
  if not done then
    return nil, err
  end
  return follow.outcome(job)
end

--- The same without waiting: the engine does the rest.
---@param req gptimage2.Request
---@param opts? gptimage2.JobOptions
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:submit(req, opts)
  local job, err = start(self, "submit", "generate", req, opts)
  return job, err
end

--- One create call, no polling afterwards. Waits.
---@param req gptimage2.Request
---@param opts? gptimage2.JobOptions
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:create(req, opts)
  local job, err, made = start(self, "create", "create", req, opts, true)
  if not job then
    return nil, err
  end
  local done
  done, err = follow.job(job)
  if done then
    pcall(follow.keep_created, self, made) -- it is paid for: without memory it is just not kept
  end
  return done, err
end

--- One poll call. Waits.
---@param id string
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:poll(id)
  local job, err = follow.by_id(self, "poll", "poll", id)
  if not job then
    return nil, err
  end
  return follow.job(job)
end

--- Takes up a job by its id, from any earlier process, and polls it to the end.
---@param id string
---@param timeout? number seconds; default the client's
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:wait(id, timeout)
  timeout = follow.timeout(timeout, 2, "wait")
  local job, err = follow.by_id(self, "wait", "resume", id, timeout)
  if not job then
    return nil, err
  end
  return follow.job(job)
end

--- A handle for an id, without any request: `job:wait()` takes it up.
---@param id string
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:job(id)
  settings.of(self, "job", 3)
  local ok, err = follow.check_id(id, "job", 3)
  if not ok then
    return nil, err
  end
  ok, err = settings.check_open(self)
  if not ok then
    return nil, err
  end
  return core.handle(self, id)
end

--- The request of a call that only looks at it, checked; nil and the error.
local function looked_at(self, req, fname)
  local config = settings.of(self, fname, 4)
  local normalised, err = request.normalise(req, config, fname, 3)
  if not normalised then
    return nil, err
  end
  local ok
  ok, err = settings.check_open(self)
  return ok and normalised, err
end

--- What a request costs: 10 credits for each image.
---@param req gptimage2.Request
---@return integer|nil credits
---@return gptimage2.Error|nil err
function methods:cost(req)
  local normalised, err = looked_at(self, req, "cost")
  if not normalised then
    return nil, err
  end
  return request.cost(normalised)
end

--- How long such a job will take from the answer to its create, as far as is known: in `p50`
--- seconds half of them are done, in `p90` nine in ten. Nothing before four were seen to their end.
---@param req gptimage2.Request
---@return number|nil p50
---@return number|gptimage2.Error|nil p90 or err
function methods:expect(req)
  local normalised, err = looked_at(self, req, "expect")
  if not normalised then
    return nil, err
  end
  return core.expect(self, normalised)
end

--- The client's unfinished jobs, oldest first.
---@return gptimage2.Job[]
function methods:jobs()
  local list = core.jobs(self)
  table.sort(list, function(a, b)
    return a.created_at < b.created_at
  end)
  return list
end

return client
