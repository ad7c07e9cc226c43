--- What the commands share that are about a ledger: which one.

local jobs = require("gptimage2.command.parts.jobs")
local rows = require("gptimage2.ledger.rows")

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

--- Runs `body` with a client that has the ledger; gives what it gives, or nil and the exit code
--- where it came to nothing, which is told.
---@param args table
---@param out gptimage2.command.Output
---@param body fun(client: gptimage2.Client): any, table|nil
---@param may? fun(): boolean, integer|nil whether to go on, once it is open; or the exit code
---@return any result
---@return integer|nil status
function ledgers.run(args, out, body, may)
  local path, client = ledgers.path(args), nil
  local _, err = rows.each({ ledger = path }, { limit = 1 }, function()
    return true
  end)
  if not err then -- a client would make one that is not there
    client, err = jobs.client(args, path)
  end
  if not client then
    return nil, out:fail(err)
  end
  local ok, status = true, nil
  if may then
    ok, status = may()
  end
  if not ok then
    client:close()
    return nil, status
  end
  local result, why, interrupted = jobs.run(client, out, function()
    return body(client)
  end)
  if interrupted then
    return nil, interrupted
  elseif not result then
    return nil, out:fail(why)
  end
  return result
end

return ledgers
