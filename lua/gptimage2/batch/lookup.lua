--- What a ledger knows of a row. Its identity is the request's hash and the how many-th of equal
--- rows it is; from both follows the idempotency key of each attempt, on every machine, so that
--- nothing else has to be remembered.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local identity = require("gptimage2.assets.identity")
local rows = require("gptimage2.ledger.rows")

local lookup = {}

local FORMAT = "gptimage2-batch-1\n" -- of the salt; whoever changes what keys are of counts on

---@class gptimage2.batch.Attempt
---@field key string
---@field t integer settled attempts before it that were not charged
---@field row table|nil of the ledger
---@field meaning string|nil as `attempts.meaning` has it
---@field error string|nil of the attempt before it

--- The salt of a series: another series has other keys, and so other pictures.
---@param series? string
---@return string
function lookup.salt(series)
  return (core.digest.sha256(FORMAT, series or ""))
end

--- Who looks into a ledger; false where there is none yet.
---@param config { ledger: string }
---@return table|false|nil
---@return gptimage2.Error|nil err
function lookup.open(config)
  if not core.disk.look(config.ledger) then
    return false
  end
  return rows.finder(config)
end

--- The key of an attempt.
---@param row { salt: string, hash: string, k: integer, t: integer? }
---@return string|nil
---@return gptimage2.Error|nil err
function lookup.key(row)
  return identity.key(row.salt, row.hash, row.k, row.t or 0)
end

--- The attempt of a row that counts: the last one, or the next.
---@param finder table|false
---@param row { salt: string, hash: string, k: integer }
---@param retry string
---@return gptimage2.batch.Attempt|nil
---@return gptimage2.Error|nil err
function lookup.attempt(finder, row, retry)
  local t, before = 0, nil
  while true do
    local key, err = identity.key(row.salt, row.hash, row.k, t)
    local found
    if key and finder then
      found, err = finder:find(key)
    end
    if err then
      return nil, err
    end
    local meaning = found and attempts.meaning(found, retry)
    if meaning ~= "free" then
      return { key = key, t = t, row = found, meaning = meaning, error = before }
    end
    t, before = t + 1, found.error or found.state
  end
end

return lookup
