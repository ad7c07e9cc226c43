--- The lock of a manifest, `pictures.lock`: what was accepted, one line of JSON for each path. It
--- is committed, and merges line by line. Pure but for reading and writing the file.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local json = require("gptimage2.files.json")
local paths = require("gptimage2.assets.manifest.paths")
local slices = require("gptimage2.assets.store.slices")
local contents = require("gptimage2.files.contents")

local lock = {}

local VERSION = 1
local LINES_EACH = 16 -- between two pauses
local MAX_TEXT = 64 * 1024 * 1024 -- bytes
local MAX_CANDIDATES = 9999 -- of a request: a manifest asks for 100, `again` for one more each time

--- The keys of a line in their order, and what each holds.
local KEYS = {
  { "path", "text" },
  { "hash", "digest" },
  { "n", "ordinal" },
  { "made", "ordinal" },
  { "failed", "counts" },
  { "rejected", "list" },
  { "want", "ordinal" },
  { "of", "digest" },
  { "original", "digest" },
  { "file", "digest" },
  { "derive", "digest" },
  { "job", "text" },
  { "seed", "text" },
  { "cost", "count" },
  { "time", "count" },
  { "pin", "flag" },
}

---@class gptimage2.assets.Line
---@field path string
---@field hash string|nil of the request that was made last; nil where nothing ever was
---@field n integer|nil the accepted candidate; 0: a picture that is no candidate of this request
---@field made integer|nil candidates 1 to this one are made
---@field failed table<integer, integer>|nil candidate -> settled attempts that were not charged
---@field rejected table<integer, true>|nil candidates
---@field want integer|nil the highest candidate that `again` has asked for
---@field of string|nil the request of the accepted picture, where that is another one
---@field original string|nil digest of the accepted picture's bytes as they came
---@field file string|nil digest of the file
---@field derive string|nil digest of the command that made the file of the original
---@field job string|nil
---@field seed string|nil
---@field cost integer|nil
---@field time integer|nil
---@field pin boolean|nil

local function is_digest(value)
  return type(value) == "string" and #value == 64 and not value:find("[^%da-f]")
end

local function count_of(value)
  local whole = check.integer(value)
  return whole and whole >= 0 and whole or nil
end

--- The number of a candidate; whatever a merge or somebody else wrote, plans go through them.
local function ordinal_of(value)
  local whole = count_of(value)
  return whole and whole <= MAX_CANDIDATES and whole or nil
end

--- {"2":1} as { [2] = 1 }.
local function read_counts(value)
  local counts = {}
  for key, count in pairs(type(value) == "table" and value or { x = 0 }) do
    local n = type(key) == "string" and ordinal_of(tonumber(key))
    if not n or not count_of(count) then
      return nil
    end
    counts[n] = count_of(count)
  end
  return counts
end

--- [2,3] as a set.
local function read_list(value)
  if not check.is_list(value) then
    return nil
  end
  local set = {}
  for _, n in ipairs(value) do
    if not ordinal_of(n) then
      return nil
    end
    set[ordinal_of(n)] = true
  end
  return set
end

local READERS = {
  text = function(value)
    return type(value) == "string" and value or nil
  end,
  digest = function(value)
    return is_digest(value) and value or nil
  end,
  count = count_of,
  ordinal = ordinal_of,
  counts = read_counts,
  list = read_list,
  flag = function(value)
    return value == true or nil
  end,
}

local READER_OF = {}
for _, key in ipairs(KEYS) do
  READER_OF[key[1]] = READERS[key[2]]
end

--- A line as it stands in the file; nil and why where it is none.
local function read_line(text)
  local found = core.decode(text)
  if not found then
    return nil, "it is no JSON object"
  end
  local line = {}
  for key, value in pairs(found) do
    local reader = READER_OF[key]
    line[key] = reader and reader(value)
    if line[key] == nil then
      local why = reader and "its '%s' is wrong" or "nobody knows its '%s'"
      return nil, why:format(check.show(key))
    end
  end
  if not line.path or paths.fault(line.path) then
    return nil, "it has no path, or one that no picture can have"
  end
  return line
end

local function read_head(text, place)
  local head = core.decode(text or "")
  local version = head and count_of(head["gptimage2.lock"])
  if not version then
    return failure.new("lock_damaged", "its first line is not that of a lock", place)
  elseif version > VERSION then
    local message = "it is of version %d, and this gptimage2 knows version %d: take a newer one"
    return failure.new("lock_newer", message:format(version, VERSION), place)
  end
  local salt = head.salt
  if type(salt) ~= "string" or #salt ~= 32 or salt:find("[^%da-f]") then
    return failure.new("lock_damaged", "its first line has no salt", place)
  end
  return salt
end

--- A merge that was left in the middle, by the marks of git and others: seven of one sign.
local function is_conflict(text)
  local mark = text:match("^([<=>|])%1%1%1%1%1%1")
  return mark ~= nil
end

local CONFLICT = "a merge was left unfinished here: keep one line of each path (of two first "
  .. "lines, either), and take the marks out"

--- Lines of a text, with their numbers; empty ones say nothing but in the first place.
local function numbered(text)
  local number, at = 0, 1
  return function()
    while at <= #text or number == 0 do
      local stop = text:find("\n", at, true) or #text + 1
      local one = text:sub(at, stop - 1):gsub("\r$", "")
      number, at = number + 1, stop + 1
      if one ~= "" or number == 1 then
        return number, one
      end
    end
  end
end

