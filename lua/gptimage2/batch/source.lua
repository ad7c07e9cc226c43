--- The file of a batch: its rows one by one, and any of them once more. A pipe is copied to a file
--- without a name first, for it is read twice.

local cells = require("gptimage2.batch.cells")
local core = require("gptimage2.core")
local numbers = require("gptimage2.batch.numbers")
local records = require("gptimage2.batch.records")
local row = require("gptimage2.batch.row")

local source = {}

local FORMATS = { jsonl = "jsonl", ndjson = "jsonl", json = "jsonl", csv = "csv" }
local BLOCK = 64 * 1024 -- bytes

---@class gptimage2.batch.Source
---@field name string for messages
---@field handle table
---@field is_csv boolean
---@field names string[]|nil of a CSV's columns
local Source = {}
Source.__index = Source

--- An error about a row: where it stands, and the field. `place` has the line, and the row where
--- that is another number.
---@param err { code: string, message: string, field: string? }
---@param place { line: integer?, row: integer? }|nil
---@return gptimage2.Error
function Source:error(err, place)
  place = place or {}
  local front = place.line and ("%s:%d: "):format(self.name, place.line) or self.name .. ": "
  if place.row and place.row ~= place.line then
    front = ("%srow %d: "):format(front, place.row)
  end
  return core.error({
    kind = "validation",
    code = err.code,
    message = front .. err.message,
    field = err.field,
    file = self.name,
    line = place.line,
    retryable = false,
    sent = "no",
    charged = "no",
  })
end

--- The file cannot be read, or not to its end.
local function unreadable(self, why)
  local message = "it cannot be read: " .. tostring(why)
  return nil, self:error({ code = "file_unreadable", message = message })
end

local function spool(handle)
  local copy, why = io.tmpfile()
  local block
  while copy do
    block, why = handle:read(BLOCK)
    local ok = not why
    if block then
      ok, why = copy:write(block)
    end
    if not ok or not block then
      break
    end
  end
  local good = copy and not why
  if good then
    good, why = copy:seek("set", 0)
  end
  return good and copy or nil, why
end

--- The format: what is asked for, or what the name ends in; standard input has lines of JSON.
local function format_of(path, asked)
  local extension = path:match("%.(%w+)$")
  return asked or extension and FORMATS[extension:lower()] or path == "-" and "jsonl" or nil
end

--- Opens it.
---@param path string "-": standard input
---@param format? "jsonl"|"csv"
---@return gptimage2.batch.Source|nil
---@return gptimage2.Error|nil err
function source.open(path, format)
  local self = setmetatable({ name = path }, Source)
  local found = format_of(path, format)
  if not found then
    local message = "its name does not say whether it is JSON Lines or CSV: say --format"
    return nil, self:error({ code = "format_unknown", message = message })
  end
  local handle, why = io.stdin, nil
  if path == "-" then
    self.name = "standard input"
  else
    handle, why = io.open(path, "rb")
  end
  if handle and (path == "-" or not handle:seek("cur", 0)) then
    handle, why = spool(handle)
  end
  if not handle then
    return unreadable(self, why)
  end
  self.handle, self.is_csv = handle, found == "csv"
  return self
end

local function not_a_row(message)
  return nil, { code = "not_a_row", message = message }
end

--- The columns of a record's text.
---@return table|nil
---@return table|nil err
function Source:columns(text)
  if self.is_csv then
    local columns, message = cells.row(text, self.names)
    if not columns then
      return not_a_row(message)
    end
    return columns
  elseif not text:find("^%s*{") then
    return not_a_row("a row is a JSON object, { … }")
  end
  local fields, why = core.decode(text)
  if type(fields) ~= "table" then
    return not_a_row("it is no JSON object" .. (why and ": " .. tostring(why) or ""))
  end
  local ok, err = numbers.keep(fields, text, row.KNOWN)
  return ok and fields, err
end

--- Reads the text of a record.
---@return gptimage2.batch.Row|nil
---@return table|nil err
---@return table|nil columns
function Source:read(text)
  local columns, err = self:columns(text)
  if not columns then
    return nil, err
  end
  local made
  made, err = row.read(columns)
  return made, err, columns
end

local TOO_LONG = {
  code = "too_long",
  message = ("it is over %d KiB long (is a quote not closed?)"):format(records.MAX / 1024),
}

--- The names of the columns.
local function read_head(self, list)
  local first = list:next()
  local names, message = nil, "there is no line that names the columns"
  if list.failure then
    return unreadable(self, list.failure)
  elseif first and first.too_long then
    return nil, self:error(TOO_LONG, first)
  elseif first and first.text:find("\r[^\n]") then
    message = "the line of names has %d bytes, and CRs: end lines with LF, or CR LF"
    message = message:format(#first.text)
  elseif first then
    names, message = cells.names(first.text)
  end
  self.names = names
  if not names then
    return nil, self:error({ code = "not_a_row", message = message }, first)
  end
  return true
end

--- Gives each row to `use(record, row, err, columns)`: with the error in place of the row where it
--- is none, and its columns as they stand there.
---@param use function
---@return boolean|nil ok
---@return gptimage2.Error|nil err of the file
function Source:each(use)
  local list = records.new(self.handle, self.is_csv)
  if self.is_csv then
    local ok, err = read_head(self, list)
    if not ok then
      return nil, err
    end
  end
  local number = 0
  for record in
    function()
      return list:next()
    end
  do
    number = number + 1
    record.row = number
    local made, err, columns = nil, TOO_LONG, nil
    if not record.too_long then
      made, err, columns = self:read(record.text)
    end
    use(record, made, err and self:error(err, record), columns)
    if record.too_long and self.is_csv then
      break -- nobody knows where the next one begins
    end
  end
  if list.failure then
    return unreadable(self, list.failure)
  end
  return true
end

--- A row once more.
---@param offset integer
---@param length integer
---@return gptimage2.batch.Row|nil
---@return table|nil err
function Source:again(offset, length)
  local text = records.again(self.handle, offset, length)
  if not text then
    return nil, { code = "file_changed", message = "the file changed meanwhile" }
  end
  return self:read(text)
end

--- Not needed any more.
function Source:close()
  self.handle:close()
end

return source
