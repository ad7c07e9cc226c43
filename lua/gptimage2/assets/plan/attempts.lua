--- What a ledger knows of a manifest's pictures: the attempts at each, and what they have spent.

local check = require("gptimage2.check")
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

--- A number in a text that anybody may have written.
local function whole(text)
  return type(text) == "string" and check.integer(tonumber(text)) or nil
end

--- The marks of an attempt, if its key is the one that follows from them; nil for other rows.
---@param row table
---@return { salt: string, hash: string, n: integer, t: integer, path: any }|nil
function attempts.marks(row)
  local marks = row.metadata and row.metadata:find('"build"', 1, true) and core.decode(row.metadata)
  local n, t = marks and whole(marks.n), marks and whole(marks.t)
  local salt = n and t and type(marks.hash) == "string" and marks.build
  if not identity.is_salt(salt) or identity.key(salt, marks.hash, n, t) ~= row.key then
    return nil
  end
  return { salt = salt, hash = marks.hash, n = n, t = t, path = marks.path }
end

--- Of several attempts at one candidate, the one that counts: what is paid, then what may be, then
--- what nobody has sent.
local RANK = { paid = 1, open = 2, unknown = 3, doubtful = 4, unsent = 5 }

---@class gptimage2.assets.Attempts
---@field spent integer credits of what was sent, that were not given back
---@field by_hash table<string, table<integer, { rows: table[], free: table<integer, string> }>>
local Attempts = {}
Attempts.__index = Attempts

--- The attempt at a candidate that counts, with its `meaning`; nil where there is none, or all came
--- to nothing for free.
---@param hash string
---@param n integer
---@return table|nil
function Attempts:row(hash, n)
  local of_hash, best = self.by_hash[hash], nil
  for _, row in ipairs(of_hash and of_hash[n] and of_hash[n].rows or {}) do
    if not best or RANK[row.meaning] < RANK[best.meaning] then
      best = row
    end
  end
  return best
end

--- How an attempt ended that came to nothing for free; nil for others.
---@param hash string
---@param n integer
---@param t integer
---@return string|nil
function Attempts:failed(hash, n, t)
  local of_hash = self.by_hash[hash]
  return of_hash and of_hash[n] and of_hash[n].free[t]
end

--- Those of no ledger.
---@return gptimage2.assets.Attempts
function attempts.none()
  return setmetatable({ spent = 0, by_hash = {} }, Attempts)
end

local function keep(self, row, marks, owner, is_ours)
  local of_hash = self.by_hash[marks.hash] or {}
  self.by_hash[marks.hash] = of_hash
  local known = of_hash[marks.n] or { rows = {}, free = {} }
  of_hash[marks.n] = known
  if row.meaning ~= "free" then
    known.rows[#known.rows + 1] = {
      key = row.key,
      path = type(marks.path) == "string" and marks.path or nil,
      t = marks.t,
      state = row.state,
      meaning = row.meaning,
      error = row.error,
      job = row_job.id(row),
      is_ours = is_ours,
    }
  elseif owner == "salt" then -- the next key follows from it
    known.free[marks.t] = row.error or row.state
  end
  self.spent = self.spent + (owner ~= "hash" and attempts.spent(row) or 0)
end

--- Reads a ledger for the rows that are somebody's: `owner_of` says by what, "salt", "path" or
--- "hash" (whose credits are another's), or nil.
---@param config table ledger, ledger_file, any_owner, base_url, retry: of the client's
---@param owner_of fun(marks: table, meaning: string): string|nil, boolean|nil
---@param pace? fun() a pause behind each few rows
---@return gptimage2.assets.Attempts|nil
---@return gptimage2.Error|nil err
function attempts.read(config, owner_of, pace)
  local found, count = attempts.none(), 0
  if not core.disk.look(config.ledger) then
    return found
  end
  local _, err = rows.each(config, {}, function(row)
    local marks = attempts.marks(row)
    count = count + 1
    if pace and count % ROWS_EACH == 0 then
      pace()
    end
    row.meaning = marks and attempts.meaning(row, config.retry)
    local owner, is_ours
    if marks then
      owner, is_ours = owner_of(marks, row.meaning)
    end
    if owner then
      keep(found, row, marks, owner, is_ours and row_job.is_of_service(row, config))
    end
  end)
  if err then
    return nil, err
  end
  return found
end

return attempts
