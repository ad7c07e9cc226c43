--- `gptimage2 man`: the manual page, for man(1).

local codes = require("gptimage2.command.parts.codes")
local grammar = require("gptimage2.command.parts.grammar")
local manual = require("gptimage2.command.parts.manual")
local options = require("gptimage2.command.parts.options")

local man = {}

man.summary = "The manual page, for man(1)."
man.examples = { "gptimage2 man | man -l -" }

--- Its options and arguments.
---@param command table of argparse
function man.define(command)
  options.json(command)
end

---@param out gptimage2.command.Output
---@return integer status
function man.run(_, out)
  local _, commands = grammar.new()
  local text = manual.text(commands)
  if out.json then
    out:object({ type = "man", text = text })
  else
    out:write(text)
  end
  return codes.done
end

return man
