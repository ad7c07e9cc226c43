--- The errors of builds: kind `build`, with the file, the line and the field that they are about.

local core = require("gptimage2.core")

local failure = {}

--- Where something is wrong. Which line that is may take a search: a function finds it, and the
--- field's name, when there is an error.
---@class gptimage2.assets.Place
---@field file string|nil
---@field line integer|(fun(): integer|nil)|nil
---@field field string|(fun(): string)|nil

--- The field that a place is about.
---@param place gptimage2.assets.Place
---@return string|nil
function failure.field(place)
  local field = place.field
  if type(field) == "function" then
    return field()
  end
  return field
end

--- An error as a pair to return. The message begins with the place, as a compiler's does.
---@param code string
---@param message string
---@param place? gptimage2.assets.Place
---@return nil, gptimage2.Error
function failure.new(code, message, place)
  place = place or {}
  local front, line = place.file or "", place.line
  if type(line) == "function" then
    line = line()
  end
  if line then
    front = ("%s:%d"):format(front, line)
  end
  return nil,
    core.error({
      kind = "build",
      code = code,
      message = front ~= "" and front .. ": " .. message or message,
      file = place.file,
      line = line,
      field = failure.field(place),
      retryable = code == "store_failed",
      sent = "no",
      charged = "no",
    })
end

--- An error of another part (a request's, a file's) as one of a build.
---@param err gptimage2.Error
---@param place gptimage2.assets.Place
---@param code? string instead of its own
---@return nil, gptimage2.Error
function failure.of(err, place, code)
  return failure.new(code or err.code, err.message, place)
end

return failure
