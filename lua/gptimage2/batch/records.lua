--- The records of a file of rows: lines, or for CSV as many lines as a record's quotes hold
--- together. Of the file a block and a record are in memory at a time.

local records = {}

local BLOCK = 64 * 1024 -- bytes

--- Bytes of a record without its end; a prompt with its metadata has a tenth.
records.MAX = 1024 * 1024
local MOST = records.MAX + #"\r\n"

local MARK = "\239\187\191" -- that some programs put in front of UTF-8

---@class gptimage2.batch.Records
---@field failure string|nil why the file could not be read to its end
local Records = {}
Records.__index = Records

---@class gptimage2.batch.Record
---@field text string without its end
---@field line integer on which it begins
---@field offset integer
---@field length integer bytes, with its end
---@field too_long boolean `text` is only a part of it

--- Those of a file that was opened, from its beginning.
---@param handle table a file
---@param is_csv boolean
---@return gptimage2.batch.Records
function records.new(handle, is_csv)
  local self = { handle = handle, is_csv = is_csv, block = "", at = 1, offset = 0, line = 1 }
  return setmetatable(self, Records)
end

--- Reads a further block; false at the end.
function Records:fill()
  local block, why = self.handle:read(BLOCK)
  self.failure = self.failure or why
  self.block, self.at = block or "", 1
  return block ~= nil
end

--- The next line with its end, and its length; of one that is too long the text is only a part.
function Records:next_line()
  local parts, length = {}, 0
  repeat
    local stop = self.block:find("\n", self.at, true)
    local piece = self.block:sub(self.at, stop or -1)
    self.at = self.at + #piece
    length = length + #piece
    if length <= MOST then
      parts[#parts + 1] = piece
    end
  until stop or not self:fill()
  self.offset = self.offset + length
  self.line = self.line + (length > 0 and 1 or 0)
  return table.concat(parts), length
end

local function has_open_quote(text)
  local _, count = text:gsub('"', "")
  return count % 2 == 1
end

local function without_end(text, offset)
  text = text:gsub("\r?\n$", "")
  return offset == 0 and text:sub(1, #MARK) == MARK and text:sub(#MARK + 1) or text
end

--- The next record that is not empty; nil at the end.
---@return gptimage2.batch.Record|nil
function Records:next()
  local text, line, offset, length
  repeat
    line, offset = self.line, self.offset
    text, length = self:next_line()
    while self.is_csv and length <= MOST and has_open_quote(text) do
      local more, count = self:next_line()
      text, length = text .. more, length + count
      if count == 0 then
        break
      end
    end
  until length == 0 or text:find("%S")
  if length == 0 then
    return nil
  end
  text = without_end(text, offset)
  return {
    text = text,
    line = line,
    offset = offset,
    length = length,
    too_long = length > MOST or #text > records.MAX,
  }
end

--- The text of a record that was read before; nil where there is none any more.
---@param handle table
---@param offset integer
---@param length integer
---@return string|nil
function records.again(handle, offset, length)
  local text = handle:seek("set", offset) and handle:read(length)
  return text and #text == length and without_end(text, offset) or nil
end

return records
