--- The options of a client and of its calls: defaults, and what each may hold. Wrong types, unknown
--- names and values out of range raise; what may come from outside the program (outside.lua, and
--- the idempotency key) gives `nil, err`.

local check = require("gptimage2.check")
local outside = require("gptimage2.objects.outside")
local limits = require("gptimage2.core").limits
local ratios = require("gptimage2.request.ratios")
local tenant = require("gptimage2.objects.tenant")

local options = {}

local CLIENT_SPEC = {
  api_key = "string",
  base_url = "string",
  allow_http = "boolean",
  timeout = "number",
  connect_timeout = "number",
  request_timeout = "number",
  retry = "string",
  max_attempts = "number",
  poll = "table",
  max_active = "number",
  max_connections = "number",
  budget = "number",
  ledger = "string",
  ledger_owner = "string",
  ledger_alone = "boolean",
  account = "string",
  verify_references = "boolean",
  allow_private_references = "boolean",
  ratios = "table",
  proxy = "string",
  ca_file = "string",
  user_agent = "string",
  on_event = "function",
  on_error = "function",
}
local POLL_SPEC = {
  first = "number",
  interval = "number",
  max = "number",
  share = "number",
  unit = "number",
}
local JOB_SPEC = {
  timeout = "number",
  idempotency_key = "string",
  metadata = "table",
  save = "string or table",
  tenant = "string",
}
local SAVE_SPEC = { overwrite = "boolean", sidecar = "boolean" }

local MAX_SECONDS = 1e6 -- for all times but timeout, which may be endless
local MAX_COUNTER = 2 ^ 31 - 1
local MAX_METADATA = 64 * 1024 -- bytes of its keys and values, and
local PAIR_SIZE = 6 -- of the quotes, the colon and the comma of each pair
local MAX_TEXTS = { proxy = limits.url, ca_file = 4096, user_agent = 256, ledger = 4000 } -- bytes

--- Raises for an option whose value is out of range.
local function refuse(argn, fname, name, must, level)
  check.fail(argn, fname, ("option '%s' must be %s"):format(name, must), level + 1)
end

--- A number of seconds from `least` to `most`; raises for others, NaN included.
local function seconds(value, name, least, most, must, level)
  if not (value >= least and value <= most) then
    refuse(1, "new", name, must, level + 1)
  end
  return value
end

--- A time limit in seconds, above 0. Endless ones only where `endless` says so.
local function limit(value, default, name, endless, where, level)
  if value == nil then
    return default
  end
  local too_long = not endless and value > MAX_SECONDS
  if value ~= value or value <= 0 or too_long then
    local must = "a number of seconds above 0" .. (endless and "" or " and at most 1000000")
    refuse(where.argn, where.fname, name, must, level + 1)
  end
  return value
end

--- A whole number from 1 on, to `most` where that is given.
local function counter(value, default, name, level, most)
  if value == nil then
    return default
  end
  local whole = check.integer(value)
  if not whole or whole < 1 or whole > (most or MAX_COUNTER) then
    local range = most and ("from 1 to %d"):format(most) or "1 or more"
    refuse(1, "new", name, "a whole number, " .. range, level + 1)
  end
  return whole
end

local RETRY_MODES = { "safe", "documented", "idempotent" }

--- Which failed creates are sent again.
local function read_retry(retry, level)
  if retry == nil then
    return "documented"
  end
  for _, known in ipairs(RETRY_MODES) do
    if retry == known then
      return retry
    end
  end
  local must = "'safe', 'documented' or 'idempotent'" .. check.did_you_mean(retry, RETRY_MODES)
  return refuse(1, "new", "retry", must, level + 1)
end

--- Whether the ledger's file may seem to be somebody else's.
local function read_ledger_owner(owner, level)
  if owner ~= nil and owner ~= "self" and owner ~= "any" then
    refuse(1, "new", "ledger_owner", "'self' or 'any'", level + 1)
  end
  return owner == "any" or nil
end

--- The account that the ledger's rows carry: a name of the user's. Those with "sha256:" are made
--- from API keys.
local function read_account(account, level)
  local good = account == nil or account ~= "" and #account <= 128 and check.visible_ascii(account)
  if not good or account and account:find("^sha256:") then
    local must = "1 to 128 visible ASCII characters, without 'sha256:' in front"
    refuse(1, "new", "account", must, level + 1)
  end
  return account
end

--- The times of polls that are not learned: those given, else the first after 2 s and each after
--- 2.5 s, without an end.
local function read_poll_times(poll, config, level)
  local unit, far = config.poll_unit, MAX_SECONDS
  local first, interval = poll.first or 2.0 * unit, poll.interval or 2.5 * unit
  local must = "a number of seconds from 0 to 1000000"
  config.poll_first = seconds(first, "poll.first", 0, far, must, level + 1)
  local least = poll.interval and 0.01 or 0
  must = "a number of seconds from 0.01 to 1000000"
  config.poll_interval = seconds(interval, "poll.interval", least, far, must, level + 1)
  must = "a number of seconds from poll.interval to 1000000"
  config.poll_max = seconds(poll.max or interval, "poll.max", interval, far, must, level + 1)
