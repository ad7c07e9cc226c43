--- Asks a person, where there is one.

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

return confirm
