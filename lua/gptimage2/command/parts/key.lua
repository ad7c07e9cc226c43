--- The API key: from the environment, a file that nobody else may read, or standard input. Never an
--- argument, which everybody on the machine can see.

local core = require("gptimage2.core")
local problem = require("gptimage2.command.parts.problem")

local key = {}

local MAX_LINE = 8192 -- bytes

local function refuse(message)
  return nil, problem.new("auth", "api_key_invalid", message, "api_key")
end

--- The first line of a text, without white space around it.
local function first_line(text)
  local line = text:match("^[^\r\n]*"):match("^%s*(.-)%s*$")
  return line ~= "" and line or nil
end

local function from_file(path)
  local text, why = core.terminal.read_secret(path)
  local found = text and first_line(text)
  if found then
    return found
  end
  return refuse(("the key cannot be taken from %s: %s"):format(path, why or "it is empty"))
end

--- The bytes of standard input up to the end of a line: whoever holds the pipe open may have no
--- more to say.
local function read_line()
  local bytes = {}
  repeat
    local byte = io.stdin:read(1)
    bytes[#bytes + 1] = byte
  until not byte or byte == "\n" or #bytes == MAX_LINE
  return table.concat(bytes)
end

local function from_stdin()
  if core.terminal.is(0) then
    return refuse("--key-stdin reads a pipe or a file, and not what everybody can see typed")
  end
  local found = first_line(read_line())
  if found then
    return found
  end
  return refuse("there is no key on standard input")
end

--- Where the options say that it is; nil without an error: the environment has it, or nothing.
---@param args table
---@return string|nil key
---@return table|nil err
function key.read(args)
  if args.key_file then
    return from_file(args.key_file)
  elseif args.key_stdin then
    return from_stdin()
  end
end

return key
