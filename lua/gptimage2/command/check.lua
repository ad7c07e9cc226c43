--- `gptimage2 check`: whether all pictures are as they should be. Offline, for a continuous
--- integration.

local assets = require("gptimage2.assets")
local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local check = {}

check.summary = "Whether all pictures are there, accepted and as they should be."
check.description = "Tells what is missing, edited, stale, unreviewed, orphaned, or of another "
  .. "kind than its name says. Needs no key and no network. Exit code 1: something is."
check.examples = { "gptimage2 check", "gptimage2 check -f art/pictures.lua --json" }

--- Its options and arguments.
---@param command table of argparse
function check.define(command)
  options.manifest(command)
  options.only(command)
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function check.run(args, out)
  local asked = { store = args.store, only = options.globs(args) }
  local found, err = assets.check(options.path(args), asked)
  if not found then
    return out:fail(err)
  end
  for _, one in ipairs(found.problems) do
    out:line(("%-10s  %s: %s"):format(one.state, text.clean(one.path), text.clean(one.reason)))
    out:object({ type = "problem", path = one.path, state = one.state, reason = one.reason })
  end
  out:object({ type = "check", ok = found.ok, problems = #found.problems })
  out:line(found.ok and "all is as it should be" or text.count(#found.problems, "problem"))
  return found.ok and codes.done or codes.some_failed
end

return check
