--- `gptimage2 gc`: deletes the files of pictures that the manifest does not ask for any more.

local assets = require("gptimage2.assets")
local codes = require("gptimage2.command.parts.codes")
local confirm = require("gptimage2.command.parts.confirm")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local gc = {}

gc.summary = "Deletes the files of pictures that the manifest does not ask for any more."
gc.description = "Deletes an orphan only where its bytes are those that were accepted, and "
  .. "forgets it in the lock; the stores keep its picture. Without --yes it asks on a terminal, "
  .. "and only lists elsewhere."
gc.examples = { "gptimage2 gc", "gptimage2 gc --yes --only 'old/**'" }

--- Its options and arguments.
---@param command table of argparse
function gc.define(command)
  command:flag("-y --yes", "Do not ask.")
  options.manifest(command)
  options.only(command)
  options.json(command)
end

local function show(out, report, what)
  for _, path in ipairs(report.removed) do
    out:line(("%s: %s"):format(what, text.clean(path)))
    out:object({ type = what, path = path })
  end
  for _, one in ipairs(report.kept) do
    out:line(("kept: %s: %s"):format(text.clean(one.path), text.clean(one.reason)))
    out:object({ type = "kept", path = one.path, reason = one.reason })
  end
end

local function tell(out, report, removed, status)
  out:object({ type = "gc", removed = removed, kept = #report.kept, exit = status })
  return status
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function gc.run(args, out)
  local asked = { store = args.store, only = options.globs(args), dry = not args.yes }
  local report, err = assets.gc(options.path(args), asked)
  if not report then
    return out:fail(err)
  end
  show(out, report, args.yes and "deleted" or "orphan")
  local count = #report.removed
  if args.yes or count == 0 then
    return tell(out, report, args.yes and count or 0, codes.done)
  elseif not confirm.can_ask(out) then
    out:note("nothing was deleted: --yes deletes them")
    return tell(out, report, 0, codes.usage)
  elseif not confirm.ask(("Delete %s?"):format(text.count(count, "file"))) then
    out:note("nothing was deleted")
    return codes.usage
  end
  asked.dry = false
  report, err = assets.gc(options.path(args), asked)
  if not report then
    return out:fail(err)
  end
  show(out, report, "deleted")
  return codes.done
end

return gc
