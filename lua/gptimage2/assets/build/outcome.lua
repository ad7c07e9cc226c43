--- What became of a candidate, and what follows: its pictures come to their paths, the lock and the
--- report say so.

local checking = require("gptimage2.assets.plan.check")
local core = require("gptimage2.core")

local outcome = {}

--- What nothing else would come of, either: nothing more is sent.
local FINAL = { auth = true, budget = true, credits = true, closed = true, ledger = true }

--- Whether an error ends all: nothing else would come to anything, either.
---@param err gptimage2.Error
---@return boolean
function outcome.is_final(err)
  return FINAL[err.kind] == true
end

--- May a picture take the place of the one that was accepted?
---@param run gptimage2.assets.Run
---@param picture table
---@param options table
---@return boolean
function outcome.may_settle(run, picture, options)
  local line = run.project.lock.lines[picture.path]
  local replaces = line and line.n and line.hash ~= picture.hash and line.of ~= picture.hash
  return not replaces or options.stale == "make"
end

local function note(run, kind, item, err)
  run.done = run.done + 1
  run.tell({
    type = kind,
    path = item.path,
    n = item.n,
    done = run.done,
    total = run.total,
    credits = run.credits,
    error = err,
  })
end

--- A picture may be of another kind than its name says: that is for a person to mend.
local function warn(run, path)
  if run.project.pictures[path].derive then
    return
  end
  local reason = checking.wrong_type(run.project.manifest.base .. path)
  if reason then
    run.warnings[#run.warnings + 1] = { path = path, reason = reason }
  end
end

--- All pictures of a request: two that ask for the very same have the same.
local function settle_all(run, hash, options)
  local failed
  for _, picture in ipairs(run.by_hash[hash] or {}) do
    if outcome.may_settle(run, picture, options) then
      local ok, err = run:settle(picture)
      failed = failed or not ok and err or nil
      warn(run, picture.path)
    end
  end
  return failed
end

--- What became of an item.
---@param run gptimage2.assets.Run
---@param item gptimage2.assets.Item
---@param what string "made", "failed", "unknown" or "later"
---@param err gptimage2.Error|nil
---@param options table
---@return string what
---@return gptimage2.Error|nil err
function outcome.conclude(run, item, what, err, options)
  run.credits = run.credits + (item.spent and core.limits.credits_each or 0)
  if what == "made" then
    run.made = run.made + 1
    err = settle_all(run, item.hash, options)
    what = err and "later" or "made"
    run.project.store:rest()
    run:write_lock()
  end
  if what ~= "made" and item.picture then
    local list = what == "unknown" and run.unknown or run.failed
    list[#list + 1] = { path = item.path, n = item.n, error = err }
  end
  if err and outcome.is_final(err) then
    run.stopped = true
  end
  note(run, what == "later" and "failed" or what, item, err)
  return what, err
end

return outcome
