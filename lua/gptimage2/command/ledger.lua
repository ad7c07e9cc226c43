--- `gptimage2 ledger check`: is a ledger sound, and what is left to do in it? Offline.

local audit = require("gptimage2.ledger.audit")
local codes = require("gptimage2.command.parts.codes")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local ledger = {}

ledger.summary = "Checks a ledger: is it sound, and what is left to do in it?"
ledger.description = "Reads all of it: SQLite's own check, rows that cannot be, jobs under one id, "
  .. "files that are not there or are no pictures. Then what is unfinished, and the command for "
  .. "it. Needs no key and no network, changes nothing, and may run beside a batch. Exit code 1: "
  .. "something is wrong; 6: it cannot be read."
ledger.examples = {
  "gptimage2 ledger check",
  "gptimage2 ledger check --ledger renders.db --no-files --json",
}

--- Its options and arguments.
---@param command table of argparse
function ledger.define(command)
  command:argument("what", "check is all that there is."):choices({ "check" })
  ledgers.define(command)
  command:flag("--no-files", "Do not look whether the pictures are there.")
  options.json(command)
end

--- States that are not the end.
local UNFINISHED = {
  { "intent", "not sent" },
  { "accepted", "at the service" },
  { "sent", "that may have been sent" },
  { "unknown", "that may have been paid" },
}

--- Who may have to say what became of such a job.
local DOUBTFUL = { sent = true, unknown = true }

--- Tells what is unfinished, with the next command.
local function show_unfinished(report, path, out)
  local recover = ("gptimage2 recover --ledger %s"):format(path)
  for _, one in ipairs(UNFINISHED) do
    local state, words = one[1], one[2]
    local count = report.states[state]
    if count then
      local more = DOUBTFUL[state] and "which says how to resolve it"
        or "or the build or batch that began it"
      local line = "unfinished  %s %s: %s, %s"
      out:line(line:format(text.count(count, "job"), words, text.clean(recover), more))
      out:object({ type = "unfinished", state = state, jobs = count, command = recover })
    end
  end
  if report.unsaved > 0 then
    local line = ("gptimage2 history --ledger %s --state succeeded"):format(path)
    local words = "unsaved     %s, of which no file is known: %s tells the ids, for gptimage2 wait"
    out:line(words:format(text.count(report.unsaved, "job"), text.clean(line)))
    out:object({ type = "unfinished", state = "unsaved", jobs = report.unsaved, command = line })
  end
end

local function show_total(report, out, status)
  local words = "%s, version %d: %d credits paid, %d that may have been; %s"
  local found = report.findings > 0 and text.count(report.findings, "finding") or "sound"
  out:line(
    words:format(
      text.count(report.rows, "row"),
      report.version,
      report.paid,
      report.doubtful,
      found
    )
  )
  out:object({
    type = "ledger_check",
    ok = report.findings == 0,
    version = report.version,
    rows = report.rows,
    states = report.states,
    findings = report.findings,
    paid = report.paid,
    doubtful = report.doubtful,
    unsaved = report.unsaved,
    exit = status,
  })
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function ledger.run(args, out)
  local path = ledgers.path(args)
  local report, err = audit.of({ ledger = path }, { files = not args.no_files }, function(finding)
    local code = out:paint(text.pad((finding.code:gsub("_", " ")), 13), "red")
    local key = finding.key and text.clean(finding.key) .. ": " or ""
    out:line(("%s  %s%s"):format(code, key, text.clean(finding.detail or "")))
    out:object({
      type = "finding",
      code = finding.code,
      key = finding.key,
      detail = finding.detail,
    })
  end)
  if not report then
    return out:fail(err)
  end
  local status = report.findings > 0 and codes.some_failed or codes.done
  show_unfinished(report, path, out)
  show_total(report, out, status)
  return status
end

return ledger
