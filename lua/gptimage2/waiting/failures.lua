--- Errors of coroutines and callbacks that wait: kept until a step can raise them.

local core = require("gptimage2.core")

-- Loaded once more in the same state: the errors are in the first one.
if core.kept.failures then
  return core.kept.failures
end

local failures = {}

--- Those that no step has raised yet, and one there was no memory to put there.
local list, spare = {}, nil

local function keep_failure(err)
  local failure = { err }
  table.insert(list, failure)
  return failure
end

--- Keeps an error until a step can raise it. Never raises itself.
---@param err any
---@return table|nil failure for `failures.forget`
function failures.keep(err)
  local ok, failure = pcall(keep_failure, err)
  if ok then
    return failure
  end
  spare = err
end

--- No step raises this failure any more: somebody has got its error.
---@param failure table|nil
function failures.forget(failure)
  for i = #list, 1, -1 do
    if list[i] == failure then
      table.remove(list, i)
    end
  end
end

--- Takes what a step is to raise: the first that was kept, else the one there was no memory for.
---@return table|nil failure with the error as its first element
---@return any spare an error, to be raised where there is no failure
function failures.take()
  local failure = table.remove(list, 1)
  local left = spare
  if not failure then
    spare = nil
  end
  return failure, left
end

--- Whether a step would raise an error.
---@return boolean
function failures.any()
  return list[1] ~= nil or spare ~= nil
end

core.kept.failures = failures

return failures
