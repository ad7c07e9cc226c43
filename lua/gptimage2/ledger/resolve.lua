--- Settling by hand a job of which a ledger does not know what became.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local recover = require("gptimage2.ledger.recover")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")

local id_of, options_of = row_job.id, row_job.options
local is_of_service, is_own = row_job.is_of_service, row_job.is_own

local resolve = {}

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
    local message = "this job is under way in this program: wait for its end, or cancel it "
      .. "(where it is cancelled, its create is still out: step, and ask again)"
    return nil, ledger_error("not_unknown", message, key, row)
  elseif row.elsewhere then
    local message = "this job is under way in another program: wait for its end"
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
function resolve.check(what)
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
function resolve.settle(client, config, key, what, any_key)
  local row, err = unsettled(client, config, key, what, any_key)
  if not row then
    return nil, err
  end
  if what == "resend" then
    return recover.resend(client, config, row)
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
      return recover.resume(client, config, row, what)
    end
end

return resolve
