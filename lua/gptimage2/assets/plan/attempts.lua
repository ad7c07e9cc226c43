--- What a ledger knows of a manifest's pictures: the attempts at each, and what they have spent.

local core = require("gptimage2.core")
local identity = require("gptimage2.assets.identity")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")

local attempts = {}

local ROWS_EACH = 16 -- between two pauses

local OPEN = { intent = true, sent = true, accepted = true, unknown = true }

--- Settled, and not paid: the next attempt has another key. What was given up by hand may have been
--- paid all the same: its row says that.
local function is_free(row)
  return row.charged == "no" or row.charged == "refund_expected"
end

--- What the row means for its picture: "paid" (a picture is there to be fetched), "open" (recovery
--- takes it up, for nothing), "unsent" (recorded, and paid when it is sent), "unknown" (it may have
--- been paid, and nobody will ask), "free" (it came to nothing) or "doubtful" (to nothing, and it
--- may have been paid).
---@param row table
---@param retry string the client's
---@return string
function attempts.meaning(row, retry)
  if row.state == "succeeded" then
    return "paid"
  elseif not OPEN[row.state] then
    return is_free(row) and "free" or "doubtful"
  elseif row.state == "intent" then
    return "unsent"
  elseif retry == "idempotent" or row_job.id(row) then
    return "open"
  end
  return "unknown"
end

--- The credits that went for a row and did not come back. One that was never sent has spent
--- nothing: it costs when it is sent, and is counted there.
---@param row table
---@return integer
function attempts.spent(row)
  if row.state == "intent" then
    return 0
  end
  return (OPEN[row.state] or not is_free(row)) and row.cost or 0
end

--- The metadata by which a job of ours is found again.
---@param salt string
---@param path string
---@param hash string
---@param n integer
---@param t integer
---@return table<string, string>
function attempts.metadata(salt, path, hash, n, t)
  return {
    build = salt,
    path = path,
    hash = hash,
    n = ("%d"):format(n),
    t = ("%d"):format(t),
  }
end

--- Whose attempt a row is: its metadata, if the key is the one that follows from it.
local function read_marks(row, salt)
  local marks = row.metadata and row.metadata:find(salt, 1, true) and core.decode(row.metadata)
  local n, t = marks and tonumber(marks.n), marks and tonumber(marks.t)
  if not n or not t or marks.build ~= salt or type(marks.hash) ~= "string" then
    return nil
  end
  if identity.key(salt, marks.hash, n, t) ~= row.key then
    return nil
  end
  row.path = type(marks.path) == "string" and marks.path or nil
  return marks.hash, n, t
end

---@class gptimage2.assets.Attempts
---@field spent integer credits of what was sent, that were not given back
---@field by_hash table<string, table<integer, table<integer, table>>>
local Attempts = {}
Attempts.__index = Attempts

--- The row of an attempt, with its `meaning`; nil where there is none.
---@param hash string
---@param n integer
---@param t integer
---@return table|nil
function Attempts:row(hash, n, t)
  local of_hash = self.by_hash[hash]
  return of_hash and of_hash[n] and of_hash[n][t]
end

--- Those of no ledger.
---@return gptimage2.assets.Attempts
function attempts.none()
  return setmetatable({ spent = 0, by_hash = {} }, Attempts)
end

local function keep(self, row, hash, n, t)
  local of_hash = self.by_hash[hash] or {}
  self.by_hash[hash] = of_hash
  of_hash[n] = of_hash[n] or {}
  of_hash[n][t] = {
    key = row.key,
    path = row.path,
    state = row.state,
    meaning = row.meaning,
    error = row.error,
    job = row_job.id(row),
    charged = row.charged,
  }
  self.spent = self.spent + attempts.spent(row)
end

--- Reads a ledger for the rows with this salt.
---@param config { ledger: string, ledger_file: string?, any_owner: boolean?, retry: string }
---@param salt string|nil
---@param pace? fun() a pause behind each few rows
---@return gptimage2.assets.Attempts|nil
---@return gptimage2.Error|nil err
function attempts.read(config, salt, pace)
  local found, count = attempts.none(), 0
  if not salt or not core.disk.look(config.ledger) then
    return found
  end
  local _, err = rows.each(config, {}, function(row)
    local hash, n, t = read_marks(row, salt)
    count = count + 1
    if pace and count % ROWS_EACH == 0 then
      pace()
    end
    if hash then
      row.meaning = attempts.meaning(row, config.retry)
      keep(found, row, hash, n, t)
    end
  end)
  if err then
    return nil, err
  end
  return found
end

return attempts
