--- `gptimage2 build`: makes what the manifest asks for and is not there yet.

local assets = require("gptimage2.assets")
local builder = require("gptimage2.command.parts.builder")
local codes = require("gptimage2.command.parts.codes")
local confirm = require("gptimage2.command.parts.confirm")
local options = require("gptimage2.command.parts.options")
local plan_file = require("gptimage2.assets.plan.file")
local outfile = require("gptimage2.command.parts.outfile")
local plan_view = require("gptimage2.command.parts.plan_view")
local service = require("gptimage2.command.parts.service")
local turn = require("gptimage2.command.parts.turn")

local build = {}

build.summary = "Makes what the manifest asks for and is not there yet."
build.description = "Shows the plan, asks once, and makes it: each picture is on the disk as soon "
  .. "as it is there. Whatever ends it, the same command finishes it, and pays for nothing twice. "
  .. "Without a terminal it needs --yes, or a plan that `plan -o` wrote, and does no more than it."
build.examples = {
  "gptimage2 build",
  "gptimage2 build --yes --budget 200 --cutoff soft",
  "gptimage2 plan -o plan.jsonl; gptimage2 build plan.jsonl",
}

local DEPFILE =
  "Write there, for make or ninja, that the lock and the pictures depend on the manifest."

--- Its options and arguments.
---@param command table of argparse
function build.define(command)
  command:argument("plan", "A plan that `plan -o` wrote."):args("?")
  command
    :option("--budget", "Credits that this build may spend.")
    :argname("<credits>")
    :convert(options.number("--budget", 0))
  command
    :option("--cutoff", "Over the budget: hard sends nothing (default), soft makes what fits.")
    :choices({ "hard", "soft" })
  command:flag("-y --yes", "Do not ask.")
  command:option("--depfile", DEPFILE):argname("<file>")
  options.manifest(command)
  options.only(command)
  options.stale(command)
  options.retry(command, "that of the manifest, else documented")
  options.service(command)
  options.json(command)
end

--- Which pictures it is about: a plan says so itself.
local function read_selection(args, out)
  if not args.plan then
    return { stale = args.stale, only = options.globs(args) }, options.path(args)
  elseif args.stale or args.only[1] then
    return nil, nil, out:misuse("--stale and --only are the plan's own")
  end
  local head, err = plan_file.read(args.plan)
  if not head then
    return nil, nil, out:fail(err)
  end
  return { stale = head.stale, only = head.only }, args.manifest or head.file
end

--- What is left where a build would do nothing: that waits for a person, and nothing else.
local function idle(plan, out)
  plan_view.show(plan, out)
  local stuck = plan.counts.unknown or plan.counts.taken
  local status = stuck and codes.some_failed or codes.done
  out:line(plan.clean and "nothing to do" or "nothing that a build could do")
  out:object({
    type = "build",
    ok = not stuck,
    made = 0,
    restored = 0,
    credits = 0,
    over = false,
    exit = status,
  })
  return status
end

--- A client with the ledger of the manifest's store, once no other build has it; nil and the exit
--- code, which was told.
local function connect(read, path, retry, out)
  local ledger, err = assets.ledger(path)
  local client, status
  if ledger then
    client, err, status = turn.await(function()
      return service.client(read, { ledger = ledger, ledger_alone = true, retry = retry })
    end, out, (ledger:gsub("ledger%.db$", "lock")))
  end
  if err then
    status = out:fail(err)
  end
  return client, status
end

--- Makes what the plan says, once somebody wants it.
local function go(args, out, path, selection, plan)
  local read, err = service.check(args)
  if not read then
    return out:fail(err)
  end
  local yes, status, shown = true, nil, nil
  if not args.plan then
    yes, status, shown = confirm.may_spend(args, out, plan.cost, function(code)
      plan_view.show(plan, out, code)
    end)
  end
  if not yes then
    return status
  end
  local client, report
  client, status = connect(read, path, args.retry or plan.retry, out)
  if not client then
    return status
  end
  report, status = builder.run(path, out, {
    client = client,
    store = args.store,
    stale = not args.plan and selection.stale or nil,
    only = not args.plan and selection.only or nil,
    plan = args.plan,
    budget = shown and math.min(shown, args.budget or shown) or args.budget,
    cutoff = args.cutoff,
  })
  if report and args.depfile then
    status = outfile.write(args.depfile, args.manifest or path, report.plan, out, status)
  end
  return status
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function build.run(args, out)
  local selection, path, status = read_selection(args, out)
  if not selection then
    return status
  end
  local err, plan = outfile.fault(args.depfile), nil
  if not err then
    plan, err = assets.plan(path, {
      store = args.store,
      stale = selection.stale,
      only = selection.only,
      retry = args.retry,
    })
  end
  if not plan then
    return out:fail(err)
  elseif not plan.work and not args.plan then
    status = idle(plan, out)
    return args.depfile and outfile.write(args.depfile, path, plan, out, status) or status
  end
  return go(args, out, path, selection, plan)
end

return build
