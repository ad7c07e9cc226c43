--- The ledger from Lua: what was asked and paid, and taking up what was left unfinished.
---
--- The core gives rows as they stand in the file; here they become jobs again.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local row_error = require("gptimage2.ledger.row_error")
local rows = require("gptimage2.ledger.rows")

local ledger = {}

local WIRE = { imageUrls = "image_urls" }

--- The list, if it is one of strings: the core counts on it.
local function strings(list)
  for _, value in ipairs(type(list) == "table" and list or { 0 }) do
    if type(value) ~= "string" then
      return nil
    end
  end
  return list
end

--- The request as it was before it was encoded. Anybody may have written to the file: of a row
--- without its request there is what the other columns say.
local function request_of(row)
  local request = { mode = row.mode, prompt = row.prompt, ratio = row.ratio }
  for name, value in pairs(row.body and core.decode(row.body) or {}) do
    request[WIRE[name] or name] = value
  end
  request.image_urls = strings(request.image_urls)
  request.count = row.count
  return request
end

local function metadata_of(row)
  return row.metadata and core.decode(row.metadata) or nil
end

--- What the ledger's states are called as the status of a job.
local STATUS = {
  intent = "queued",
  sent = "unknown",
  accepted = "pending",
  succeeded = "succeeded",
  failed = "failed",
  refused = "failed",
  unsent = "failed",
  cancelled = "cancelled",
  abandoned = "cancelled",
  unknown = "unknown",
}

--- A row of history: the fields of a job.
local function history_row(row)
  local reply = row.result and core.decode_reply(row.result) or {}
  return {
    id = row.job_id,
    status = STATUS[row.state] or "unknown",
    state = row.state,
    request = request_of(row),
    results = row.state == "succeeded" and reply.results or nil,
    error = row_error.of(row),
    cost = row.cost,
    charged = row.charged,
    idempotency_key = row.key,
    metadata = metadata_of(row),
    attempts = row.attempts,
    created_at = row.created_at,
    elapsed = row.updated_at - row.created_at,
    base_url = row.base_url,
    account = row.account,
    files = row.files,
  }
end

local STATES = check.keys(STATUS)
local FILTER = {
  key = "string",
  id = "string",
  state = "string",
  since = "number",
  ["until"] = "number",
  limit = "number",
}

--- Checks the filter of `client:history`; raises for what is no filter.
---@param filter? table
---@return table
function ledger.filter(filter)
  filter = check.options(filter, 1, "history", FILTER, 3)
  local state, limit = filter.state, filter.limit
  for _, name in ipairs({ "since", "until" }) do
    if filter[name] ~= filter[name] then
      check.fail(1, "history", ("option '%s' must be a number, not NaN"):format(name), 3)
    end
  end
  if state and not STATUS[state] then
    local why = "option 'state' must be one of " .. check.enumerate(STATES)
    check.fail(1, "history", why .. check.did_you_mean(state, STATES), 3)
  elseif limit and (check.integer(limit) or 0) < 1 then
    check.fail(1, "history", "option 'limit' must be a whole number, 1 or more", 3)
  end
  return filter
end

--- Whether a row is of the client's service, however both spell its URL.
local function is_of_service(row, config)
  return core.service(row.base_url) == core.service(config.base_url)
end

--- Whether a row is of the client's account. One that version 0.1 wrote tells none, and is: that
--- version knew one account only, and nobody else would take up what it left.
local function is_own(row, config, any_key)
  return any_key or row.account == nil or row.account == config.account
end

