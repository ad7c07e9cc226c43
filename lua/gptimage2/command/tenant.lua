--- `gptimage2 tenant`: those for whom a ledger's jobs are made: looks at them, makes and changes
--- them.

local codes = require("gptimage2.command.parts.codes")
local gptimage2 = require("gptimage2")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local problem = require("gptimage2.command.parts.problem")
local tenants = require("gptimage2.ledger.tenants")
local text = require("gptimage2.command.parts.text")

local command = {}

command.summary = "The tenants of a ledger, and their budgets."
command.description = "Without a name it lists all; with one it shows that. With --budget or "
  .. "--weight it makes the tenant, or changes it. Needs no key and no network, and may run beside "
  .. "those who spend on the ledger."
command.examples = {
  "gptimage2 tenant --ledger renders.db",
  "gptimage2 tenant acme --budget 500 --ledger renders.db",
  "gptimage2 tenant acme --budget none",
}

--- A budget: credits, or "none".
local function budget_of(given)
  if given == "none" then
    return math.huge
  end
  local number = options.number("--budget", 0)(given)
  if not number or number > tenants.MAX_CREDITS then
    local words = "--budget needs a number of credits, or none, and at most %.0f, not '%s'"
    return nil, words:format(tenants.MAX_CREDITS, given)
  end
  return number
end

local function weight_of(given)
  local number = options.number("--weight", 0)(given)
  if not number or number <= 0 or number > tenants.MAX_WEIGHT then
    local words = "--weight needs a number above 0, and at most %d, not '%s'"
    return nil, words:format(tenants.MAX_WEIGHT, given)
  end
  return number
end

--- Its options and arguments.
---@param parser table of argparse
function command.define(parser)
  parser:argument("name", "The tenant."):args("?")
  parser
    :option("--budget", "Credits that it may spend in all, or none for no limit.")
    :argname("<credits>")
    :convert(budget_of)
  parser
    :option("--weight", "Its part of what is claimed, against that of others (1).")
    :argname("<number>")
    :convert(weight_of)
  ledgers.define(parser)
  options.json(parser)
end

--- Credits, to the last one where they are whole.
local function credits(number)
  return (number % 1 == 0 and "%.0f" or "%.14g"):format(number)
end

--- Tells of one.
local function show(row, out)
  local of = row.budget and ("of %s credits"):format(credits(row.budget))
    or "of as many as there are"
  local line = "%s  spent %s and reserved %s %s; weight %.14g"
  local name = text.pad(text.clean(row.name), 16)
  out:line(line:format(name, credits(row.spent), credits(row.reserved), of, row.weight))
  out:object({
    type = "tenant",
    name = row.name,
    budget = row.budget,
    reserved = row.reserved,
    spent = row.spent,
    weight = row.weight,
  })
end

--- Makes or changes it. The ledger's client sends nothing, and so needs no key of anybody's.
local function change(args, path)
  local client, err = gptimage2.new({ api_key = "no-key-is-needed", ledger = path })
  local row
  if client then
    row, err = client:tenant(args.name, { budget = args.budget, weight = args.weight })
    client:close()
  end
  return row, err
end

local function look(name, path)
  local row, err = tenants.read({ ledger = path }, name)
  if err and err.code == "tenant_unknown" then
    err.message = "the ledger has no tenant of this name: with --budget one is made"
  end
  return row, err
end

local function list(path, out)
  local count = 0
  local ok, err = tenants.each({ ledger = path }, function(row)
    count = count + 1
    show(row, out)
  end)
  if ok and count == 0 then
    out:line("there are no tenants")
  end
  return ok, err
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function command.run(args, out)
  local path, changes = ledgers.path(args), args.budget or args.weight
  local row, err
  if changes and not args.name then
    err = problem.usage("--budget and --weight are those of a tenant: name it")
  elseif not args.name then
    row, err = list(path, out)
  elseif changes then
    row, err = change(args, path)
  else
    row, err = look(args.name, path)
  end
  if not row then
    return out:fail(err)
  elseif args.name then
    show(row, out)
  end
  return codes.done
end

return command
