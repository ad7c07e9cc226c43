--- The audit of a ledger: what is wrong with it, as far as the file and the pictures that it names
--- can tell. Offline; reads all of it, and writes nothing.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local holdings = require("gptimage2.assets.store.holdings")
local history = require("gptimage2.ledger.history")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")

local audit = {}

local CHARGED = { no = true, yes = true, unknown = true, refund_expected = true }
--- What some states rule out.
local NEVER = {
  intent = { yes = true, unknown = true, refund_expected = true },
  unsent = { yes = true },
  refused = { yes = true },
  succeeded = { no = true },
}

local STATES = {}
for _, state in ipairs(history.STATES) do
  STATES[state] = true
end

--- States in which the request is still needed.
local SENDABLE = { intent = true, sent = true, unknown = true }

--- Where builds let pictures come in, before these have their own names.
local INCOMING = "/.gptimage2/incoming/"

local MAX_COUNT = 4

---@class gptimage2.Finding
---@field code string
---@field key string|nil the idempotency key of its row
---@field detail string|nil

local function has_pictures(row)
  local reply = core.decode_reply(row.result or row.answer or "")
  return reply ~= nil and reply.results ~= nil and reply.results[1] ~= nil
end

local MOST = 253402300799 -- seconds since 1970: the end of the year 9999

local function is_time(seconds)
  return seconds > 0 and seconds <= MOST
end

--- What a row cannot be: a code, and a function that gives the words where it is so.
local IMPOSSIBLE = {
  {
    "state_wrong",
    function(row)
      return not STATES[row.state] and ("there is no state '%s'"):format(check.show(row.state))
    end,
  },
  {
    "charged_wrong",
    function(row)
      if not CHARGED[row.charged] then
        return ("'%s' is no word for it"):format(check.show(row.charged))
      end
      local is_wrong = NEVER[row.state] and NEVER[row.state][row.charged]
      return is_wrong and ("it is %s, and charged is '%s'"):format(row.state, row.charged)
    end,
  },
  {
    "cost_wrong",
    function(row)
      local is_right = row.count >= 1
        and row.count <= MAX_COUNT
        and row.cost == row.count * core.limits.credits_each
      return not is_right and ("%d pictures for %d credits"):format(row.count, row.cost)
    end,
  },
  {
    "time_wrong",
    function(row)
      local is_right = is_time(row.created_at) and is_time(row.updated_at)
      return not is_right and "it has no time"
    end,
  },
  {
    "metadata_wrong",
    function(row)
      local is_right = not row.metadata or type(core.decode(row.metadata)) == "table"
      return not is_right and "its metadata is no JSON"
    end,
  },
  {
    "no_request",
    function(row)
      local is_there = row.body and type(core.decode(row.body)) == "table"
      return SENDABLE[row.state] and not is_there and "its request is lost: it cannot be sent"
    end,
  },
  {
    "no_id",
    function(row)
      local needs_one = row.state == "accepted" or row.state == "succeeded"
      return needs_one and not row_job.id(row) and ("it is %s, without an id"):format(row.state)
    end,
  },
  {
    "no_pictures",
    function(row)
      return row.state == "succeeded" and not has_pictures(row) and "its answer has no pictures"
    end,
  },
}

--- What is wrong with a file that was saved: a code and the words.
local function file_fault(path)
  local kind = core.disk.look(path)
  if not kind then
    return "file_missing", path .. " is not there"
  elseif kind == "file" and not core.disk.image_kind(path) then
    return "file_broken", path .. " is no picture"
  elseif kind == "folder" then
    return "file_broken", path .. " is a folder"
  end
end

--- Looks at one row; gives each finding to `tell`.
---@param row table of the ledger
---@param files boolean whether the files are looked at
---@param tell fun(finding: gptimage2.Finding)
function audit.row(row, files, tell)
  for _, one in ipairs(IMPOSSIBLE) do
    local detail = one[2](row)
    if detail then
      tell({ code = one[1], key = row.key, detail = detail })
    end
  end
  for _, path in ipairs(files and row.files or {}) do
    local code, detail = nil, nil
    if not path:find(INCOMING, 1, true) then
      code, detail = file_fault(path)
    end
    if code then
      tell({ code = code, key = row.key, detail = detail })
    end
  end
end

--- Adds a row to the sums.
local function count(report, row, has_picture)
  local states = report.states
  report.rows = report.rows + 1
  states[row.state] = (states[row.state] or 0) + 1
  if row.charged == "yes" then
    report.paid = report.paid + row.cost
  elseif row.charged ~= "no" then
    report.doubtful = report.doubtful + row.cost
  end
  if row.state == "succeeded" and not row.files[1] and not has_picture(row) then
    report.unsaved = report.unsaved + 1
  end
end

local NO_TABLES = {
  "no_tables",
  "the file has nothing in it: who made it was killed at once, or it was moved without its log "
    .. "('-wal'), which has all that was recorded",
}

---@class gptimage2.Audit
---@field version integer of the tables
---@field rows integer
---@field findings integer
---@field states table<string, integer>
---@field paid integer credits that were charged
---@field doubtful integer credits of which nobody knows
---@field unsaved integer jobs that succeeded, of no known file, and no store has their picture

--- Looks at all of it.
---@param config { ledger: string }
---@param options { files: boolean }
---@param tell fun(finding: gptimage2.Finding)
---@return gptimage2.Audit|nil
---@return gptimage2.Error|nil err
function audit.of(config, options, tell)
  local found, err = core.ledger_audit(config.ledger, {})
  if not found then
    return nil, err
  end
  local report = { rows = 0, findings = 0, states = {}, paid = 0, doubtful = 0, unsaved = 0 }
  report.version = found.version
  local function note(finding)
    report.findings = report.findings + 1
    tell(finding)
  end
  for _, finding in ipairs(found) do
    note(finding)
  end
  if found.version == 0 and select(2, core.disk.look(config.ledger)) > 0 then
    note({ code = NO_TABLES[1], detail = NO_TABLES[2] })
  end
  local has_picture = holdings.of(config.ledger)
  local _, why = rows.each(config, {}, function(row)
    count(report, row, has_picture)
    audit.row(row, options.files, note)
  end)
  if why and why.code == "ledger_damaged" then
    note({ code = "ledger_damaged", detail = why.message })
  elseif why then
    return nil, why
  end
  return report
end

return audit
