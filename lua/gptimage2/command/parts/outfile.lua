--- Where a build writes its depfile: over nothing else, before it begins and when it is done.

local codes = require("gptimage2.command.parts.codes")
local depfile = require("gptimage2.command.parts.depfile")
local problem = require("gptimage2.command.parts.problem")
local replace = require("gptimage2.files.replace")

local outfile = {}

--- Whether a text is one rule of make about a lock, as we write it.
local function is_depfile(head)
  local first = head:match("^[^\n]*")
  return first:find("%.lock \\$") ~= nil or first:find("%.lock: ") ~= nil
end

--- Why a depfile cannot go to a path; nil where it can, or none is asked for.
---@param file string|nil
---@return table|nil err
function outfile.fault(file)
  local code, message
  if file then
    code, message = replace.fault(file, "depfile", is_depfile)
  end
  return code and problem.new("build", code, ("%s: %s"):format(file, message), "--depfile")
end

--- Writes it; gives the exit code, which is worse where that fails. What lies there may be one of
--- the pictures by now.
---@param file string
---@param path string of the manifest
---@param plan gptimage2.Plan
---@param out gptimage2.command.Output
---@param status integer
---@return integer
function outfile.write(file, path, plan, out, status)
  local err = outfile.fault(file)
  if not err then
    return depfile.write(file, path, plan, out, status)
  end
  out:fail(err)
  return status == codes.done and codes.some_failed or status
end

return outfile