--- The lock in a text.
---@param file string for messages
---@param text string
---@param pace? fun() a pause behind each few lines
---@return table|nil lock { salt, lines: path -> Line }
---@return gptimage2.Error|nil err
function lock.parse(file, text, pace)
  local salt, err
  local lines = {}
  for number, one in numbered(text) do
    local place = { file = file, line = number }
    local line, why
    if pace and number % LINES_EACH == 0 then
      pace()
    end
    if is_conflict(one) then
      return failure.new("lock_conflict", CONFLICT, place)
    elseif number == 1 then
      salt, err = read_head(one, place)
      if not salt then
        return nil, err
      end
    else
      line, why = read_line(one)
      if line and lines[line.path] then
        line, why = nil, ("'%s' has a line already"):format(core.printable(line.path))
      end
      if not line then
        return failure.new("lock_damaged", why, place)
      end
      lines[line.path] = line
    end
  end
  return { salt = salt, lines = lines }
end

--- A link in the lock's place: it would be replaced by a file, and what it leads to not be kept.
local function refuse_link(file)
  if core.disk.look(file) == "link" then
    local message = "it is a symbolic link, and nothing is read or written through one: put the "
      .. "lock itself there"
    return failure.new("lock_damaged", message, { file = file })
  end
  return true
end

--- Reads a lock, and keeps its text in `written`; one that is not there yet has no salt, and no
--- text.
---@param file string
---@param pace? fun() see `lock.parse`
---@return table|nil lock
---@return gptimage2.Error|nil err
function lock.read(file, pace)
  if not core.disk.look(file) then
    return { lines = {} }
  end
  local ok, err = refuse_link(file)
  if not ok then
    return nil, err
  end
  local text, why = contents.read(file, MAX_TEXT)
  if not text then
    return failure.new("lock_damaged", why, { file = file })
  end
  local stamp = core.file_id(file)
  local found
  found, err = lock.parse(file, text, pace)
  if found then
    found.written, found.stamp = text, stamp
  end
  return found, err
end

local function sorted(set)
  local list = {}
  for n in pairs(set) do
    list[#list + 1] = n
  end
  table.sort(list)
  return list
end

local function write_count(value)
  return ("%d"):format(value)
end

local WRITERS = {
  text = json.encode,
  digest = json.encode,
  count = write_count,
  ordinal = write_count,
  flag = function()
    return "true"
  end,
  list = function(set)
    return next(set) ~= nil and "[" .. table.concat(sorted(set), ",") .. "]" or nil
  end,
  counts = function(counts)
    local parts = {}
    for i, n in ipairs(sorted(counts)) do
      parts[i] = ('"%d":%d'):format(n, counts[n])
    end
    return parts[1] and "{" .. table.concat(parts, ",") .. "}" or nil
  end,
}

---@param line gptimage2.assets.Line
---@return string
local function format_line(line)
  local parts = {}
  for _, key in ipairs(KEYS) do
    local value = line[key[1]]
    local text = value ~= nil and value ~= false and WRITERS[key[2]](value)
    if text then
      parts[#parts + 1] = ('"%s":%s'):format(key[1], text)
    end
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

--- The text of a lock: the same one for the same content.
---@param content table { salt, lines }
---@param pace? fun() a pause behind each few lines
---@return string
function lock.format(content, pace)
  local parts, order = {}, {}
  for path in pairs(content.lines) do
    order[#order + 1] = path
  end
  table.sort(order)
  parts[1] = ('{"gptimage2.lock":%d,"salt":"%s"}'):format(VERSION, content.salt)
  for i, path in ipairs(order) do
    if pace and i % LINES_EACH == 0 then
      pace()
    end
    parts[i + 1] = format_line(content.lines[path])
  end
  parts[#parts + 1] = ""
  return table.concat(parts, "\n")
end

local function text_of(line)
  return line and format_line(line)
end

--- Takes over what somebody else wrote into the file since it was read, line by line: what we have
--- changed ourselves stays as we have it.
local function merge(file, content, now)
  local theirs, err = lock.parse(file, now)
  local before = theirs and content.written and lock.parse(file, content.written)
  if not theirs then
    return nil, err
  end
  local base = before and before.lines or {}
  for _, lines in ipairs({ base, theirs.lines }) do
    for path in pairs(lines) do
      if text_of(content.lines[path]) == text_of(base[path]) then
        content.lines[path] = theirs.lines[path]
      end
    end
  end
  content.written = now
  return true
end

--- What somebody else wrote into it meanwhile; nil where nobody did.
local function changed_text(file, content)
  if core.disk.look(file) ~= "file" or core.file_id(file) == content.stamp then
    return nil
  end
  local now = contents.read(file, MAX_TEXT)
  return now ~= content.written and now or nil
end

--- Replaces the file, as a whole or not at all; not where its bytes are the same. What others have
--- decided there meanwhile stays.
---@param file string
---@param content table
---@param pace? fun()
---@param before? fun(text: string): boolean|nil, table|nil is asked before that
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function lock.write(file, content, pace, before)
  local ok, err = refuse_link(file)
  local now = ok and changed_text(file, content)
  if now then
    ok, err = merge(file, content, now)
  end
  if not ok then
    return nil, err
  end
  local text = lock.format(content, pace)
  if text == content.written then
    return true
  elseif before then
    ok, err = before(text)
  end
  if not ok then
    return nil, err
  end
  ok, err = slices.write(file, text, pace)
  if not ok then
    return failure.of(err, { file = file }, "store_failed")
  end
  content.written, content.stamp = text, core.file_id(file)
  return true
end

return lock
