--- All that a call about a manifest needs: the manifest, its lock, its stores, whose service it is.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local globs = require("gptimage2.assets.plan.globs")
local identity = require("gptimage2.assets.identity")
local lock = require("gptimage2.assets.store.lock")
local manifest = require("gptimage2.assets.manifest")
local outside = require("gptimage2.objects.outside")
local settings = require("gptimage2.objects.settings")
local store = require("gptimage2.assets.store")

local project = {}

--- The options that say where things are, which all calls take.
project.SPEC = { client = "userdata", base_url = "string", store = "string" }

local RETRY_MODES = { "safe", "documented", "idempotent" }

--- What `options` say about the service: a client's, or by its URL.
local function read_service(options)
  if options.client then
    return settings.get(options.client)
  end
  local base_url, err = outside.base_url(options.base_url, true)
  if not base_url then
    return nil, err
  end
  return { base_url = base_url, retry = options.retry }
end

local function check_retry(options, argn, fname, level)
  local retry = options.retry
  if retry ~= nil and options.client then
    check.fail(argn, fname, "option 'retry' is that of the client", level)
  end
  for _, mode in ipairs(RETRY_MODES) do
    if retry == nil or retry == mode then
      return
    end
  end
  local must = "option 'retry' must be 'safe', 'documented' or 'idempotent'"
  check.fail(argn, fname, must .. check.did_you_mean(retry, RETRY_MODES), level)
end

--- Checks the options of a call; raises for what is none.
---@param options table|nil
---@param fname string
---@param argn integer
---@param spec table<string, string>
---@param level? integer whom a raised message blames, as in `error`; default 3
---@return table
function project.options(options, fname, argn, spec, level)
  level = level or 3
  options = check.options(options, argn, fname, spec, level)
  if options.client and not settings.get(options.client) then
    check.fail(argn, fname, "option 'client' must be a client", level)
  elseif options.client and options.base_url then
    check.fail(argn, fname, "option 'base_url' is that of the client", level)
  end
  check_retry(options, argn, fname, level + 1)
  local stale, only = options.stale, options.only
  if stale ~= nil and stale ~= "keep" and stale ~= "make" then
    local hint = check.did_you_mean(stale, { "keep", "make" })
    check.fail(argn, fname, "option 'stale' must be 'keep' or 'make'" .. hint, level)
  end
  for _, glob in ipairs(type(only) == "table" and only or {}) do
    if type(glob) ~= "string" then
      check.fail(argn, fname, "option 'only' must be a string or a list of strings", level)
    end
  end
  return options
end

--- Gives each picture its hash.
local function add_hashes(pictures, service)
  for _, picture in ipairs(pictures) do
    local hash, err = identity.hash(service, picture.body)
    if not hash then
      return nil, err
    end
    picture.hash = hash
    picture.derive_id = picture.derive and identity.derive(picture.derive)
  end
  return true
end

--- Does `only` select what there is? A typo would be success.
local function check_only(self, only)
  if not only then
    return true
  end
  local list = {}
  for _, picture in ipairs(self.manifest.pictures) do
    list[#list + 1] = picture.path
  end
  for path in pairs(self.lock.lines) do
    list[#list + 1] = not self.pictures[path] and path or nil
  end
  local glob, hint = globs.unmatched(only, list)
  if not glob then
    return true
  end
  local message = "no picture matches '%s'%s"
  local place = { file = self.manifest.file, field = "only" }
  return failure.new("nothing_matches", message:format(check.show(glob), hint), place)
end

---@class gptimage2.assets.Project
---@field manifest table
---@field lock table
---@field store gptimage2.assets.Store
---@field config table the client's settings; without one: base_url and retry
---@field service string
---@field pictures table<string, table> by their path

--- Opens it; nothing is written.
---@param path string
---@param options table
---@return gptimage2.assets.Project|nil
---@return gptimage2.Error|nil err
function project.open(path, options)
  local ok, err = core.digest.usable()
  if not ok then
    return nil, err
  end
  local self = {}
  self.config, err = read_service(options)
  if not self.config then
    return nil, err
  end
  self.manifest, err = manifest.read(path, self.config.ratios)
  if not self.manifest then
    return nil, err
  end
  if not self.config.retry then
    self.config.retry = self.manifest.retry or "documented"
  end
  self.service = identity.service(self.config.base_url)
  ok, err = add_hashes(self.manifest.pictures, self.service)
  if not ok then
    return nil, err
  end
  self.pictures = {}
  for _, picture in ipairs(self.manifest.pictures) do
    self.pictures[picture.path] = picture
  end
  self.store = store.open(self.manifest.base, options.store)
  self.ledger = self.config.ledger or self.store.roots[1] .. "ledger.db"
  ok, err = self.store:check()
  if not ok then
    return nil, err
  end
  self.lock, err = lock.read(self.manifest.lock)
  if not self.lock then
    return nil, err
  end
  ok, err = check_only(self, not options.planned and options.only)
  return ok and self or nil, err
end

return project
