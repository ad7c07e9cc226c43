--- The history of a ledger: what was asked, paid and received.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local row_error = require("gptimage2.ledger.row_error")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")

local history = {}

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

--- The results of a job that succeeded: with a poll, or already with the answer to its create.
local function results_of(row)
  local last = row.state == "succeeded" and (row.result or row.answer)
  local reply = last and core.decode_reply(last)
  return reply and reply.results or nil
end

--- A row of history: the fields of a job.
local function history_row(row)
  return {
    id = row.job_id,
    status = STATUS[row.state] or "unknown",
    state = row.state,
    request = row_job.request(row),
    results = results_of(row),
    error = row_error.of(row),
    cost = row.cost,
    charged = row.charged,
    idempotency_key = row.key,
    metadata = row_job.metadata(row),
    attempts = row.attempts,
    created_at = row.created_at,
    elapsed = row.updated_at - row.created_at,
    base_url = row.base_url,
    account = row.account,
    tenant = row.tenant,
    files = row.files,
  }
end

--- The states of rows, sorted.
history.STATES = check.keys(STATUS)

local FILTER = {
  key = "string",
  id = "string",
  state = "string",
  tenant = "string",
  since = "number",
  ["until"] = "number",
  limit = "number",
}

--- Checks the filter of `client:history`; raises for what is no filter.
---@param filter? table
---@return table
function history.filter(filter)
  filter = check.options(filter, 1, "history", FILTER, 3)
  local state, limit = filter.state, filter.limit
  for _, name in ipairs({ "since", "until" }) do
    if filter[name] ~= filter[name] then
      check.fail(1, "history", ("option '%s' must be a number, not NaN"):format(name), 3)
    end
  end
  if state and not STATUS[state] then
    local why = "option 'state' must be one of " .. check.enumerate(history.STATES)
    check.fail(1, "history", why .. check.did_you_mean(state, history.STATES), 3)
  elseif limit and (check.integer(limit) or 0) < 1 then
    check.fail(1, "history", "option 'limit' must be a whole number, 1 or more", 3)
  end
  return filter
end

--- Gives each row to `use`, newest first, of which few are in memory at a time.
---@param config { ledger: string } the client's
---@param filter table
---@param use fun(row: table)
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function history.each(config, filter, use)
  local _, err = rows.each(config, {
    key = filter.key,
    job_id = filter.id,
    state = filter.state,
    tenant = filter.tenant,
    since = filter.since,
    -- To the core 0 is no bound, and no job is that old.
    ["until"] = filter["until"] and math.max(filter["until"], 1),
    limit = filter.limit,
    newest_first = true,
  }, function(row)
    use(history_row(row))
  end)
  return not err or nil, err
end

--- What was asked, paid and received. See `client:history`.
---@param config table the client's
---@param filter table
---@return table[]|nil rows newest first
---@return gptimage2.Error|nil err
function history.read(config, filter)
  local found = {}
  local ok, err = history.each(config, filter, function(row)
    found[#found + 1] = row
  end)
  return ok and found, err
end

return history
