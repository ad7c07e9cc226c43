--- The store: pictures by the digest of their bytes, and what was made for which request. There may
--- be several; the first is the manifest's own, `.gptimage2/`. It is the source, and no cache: a
--- picture that is in none of them costs again.

local access = require("gptimage2.assets.store.access")
local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local json = require("gptimage2.files.json")
local slices = require("gptimage2.assets.store.slices")
local contents = require("gptimage2.files.contents")

local disk = core.disk

---@class gptimage2.assets.Store
---@field roots string[] folders, with a slash at their end
---@field pace fun()|nil pauses between two slices of a file's bytes: a frame loop goes on meanwhile
---@field fault gptimage2.Error|nil a record is there, and could not be read
---@field whole table<string, string> digest -> path of what this run has looked at, or taken in
local Store = {}
Store.__index = Store

local store = {}

store.FOLDER = ".gptimage2/"

local MAX_RECORD = 1024 * 1024 -- bytes

local RECORD_KEYS = {
  "hash",
  "n",
  "failed",
  "error",
  "object",
  "derived",
  "format",
  "job",
  "seed",
  "prompt",
  "cost",
  "time",
  "service",
  "body",
}

local TEXTS = { "error", "derived", "format", "job", "seed", "prompt", "service", "body" }

local function with_slash(path)
  return path:sub(-1) == "/" and path or path .. "/"
end

local function absolute(path)
  return path:sub(1, 1) == "/" and path or (core.here() or "") .. path
end

--- The user's own store, where there is such a folder.
local function of_user()
  local home = os.getenv("HOME")
  local data = os.getenv("XDG_DATA_HOME") or home and home .. "/.local/share" or ""
  local path = data .. "/gptimage2/"
  return data:sub(1, 1) == "/" and core.is_folder(path) and path or nil
end

