--- What a build's outputs depend on, in the words of make, which ninja reads, too.

local core = require("gptimage2.core")
local codes = require("gptimage2.command.parts.codes")
local manifest = require("gptimage2.assets.manifest")

local depfile = {}

--- A path as make and ninja both read it. (A % in it is a pattern to make, and cannot be told to
--- both.)
local function escape(path)
  path = path:gsub("(\\*) ", function(run)
    return run .. run .. "\\ "
  end)
  return (path:gsub("[#:]", "\\%0"):gsub("%$", "$$"))
end

--- The text: the lock and all pictures depend on the manifest.
---@param path string of the manifest
---@param plan gptimage2.Plan
---@return string
function depfile.text(path, plan)
  local base, name = path:match("^(.*/)([^/]*)$")
  base, name = base or "", name or path
  local outputs = { escape(base .. manifest.lock_name(name)) }
  for _, line in ipairs(plan.lines) do
    if line.state ~= "orphan" then
      outputs[#outputs + 1] = escape(base .. line.path)
    end
  end
  return ("%s: %s\n"):format(table.concat(outputs, " \\\n  "), escape(path))
end

--- Writes it; gives the exit code, which is worse where that fails.
---@param file string
---@param path string
---@param plan gptimage2.Plan
---@param out gptimage2.command.Output
---@param status integer
---@return integer
function depfile.write(file, path, plan, out, status)
  local ok, err = core.disk.write(file, depfile.text(path, plan), true)
  if ok then
    return status
  end
  out:fail(err)
  return status == codes.done and codes.some_failed or status
end

return depfile
