--- A plan in a file: what a build may do, and nothing more. One line of JSON for the whole, with
--- the digests of the manifest and the lock, then one for each picture, with its request.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local json = require("gptimage2.files.json")
local contents = require("gptimage2.files.contents")
local replace = require("gptimage2.files.replace")

local file_of = {}

local VERSION = 1
local MAX_TEXT = 256 * 1024 * 1024 -- bytes
local NO_LOCK = "none" -- in the place of its digest

--- `"name":value`, for those that are given, in that order.
local function object(pairs_of)
  local parts = {}
  for _, pair in ipairs(pairs_of) do
    parts[#parts + 1] = pair[2] and ('"%s":%s'):format(pair[1], pair[2]) or nil
  end
  return "{" .. table.concat(parts, ",") .. "}"
end

local function list(values)
  local parts = {}
  for i, value in ipairs(values) do
    parts[i] = json.encode(value)
  end
  return "[" .. table.concat(parts, ",") .. "]"
end

--- The digests of the manifest and of the lock, as they were read.
local function digests_of(self)
  local written = self.lock.written
  return core.digest.sha256(self.manifest.text), written and core.digest.sha256(written) or NO_LOCK
end

local function head_of(self, made, options)
  local only = type(options.only) == "string" and { options.only } or options.only
  local manifest, lock = digests_of(self)
  return object({
    { "gptimage2.plan", ("%d"):format(VERSION) },
    { "file", json.encode(self.manifest.file) },
    { "manifest", json.encode(manifest) },
    { "lock", json.encode(lock) },
    { "service", json.encode(self.service) },
    { "stale", json.encode(options.stale or "keep") },
    { "only", only and list(only) },
    { "cost", json.encode(made.cost) },
  })
end

local function line_of(self, line)
  local picture = self.pictures[line.path]
  return object({
    { "path", json.encode(line.path) },
    { "state", json.encode(line.state) },
    { "reason", json.encode(line.reason) },
    { "cost", json.encode(line.cost) },
    { "make", list(line.make) },
    { "hash", line.hash and json.encode(line.hash) },
    { "request", picture and picture.body },
  })
end

local function is_plan(head)
  return head:find('^{"gptimage2%.plan":%d') ~= nil
end

--- Writes a plan, as a whole or not at all, and over nothing but a plan.
---@param self gptimage2.assets.Project
---@param made table the plan
---@param options { out: string, stale: string?, only: string|string[]|nil }
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function file_of.write(self, made, options)
  local code, message = replace.fault(options.out, "plan", is_plan)
  if code then
    return failure.new(code, message, { file = options.out })
  end
  local lines = { head_of(self, made, options) }
  for _, line in ipairs(made.lines) do
    lines[#lines + 1] = line_of(self, line)
  end
  lines[#lines + 1] = ""
  local ok, err = core.disk.write(options.out, table.concat(lines, "\n"), true)
  if not ok then
    return failure.of(err, { file = options.out }, "store_failed")
  end
  return true
end

local function is_text(value)
  return type(value) == "string"
end

--- The first line of a plan, if it is one of this version.
local function read_head(text, place)
  local head = core.decode(text:match("^[^\n]*"))
  local version = head and check.integer(head["gptimage2.plan"])
  local good = version == VERSION and check.integer(head.cost) and is_text(head.file)
  for _, name in ipairs({ "manifest", "lock", "service", "stale" }) do
    good = good and is_text(head[name])
  end
  for _, glob in ipairs(good and head.only or {}) do
    good = good and is_text(glob)
  end
  if good and (head.stale == "keep" or head.stale == "make") then
    head.cost = check.integer(head.cost)
    return head
  elseif version and version > VERSION then
    return failure.new("plan_stale", "it was made by a newer gptimage2", place)
  end
  return failure.new("plan_stale", "it is no plan of gptimage2, or a damaged one", place)
end

--- What a plan allows.
---@param path string
---@return table|nil head { id, file, manifest, lock, service, stale, only, cost }
---@return gptimage2.Error|nil err
function file_of.read(path)
  local place = { file = path }
  local text, why = contents.read(path, MAX_TEXT)
  if not text then
    return failure.new("plan_stale", why, place)
  end
  local head, err = read_head(text, place)
  if head then
    head.id = core.digest.sha256(text)
  end
  return head, err
end

local STALE = "the plan is of %s: make a new one"

--- Is the plan about what is there now? What its own builds made of the lock is no other state.
---@param head table as `read` gives it
---@param self gptimage2.assets.Project
---@param done gptimage2.assets.Begun of this plan
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function file_of.check(head, self, done)
  local manifest, lock = digests_of(self)
  local what
  if head.manifest ~= manifest then
    what = "another manifest"
  elseif head.lock ~= lock and not done:wrote(lock) then
    what = "another state of the lock"
  elseif head.service ~= self.service then
    what = "another service"
  end
  if what then
    return failure.new("plan_stale", STALE:format(what), { file = self.manifest.file })
  end
  return true
end

return file_of
