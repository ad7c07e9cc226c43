--- Taking up what an earlier process left unfinished in a ledger.

local claims = require("gptimage2.ledger.claims")
local core = require("gptimage2.core")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")

local id_of, options_of = row_job.id, row_job.options
local is_of_service, is_own = row_job.is_of_service, row_job.is_own

local recover = {}

--- Sends the very same bytes under the very same key, where the budget allows it.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param row table
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function recover.resend(client, config, row)
  if not row.body then
    return nil,
      core.error({
        kind = "ledger",
        code = "ledger_damaged",
        message = "the ledger has lost the request of this job: it cannot be sent",
        charged = row.charged,
        idempotency_key = row.key,
      })
  end
  local options = options_of(row, config)
  options.again = true
  options.attempt_id = row.attempt_id or "" -- by which the row is known until it is taken over
  options.owner = not row.elsewhere and row.owner or nil -- who lives keeps it
  options.maybe_charged = row.state ~= "intent"
  options.earlier_id = id_of(row)
  -- What may have been paid may be paid once more, unless the service honours keys.
  options.reserved = config.retry == "idempotent" or not options.maybe_charged
  local job, err = core.submit(client, "generate", options)
  if err then
    err.idempotency_key = row.key
  end
  return job, err
end

--- What is to be known of the job with this id, of this service; nil where the ledger has no such
--- row, or it is somebody's already.
---@param client gptimage2.Client
---@param config { ledger: string, base_url: string } the client's
---@param id string
---@return { idempotency_key: string, request: table, metadata: table? }|nil
function recover.of_id(client, config, id)
  local live = core.live_keys(client)
  local found = rows.each(config, { job_id = id }, function(row)
    local own = is_of_service(row, config) and is_own(row, config)
    if own and not live[row.key] then
      return options_of(row)
    end
  end)
  return found
end

--- Goes on with the job that has this id.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param row table
---@param id string
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
function recover.resume(client, config, row, id)
  local options = options_of(row, config)
  options.id = id
  options.vouched = options.vouched and id == id_of(row) -- not another that somebody gave
  return core.submit(client, "resume", options)
end

local UNKNOWN = "the job was sent, and whether the service made and charged it is not known; "
  .. 'look at the account\'s history, then settle it with client:resolve(key, "resend"), '
  .. 'client:resolve(key, "abandon") or client:resolve(key, job_id)'

local function unknown(client, row)
  local err = core.error({
    kind = "lost",
    code = row.error or "unknown",
    message = UNKNOWN,
    sent = "yes",
    charged = "unknown",
    idempotency_key = row.key,
    attempts = row.attempts,
    retryable = false,
  })
  return core.unknown_job(client, options_of(row), err)
end

--- How a row goes on: "resume", "resend", or nil where nobody may decide that but a person. An id
--- that the service does not know any more (it may have been sent again since) is no proof where
--- its key can be asked.
local function way_of(row, config)
  local idempotent = config.retry == "idempotent"
  if id_of(row) and (row.state == "accepted" or not idempotent) then
    return "resume"
  end
  return (row.state == "intent" or idempotent) and "resend" or nil
end

--- Takes up one unfinished row: of this service, this account, and nobody's in this program.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param row table
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
---@return boolean|nil left the job is one that stays as it is
function recover.take_up(client, config, row)
  local way = way_of(row, config)
  if way == "resume" then
    return recover.resume(client, config, row, id_of(row))
  elseif not way then
    return unknown(client, row)
  end
  local job, err = recover.resend(client, config, row)
  -- Its row stays: a larger budget finishes it, and the others are no worse for it.
  if err and (err.kind == "budget" or not row.body) then
    return core.unknown_job(client, options_of(row), err), nil, true
  end
  return job, err
end

--- Which of a page are this client's to take up: those that go on, where nobody else has them,
--- and those that nobody goes on with.
local function own_of(config, page, wants)
  local acts, own = {}, {}
  for _, row in ipairs(page) do
    local wanted = wants(row)
    if wanted and way_of(row, config) then
      acts[#acts + 1] = row
    elseif wanted then
      own[row] = true
    end
  end
  for _, row in ipairs(claims.take(config, acts)) do
    own[row] = true
  end
  return own
end

--- Takes up those of a page, and adds their jobs; gives the error that ends it. What it does not
--- go on with is left to others.
local function take_up_page(client, config, page, wants, jobs)
  local own, left, failed = own_of(config, page, wants), {}, nil
  for _, row in ipairs(page) do
    local job, why, stays
    if own[row] and not failed then
      job, why, stays = recover.take_up(client, config, row)
      jobs[#jobs + 1], failed = job, not job and why or nil
    end
    if own[row] and (stays or failed) then
      left[#left + 1] = row
    end
  end
  claims.release(config, left)
  return failed
end

--- Takes up what an earlier process left unfinished, and no other that lives works on. See
--- `client:recover`.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param any_key? boolean other accounts' rows as well
---@return gptimage2.Job[]|nil
---@return gptimage2.Error|nil err
function recover.all(client, config, any_key)
  local live, jobs = core.live_keys(client), {}
  -- The sandbox's jobs, say, are nothing to send to the real service; nor another account's.
  local function wants(row)
    local own = is_of_service(row, config) and is_own(row, config, any_key)
    return own and not live[row.key] and not row.elsewhere
  end
  local failed, err = rows.pages(config, { unfinished = true }, function(page)
    return take_up_page(client, config, page, wants, jobs)
  end)
  if failed or err then
    return nil, failed or err
  end
  return jobs
end

return recover
