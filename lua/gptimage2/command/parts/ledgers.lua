--- What the commands share that are about a ledger: which one.

local jobs = require("gptimage2.command.parts.jobs")

local ledgers = {}

--- Where `build` has its ledger.
local OWN = ".gptimage2/ledger.db"

--- The option for it.
---@param command table of argparse
function ledgers.define(command)
  command
    :option("--ledger", ("The ledger (GPTIMAGE2_LEDGER, else %s)."):format(OWN))
    :argname("<file>")
end

--- The path of the ledger.
---@param args table
---@return string
function ledgers.path(args)
  return jobs.named_ledger(args) or OWN
end

return ledgers
