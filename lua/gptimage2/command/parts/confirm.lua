--- Asks a person, where there is one.

local codes = require("gptimage2.command.parts.codes")
local core = require("gptimage2.core")

local confirm = {}

--- Whether somebody reads what is asked, and can answer.
---@param out gptimage2.command.Output
---@return boolean
function confirm.can_ask(out)
  return not out.json and core.terminal.is(0) and core.terminal.is(2)
end

--- Asks once; all but yes is no.
---@param question string
---@return boolean
function confirm.ask(question)
  io.stderr:write(question, " [y/N] ")
  io.stderr:flush()
  local answer = io.stdin:read("*l")
  if not answer then
    io.stderr:write("\n")
  end
  answer = (answer or ""):lower():match("^%s*(.-)%s*$")
  return answer == "y" or answer == "yes"
end

--- Asks where that is needed: not with `--yes`, nor for nothing. Gives whether to go on, the exit
--- code where not, and the credits that somebody has agreed to: without `--yes` no more may be
--- spent, whatever else turns up to be made.
---@param args { yes: boolean|nil }
---@param out gptimage2.command.Output
---@param cost number credits
---@param show fun(status: integer|nil) tells what they are for; the exit code where it is known
---@return boolean
---@return integer|nil status
---@return number|nil agreed
function confirm.may_spend(args, out, cost, show)
  if args.yes or cost == 0 then
    return true, nil, not args.yes and 0 or nil
  end
  local can_ask = confirm.can_ask(out)
  show(not can_ask and codes.usage or nil)
  if not can_ask then
    out:note("nothing was sent: --yes makes it")
    return false, codes.usage
  elseif confirm.ask(("Spend %d credits?"):format(cost)) then
    return true, nil, cost
  end
  out:note("nothing was sent")
  return false, codes.usage
end

return confirm