--- What was asked, paid and received. See `client:history`.
---@param config table the client's
---@param filter table
---@return table[]|nil rows newest first
---@return gptimage2.Error|nil err
function ledger.history(config, filter)
  local found = {}
  local _, err = rows.each(config, {
    key = filter.key,
    job_id = filter.id,
    state = filter.state,
    since = filter.since,
    -- To the core 0 is no bound, and no job is that old.
    ["until"] = filter["until"] and math.max(filter["until"], 1),
    limit = filter.limit,
    newest_first = true,
  }, function(row)
    found[#found + 1] = history_row(row)
  end)
  if err then
    return nil, err
  end
  return found
end

--- The id the service gave. Version 0.1 wrote it after the raw answer, which may be all there is:
--- of one that was cut off the beginning is enough; one that is broken is not trusted, nor one that
--- was no success. Who sends a row today writes its attempt, and the id with the answer: an answer
--- without one tells nothing then. The id that an earlier create was given stays until another is.
local function id_of(row)
  if row.job_id or row.attempt_id then
    return row.job_id
  end
  if row.state ~= "accepted" and (row.http_status < 200 or row.http_status > 299) then
    return nil
  end
  local reply = row.answer and core.decode_reply(row.answer) or {}
  return reply.id
end

--- What the core is to know of a recorded job. `config`: of the client that takes it up.
local function options_of(row, config)
  local another = config and row.account ~= config.account
  return {
    former = another and row.account or nil, -- it stays so unless this client's key is good for it
    idempotency_key = row.key,
    request = request_of(row),
    metadata = metadata_of(row),
    body = row.body,
    vouched = row.charged == "yes", -- else its id may be anybody's word
  }
end

--- Sends the very same bytes under the very same key, where the budget allows it.
local function resend(client, config, row)
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
  options.doubt = row.state ~= "intent"
  options.earlier_id = id_of(row)
  -- What may have been paid may be paid once more, unless the service honours keys.
  options.reserved = config.retry == "idempotent" or not options.doubt
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
function ledger.of_id(client, config, id)
  local live = core.live_keys(client)
  local found = rows.each(config, { job_id = id }, function(row)
    local own = is_of_service(row, config) and is_own(row, config)
    if own and not live[row.key] then
      return options_of(row)
    end
  end)
  return found
end

local function resume(client, config, row, id)
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

--- Takes up one unfinished row.
local function take_up(client, config, row)
  local id, retry = id_of(row), config.retry
  -- An id that the service does not know any more (it may have been sent again since) is no proof
  -- where its key can be asked.
  local disowned = row.state ~= "accepted" and retry == "idempotent"
  if id and not disowned then
    return resume(client, config, row, id)
  elseif row.state == "intent" or retry == "idempotent" then
    local job, err = resend(client, config, row)
    -- Its row stays: a larger budget finishes it, and the others are no worse for it.
    if err and (err.kind == "budget" or not row.body) then
      job = core.unknown_job(client, options_of(row), err)
    end
    return job, err
  end
  return unknown(client, row)
end

--- Takes up what an earlier process left unfinished. See `client:recover`.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param any_key? boolean other accounts' rows as well
---@return gptimage2.Job[]|nil
---@return gptimage2.Error|nil err
function ledger.recover(client, config, any_key)
  local live, jobs, failed = core.live_keys(client), {}, nil
  local _, err = rows.each(config, { unfinished = true }, function(row)
    -- The sandbox's jobs, say, are nothing to send to the real service; nor another account's.
    local own = is_of_service(row, config) and is_own(row, config, any_key)
    if own and not live[row.key] then
      local job, why = take_up(client, config, row)
      jobs[#jobs + 1], failed = job, not job and why or nil
    end
    return failed
  end)
  if failed or err then
    return nil, failed or err
  end
  return jobs
end

--- `row`: of the job with this key, where there is one.
local function ledger_error(code, message, key, row)
  return core.error({
    kind = "ledger",
    code = code,
    message = message,
    idempotency_key = key,
    charged = row and row.charged or "unknown",
    job_id = row and row.job_id,
  })
end

--- Can the row be settled by hand, in that way? What nobody has sent needs no more than to be given
--- up; that an id is this job's the service may never have said.
local function is_open(row, what)
  if row.state == "intent" then
    return what == "abandon" or not row.body
  elseif row.state == "accepted" then
    return not id_of(row) or row.charged ~= "yes" and what ~= "resend"
  end
  return row.state == "unknown" or row.state == "sent"
end

--- The row with this key, if it is one to be settled by hand.
local function unsettled(client, config, key, what, any_key)
  local found, err = rows.read(config, { key = key })
  if not found then
    return nil, err
  end
  local row = found[1]
  if not row then
    return nil, ledger_error("key_unknown", "the ledger has no job with this key", key)
  end
  if not is_of_service(row, config) then
    local message = "this job belongs to another service, " .. row.base_url
    return nil, ledger_error("other_service", message, key, row)
  end
  if not is_own(row, config, any_key) then
    local message = "this job belongs to another account; where that has a new API key now, and is "
      .. "the same, say so with { any_key = true }"
    return nil, ledger_error("other_account", message, key, row)
  end
  if core.live_keys(client)[key] then
    local message = "this job is under way in this program: wait for its end, or cancel it"
    return nil, ledger_error("not_unknown", message, key, row)
  elseif not is_open(row, what) then
    local message = ("this job needs no settling: its state is %s"):format(row.state)
    return nil, ledger_error("not_unknown", message, key, row)
  end
  return row
end

local WORDS = { "resend", "abandon" }

--- Can `client:resolve` do that? A word that is nearly one of ours is taken for no job id.
---@param what string
---@return true|nil ok
---@return gptimage2.Error|nil err code `invalid_job_id`
function ledger.check_settlement(what)
  local hint = check.did_you_mean(what, WORDS)
  if what == "resend" or what == "abandon" or hint == "" and core.is_job_id(what) then
    return true
  end
  local message = "'resend', 'abandon' or a job id is needed, not '%s'%s"
  local _, err = check.invalid("invalid_job_id", "what", message:format(check.show(what), hint))
  err.sent, err.charged = nil, "unknown" -- of the job that was to be settled
  return nil, err
end

--- Whether another job of the ledger has this id.
local function is_taken(config, key, id)
  return rows.each(config, { job_id = id }, function(row)
    return row.key ~= key and is_of_service(row, config)
  end)
end

--- What the ledger is to know of a settlement. What it cost is known when the service has answered
--- to this id; until then it takes no other from a job that was paid.
local function news_of(config, row, what)
  if what == "abandon" then
    return { state = "abandoned" }
  elseif row.charged ~= "yes" or (id_of(row) or what) == what then
    return { state = "accepted", charged = "unknown", job_id = what }
  end
  local taken, err = is_taken(config, row.key, what)
  if taken then
    local message = "the ledger has another job with the id " .. what
    err = ledger_error("job_id_taken", message, row.key, row)
  end
  return not err and { state = "accepted" } or nil, err
end

--- Settles an unknown job by hand. See `client:resolve`. Gives the job, and whether it is going on;
--- or a transfer to wait for first.
---@param client gptimage2.Client
---@param config gptimage2.ClientSettings
---@param key string
---@param what string "resend", "abandon" or a job id
---@param any_key? boolean another account's as well
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err
---@return any note to wait for before the job means anything
---@return (fun(): gptimage2.Job|nil, gptimage2.Error|nil)|nil go gives the job, behind the note
function ledger.resolve(client, config, key, what, any_key)
  local row, err = unsettled(client, config, key, what, any_key)
  if not row then
    return nil, err
  end
  if what == "resend" then
    return resend(client, config, row)
  end
  local news
  news, err = news_of(config, row, what)
  if not news then
    return nil, err
  end
  local note
  note, err = core.note(client, key, news)
  if not note then
    return nil, err
  end
  if what == "abandon" then
    return core.unknown_job(client, options_of(row), nil), nil, note
  end
  return nil,
    nil,
    note,
    function() -- what is not recorded is not done
      if core.live_keys(client)[key] then
        return nil, ledger_error("not_unknown", "this job was taken up meanwhile", key)
      end
      return resume(client, config, row, what)
    end
end

return ledger
