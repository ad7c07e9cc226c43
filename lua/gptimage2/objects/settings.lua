--- What the calls of each client need and the core does not know.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local settings = {}

--- Client -> its settings; they outlive a second load of this module, as clients do.
local by_client = core.kept.settings or setmetatable({}, { __mode = "k" })
core.kept.settings = by_client

---@class gptimage2.ClientSettings
---@field ratios string[]|nil
---@field timeout number seconds
---@field ledger string|nil a path, absolute
---@field ledger_file string|nil which file that is
---@field any_owner boolean the file may seem to be somebody else's
---@field worker string|nil whose the rows are that it works on; "" where nobody else can be there
---@field account string|nil whose jobs of the ledger are the client's
---@field retry string
---@field base_url string
---@field max_active integer

--- Notes those of a new client.
---@param client gptimage2.Client
---@param config table its options, checked
function settings.keep(client, config)
  by_client[client] = {
    ratios = config.ratios,
    timeout = config.timeout,
    ledger = config.ledger,
    ledger_file = config.ledger_file,
    any_owner = config.any_owner,
    worker = config.worker,
    account = config.account,
    retry = config.retry,
    base_url = config.base_url,
    max_active = config.max_active,
  }
end

--- Those of a client.
---@param client gptimage2.Client
---@return gptimage2.ClientSettings
function settings.get(client)
  return by_client[client]
end

--- The settings of a client; raises for anything else. `level` says whom that blames, as in
--- `error`: 2 the function that called this one.
---@return gptimage2.ClientSettings
function settings.of(self, fname, level)
  local found = by_client[self]
  if not found then
    check.fail(0, fname, "client expected: call it as client:" .. fname .. "()", level)
  end
  return found
end

--- The error of a client that has no ledger where one is needed.
---@return gptimage2.Error
function settings.no_ledger()
  return core.error({
    kind = "ledger",
    code = "no_ledger",
    message = "this client has no ledger: give gptimage2.new the option 'ledger', a path",
  })
end

--- Whether the client can be used; false and the error once it is closed.
function settings.check_open(self)
  local _, err = core.usable(self)
  return err == nil, err
end

return settings
