--- `gptimage2 prompt`: the prompt that pieces make, as it would be sent.

local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local request = require("gptimage2.command.parts.request")
local record = require("gptimage2.command.parts.record")
local text = require("gptimage2.command.parts.text")

local prompt = {}

prompt.summary = "The prompt that pieces make, as it would be sent. Sends nothing."
prompt.examples = {
  'gptimage2 prompt --subject "a ceramic cup" --style "product photo" --text "OPEN 24H"',
}

--- Its options and arguments.
---@param command table of argparse
function prompt.define(command)
  request.define(command)
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function prompt.run(args, out)
  local asked, err = request.read(args)
  if not asked then
    return out:fail(err)
  end
  out:line(text.clean(asked.prompt))
  out:object({
    type = "prompt",
    prompt = asked.prompt,
    mode = asked.mode,
    image_urls = asked.image_urls and record.list(asked.image_urls),
  })
  return codes.done
end

return prompt
