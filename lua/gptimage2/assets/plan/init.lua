--- A plan: each picture with its state, the reason, and what a build would spend. Nothing is
--- written but what was seen of the files.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local lines = require("gptimage2.assets.build.lines")
local globs = require("gptimage2.assets.plan.globs")
local leftovers = require("gptimage2.assets.plan.leftovers")
local owners = require("gptimage2.assets.plan.owners")
local seen = require("gptimage2.assets.plan.seen")
local states = require("gptimage2.assets.plan.states")
local store = require("gptimage2.assets.store")
local words = require("gptimage2.assets.plan.words")

local plan = {}

--- The attempts at the pictures of a project, as the ledger has them.
---@param self gptimage2.assets.Project
---@param pace? fun() a pause, now and then
---@return gptimage2.assets.Attempts|nil
---@return gptimage2.Error|nil err
function plan.attempts(self, pace)
  local config = self.config
  return attempts.read({
    ledger = self.ledger,
    ledger_file = config.ledger_file,
    any_owner = config.any_owner,
    base_url = config.base_url,
    retry = config.retry,
  }, owners.of(self), pace)
end

--- What is known of a candidate: its object, the row that its next attempt would have, the code of
--- the last one that failed, and how many did.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@param line gptimage2.assets.Line|nil of this request
---@param hash string
---@param n integer
---@return table known { object, derived, row, failed, t, record }
function plan.candidate(self, found, line, hash, n)
  local record = self.store:record(hash, n)
  local known = { t = 0, record = record }
  if record then
    known.t, known.failed = record.failed, record.error
    known.object = record.here and record.object or nil
    known.derived = known.object and record.derived
  end
  known.t = math.max(known.t, line and line.failed and line.failed[n] or 0)
  local failed = found:failed(hash, n, known.t)
  while failed do
    known.t, known.failed = known.t + 1, failed
    failed = found:failed(hash, n, known.t)
  end
  known.row = found:row(hash, n)
  return known
end

--- What is known of a candidate that the lock says was made: its object only where a store has the
--- very bytes, and the job that made it.
---@param looked gptimage2.assets.Seen
local function stored(self, found, line, hash, n, looked)
  local known = plan.candidate(self, found, line, hash, n)
  local function digest_of(path)
    return looked:digest(path)
  end
  if known.object and not self.store:is_whole(known.object, digest_of) then
    known.object = nil
  end
  known.job = known.record and known.record.job
  return known
end

--- The job that made the accepted picture, as the lock or the ledger has it.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@param line gptimage2.assets.Line
---@return string|nil
function plan.job(self, found, line)
  if line.job or not line.n or line.n == 0 then
    return line.job
  end
  local known = plan.candidate(self, found, line, line.of or line.hash, line.n)
  return known.row and known.row.meaning == "paid" and known.row.job or nil
end

--- The facts about pictures, one after the other: one table for all of them, for there may be many.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@param looked gptimage2.assets.Seen
---@param stale string|nil
---@return gptimage2.assets.Facts
local function open_facts(self, found, looked, stale)
  local facts = { stale = stale or "keep" }
  local function same()
    return facts.line and facts.line.hash == facts.hash and facts.line or nil
  end
  function facts.candidate(n)
    return plan.candidate(self, found, same(), facts.hash, n)
  end
  function facts.stored(n)
    return stored(self, found, same(), facts.hash, n, looked)
  end
  function facts.has(digest)
    return self.store:has(digest)
  end
  function facts.job()
    return plan.job(self, found, facts.line)
  end
  return facts
end

--- Turns them to one picture.
local function turn_to(facts, self, looked, picture)
  facts.hash, facts.candidates = picture.hash, picture.candidates
  facts.review, facts.pin = picture.review, picture.pin
  facts.line = lines.seen_from(self.lock.lines[picture.path], picture.hash)
  facts.derive = picture.derive_id
  facts.file = looked:digest(self.manifest.base .. picture.path)
  return facts
end

