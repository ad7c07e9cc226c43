--- `gptimage2 history`: who asked for what, when, what it cost, and what came of it. Offline.

local codes = require("gptimage2.command.parts.codes")
local csv = require("gptimage2.command.parts.csv")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local record = require("gptimage2.command.parts.record")
local rows = require("gptimage2.ledger.history")
local text = require("gptimage2.command.parts.text")
local times = require("gptimage2.command.parts.times")

local history = {}

history.summary = "What a ledger has: who asked for what, when, what it cost, what came of it."
history.description = "Newest first. Needs no key and no network. `--csv` is for a spreadsheet: "
  .. "times in UTC, lists and metadata as JSON; what would be a formula begins with an apostrophe."
history.examples = {
  "gptimage2 history --limit 20",
  "gptimage2 history --csv --since 2026-11-01 >november.csv",
  "gptimage2 history --state sent --json",
}

--- Its options and arguments.
---@param command table of argparse
function history.define(command)
  ledgers.define(command)
  command
    :option("--state", "Only rows in this state: " .. table.concat(rows.STATES, ", ") .. ".")
    :argname("<state>")
    :choices(rows.STATES)
  command:option("--key", "Only the row with this idempotency key."):argname("<key>")
  command:option("--id", "Only the job with this id."):argname("<id>")
  for _, name in ipairs({ "since", "until" }) do
    command
      :option("--" .. name, ("Only rows %s that time (UTC, or seconds since 1970)."):format(name))
      :argname("<time>")
      :convert(times.converter("--" .. name))
  end
  command:option("--tenant", "Only the jobs of this tenant."):argname("<name>")
  command
    :option("--limit", "So many rows at most.")
    :argname("<n>")
    :convert(options.whole("--limit", 1, 2 ^ 31))
  command:mutex(
    command:flag("--json", "One JSON object a line on standard output, and nothing else."),
    command:flag("--csv", "Comma-separated values, for a spreadsheet.")
  )
end

local COLUMNS = {
  "time",
  "status",
  "state",
  "charged",
  "cost",
  "job",
  "key",
  "account",
  "prompt",
  "ratio",
  "count",
  "attempts",
  "elapsed",
  "error",
  "files",
  "metadata",
  "service",
  "tenant",
}

--- A row as the fields of an object.
local function fields_of(row)
  local request = row.request or {}
  return {
    time = times.stamp(row.created_at),
    status = row.status,
    state = row.state,
    charged = row.charged,
    cost = row.cost,
    job = row.id,
    key = row.idempotency_key,
    account = row.account,
    prompt = request.prompt,
    ratio = request.ratio,
    count = request.count,
    attempts = row.attempts,
    elapsed = math.floor(row.elapsed * 1000 + 0.5) / 1000,
    error = row.error and row.error.code,
    files = row.files,
    metadata = row.metadata,
    service = row.base_url,
    tenant = row.tenant,
  }
end

local function cells_of(fields)
  local cells = {}
  for i, name in ipairs(COLUMNS) do
    local value = fields[name]
    cells[i] = type(value) == "table" and record.encode(value) or value
  end
  return cells
end

--- A row as a line for people.
local function line_of(fields)
  local what = fields.error and ("%s (%s)"):format(fields.state, fields.error) or fields.state
  return ("%s  %s  %s  %s  %s  %s"):format(
    fields.time,
    text.pad(text.clean(what), 10),
    text.pad(("%d"):format(fields.cost), 3),
    text.pad(fields.charged or "", 7),
    text.clean(fields.job or fields.key),
    text.cut(text.clean(fields.prompt or ""), 60)
  )
end

--- The way in which rows are told.
local function teller(args, out)
  if not args.csv then
    return function(fields)
      out:line(line_of(fields))
      fields.type = "row"
      out:object(fields)
    end
  end
  out:write(csv.MARK .. csv.line(COLUMNS, #COLUMNS))
  return function(fields)
    out:write(csv.line(cells_of(fields), #COLUMNS))
  end
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function history.run(args, out)
  local path = ledgers.path(args)
  local tell
  local ok, err = rows.each({ ledger = path }, {
    key = args.key,
    id = args.id,
    state = args.state,
    tenant = args.tenant,
    since = args.since,
    ["until"] = args["until"],
    limit = args.limit,
  }, function(row)
    tell = tell or teller(args, out)
    tell(fields_of(row))
  end)
  if not ok then
    return out:fail(err)
  elseif not tell and args.csv then
    teller(args, out) -- the names of the columns alone
  end
  return codes.done
end

return history
