--- A batch under way: row by row, so many at once, against one ledger. Each picture is on the disk
--- as soon as it is there; whatever ends the program, the same call finishes it.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local outcome = require("gptimage2.assets.build.outcome")
local recover = require("gptimage2.ledger.recover")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")
local save = require("gptimage2.files.save")
local settings = require("gptimage2.objects.settings")
local task = require("gptimage2.waiting.task")
local wait = require("gptimage2.waiting.wait")

local run = {}

---@class gptimage2.batch.RunOptions
---@field concurrency integer rows at once
---@field stop? fun(): boolean whether nothing more is to begin
---@field on_progress fun(event: table)

---@class gptimage2.batch.Report
---@field made integer rows
---@field fetched integer rows that were paid before
---@field failed integer
---@field unknown integer
---@field left integer rows that were not tried, for nothing more was to begin
---@field credits integer
---@field errors gptimage2.Error[] one of each kind

---@class gptimage2.batch.Run
---@field plan gptimage2.batch.Plan
---@field client gptimage2.Client
local Run = {}
Run.__index = Run

--- The next row for which something is to be done.
function Run:next_row()
  local plan = self.plan
  repeat
    self.at = self.at + 1
  until self.at > plan.count or plan:is_work(self.at)
  return self.at <= plan.count and self.at or nil
end

--- The ledger's row of an attempt; nil where there is none, or nobody can say.
local function recorded(self, key)
  local found, err = rows.read(self.config, { key = key })
  return found and found[1], err
end

local function lost_row(key)
  return core.error({
    kind = "ledger",
    code = "ledger_damaged",
    message = "the ledger has lost what it had of this row",
    idempotency_key = key,
    charged = "unknown",
  })
end

--- Goes on with what an earlier process began.
local function take_up(self, i, key)
  local found, err = recorded(self, key)
  local id = found and row_job.id(found)
  if not found or self.plan.states[i] == "missing" and not id then
    return nil, err or lost_row(key)
  elseif self.plan.states[i] == "missing" then
    return self.client:wait(id)
  end
  return recover.take_up(self.client, self.config, found)
end

--- The job of a row, once it has succeeded.
local function succeed(self, i, made, key)
  local state, job, err = self.plan.states[i]
  if state == "new" or state == "failed" then
    local more = { idempotency_key = key, metadata = made.metadata }
    job, err = self.client:submit(made.request, more)
  else
    job, err = take_up(self, i, key)
  end
  if not job then
    return nil, err
  end
  return job:wait()
end

--- What became of an attempt without pictures, by its row: "failed" (nothing was charged, and the
--- next batch tries again), "unknown" (it may have been paid) or "later" (the next batch has it);
--- its id, and what it has spent.
local function outcome_of(self, key, err)
  local found, unread = recorded(self, key)
  if not found then
    return not unread and err and err.charged == "no" and "failed" or "later"
  end
  local meaning = attempts.meaning(found, self.config.retry)
  if meaning == "free" then
    return "failed"
  elseif meaning == "unknown" or meaning == "doubtful" then
    return "unknown", nil, attempts.spent(found)
  end
  return "later", row_job.id(found), attempts.spent(found)
end

--- Saves the pictures of a job. The sidecar is of the row as it is now: one of this job that names
--- the files it had before is written anew.
local function save_all(self, i, job)
  local how = { overwrite = false, sidecar = true, renew = true }
  local saving, err = save.start(job, self.plan:pattern(i), how, self.config)
  local done
  if saving then
    done, err = wait.until_done(saving)
  end
  if done == nil then
    return nil, err
  end
  return saving:result()
end

--- Makes a row. Gives an event without its numbers.
function Run:make(i)
  local made, err = self.plan:row(i)
  local key = self.plan:key(i)
  local event = { row = i, line = self.plan.lines[i], key = key, hash = self.plan.hashes[i] }
  if not made then
    event.type, event.error = "failed", err
    return event
  end
  event.metadata = made.metadata
  self.on_progress({ type = "begun", key = key, row = i })
  local job, files
  job, err = succeed(self, i, made, key)
  if job then
    files, err = save_all(self, i, job)
  end
  event.job, event.files = job and job.id, files
  if not files and err and err.kind == "closed" then
    event.type = "in_flight"
  elseif files then
    event.type = self.plan.states[i] == "missing" and "fetched" or "made"
  else
    event.error = err
    event.type, event.job, event.spent = outcome_of(self, key, err)
  end
  return event
end

--- One error of each kind is enough to know what it came to.
function Run:keep_error(err)
  local kind = err and err.kind or "lost"
  if not self.kinds[kind] then
    self.kinds[kind] = true
    self.report.errors[#self.report.errors + 1] = err or { kind = kind }
  end
end

--- Counts what became of a row, and tells it.
function Run:conclude(i, event)
  local report, kind = self.report, event.type
  local cost = self.plan.costs_now[i]
  if kind == "made" or kind == "fetched" then
    report[kind] = report[kind] + 1
    report.credits = report.credits + (cost or 0)
  elseif kind ~= "in_flight" then
    local counter = kind == "unknown" and "unknown" or "failed"
    report[counter] = report[counter] + 1
    report.credits = report.credits + (cost and event.spent or 0)
    self:keep_error(event.error)
  end
  event.type = kind == "later" and "failed" or kind
  if event.error and outcome.is_final(event.error) then
    self.stopped = true
  end
  self.done = self.done + 1
  event.done, event.total, event.credits = self.done, self.total, report.credits
  self.on_progress(event)
end

local function work(self)
  while not self.stopped and not self.stop() do
    local i = self:next_row()
    if not i then
      return
    end
    self.begun = self.begun + 1
    self:conclude(i, self:make(i))
  end
end

--- Makes what the plan says. Waits; for tasks.
---@param plan gptimage2.batch.Plan
---@param client gptimage2.Client
---@param options gptimage2.batch.RunOptions
---@return gptimage2.batch.Report
function run.of(plan, client, options)
  local self =
    setmetatable({ plan = plan, client = client, at = 0, begun = 0, done = 0, kinds = {} }, Run)
  self.config = settings.get(client)
  self.on_progress = options.on_progress
  self.stop = options.stop or function()
    return false
  end
  self.total = plan:count_work()
  self.report = { made = 0, fetched = 0, failed = 0, unknown = 0, credits = 0, errors = {} }
  local workers = {}
  for i = 1, math.min(options.concurrency, self.total) do
    workers[i] = task.spawn(work, self)
  end
  for _, worker in ipairs(workers) do
    worker:wait()
  end
  self.report.left = self.total - self.begun
  return self.report
end

--- What the ledger has of an attempt whose client was closed, once nothing is pending any more.
---@param client gptimage2.Client
---@param key string
---@return string|nil meaning as `attempts.meaning` has it
---@return string|nil job its id
---@return integer|nil spent credits
function run.left(client, key)
  local config = settings.get(client)
  local found = recorded({ config = config }, key)
  if found then
    return attempts.meaning(found, config.retry), row_job.id(found), attempts.spent(found)
  end
end

return run
