--- `gptimage2 derive`: the post-steps of the manifest again. Costs nothing.

local assets = require("gptimage2.assets")
local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local output = require("gptimage2.command.parts.output")
local text = require("gptimage2.command.parts.text")

local derive = {}

derive.summary = "Runs the post-steps of all accepted pictures again."
derive.description = "Runs the `derive` commands of the manifest on the originals that the stores "
  .. "have. A file is touched only where its bytes change. Needs no key and no network."
derive.examples = { "gptimage2 derive", "gptimage2 derive --only 'icons/*'" }

--- Its options and arguments.
---@param command table of argparse
function derive.define(command)
  options.manifest(command)
  options.only(command)
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function derive.run(args, out)
  local asked = { store = args.store, only = options.globs(args) }
  local report, err = assets.derive(options.path(args), asked)
  if not report then
    return out:fail(err)
  end
  for _, path in ipairs(report.changed) do
    out:line("derived: " .. text.clean(path))
    out:object({ type = "derived", path = path })
  end
  for _, one in ipairs(report.failed) do
    out:note(output.words_of(one.error))
    out:object({ type = "failed", path = one.path, error = output.error_fields(one.error) })
  end
  local same, failed = #report.same, #report.failed
  out:line(("%d changed, %d as before, %d failed"):format(#report.changed, same, failed))
  local status = report.ok and codes.done or codes.some_failed
  out:object({
    type = "derive",
    ok = report.ok,
    changed = #report.changed,
    same = same,
    failed = failed,
    exit = status,
  })
  return status
end

return derive
