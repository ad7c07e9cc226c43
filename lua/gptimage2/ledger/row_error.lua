--- The error of a job as the ledger remembers it: from its row to what the job's own error said.

local core = require("gptimage2.core")

local row_error = {}

--- The kinds of the codes that are the module's own. What may have been sent is `lost`, not
--- `network`: see kind_of.
local KINDS = {
  cancelled = "cancelled",
  ca_file_unreadable = "tls",
  certificate_refused = "tls",
  client_closed = "closed",
  connect_failed = "network",
  connect_timeout = "network",
  connection_lost = "network",
  deadline_passed = "timeout",
  dns_failed = "network",
  handshake_failed = "tls",
  job_id_missing = "protocol",
  job_id_taken = "protocol",
  libcurl_unavailable = "network",
  out_of_memory = "network",
  proxy_failed = "network",
  reference_unreachable = "validation",
  reply_cut_off = "network",
  reply_not_read = "lost",
  reply_timeout = "network",
  reply_too_large = "protocol",
  results_missing = "protocol",
  stream_refused = "network",
  unreadable_reply = "protocol",
}

--- Not worth another try, though nothing was sent.
local FINAL = { ca_file_unreadable = true, certificate_refused = true }

--- The kinds that tell of an answer, whose status is theirs.
local ANSWERED = {
  auth = true,
  credits = true,
  not_found = true,
  protocol = true,
  rate_limit = true,
  server = true,
}

--- The code of a row, and its kind; nil where nothing went wrong. An answer with an error status is
--- told by that; its code is the service's word, if it sent one.
local function code_and_kind(row)
  local code, state = row.error, row.state
  if state == "failed" then
    return code, "job_failed"
  elseif code or state == "cancelled" then -- recorded before it is known what else there is to say
    code = code or "cancelled"
    local kind = KINDS[code]
    if kind == "network" and state ~= "unsent" then
      kind = "lost"
    end
    return code, kind or "ledger"
  elseif state ~= "refused" and state ~= "unknown" then
    return nil
  end
  local reply = row.answer and core.decode_reply(row.answer) or {}
  if row.http_status >= 300 then
    local kind, usual = core.refusal(row.http_status)
    return reply.error or usual, kind
  end
  return reply.error or state, "lost"
end

--- Whether the same call may go well later, as the job's own error says: not where it may have been
--- paid.
local function is_retryable(row, code, kind)
  local status = row.http_status
  if row.charged ~= "no" then
    return false
  elseif kind == "network" or kind == "tls" or kind == "timeout" then
    return row.state == "unsent" and not FINAL[code]
  elseif kind == "rate_limit" or kind == "server" then
    return status == 408 or status == 429 or status >= 500
  end
  return false
end

--- Whether its create was sent, as far as the state tells.
local SENT = { unsent = "no", refused = "yes", unknown = "yes", failed = "yes" }

--- The error of a row that has one.
---@param row table
---@return gptimage2.Error|nil
function row_error.of(row)
  local code, kind = code_and_kind(row)
  if not code then
    return nil
  end
  local answered = ANSWERED[kind] or row.state == "refused"
  local retryable = nil -- of the kind `ledger` the code tells
  if kind ~= "ledger" then
    retryable = is_retryable(row, code, kind)
  end
  return core.error({
    kind = kind,
    code = code,
    message = ("recorded in the ledger as %s"):format(row.state),
    status = answered and row.http_status > 0 and row.http_status or nil,
    retryable = retryable,
    attempts = row.attempts,
    job_id = row.job_id,
    idempotency_key = row.key,
    sent = SENT[row.state],
    charged = row.charged,
  })
end

return row_error
