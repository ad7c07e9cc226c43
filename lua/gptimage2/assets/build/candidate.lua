--- One candidate: from its row, or from nothing, to its picture in the store. Waits; for tasks.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local identity = require("gptimage2.assets.identity")
local lines = require("gptimage2.assets.build.lines")
local recover = require("gptimage2.ledger.recover")
local rows = require("gptimage2.ledger.rows")

local candidate = {}

---@class gptimage2.assets.Item
---@field path string
---@field hash string
---@field n integer
---@field t integer settled attempts that were not charged
---@field row table|nil of the attempt that is there already
---@field pays boolean|nil its picture is paid now: it was never sent before
---@field spent boolean|nil it has been, and nothing came back
---@field key string|nil of an attempt that has no picture yet
---@field record table|nil
---@field picture table|nil of the manifest; nil: it is only taken into the store

--- A name in the store for the file that comes in.
local function incoming(run, item, ext)
  return ("%s%s-%d.%s"):format(run.project.store:incoming(), item.hash, item.n, ext)
end

local FORMATS = { "png", "jpg", "webp", "gif", "avif" }

--- What came in before somebody ended the build: a file is there only when it is whole.
local function came_in(run, item)
  for _, ext in ipairs(FORMATS) do
    local path = incoming(run, item, ext)
    if core.disk.look(path) == "file" then
      return path
    end
  end
end

--- The settled attempts are on the disk before the next one has a key of its own.
local function write_failures(run, item, code)
  local record = item.record or { hash = item.hash, n = item.n }
  if (record.failed or 0) >= item.t then
    return true
  end
  record.failed, record.error = item.t, code or record.error
  record.body = item.picture and item.picture.body or record.body
  record.service, item.record = run.project.service, record
  local ok, err = run.project.store:write_record(record)
  local line = ok and item.picture and run:line(item.path)
  if line and (line.hash == item.hash or not line.n) then
    lines.turn_to(line, item.hash)
    line.failed = line.failed or {}
    line.failed[item.n] = item.t
    ok, err = run:write_lock(true)
  end
  return ok, err
end

--- Whether a picture could be put where it belongs: that is told before it is paid.
local function has_place(run, item)
  local ok, err = core.disk.may_make(run.project.manifest.base .. item.path)
  if not ok then
    err.sent, err.charged = "no", "no"
  end
  return ok, err
end

--- The first create of an attempt.
local function submit(run, item)
  local salt = run.project.lock.salt
  local ok, err = has_place(run, item)
  local key
  if ok then
    ok, err = write_failures(run, item, nil)
  end
  if ok then
    key, err = identity.key(salt, item.hash, item.n, item.t)
  end
  if not key then
    return nil, err
  end
  return run.client:submit(item.picture.request, {
    idempotency_key = key,
    metadata = attempts.metadata(salt, item.path, item.hash, item.n, item.t),
  })
end

--- One of this client's that goes on already.
local function live_job(run, key)
  for _, job in ipairs(core.live_keys(run.client)[key] and run.client:jobs() or {}) do
    if job.idempotency_key == key then
      return job
    end
  end
end

--- Goes on with an attempt that an earlier process began.
local function take_up(run, item)
  local job = live_job(run, item.row.key)
  if job then
    return job
  end
  local config = run.project.config
  local found, err = rows.read(config, { key = item.row.key })
  if not found or not found[1] then
    return nil, err or select(2, failure.new("store_failed", "the ledger has lost its row"))
  end
  return recover.take_up(run.client, config, found[1])
end

--- The job that has the picture, once it has succeeded.
local function succeed(run, item)
  local job, err
  if not item.row then
    job, err = submit(run, item)
  elseif item.row.meaning == "paid" then
    return run.client:wait(item.row.job)
  else
    job, err = take_up(run, item)
  end
  if not job then
    return nil, err
  end
  return job:wait()
end

--- The picture of a job as a file in the store's folder.
local function fetch(run, item, job)
  local paths, err = job:save(incoming(run, item, "{ext}"), { overwrite = true, sidecar = false })
  return paths and paths[1], err
end

--- Puts the file into the store, and notes what it was made for.
local function keep(run, item, file, job)
  local digest, err = run.project.store:take(file)
  if not digest then
    return nil, err
  end
  local result = job and job.results and job.results[1] or {}
  local old = item.record or {}
  return run.project.store:write_record({
    hash = item.hash,
    n = item.n,
    failed = item.t,
    object = digest,
    format = file:match("%.(%w+)$"),
    job = job and job.id or item.row and item.row.job,
    seed = result.seed,
    prompt = result.final_prompt or old.prompt,
    cost = job and job.cost or core.limits.credits_each,
    time = math.floor(job and job.created_at or core.wall()),
    service = run.project.service,
    body = item.picture and item.picture.body or old.body,
  })
end

--- An attempt that is under an id which the service does not know, as of somebody who mistook it:
--- each build would ask for it once more.
local function tell_way_out(err, row)
  if err.kind == "not_found" and not err.message:find(row.key, 1, true) then
    local message = '%s; where the account has no such job either, client:resolve("%s", "abandon")'
    err.message = (message .. " gives it up"):format(err.message, row.key)
  end
end

--- What became of an attempt without a picture: "failed" (nothing was charged, and the next build
--- tries again), "unknown" (it may have been paid) or "later" (it is paid, or goes on in the next
--- build). The ledger's row says so, and no error: one of a client that was closed is no end.
local function outcome_of(run, item, err)
  local key = err.idempotency_key or item.row and item.row.key
  local found = key and rows.read(run.project.config, { key = key })
  if not key or found and not found[1] then
    return err.charged == "no" and "failed" or "later" -- it was refused before it had a row
  elseif not found then
    return "later"
  end
  item.key, item.spent = key, item.pays and attempts.spent(found[1]) > 0
  local meaning = attempts.meaning(found[1], run.project.config.retry)
  if meaning == "free" then
    item.t = item.t + 1
    write_failures(run, item, err.code)
    return "failed"
  end
  if meaning == "open" then
    tell_way_out(err, found[1])
  end
  return (meaning == "unknown" or meaning == "doubtful") and "unknown" or "later"
end

--- Whether it is paid by now, though it was not when it ended here: a client that is closed lets a
--- create go on that had begun.
---@param run gptimage2.assets.Run
---@param item gptimage2.assets.Item
---@return boolean
function candidate.was_sent_late(run, item)
  local found = item.pays and not item.spent and item.key
  found = found and rows.read(run.project.config, { key = item.key })
  return found and found[1] and attempts.spent(found[1]) > 0 or false
end

--- Gives up what was never sent, and nobody asks for any more.
---@param run gptimage2.assets.Run
---@param key string
---@return boolean ok
function candidate.abandon(run, key)
  return run.client:resolve(key, "abandon") ~= nil
end

--- Makes it, or takes up what was begun. Where the run is closed meanwhile, what has come is left
--- to who has the folder then.
---@param run gptimage2.assets.Run
---@param item gptimage2.assets.Item
---@return string outcome "made", or as above
---@return gptimage2.Error|nil err
function candidate.make(run, item)
  local file = item.row and item.row.meaning == "paid" and came_in(run, item) or nil
  local job, err = succeed(run, item)
  item.spent = item.pays and job ~= nil
  if job and not file and not run.closed then
    file, err = fetch(run, item, job)
    if not file then
      return "later", err
    end
  end
  if run.closed then
    return "later", err -- the folder is somebody else's by now
  elseif not file then
    return outcome_of(run, item, err), err
  end
  local ok
  ok, err = keep(run, item, file, job)
  return ok and "made" or "later", err
end

return candidate
