--- What goes wrong in the program itself, shaped like an error of the module: doc/program.md lists
--- the kinds and codes.

local problem = {}

---@param kind string
---@param code string
---@param message string
---@param field? string
---@return table
function problem.new(kind, code, message, field)
  return { kind = kind, code = code, message = message, field = field, sent = "no", charged = "no" }
end

--- What is wrong with the command line.
---@param message string
---@return table
function problem.usage(message)
  return problem.new("usage", "usage", message)
end

return problem
