--- The methods of clients and jobs that wait or check: the rest of `core`'s userdata.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local events = require("gptimage2.events")
local json = require("gptimage2.json")
local ledger = require("gptimage2.ledger")
local naming = require("gptimage2.naming")
local options = require("gptimage2.options")
local request = require("gptimage2.request")
local save = require("gptimage2.save")
local wait = require("gptimage2.wait")

local client = {}

---@class gptimage2.Client
local methods = core.client_methods
---@class gptimage2.Job
local job_methods = core.job_methods

--- Client -> { ratios, timeout }: what calls need and the core does not.
local settings = core.kept.settings or setmetatable({}, { __mode = "k" })
core.kept.settings = settings

--- A new client. See `gptimage2.new`.
---@param opts? table
---@return gptimage2.Client|nil
---@return gptimage2.Error|nil err
function client.new(opts)
  local config, err = options.client(opts, 3)
  if not config then
    return nil, err
  end
  config.user_agent = config.user_agent or "gptimage2-lua/" .. core.version
  local self
  self, err = core.client(config)
  if not self then
    return nil, err
  end
  settings[self] = {
    ratios = config.ratios,
    timeout = config.timeout,
    ledger = config.ledger,
    retry = config.retry,
    base_url = config.base_url,
  }
  return self
end

--- The settings of a client; raises for anything else. `level` says whom that blames, as in
--- `error`: 2 the function that called this one.
local function settings_of(self, fname, level)
  local found = settings[self]
  if not found then
    check.fail(0, fname, "client expected: call it as client:" .. fname .. "()", level)
  end
  return found
end

local function timeout_argument(value, argn, fname)
  if value == nil then
    return nil
  end
  check.argument(value, argn, fname, "number", 3)
  if value ~= value or value < 0 then
    check.fail(argn, fname, "a number of seconds, 0 or more, expected", 3)
  end
  return value
end

--- What a wait that ran out says. The thing itself goes on.
function wait.timeout_error(what, timeout, job_id)
  return core.error({
    kind = "timeout",
    code = "wait_timeout",
    message = ("%s is not done after %g s; it goes on"):format(what, timeout),
    job_id = job_id,
    retryable = true,
  })
end

--- A cancel takes effect at once, so its event does not wait for the engine.
wait.announce_to(function(object)
  if core.is_job(object) and object.status == "cancelled" then
    events.tell(object, "cancelled")
  end
end)

--- The job when it went well, else nil and its error.
local function outcome(job)
  if job.error then
    return nil, job.error
  end
  return job
end

local function wait_for_job(job, timeout)
  local done, err = wait.until_done(job, timeout)
  if done == nil then
    return nil, err
  elseif not done then
    return nil, wait.timeout_error("the job", timeout, job.id)
  end
  return outcome(job)
end

--- The save of the options, checked as far as that is possible before anything is paid.
local function check_save(wanted, count)
  return naming.check(wanted.where, core.is_folder(wanted.where), count)
end

--- Starts what `options.save` asks for once the job has succeeded; `on_end` is told.
local function save_when_done(job, wanted, config, on_end)
  wait.on_done(job, function()
    if job.status ~= "succeeded" then
      return on_end()
    end
    local saving, err = save.start(job, wanted.where, wanted, config)
    if not saving then
      core.saved(job, nil, err)
      return on_end()
    end
    wait.on_done(saving, on_end)
  end)
end

--- A thing that is done once `finish` was called.
local function new_saved()
  local saved = { ended = false }
  function saved.done()
    return saved.ended
  end
  function saved.finish()
    saved.ended = true
    wait.finished(saved)
  end
  return saved
end

--- Checks everything and hands the job to the engine. Gives the job and, where a save was asked
--- for, a thing that is done when the files are there.
local function start(self, fname, mode, req, opts)
  local config = settings_of(self, fname, 4)
  local normalised, saved, job, err
  opts, err = options.job(opts, fname, 2, 3)
  if not opts then
    return nil, err
  end
  if opts.save and mode == "create" then
    check.fail(2, fname, "option 'save' is for generate and submit: create does not poll", 3)
  end
  normalised, err = request.normalise(req, config, fname, 3)
  if not normalised then
    return nil, err
  end
  if opts.save then
    local ok
    ok, err = check_save(opts.save, normalised.count)
    if not ok then
      return nil, err
    end
    saved = new_saved() -- now: later there may be no memory for it
  end
  opts.request = normalised
  opts.metadata_json = opts.metadata and json.object(opts.metadata)
  job, err = core.submit(self, mode, opts)
  if not job then
    return nil, err
  end
  -- The job is going, and paid for: from here on nothing may make it look as if it were not.
  if saved and not pcall(save_when_done, job, opts.save, config, saved.finish) then
    core.saved(job, nil, save.NO_MEMORY)
    saved.ended = true
  end
  return job, nil, saved
