--- `gptimage2 recover`: takes up what an earlier process left in its ledger, and saves it.

local codes = require("gptimage2.command.parts.codes")
local confirm = require("gptimage2.command.parts.confirm")
local gptimage2 = require("gptimage2")
local jobs = require("gptimage2.command.parts.jobs")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local outside = require("gptimage2.objects.outside")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")
local text = require("gptimage2.command.parts.text")

local recover = {}

recover.summary = "Takes up what an earlier process left in its ledger, and saves the pictures."
recover.description = "What the service has is polled, what was provably not sent is sent, and "
  .. "what may have been paid is listed: see resolve. Where something is to be sent it asks on a "
  .. "terminal, and needs --yes or --budget elsewhere."
recover.examples = {
  "gptimage2 recover --ledger renders.db -o out",
  "gptimage2 recover --yes --retry idempotent",
}

--- Its options and arguments.
---@param command table of argparse
function recover.define(command)
  ledgers.define(command)
  command:flag("--any-key", "The jobs of other keys as well: the key was changed.")
  command
    :option("--budget", "Credits that it may spend on what was not sent.")
    :argname("<credits>")
    :convert(options.number("--budget", 0))
  command:flag("-y --yes", "Do not ask.")
  jobs.define(command)
  options.retry(command)
  options.service(command)
  options.json(command)
end

--- What sending costs that was recorded and never sent, and nobody works on, whichever account's it
--- is; and how many jobs that are. Where the ledger cannot be read, who opens it says so.
local function unsent(args)
  local cost, count = 0, 0
  local base_url = outside.base_url(nil, true)
  rows.each({ ledger = ledgers.path(args) }, { unfinished = true }, function(row)
    local waits = row.state == "intent" and not row.elsewhere
    if waits and row_job.is_of_service(row, { base_url = base_url or "" }) then
      cost, count = cost + row.cost, count + 1
    end
  end)
  return cost, count
end

--- May it send what was not sent? A budget is an answer.
local function may_send(args, out)
  local cost, count = unsent(args)
  local ok, status = confirm.may_spend({ yes = args.yes or args.budget }, out, cost, function(code)
    local words = "%d credits: %s recorded, and never sent"
    out:line(words:format(cost, text.count(count, "job")))
    out:object({ type = "plan", cost = cost, rows = count, exit = code })
  end)
  return ok, status
end

--- Takes all up, and waits for them; what each came to is in the job.
local function take_up(client, args)
  local list, err = client:recover({ any_key = args.any_key })
  local tasks = {}
  for i, job in ipairs(list or {}) do
    tasks[i] = gptimage2.spawn(function()
      if job:wait() then
        job:save(jobs.place(args)[1], { overwrite = args.overwrite })
      end
    end)
  end
  for _, one in ipairs(tasks) do
    one:wait()
  end
  return list, err
end

--- One that may have been paid: a person must say what it is.
local function show_unknown(job, out)
  local key = job.idempotency_key
  local words =
    "unknown: %s; look at your account, then: gptimage2 resolve %s resend, abandon or its id"
  out:line(words:format(text.clean(key), text.clean(key)))
  out:object({ type = "unknown", key = key, exit = codes.some_failed })
end

--- Whether nobody knows if it was paid. What was not sent, as for a budget, was not.
local function is_unknown(job)
  return job.status == "unknown" and not (job.error and job.error.charged == "no")
end

--- Tells of all; gives the exit code.
local function show(list, out, args)
  local errors, made = {}, false
  for _, job in ipairs(list) do
    if is_unknown(job) then
      show_unknown(job, out)
      errors[#errors + 1] = {} -- what it ended by is long past
    else
      jobs.show(job, out, args)
      local err = job.save_error or job.error
      errors[#errors + 1] = err
      made = made or not err
    end
  end
  if not list[1] then
    out:line("there is nothing to take up")
  end
  local status = codes.of_all(errors, made)
  out:object({ type = "recover", jobs = #list, exit = status })
  return status
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function recover.run(args, out)
  local list, status = ledgers.run(args, out, function(client)
    return take_up(client, args)
  end, function()
    return may_send(args, out) -- who has it open sees who else works on what
  end)
  if not list then
    return status
  end
  return show(list, out, args)
end

return recover
