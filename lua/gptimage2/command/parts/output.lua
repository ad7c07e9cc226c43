--- What the program says. With `--json` standard output has one object a line and nothing else;
--- who no longer reads it (`| head -1`) is nobody's error.

local codes = require("gptimage2.command.parts.codes")
local core = require("gptimage2.core")
local problem = require("gptimage2.command.parts.problem")
local record = require("gptimage2.command.parts.record")
local text = require("gptimage2.command.parts.text")

local output = {}

local COLOURS = { red = 31, green = 32, yellow = 33, blue = 34, dim = 2, bold = 1 }

local EPIPE, EIO = 32, 5 -- nobody reads any more; the terminal has gone

---@class gptimage2.command.Output
---@field json boolean
---@field colour boolean
---@field name string the command's, for messages
---@field screen table|nil what is drawn below, and makes room for lines
local Output = {}
Output.__index = Output

--- Writes to standard output until that fails once.
function Output:write(bytes)
  if self.held then
    self.held[#self.held + 1] = bytes
    return
  elseif self.failure then
    return
  elseif self.screen then
    self.screen:clear()
  end
  local ok, why, number = io.stdout:write(bytes)
  if ok then
    ok, why, number = io.stdout:flush()
  end
  if not ok then
    self.failure = { why = why, silent = number == EPIPE or number == EIO }
  end
end

--- Writes what `fn` writes at once: a plan may have ten thousand lines.
---@param fn fun()
function Output:together(fn)
  self.held = {}
  fn()
  local bytes = table.concat(self.held)
  self.held = nil
  self:write(bytes)
end

--- The text in a colour, where standard output shows colours.
---@param value string
---@param name string|nil
---@return string
function Output:paint(value, name)
  return self.colour and name and ("\27[%dm%s\27[0m"):format(COLOURS[name], value) or value
end

--- A line for people; nothing with `--json`.
---@param line string
function Output:line(line)
  if not self.json then
    self:write(line .. "\n")
  end
end

--- An object; nothing without `--json`.
---@param fields table
function Output:object(fields)
  if self.json then
    self:write(record.encode(fields) .. "\n")
  end
end

--- A line on standard error, for people, whatever is asked for.
---@param line string
function Output:note(line)
  if self.screen then
    self.screen:clear()
  end
  io.stderr:write(("gptimage2%s: %s\n"):format(self.name and " " .. self.name or "", line))
end

local ERROR_FIELDS = {
  "kind",
  "code",
  "field",
  "file",
  "line",
  "status",
  "sent",
  "charged",
  "job_id",
  "idempotency_key",
}

--- An error as fields of an object.
---@param err table
---@param more? table further fields
---@return table
function output.error_fields(err, more)
  local message = text.clean(err.message or tostring(err))
  local fields = { type = "error", message = text.commands(message) }
  for _, name in ipairs(ERROR_FIELDS) do
    fields[name] = err[name]
  end
  for name, value in pairs(more or {}) do
    fields[name] = value
  end
  return fields
end

--- An error in words: a build's begin with its file and line, and end with the field.
---@param err table
---@return string
function output.words_of(err)
  local words = text.commands(text.clean(err.message or tostring(err)))
  if err.field and not words:find(err.field, 1, true) then
    words = ("%s (%s)"):format(words, text.clean(err.field))
  end
  if err.idempotency_key and err.charged == "unknown" and err.code ~= "key_unknown" then
    words = ("%s (it may have been paid; its key is %s)"):format(words, err.idempotency_key)
  end
  return words
end

--- The same, with the job's id where that is paid: nobody else may know it.
---@param err table
---@return string
function output.paid_words_of(err)
  local words = output.words_of(err)
  if err.charged ~= "yes" or not err.job_id or words:find(err.job_id, 1, true) then
    return words
  end
  return ("%s (job %s is paid)"):format(words, text.clean(err.job_id))
end

--- Tells an error; gives its exit code.
---@param err table
---@param more? table for the object
---@return integer
function Output:fail(err, more)
  local status = codes.of(err)
  local fields = output.error_fields(err, more)
  fields.exit = status
  self:object(fields)
  self:note(output.words_of(err))
  return status
end

--- What is wrong with the command line.
---@param message string
---@return integer status
function Output:misuse(message)
  return self:fail(problem.usage(message))
end

--- An error of our own, with its traceback: for people as it is, it has many lines.
---@param raised string
---@return integer status
function Output:bug(raised)
  local fields = output.error_fields(problem.new("bug", "bug", raised))
  fields.exit = codes.some_failed
  self:object(fields)
  io.stderr:write("gptimage2: this is a bug: ", raised, "\n")
  return codes.some_failed
end

--- The exit code, at the end: what could not be written counts, but for a reader who went.
---@param status integer
---@return integer
function Output:status(status)
  local failure = self.failure
  if failure and not failure.silent then
    self:note("standard output cannot be written: " .. tostring(failure.why))
    return status == codes.done and codes.some_failed or status
  end
  return status
end

--- Whether what is written there may move the cursor: a terminal that can.
---@param fd integer
---@return boolean
function output.is_terminal(fd)
  local term = os.getenv("TERM") or ""
  return term ~= "" and term ~= "dumb" and core.terminal.is(fd)
end

--- Whether colours are shown there, and wanted.
---@param fd integer
---@return boolean
function output.has_colours(fd)
  return (os.getenv("NO_COLOR") or "") == "" and output.is_terminal(fd)
end

--- An output of one run of the program.
---@param json boolean
---@param name? string
---@return gptimage2.command.Output
function output.new(json, name)
  local self = setmetatable({ json = json, name = name }, Output)
  self.colour = not json and output.has_colours(1)
  return self
end

return output
