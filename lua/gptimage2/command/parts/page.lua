--- What the commands share that write a page: where it is, for a person to open.

local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local page = {}

--- Tells where the page is, or why there is none.
---@param out gptimage2.command.Output
---@param file string|nil
---@param err table|nil
---@return integer status
function page.tell(out, file, err)
  if not file then
    return out:fail(err)
  end
  out:line(text.clean(file))
  out:object({ type = "page", file = file })
  return codes.done
end

--- A command that writes a page of a manifest's pictures.
---@param name string
---@param act fun(manifest: string, options: table): string|nil, table|nil
---@param about { summary: string, description: string }
---@return table command
function page.command(name, act, about)
  local command = {
    summary = about.summary,
    description = about.description,
    examples = {
      ("gptimage2 %s"):format(name),
      ("gptimage2 %s -f art/pictures.lua --only 'icons/**'"):format(name),
    },
  }
  function command.define(parser)
    options.manifest(parser)
    options.only(parser)
    options.json(parser)
  end
  function command.run(args, out)
    local asked = { store = args.store, only = options.globs(args) }
    return page.tell(out, act(options.path(args), asked))
  end
  return command
end

return page