--- The stores of a manifest in the folder `base`, in the order in which they are asked.
---@param base string
---@param more? string a folder
---@return gptimage2.assets.Store
function store.open(base, more)
  local trusted = not core.is_privileged()
  local roots = { base .. store.FOLDER }
  roots[#roots + 1] = trusted and of_user() or nil
  local given = more or trusted and os.getenv("GPTIMAGE2_STORE") or ""
  if given ~= "" then
    roots[#roots + 1] = with_slash(absolute(given))
  end
  return setmetatable({ roots = roots, known = {}, whole = {} }, Store)
end

local function failed(err, file)
  return failure.of(err, { file = file }, "store_failed")
end

local OWN = 448 -- 0700
local SHARED = 511 -- 0777, by the umask: a store that others have, too

--- Makes the folders of one store, but not itself.
local function make_folders(root, names, mode)
  for _, name in ipairs(names) do
    local ok, err = disk.make(root .. name, mode)
    if not ok then
      return failed(err, root)
    end
  end
  return true
end

--- Makes the manifest's own.
local function prepare(root)
  local ok, err = disk.make(root:sub(1, -2), OWN)
  if not ok then
    return failed(err, root)
  end
  return make_folders(root, { "objects", "requests", "incoming" }, OWN)
end

--- Whether all stores can be read: what is in one that cannot would be paid once more. One that is
--- not there yet is made by who writes to it.
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Store:check()
  for _, root in ipairs(self.roots) do
    local err = access.fault(root)
    if err then
      return nil, err
    end
  end
  return true
end

--- Makes another store ready: it was named, so it must be there, but not be one to write to.
local function prepare_other(self, root)
  local err = access.fault(root)
  local ok = not err
  if ok then
    ok, err = disk.make(root:sub(1, -2), SHARED)
    err = err and select(2, failed(err, root))
  end
  if ok and make_folders(root, { "objects", "requests" }, SHARED) then
    self.writable[#self.writable + 1] = root
  end
  return ok, err
end

--- Makes the first store ready to be written to, and the others where that is possible.
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Store:prepare()
  local ok, err = prepare(self.roots[1])
  if ok and not disk.look(self.roots[1] .. ".gitignore") then
    ok, err = disk.write(self.roots[1] .. ".gitignore", "*\n", true)
    if not ok then
      return failed(err, self.roots[1])
    end
  end
  self.writable = { self.roots[1] }
  for i = 2, #self.roots do
    if ok then
      ok, err = prepare_other(self, self.roots[i])
    end
  end
  return ok, err
end

--- Where a frame loop goes on meanwhile: the rest is done in a later step.
function Store:rest()
  if self.pace then
    self.pace()
  end
end

--- Forgets what it has looked at: it may be half of something.
function Store:forget()
  self.known, self.whole = {}, {}
end

--- The file whose lock is that of a build in this folder.
---@return string
function Store:lock_file()
  return self.roots[1] .. "lock"
end

--- The folder for what is on its way in.
---@return string
function Store:incoming()
  return self.roots[1] .. "incoming/"
end

--- The object with this digest, its bytes looked at.
---@param digest string
---@return string|nil path
---@return string|nil wrong the path of one that has other bytes than its name says
function Store:object(digest)
  if self.whole[digest] then
    return self.whole[digest]
  end
  local wrong
  for _, root in ipairs(self.roots) do
    local path = root .. "objects/" .. digest
    if disk.look(path) == "file" then
      if slices.digest(path, self.pace) == digest then
        self.whole[digest] = self.pace and path
        return path
      end
      wrong = path
    end
  end
  return nil, wrong
end

--- Whether a store has something of that name: its bytes are looked at when they are taken.
---@param digest string
---@return boolean
function Store:has(digest)
  for _, root in ipairs(self.roots) do
    if disk.look(root .. "objects/" .. digest) == "file" then
      return true
    end
  end
  return false
end

--- Whether a store has a picture with its very bytes.
---@param digest string
---@param digest_of fun(path: string): string|nil
---@return boolean
function Store:is_whole(digest, digest_of)
  for _, root in ipairs(self.roots) do
    local path = root .. "objects/" .. digest
    if disk.look(path) == "file" and digest_of(path) == digest then
      return true
    end
  end
  return false
end

--- Which requests a store knows; listed once.
local function known(self, root)
  local set = self.known[root]
  if not set then
    set = {}
    for _, name in ipairs(disk.list(root .. "requests") or {}) do
      set[name] = true
    end
    self.known[root] = set
  end
  return set
end

--- A record whose fields are what they should be; else it is as if it were not there. Why it could
--- not be read is the store's `fault`.
local function read_record(self, root, hash, n)
  local path = ("%srequests/%s/%d.json"):format(root, hash, n)
  local text, why = contents.read(path, MAX_RECORD)
  if not text then
    self.fault = self.fault or access.record_fault(root, path, why)
    return nil
  end
  local record = core.decode(text)
  local good = record and record.hash == hash and check.integer(record.n) == n
  local object = good and record.object
  if object and (type(object) ~= "string" or not object:find("^%x+$") or #object ~= 64) then
    good = false
  end
  if not good then
    return nil
  end
  for _, name in ipairs(TEXTS) do
    record[name] = type(record[name]) == "string" and record[name] or nil
  end
  record.failed = check.integer(record.failed) or 0
  record.cost, record.time = check.integer(record.cost), check.integer(record.time)
  return record
end

--- What is known of a candidate: the record of the first store whose picture is there, with the
--- most failures that any store knows of.
---@param hash string
---@param n integer
---@return table|nil record
function Store:record(hash, n)
  local found, most = nil, 0
  for _, root in ipairs(self.roots) do
    local record = known(self, root)[hash] and read_record(self, root, hash, n)
    if record then
      most = math.max(most, record.failed)
      local better = record.object and self:has(record.object)
      found = (not found or better and not found.here) and record or found
      found.here = found.here or better
    end
  end
  if found then
    found.failed = most
  end
  return found
end

--- Writes what is known of a candidate, to the first store, and to the others where that works.
---@param record table
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Store:write_record(record)
  self:rest()
  local fields = {}
  for _, name in ipairs(RECORD_KEYS) do
    fields[name] = record[name]
  end
  local text = json.object(fields, RECORD_KEYS) .. "\n"
  for i, root in ipairs(self.writable) do
    local path = ("%srequests/%s/%d.json"):format(root, record.hash, record.n)
    local ok, err = slices.write(path, text, self.pace)
    if not ok and i == 1 then
      return failed(err, path)
    end
    known(self, root)[record.hash] = true
  end
  return true
end

--- Copies an object into the other stores; who cannot be written to goes without.
local function spread(self, path, digest)
  for i = 2, #self.writable do
    local to = self.writable[i] .. "objects/" .. digest
    if not disk.look(to) then
      slices.copy(path, to, false, self.pace, true)
    end
  end
end

--- Takes in a whole file: it gets the name of its digest, and its old name goes away.
---@param from string in the first store's file system
---@return string|nil digest
---@return gptimage2.Error|nil err
function Store:take(from)
  self:rest()
  local digest, why = slices.digest(from, self.pace)
  if not digest then
    return failure.new("store_failed", tostring(why), { file = from })
  end
  local to = self.roots[1] .. "objects/" .. digest
  if disk.look(to) and slices.digest(to, self.pace) ~= digest then
    os.remove(to) -- it was damaged
  end
  local ok, err = disk.rename_new(from, to)
  if not ok then
    return failed(err, to)
  end
  self.whole[digest] = self.pace and to
  spread(self, to, digest)
  return digest
end

--- Puts a picture to its path. Without `replace` only where nothing is.
---@param digest string
---@param to string
---@param replace boolean
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Store:deliver(digest, to, replace)
  self:rest()
  local path, wrong = self:object(digest)
  if not path then
    local message = wrong and "its bytes are not those that its name says"
      or "no store has the picture " .. digest
    return failure.new("store_failed", message, { file = wrong or to })
  end
  local ok, why = slices.copy(path, to, replace, self.pace)
  if type(why) == "string" then
    return failure.new("store_failed", "it cannot be copied: " .. why, { file = path })
  elseif not ok then
    return failed(why, to)
  end
  return true
end

return store