--- The words that changed, where a store has the request that was made.
local function changed_words(self, picture)
  local line = self.lock.lines[picture.path]
  local hash = line.of or line.hash
  local record = line.n and hash and self.store:record(hash, math.max(line.n, 1))
  return record and record.body and words.of(record.body, picture.body) or {}
end

--- Which command runs, where a file is to be made of an original.
local function command_of(picture, verdict)
  local runs = verdict.brings or verdict.derives or verdict.make[1]
  return runs and picture.derive or nil
end

local function line_of(self, picture, verdict)
  verdict.path, verdict.hash = picture.path, picture.hash
  verdict.derive = command_of(picture, verdict)
  if verdict.state == "stale" then
    verdict.words = changed_words(self, picture)
    if verdict.words[1] then
      verdict.reason = verdict.reason .. ": " .. table.concat(verdict.words, "; ")
    end
    verdict.reason = verdict.reason .. (verdict.brings and "; a store has it" or "")
  end
  return verdict
end

--- The line of one picture.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@param picture table
---@param looked { digest: fun(self: table, path: string): string|nil }
---@param stale "keep"|"make"
---@return table line
function plan.line(self, found, picture, looked, stale)
  local facts = open_facts(self, found, looked, stale)
  return line_of(self, picture, states.of(turn_to(facts, self, looked, picture)))
end

--- Two pictures that ask for the very same have the same: only the first is made.
local function without_twins(line, asked)
  local kept, twin = {}, nil
  for _, n in ipairs(line.make) do
    local id = line.hash .. n
    twin = twin or asked[id]
    if not asked[id] then
      asked[id], kept[#kept + 1] = line.path, n
    end
  end
  if twin then
    line.make, line.cost = kept, #kept * states.CREDITS
    line.reason = ("%s; the same request as %s"):format(line.reason, twin)
  end
  return line
end

--- Lines of the lock that no picture of the manifest has.
local function add_orphans(self, list, is_asked)
  local count = #list
  for path in pairs(self.lock.lines) do
    if not self.pictures[path] and is_asked(path) then
      list[#list + 1] = {
        path = path,
        state = "orphan",
        reason = "the manifest has no such picture",
        make = {},
        cost = 0,
      }
    end
  end
  if #list > count then
    table.sort(list, function(a, b)
      return a.path < b.path
    end)
  end
end

local function sum_up(list)
  local made = { lines = list, cost = 0, counts = {}, clean = true, work = false }
  for _, line in ipairs(list) do
    local work = line.make[1] or line.brings or line.derives or line.state == "in_flight"
    made.work = made.work or work and true
    made.cost = made.cost + line.cost
    made.counts[line.state] = (made.counts[line.state] or 0) + 1
    made.clean = made.clean and states.ALL[line.state]
  end
  return made
end

--- The plan of a project.
---@param self gptimage2.assets.Project
---@param found gptimage2.assets.Attempts
---@param options { stale: string?, only: string|string[]|nil }
---@return table|nil plan { lines, cost, counts, clean, work, spent, budget }
---@return gptimage2.Error|nil err where a store has what could not be read
function plan.of(self, found, options)
  local asked = {}
  local is_asked, list = globs.matcher(options.only), {}
  local looked = seen.open(self.store.roots[1] .. "seen")
  local facts = open_facts(self, found, looked, options.stale)
  for _, picture in ipairs(self.manifest.pictures) do
    if is_asked(picture.path) then
      local verdict = states.of(turn_to(facts, self, looked, picture))
      list[#list + 1] = without_twins(line_of(self, picture, verdict), asked)
    end
  end
  if core.is_folder(self.manifest.base .. store.FOLDER) then
    looked:keep()
  end
  if self.store.fault then
    return nil, self.store.fault
  end
  add_orphans(self, list, is_asked)
  local made = sum_up(list)
  made.work = made.work or leftovers.to_give_up(self, found)[1] ~= nil
  made.spent, made.budget, made.retry = found.spent, self.manifest.budget, self.config.retry
  return made
end

return plan
