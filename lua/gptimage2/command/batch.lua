--- `gptimage2 batch`: makes the pictures of a file's rows, each once.

local assets = require("gptimage2.assets")
local batch = require("gptimage2.batch")
local batch_view = require("gptimage2.command.parts.batch_view")
local batcher = require("gptimage2.command.parts.batcher")
local confirm = require("gptimage2.command.parts.confirm")
local identity = require("gptimage2.assets.identity")
local jobs = require("gptimage2.command.parts.jobs")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local outside = require("gptimage2.objects.outside")
local problem = require("gptimage2.command.parts.problem")
local purse = require("gptimage2.assets.build.purse")
local service = require("gptimage2.command.parts.service")

local command = {}

command.summary = "Makes the pictures of a file's rows, each once."
command.description = "A row is a request: a line of JSON, or of CSV. Its columns are those of "
  .. "generate (prompt, or subject, style, light, frame, text; refs, ratio, preset, lighting, "
  .. "camera, negative, count), and file, where its picture goes; all others are metadata. Every "
  .. "row is checked before anything is sent. Whatever ends it, the same command finishes it, and "
  .. "pays for nothing twice: a row that was made costs nothing any more, wherever it stands."
command.examples = {
  "gptimage2 batch prompts.jsonl -o out --dry-run",
  "gptimage2 batch prompts.csv -o out --yes --budget 500 --cutoff soft",
  "jq -c '.items[]' shop.json | gptimage2 batch - -o out --yes --json >made.jsonl",
}

local MAX_AT_ONCE = 1024

--- Its options and arguments.
---@param parser table of argparse
function command.define(parser)
  parser:argument("file", "The rows: .jsonl or .csv; - is standard input.")
  parser:option("-o --output", "The folder for the pictures (.)."):argname("<folder>")
  parser
    :option("--format", "What the rows are, where the file's name does not say it.")
    :choices({ "jsonl", "csv" })
  parser:flag("--dry-run", "Tell what each row would cost, and send nothing.")
  ledgers.define(parser)
  parser
    :option("--budget", "Credits that this batch may spend.")
    :argname("<credits>")
    :convert(options.number("--budget", 0))
  parser
    :option("--cutoff", "Over the budget: hard sends nothing (default), soft makes what fits.")
    :choices({ "hard", "soft" })
  parser
    :option("--concurrency", "So many rows at once (8).")
    :argname("<n>")
    :convert(options.whole("--concurrency", 1, MAX_AT_ONCE))
  parser
    :option("--series", "A name: another series of the same rows is other pictures.")
    :argname("<name>")
  parser:flag("-y --yes", "Do not ask.")
  options.retry(parser)
  options.service(parser)
  options.json(parser)
end

--- What is wrong with the line, beyond its grammar.
local function check_line(args)
  if args.output and args.output:find("[{}%z\n]") then
    return problem.usage(
      "--output is a folder, and has no placeholders; a row's file names its own"
    )
  elseif args.file == "-" and args.key_stdin then
    return problem.usage("standard input has the rows, or the key: not both")
  end
end

--- The plan, as the ledger is now; nil and the exit code, which was told.
local function read_plan(args, out)
  local base_url, err = outside.base_url(nil, true)
  local plan
  local wrong = batch_view.wrong(out)
  if base_url then
    plan, err = batch.plan({
      file = args.file,
      format = args.format,
      folder = args.output,
      series = args.series,
      service = identity.service(base_url),
      ledger = ledgers.path(args),
      retry = args.retry or "documented",
      on_error = wrong.tell,
    })
  end
  if not plan then
    return nil, out:fail(err)
  elseif plan.wrong > 0 then
    return nil, wrong.conclude(plan)
  end
  return plan
end

--- Keeps to the budget; nil and the exit code where it cannot.
local function keep_to_budget(args, plan, out)
  local most = args.budget or math.huge
  if plan.cost <= most then
    return true
  elseif args.cutoff == "soft" then
    plan:cut(most)
    return true
  end
  return nil, out:fail(purse.error(plan.cost, most))
end

--- A client with the ledger, whose folder is made where it is the usual one.
local function connect(read, args)
  local ledger, err = jobs.named_ledger(args), nil
  if not ledger then
    ledger, err = assets.ledger("pictures.lua")
  end
  if not ledger then
    return nil, err
  end
  return service.client(read, {
    ledger = ledger,
    ledger_alone = true, -- two that make the same rows would pay for them twice
    retry = args.retry,
    max_active = args.concurrency,
  })
end

--- Looks once more what there is to do, now that nobody else spends on the ledger, and does it.
local function make(args, out, plan, client)
  local cost = plan.cost
  local ok, err = plan:look_up({ ledger = ledgers.path(args) })
  if not ok then
    client:close()
    return out:fail(err)
  elseif plan.wrong > 0 then
    client:close()
    return batch_view.conclude_wrong(out, plan)
  end
  if plan.cost > cost or plan.skipped then
    plan:cut(cost)
  end
  return batcher.run(plan, out, client, args.concurrency)
end

--- Makes what the plan says, once somebody wants it.
local function go(args, out, plan)
  local read, err = service.check(args)
  if not read then
    return out:fail(err)
  end
  local yes, status = confirm.may_spend(args, out, plan.cost, function(code)
    batch_view.show(plan, out, code)
  end)
  if not yes then
    return status
  end
  local client
  client, err = connect(read, args)
  if not client then
    return out:fail(err)
  end
  return make(args, out, plan, client)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function command.run(args, out)
  local err = check_line(args)
  if err then
    return out:fail(err)
  end
  local plan, status = read_plan(args, out)
  if not plan then
    return status
  end
  batch_view.warn(plan, out)
  if args.dry_run then
    return batch_view.show(plan, out)
  end
  local ok
  ok, status = keep_to_budget(args, plan, out)
  if not ok then
    return status
  end
  if plan:count_work() == 0 then
    return batcher.conclude_idle(plan, out)
  end
  return go(args, out, plan)
end

return command