end

--- The whole thing: create, poll, finish (and save, where options.save says so). Waits.
---@param req gptimage2.Request
---@param opts? gptimage2.JobOptions
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:generate(req, opts)
  local job, err, saved = start(self, "generate", "generate", req, opts)
  if not job then
    return nil, err
  end
  local done
  done, err = wait.until_done(saved or job)
  if done == nil then
    return nil, err
  end
  return outcome(job)
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

--- Whether the service has said what became of the job.
local function is_settled(job)
  return job.status == "succeeded" or job.status == "failed"
end

--- With a budget a created job is kept until it is settled: whoever polls it by its id may learn
--- that its credits come back.
local function keep_created(self, job)
  local created = core.created(self)
  if created and not is_settled(job) then
    created[job.id] = job
  end
end

--- One create call, no polling afterwards. Waits.
---@param req gptimage2.Request
---@param opts? gptimage2.JobOptions
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:create(req, opts)
  local job, err = start(self, "create", "create", req, opts)
  if not job then
    return nil, err
  end
  local done
  done, err = wait_for_job(job)
  if done then
    pcall(keep_created, self, job) -- it is paid for: without memory it is just not kept
  end
  return done, err
end

--- An id that may go into a path, or nil and the error. `level` as in settings_of.
local function check_id(id, fname, level)
  check.argument(id, 1, fname, "string", level)
  if core.is_job_id(id) then
    return true
  end
  local message = "a job id has 1 to 128 letters, digits, '-' and '_', not %s"
  return check.invalid("invalid_job_id", "id", message:format(check.show(id)))
end

--- `origin` is the job that the new one goes on with, if there is one.
local function start_by_id(self, fname, mode, id, timeout, origin)
  settings_of(self, fname, 4)
  local ok, err = check_id(id, fname, 4)
  if not ok then
    return nil, err
  end
  local created = core.created(self)
  local kept = created and created[id]
  local opts = { id = id, timeout = timeout, origin = kept or origin }
  if opts.origin then
    opts.request = opts.origin.request
    opts.metadata = opts.origin.metadata
    opts.idempotency_key = opts.origin.idempotency_key
  end
  local job
  job, err = core.submit(self, mode, opts)
  if job and kept then
    wait.on_done(job, function()
      if is_settled(job) then
        created[id] = nil
      end
    end)
  end
  return job, err
end

--- One poll call. Waits.
---@param id string
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:poll(id)
  local job, err = start_by_id(self, "poll", "poll", id)
  if not job then
    return nil, err
  end
  return wait_for_job(job)
end

--- Takes up a job by its id, from any earlier process, and polls it to the end.
---@param id string
---@param timeout? number seconds; default the client's
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:wait(id, timeout)
  timeout = timeout_argument(timeout, 2, "wait")
  local job, err = start_by_id(self, "wait", "resume", id, timeout)
  if not job then
    return nil, err
  end
  return wait_for_job(job)
end

--- Whether the client can be used; false and the error once it is closed.
local function check_open(self)
  local _, err = core.usable(self)
  return err == nil, err
end

--- A handle for an id, without any request: `job:wait()` takes it up.
---@param id string
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function methods:job(id)
  settings_of(self, "job", 3)
  local ok, err = check_id(id, "job", 3)
  if not ok then
    return nil, err
  end
  ok, err = check_open(self)
  if not ok then
    return nil, err
  end
  return core.handle(self, id)
end

--- What a request costs: 10 credits for each image.
---@param req gptimage2.Request
---@return integer|nil credits
---@return gptimage2.Error|nil err
function methods:cost(req)
  local config = settings_of(self, "cost", 3)
  local normalised, err = request.normalise(req, config, "cost", 2)
  if not normalised then
    return nil, err
  end
  local ok
  ok, err = check_open(self)
  if not ok then
    return nil, err
  end
  return request.cost(normalised)
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

