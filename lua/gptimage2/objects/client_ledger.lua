--- The methods of clients about their ledger: recover, resolve, history, tenant.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local settings = require("gptimage2.objects.settings")
local tenant = require("gptimage2.objects.tenant")
local wait = require("gptimage2.waiting.wait")

--- The work itself. A client that has a ledger has loaded it (client.lua); most programs need none.
local function ledger()
  return require("gptimage2.ledger")
end

local KEYS_SPEC = { any_key = "boolean" }

---@class gptimage2.Client
local methods = core.client_methods

--- The settings of a client that has a ledger, for a call that waits, or nil and the error.
local function ledger_of(self, fname)
  local config = settings.of(self, fname, 4)
  local ok, err = settings.check_open(self)
  err = not ok and err or wait.refusal()
  if err then
    return nil, err
  elseif config.ledger then
    return config
  end
  return nil, settings.no_ledger()
end

--- Waits until all that this program knows of its jobs is in the ledger: a cancel, or that a
--- picture was saved, is written one turn after it was told.
local function write_up()
  local turn, err = core.sleep(0)
  if not turn then
    return nil, err
  end
  return wait.until_done(turn)
end

--- Takes up what an earlier process left unfinished: polls what the service has, sends what was
--- provably not sent (with retry = "idempotent" also what may have been), and gives the rest back
--- as `unknown`, to be settled with `client:resolve`. Jobs of another base_url or another account
--- are left alone. Does not wait for the jobs.
---@param opts? { any_key: boolean? } other accounts' jobs as well: the key was changed (they stay
---theirs where the service refuses this one)
---@return gptimage2.Job[]|nil jobs oldest first
---@return gptimage2.Error|nil err kind ledger
function methods:recover(opts)
  local config, err = ledger_of(self, "recover")
  opts = check.options(opts, 1, "recover", KEYS_SPEC, 3)
  if not config then
    return nil, err
  end
  local written
  written, err = write_up()
  if not written then
    return nil, err
  end
  return ledger().recover(self, config, opts.any_key)
end

--- Settles an `unknown` job by hand. Waits until that is recorded, not for the job.
---@param key string its idempotency key
---@param what string "resend" the same bytes, "abandon" it, or its job id
---@param opts? { any_key: boolean? } as in recover
---@return gptimage2.Job|nil
---@return gptimage2.Error|nil err kind ledger
function methods:resolve(key, what, opts)
  local config, err = ledger_of(self, "resolve")
  check.argument(key, 1, "resolve", "string", 3)
  check.argument(what, 2, "resolve", "string", 3)
  opts = check.options(opts, 3, "resolve", KEYS_SPEC, 3)
  if not config then
    return nil, err
  end
  local ok
  ok, err = ledger().check_settlement(what)
  if ok then
    ok, err = write_up() -- a job that was just cancelled is under way until then
  end
  if not ok then
    return nil, err
  end
  local job, note, go
  job, err, note, go = ledger().resolve(self, config, key, what, opts.any_key)
  if err then
    return nil, err
  end
  if note then
    local done
    done, err = wait.until_done(note)
    if done == nil then
      return nil, err
    end
    done, err = note:result()
    if not done then -- it is as unknown as before
      err.idempotency_key, err.charged = key, "unknown"
      return nil, err
    end
  end
  if go then
    return go()
  end
  return job
end

--- What was asked, paid and received: rows with the fields of a job, and `files`, newest first. All
--- that there is, where the filter has no limit.
---@param filter? gptimage2.HistoryFilter
---@return table[]|nil rows
---@return gptimage2.Error|nil err kind ledger
function methods:history(filter)
  local config, err = ledger_of(self, "history")
  filter = ledger().filter(filter)
  local named = true
  if config and filter.tenant then
    named, err = tenant.check(filter.tenant)
  end
  if not config or not named then
    return nil, err
  end
  local rows
  rows, err = write_up()
  if rows then
    rows, err = ledger().history(config, filter)
  end
  return rows, err
end

--- A tenant of the ledger: looks at it; with a second argument makes it, or changes it first, which
--- is durable then. Waits.
---@param name string
---@param change? { budget: number?, weight: number? } what is left out stays as it is; no budget is
---math.huge
---@return gptimage2.Tenant|nil row
---@return gptimage2.Error|nil err kind budget, ledger, or code `invalid_tenant`
function methods:tenant(name, change)
  local config, err = ledger_of(self, "tenant")
  check.argument(name, 1, "tenant", "string", 2)
  change = ledger().check_tenant(change)
  local ok = false
  if config then
    ok, err = tenant.check(name)
  end
  if not ok then
    return nil, err
  end
  local written
  if change then
    written, err = core.change_tenant(self, name, change)
    if not written then
      return nil, err
    end
    ok, err = wait.until_done(written)
    if ok then
      ok, err = written:result()
    end
  else
    ok, err = write_up()
  end
  if not ok then
    return nil, err
  end
  return ledger().tenant(config, name)
end