end

local function read_poll(poll, config, level)
  check.options(poll, 1, "new", POLL_SPEC, level + 1, "poll.")
  poll = poll or {}
  local must = "a number from 0.001 to 1"
  config.poll_unit = seconds(poll.unit or 1, "poll.unit", 0.001, 1, must, level + 1)
  config.poll_learned = not (poll.first or poll.interval or poll.max)
  must = "a number from 0.1 to 1"
  config.poll_share = seconds(poll.share or 1, "poll.share", 0.1, 1, must, level + 1)
  if poll.share and not config.poll_learned then
    refuse(1, "new", "poll.share", "without poll.first, poll.interval and poll.max", level + 1)
  end
  read_poll_times(poll, config, level + 1)
end

local function read_budget(budget, level)
  if budget == nil or budget == math.huge then
    return nil
  end
  if budget ~= budget or budget < 0 then
    refuse(1, "new", "budget", "a number of credits, 0 or more", level + 1)
  end
  return check.integer(budget) or budget
end

--- The documented ratios and the client's own, each once.
local function read_ratios(more, level)
  local list, seen = {}, {}
  local function add(ratio)
    if not seen[ratio] then
      seen[ratio] = true
      list[#list + 1] = ratio
    end
  end
  for _, ratio in ipairs(ratios.DOCUMENTED) do
    add(ratio)
  end
  local good = more == nil or check.is_list(more)
  for _, ratio in ipairs(good and more or {}) do
    local is_ratio = type(ratio) == "string"
      and #ratio <= 9
      and ratio:find("^[1-9]%d*:[1-9]%d*$") ~= nil
    good = good and is_ratio
    add(ratio)
  end
  if not good then
    refuse(1, "new", "ratios", 'a list of ratios such as "21:9"', level + 1)
  end
  return list
end

--- A text that reaches a header, a path or libcurl. It is not shown: a proxy may hold a password.
local function read_text(value, name, level)
  if value == nil then
    return nil
  end
  local most = MAX_TEXTS[name]
  if #value > most then
    refuse(1, "new", name, ("at most %d bytes long"):format(most), level + 1)
  end
  if check.has_control(value) then
    refuse(1, "new", name, "without control characters", level + 1)
  end
  if (name == "ca_file" or name == "ledger") and value == "" then
    refuse(1, "new", name, "the path of a file", level + 1)
  end
  return value
end

local function either(value, default)
  if value == nil then
    return default
  end
  return value
end

--- The numbers, lists and texts; raises for what is out of range.
local function read_settings(opts, level)
  local config, where = {}, { argn = 1, fname = "new" }
  level = level + 1
  config.timeout = limit(opts.timeout, 600, "timeout", true, where, level)
  config.connect_timeout = limit(opts.connect_timeout, 10, "connect_timeout", false, where, level)
  config.request_timeout = limit(opts.request_timeout, 60, "request_timeout", false, where, level)
  config.retry = read_retry(opts.retry, level)
  config.max_attempts = counter(opts.max_attempts, 4, "max_attempts", level)
  config.max_active = counter(opts.max_active, 8, "max_active", level)
  config.max_connections = counter(
    opts.max_connections,
    limits.connections_default,
    "max_connections",
    level,
    limits.connections
  )
  read_poll(opts.poll, config, level)
  config.budget = read_budget(opts.budget, level)
  config.verify_references = either(opts.verify_references, true)
  config.allow_private_references = either(opts.allow_private_references, false)
  config.ratios = read_ratios(opts.ratios, level)
  config.proxy = read_text(opts.proxy, "proxy", level)
  config.ca_file = read_text(opts.ca_file, "ca_file", level)
  config.ledger = read_text(opts.ledger, "ledger", level)
  config.any_owner = read_ledger_owner(opts.ledger_owner, level)
  config.ledger_alone = opts.ledger_alone or nil
  config.account = read_account(opts.account, level)
  config.user_agent = read_text(opts.user_agent, "user_agent", level)
  config.on_event = opts.on_event
  config.on_error = opts.on_error
  return config
end

--- The options of `gptimage2.new` with their defaults, as a flat table: api_key, base_url (no slash
--- at the end), timeout, connect_timeout, request_timeout, poll_first, poll_interval, poll_max,
--- poll_unit (seconds), poll_share, poll_learned, max_attempts, max_active, max_connections
--- (integers), budget (credits, nil without one), ratios (the whole list), verify_references,
--- allow_private_references, proxy, ca_file, user_agent, on_event, on_error.
--- An endless budget is none; without `poll.max` the pauses do not grow.
--- Errors: `api_key_missing`, `api_key_invalid` (kind auth), `invalid_base_url`,
--- `insecure_base_url`, `invalid_proxy` and `ca_file_unreadable` (kind tls).
---@param opts table|nil
---@param level? integer whom a raised message blames, as in `error`; default 2
---@return table|nil config
---@return gptimage2.Error|nil err
function options.client(opts, level)
  level = (level or 2) + 1
  opts = check.options(opts, 1, "new", CLIENT_SPEC, level)
  local config = read_settings(opts, level)
  local err
  config.api_key, err = outside.api_key(opts.api_key)
  if err then
    return nil, err
  end
  config.base_url, err = outside.base_url(opts.base_url, opts.allow_http)
  err = err or outside.proxy_error(config.proxy)
  if not err and config.ca_file then
    err = outside.ca_file_error(config.ca_file)
  end
  if not err and config.ledger then
    err = select(2, outside.ledger(config.ledger))
  end
  if err then
    return nil, err
  end
  return config
end

--- The options of `job:save`: overwrite (default false), sidecar (default true).
---@param opts table|nil
---@param fname? string the public function to name in a raised message; default "save"
---@param argn? integer which of its arguments `opts` is; default 2
---@param level? integer whom a raised message blames, as in `error`; default 2
---@return { overwrite: boolean, sidecar: boolean }
function options.save(opts, fname, argn, level)
  opts = check.options(opts, argn or 2, fname or "save", SAVE_SPEC, (level or 2) + 1)
  return { overwrite = either(opts.overwrite, false), sidecar = either(opts.sidecar, true) }
end

--- `save = "folder"` or `save = { "folder", overwrite = true, sidecar = false }`.
local function read_save(save, argn, fname, level)
  if save == nil then
    return nil
  end
  if type(save) == "string" then
    save = { save }
  end
  if type(save[1]) ~= "string" then
    refuse(argn, fname, "save", "a string, or a table with one at [1]", level + 1)
  end
  local rest = {}
  for key, value in pairs(save) do
    if key ~= 1 then
      rest[key] = value
    end
  end
  check.options(rest, argn, fname, SAVE_SPEC, level + 1, "save.")
  local read = options.save(rest)
  read.where = save[1]
  return read
end

local function read_metadata(metadata, argn, fname, level)
  if metadata == nil then
    return nil
  end
  local copied, size = {}, 0
  for key, value in pairs(metadata) do
    if type(key) ~= "string" or type(value) ~= "string" then
      refuse(argn, fname, "metadata", "a table of strings with strings as keys", level + 1)
    end
    size = size + #key + #value + PAIR_SIZE
    if size > MAX_METADATA then -- before anything is made of it: it may be of any size
      local message = "metadata is over %d KiB long"
      return check.invalid("too_long", "metadata", message:format(MAX_METADATA / 1024))
    end
    copied[key] = value
  end
  for key, value in pairs(copied) do
    if check.utf8_error(key) or check.utf8_error(value) then
      local field = "metadata." .. check.show(key)
      return check.invalid("invalid_utf8", field, field .. " is not valid UTF-8")
    end
  end
  return copied
end

--- The options of generate, submit and create: timeout (seconds), idempotency_key, metadata (a
--- copy), save ({ where, overwrite, sidecar }), tenant. Nothing has a default here.
--- Errors: `invalid_idempotency_key`, `invalid_tenant`, `invalid_utf8`, `too_long` (metadata over
--- 64 KiB).
---@param opts table|nil
---@param fname? string the public function to name in a raised message; default "generate"
---@param argn? integer which of its arguments `opts` is; default 2
---@param level? integer whom a raised message blames, as in `error`; default 2
---@return table|nil read
---@return gptimage2.Error|nil err
function options.job(opts, fname, argn, level)
  if opts == nil then
    return {}
  end
  fname, argn, level = fname or "generate", argn or 2, (level or 2) + 1
  opts = check.options(opts, argn, fname, JOB_SPEC, level)
  local where = { argn = argn, fname = fname }
  local metadata, err = read_metadata(opts.metadata, argn, fname, level)
  local read = {
    timeout = limit(opts.timeout, nil, "timeout", true, where, level),
    metadata = metadata,
    save = read_save(opts.save, argn, fname, level),
    idempotency_key = opts.idempotency_key,
    tenant = opts.tenant,
  }
  err = err or opts.tenant and select(2, tenant.check(opts.tenant))
  if err then
    return nil, err
  end
  local key = opts.idempotency_key
  if key and (key == "" or #key > limits.idempotency_key or not check.visible_ascii(key)) then
    local message = "an idempotency key has 1 to %d characters, all of them visible ASCII"
    message = message:format(limits.idempotency_key)
    return check.invalid("invalid_idempotency_key", "idempotency_key", message)
  end
  return read
end

return options
