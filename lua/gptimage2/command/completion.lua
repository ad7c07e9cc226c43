--- `gptimage2 completion`: what a shell needs to complete command lines.

local codes = require("gptimage2.command.parts.codes")
local grammar = require("gptimage2.command.parts.grammar")
local options = require("gptimage2.command.parts.options")

local completion = {}

completion.summary = "What a shell needs to complete command lines."
completion.examples = {
  "gptimage2 completion bash >~/.local/share/bash-completion/completions/gptimage2",
  "gptimage2 completion zsh >~/.zfunc/_gptimage2",
  "gptimage2 completion fish >~/.config/fish/completions/gptimage2.fish",
}

--- Its options and arguments.
---@param command table of argparse
function completion.define(command)
  command:argument("shell", "Which shell: bash, zsh or fish."):choices({ "bash", "zsh", "fish" })
  options.json(command)
end

--- The text for a shell.
---@param parser table of argparse
---@param shell string
---@return string
function completion.text(parser, shell)
  return parser["get_" .. shell .. "_complete"](parser)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function completion.run(args, out)
  local text = completion.text((grammar.new()), args.shell)
  if out.json then
    out:object({ type = "completion", shell = args.shell, text = text })
  else
    out:write(text)
  end
  return codes.done
end

return completion
