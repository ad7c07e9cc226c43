--- The plan of a batch: every row is read and checked before anything is sent, and of each no more
--- is kept than finds it again, for there may be many.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local ground = require("gptimage2.batch.ground")
local identity = require("gptimage2.assets.identity")
local lookup = require("gptimage2.batch.lookup")
local match = require("gptimage2.batch.match")
local names = require("gptimage2.batch.names")
local row = require("gptimage2.batch.row")
local source = require("gptimage2.batch.source")

local plan = {}

--- Of each row, by its number: `offsets`, `lengths`, `lines`, `hashes`, `ks` (which of equal rows
--- it is), `costs`, `counts`; `files` where it names one; and once it was looked up `states`,
--- `reasons`, `costs_now`, and `attempts`, how many came to nothing before.
---@class gptimage2.batch.Plan
---@field source gptimage2.batch.Source
---@field base string the folder, "" or with a slash at its end
---@field count integer rows
---@field cost integer credits
---@field states_of table<string, integer> state -> rows
---@field wrong integer rows that are none
---@field warnings string[]
local Plan = {}
Plan.__index = Plan

--- What is to be done for a state; the others are as they are.
plan.WORK = { new = true, failed = true, in_flight = true, missing = true }

--- A folder as what stands in front of a name.
local function base_of(folder)
  folder = (folder or "."):gsub("/+$", "/")
  if folder == "." or folder == "./" then
    return ""
  end
  return folder:sub(-1) == "/" and folder or folder .. "/"
end

--- The identity of a row, and which attempt at it counts.
---@param i integer
---@return { salt: string, hash: string, k: integer, t: integer|nil }
function Plan:identity(i)
  local t = self.attempts and self.attempts[i]
  return { salt = self.salt, hash = self.hashes[i], k = self.ks[i], t = t }
end

--- The idempotency key of a row's attempt.
---@param i integer
---@return string
function Plan:key(i)
  return assert(lookup.key(self:identity(i)))
end

--- The place of a row.
---@param i integer
---@return gptimage2.batch.Place
function Plan:place(i)
  if self.files[i] then
    return (names.given(self.files[i]))
  end
  return names.own(self.beginnings, self.hashes[i], self.ks[i])
end

--- Where the pictures of a row go, as `save` has it.
---@param i integer
---@return string
function Plan:pattern(i)
  return self.base .. names.pattern(self:place(i), self.counts[i])
end

--- A path of this folder as ledgers have it.
---@param path string
---@return string
function Plan:absolute(path)
  self.here = self.here or core.here()
  path = path:sub(1, 1) == "/" and path or self.here .. path
  return (path:gsub("/%./", "/"):gsub("//+", "/"))
end

--- The files of a row that are there.
---@param i integer
---@return string[]
function Plan:there(i)
  return (names.there(self.base, self:place(i), self.counts[i]))
end

--- A row once more, as it was when it was checked.
---@param i integer
---@return gptimage2.batch.Row|nil
---@return gptimage2.Error|nil err
function Plan:row(i)
  local made, err = self.source:again(self.offsets[i], self.lengths[i])
  if made and identity.hash(self.service, made.body) ~= self.hashes[i] then
    made, err = nil, { code = "file_changed", message = "the row changed meanwhile" }
  end
  return made, err and self.source:error(err, { line = self.lines[i], row = i })
end

--- Counts a row as wrong; tells it unless it is what was said of another one already, for what is
--- wrong with a folder is wrong with all of its rows.
function Plan:refuse_place(i, err)
  local words = err.kind == "io" and err.message
  if words and self.told[words] then
    self.wrong = self.wrong + 1
    return
  end
  self.told[words or i] = true
  self:refuse(i, err)
end

--- An error of a row, for who asked for it.
function Plan:refuse(i, err)
  self.wrong = self.wrong + 1
  if err.kind ~= "validation" or not err.file then
    err = self.source:error(err, { line = self.lines[i], row = i })
  end
  self.on_error(err, i)
end