--- The path of the client's ledger, or nil and the error.
local function ledger_of(self, fname)
  local config = settings_of(self, fname, 4)
  local ok, err = check_open(self)
  if not ok then
    return nil, err
  elseif config.ledger then
    return config.ledger
  end
  return nil,
    core.error({
      kind = "ledger",
      code = "no_ledger",
      message = "this client has no ledger: give gptimage2.new the option 'ledger', a path",
    })
end

--- Waits until all that this program knows of its jobs is in the ledger: the engine writes the
--- verdict on an answer one turn after it was told.
local function write_up()
  local turn, err = core.sleep(0)
  if not turn then
    return nil, err
  end
  return wait.until_done(turn)
end

--- Takes up what an earlier process left unfinished: polls what the service has, sends what was
--- provably not sent (with retry = "idempotent" also what may have been), and gives the rest back
--- as `unknown`, to be settled with `client:resolve`. Jobs of another base_url are left alone. Does
--- not wait for the jobs.
---@return gptimage2.Job[]|nil jobs oldest first
---@return gptimage2.Error|nil err kind ledger
function methods:recover()
  local path, err = ledger_of(self, "recover")
  if not path then
    return nil, err
  end
  local written
  written, err = write_up()
  if not written then
    return nil, err
  end
  return ledger.recover(self, settings[self])
end

--- Settles an `unknown` job by hand. Waits until that is recorded, not for the job.
---@param key string its idempotency key
---@param what string "resend" the same bytes, "abandon" it, or its job id
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err kind ledger
function methods:resolve(key, what)
  local path, err = ledger_of(self, "resolve")
  check.argument(key, 1, "resolve", "string", 3)
  check.argument(what, 2, "resolve", "string", 3)
  if not path then
    return nil, err
  end
  local ok
  ok, err = ledger.check_settlement(what)
  if not ok then
    return nil, err
  end
  local job, note
  job, err, note = ledger.resolve(self, settings[self], key, what)
  if not job then
    return nil, err
  end
  if note then
    local done
    done, err = wait.until_done(note)
    if done == nil then
      return nil, err
    end
    done, err = note:result()
    if not done then
      return nil, err
    end
  end
  return job
end

--- What was asked, paid and received: rows with the fields of a job, and `files`, newest first.
---@param filter? gptimage2.HistoryFilter
---@return table[]|nil rows
---@return gptimage2.Error|nil err kind ledger
function methods:history(filter)
  local path, err = ledger_of(self, "history")
  if not path then
    return nil, err
  end
  local rows
  filter = ledger.filter(filter)
  rows, err = write_up()
  if rows then
    rows, err = ledger.history(path, filter)
  end
  return rows, err
end

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
function job_methods:wait(timeout)
  check_job(self, "wait")
  timeout = timeout_argument(timeout, 1, "wait")
  if not self:done() or self.error or self.status == "succeeded" then
    return wait_for_job(self, timeout)
  end
  local job, err = start_by_id(self.client, "wait", "resume", self.id, timeout, self)
  if not job then
    return nil, err
  end
  return wait_for_job(job)
end

--- Stops waiting and polling. The service has no cancel: credits stay spent.
function job_methods:cancel()
  check_job(self, "cancel")
  core.cancel(self)
end

--- Downloads every image to files, and writes the sidecar `{id}.json`. Waits.
---@param where string a folder, or a pattern with {id} {n} {seed} {ext} {date}
---@param opts? { overwrite: boolean?, sidecar: boolean? }
---@return string[]|nil paths
---@return gptimage2.Error|nil err
function job_methods:save(where, opts)
  check_job(self, "save")
  check.argument(where, 1, "save", "string", 2)
  opts = options.save(opts, "save", 2, 2)
  local config = settings[self.client]
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

--- Image n in memory. Waits.
---@param n? integer default 1
---@return string|nil bytes
---@return gptimage2.Error|nil err
function job_methods:data(n)
  check_job(self, "data")
  n = n == nil and 1 or n
  check.argument(n, 1, "data", "number", 2)
  local err = save.refusal(self)
  if err then
    return nil, err
  end
  local result = self.results[n]
  if not result then
    local message = "there is no image %s: the job has %d"
    return check.invalid("no_such_image", "n", message:format(tostring(n), #self.results))
  end
  local seconds = settings[self.client].timeout
  local download, done
  download, err = core.download(self.client, result.image_url, nil, false, seconds)
  if not download then
    return nil, err
  end
  done, err = wait.until_done(download)
  if done == nil then
    return nil, err
  end
  return download:result()
end

return client