--- Columns that are metadata, and were perhaps meant to be more: each is told once.
function Plan:warn(columns)
  for name in pairs(columns) do
    local meant = not self.seen[name] and row.meant(name)
    if meant then
      local message = "the column '%s' is taken for metadata; was '%s' meant?"
      self.warnings[#self.warnings + 1] = message:format(check.show(name), meant)
    end
    self.seen[name] = true
  end
end

--- Keeps what finds a row again.
function Plan:keep(i, record, made)
  local hash = assert(identity.hash(self.service, made.body))
  self.equal[hash] = (self.equal[hash] or 0) + 1
  self.offsets[i], self.lengths[i], self.lines[i] = record.offset, record.length, record.line
  self.hashes[i], self.ks[i] = hash, self.equal[hash]
  self.costs[i], self.counts[i] = made.cost, made.count
  self.files[i] = made.file
end

--- Reads all rows.
function Plan:read()
  self.seen, self.equal = {}, {}
  local ok, err = self.source:each(function(record, made, wrong, columns)
    self.count = self.count + 1
    if made and made.file then
      wrong = select(2, names.given(made.file))
    end
    if wrong then
      self.lines[self.count] = record.line
      self:refuse(self.count, wrong)
    else
      self:keep(self.count, record, made)
      self:warn(columns)
    end
  end)
  self.seen, self.equal = nil, nil
  table.sort(self.warnings)
  return ok, err
end

--- Gives each row its place, and looks whether it can be written to.
function Plan:check_places()
  self.beginnings = names.beginnings(self.hashes)
  local taken = names.taken(self.base)
  self.told = {}
  for i = 1, self.count do
    local ok, err = taken:add(self:place(i), self.counts[i], i)
    if not ok then
      self:refuse_place(i, err)
    end
  end
end

--- How many pictures a job has that succeeded: the service may have given fewer.
local function pictures_of(attempt)
  local reply = core.decode_reply(attempt.row.result or attempt.row.answer or "")
  return reply and reply.results and #reply.results or 0
end

local OF_MEANING =
  { open = "in_flight", unsent = "in_flight", unknown = "unknown", doubtful = "given_up" }

--- That something is where a row's picture belongs.
function Plan:is_in_the_way(i, path, what)
  local message = ("'%s' %s: move it away, or name another file or folder"):format(
    check.show(path),
    what
  )
  self:refuse(i, { code = "file_exists", message = message, field = "file" })
end

--- The state of a row that is paid. A file of which the ledger knows nothing may be its own all the
--- same, where a program was killed before it told: then it is fetched, and compared.
function Plan:paid_state(i, attempt)
  local found = ground.look(self, i, attempt.row, pictures_of(attempt))
  local path = found.broken or found.stranger
  if path and not found.broken and found.kind ~= "file" then
    self:is_in_the_way(i, path, "is a " .. found.kind)
  elseif path and not core.disk.image_kind(path) then
    self:is_in_the_way(i, path, "lies where its paid picture belongs, and is no picture")
  elseif path then
    self.strangers[path] = i
  end
  return found.whole and "done" or "missing", 0
end

--- The state of a row, what it costs now, and why.
function Plan:state_of(i, attempt)
  local meaning = attempt.meaning
  if meaning == "paid" then
    return self:paid_state(i, attempt)
  elseif not meaning then
    return attempt.t > 0 and "failed" or "new", self.costs[i], attempt.error
  end
  return OF_MEANING[meaning], meaning == "unsent" and self.costs[i] or 0, attempt.row.error
end

--- What would be paid for must have room.
function Plan:check_room(i)
  local found, other = names.there(self.base, self:place(i), self.counts[i])
  if other and not found[1] then
    self:is_in_the_way(i, other, "is there, and is no file")
  elseif found[1] then
    self.strangers[found[1]] = i
  end
end

--- Says whose files are in the way.
function Plan:tell_strangers(config)
  local owners, err = ground.owners(self, config, self.strangers)
  local list = {}
  for path, i in pairs(owners and self.strangers or {}) do
    list[#list + 1] = { i = i, path = path, job = owners[path] }
  end
  table.sort(list, function(a, b)
    return a.i < b.i
  end)
  for _, one in ipairs(list) do
    if one.job then
      self:is_in_the_way(one.i, one.path, "is the picture of job " .. check.show(one.job))
    elseif self.costs_now[one.i] then
      self:is_in_the_way(one.i, one.path, "is there, and this ledger knows of no such picture")
    end
  end
  return not err or nil, err
end

local function note(self, i, state, cost, reason, attempt)
  self.states[i], self.costs_now[i], self.reasons[i] = state, cost > 0 and cost or nil, reason
  self.attempts[i] = attempt.t > 0 and attempt.t or nil
  self.states_of[state] = (self.states_of[state] or 0) + 1
  self.cost = self.cost + cost
end

--- Looks up each row.
function Plan:look_up_rows(finder)
  for i = 1, self.count do
    local attempt, err = lookup.attempt(finder, self:identity(i), self.retry)
    if not attempt then
      return nil, err
    end
    local state, cost, reason = self:state_of(i, attempt)
    note(self, i, state, cost, reason, attempt)
    if cost > 0 then
      self:check_room(i)
    end
  end
  return true
end

--- Looks up all rows in the ledger as it is now.
---@param config { ledger: string }
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Plan:look_up(config)
  local finder, err = lookup.open(config)
  if finder == nil then
    return nil, err
  end
  self.states, self.costs_now, self.reasons, self.attempts = {}, {}, {}, {}
  self.states_of, self.cost, self.strangers = {}, 0, {}
  local ok, moved
  ok, err, moved = match.of(self, finder)
  if ok and moved then
    self:check_places()
  end
  if ok and self.wrong == 0 then
    ok, err = self:look_up_rows(finder)
  end
  if finder then
    finder:close()
  end
  if ok and next(self.strangers) then
    ok, err = self:tell_strangers(config)
  end
  return ok, err
end

--- Takes out what does not fit into so many credits, in the order of the file: `skipped`, and how
--- many that are.
---@param most number
function Plan:cut(most)
  self.skipped, self.left_out = {}, 0
  for i = 1, self.count do
    local cost = self.costs_now[i] or 0
    if cost > most then
      self.skipped[i], self.left_out = true, self.left_out + 1
      self.cost = self.cost - cost
    else
      most = most - cost
    end
  end
end

--- Whether something is to be done for a row.
---@param i integer
---@return boolean
function Plan:is_work(i)
  return plan.WORK[self.states[i]] == true and not (self.skipped and self.skipped[i])
end

--- For how many rows something is to be done.
---@return integer
function Plan:count_work()
  local count = 0
  for i = 1, self.count do
    count = count + (self:is_work(i) and 1 or 0)
  end
  return count
end

---@class gptimage2.batch.PlanOptions
---@field file string "-": standard input
---@field format? "jsonl"|"csv"
---@field folder? string
---@field series? string
---@field service string as `identity.service` names it
---@field ledger string
---@field retry string
---@field on_error fun(err: gptimage2.Error, row: integer) about each row that is none

--- Reads and checks all rows. `wrong` of them are none: then nothing else is known.
---@param options gptimage2.batch.PlanOptions
---@return gptimage2.batch.Plan|nil
---@return gptimage2.Error|nil err
function plan.of(options)
  local ok, err = core.digest.usable()
  local self
  if ok then
    self = setmetatable({ count = 0, wrong = 0, warnings = {} }, Plan)
    self.source, err = source.open(options.file, options.format)
  end
  if err then
    return nil, err
  end
  for _, name in ipairs({ "offsets", "lengths", "lines", "hashes", "ks", "costs", "counts" }) do
    self[name] = {}
  end
  self.files, self.base = {}, base_of(options.folder)
  self.salt, self.service = lookup.salt(options.series), options.service
  self.retry, self.on_error = options.retry, options.on_error
  ok, err = self:read()
  if ok and self.wrong == 0 then
    self:check_places()
  end
  if ok and self.wrong == 0 then
    ok, err = self:look_up({ ledger = options.ledger })
  end
  return ok and self or nil, err
end

return plan
