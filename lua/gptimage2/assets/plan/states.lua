--- What is to be done about a picture, by what its manifest, the lock, the disk, the stores and the
--- ledger say. Pure: the table of doc/builds.md.

local doubts = require("gptimage2.assets.plan.doubts")

local states = {}

states.CREDITS = 10

--- All states; true for those with which nothing is to be done.
states.ALL = {
  cached = false,
  new = false,
  taken = false,
  fresh = true,
  lost = false,
  gone = false,
  edited = false,
  unreviewed = false,
  rejected = false,
  stale = false,
  failed = false,
  pinned = true,
  orphan = false,
  in_flight = false,
  unknown = false,
}

---@class gptimage2.assets.Facts
---@field hash string of the request that the manifest asks for
---@field candidates integer
---@field review boolean
---@field pin boolean
---@field line gptimage2.assets.Line|nil
---@field file string|nil the digest of the file at the path; "other" where something else is
---@field candidate fun(n: integer): table what is known of one: { object, row, failed }
---@field stored fun(n: integer): table of one that was made: { object, row, job }, the object only
--- where a store has its very bytes
---@field has fun(digest: string): boolean a store has that picture
---@field job fun(): string|nil the job that made the accepted picture
---@field derive string|nil the digest of the command that the manifest has
---@field stale "keep"|"make"

--- How many candidates there are to be, but for what `again` asks. One that was kept or edited for
--- this very request needs none; one that was for an older one says nothing about this.
---@param candidates integer
---@param line gptimage2.assets.Line|nil of this request
---@return integer
function states.asked(candidates, line)
  local is_kept = line and line.n == 0 and not line.of
  return math.max(is_kept and 0 or candidates, line and line.made or 0)
end

--- The highest candidate that anybody has asked for.
---@param candidates integer
---@param line gptimage2.assets.Line|nil of this request
---@return integer
function states.most_wanted(candidates, line)
  return math.max(states.asked(candidates, line), line and line.want or 0)
end

--- A candidate that is there: does it wait for somebody to look at it?
local function waits(line, n)
  if not line then
    return true
  end
  local accepted = line.n == n and not line.of
  return not accepted and not (line.rejected and line.rejected[n])
end

local function is_begun(row)
  return row ~= nil and (row.meaning == "open" or row.meaning == "paid")
end

--- One that the lock says was made. While it waits its picture must be there to be chosen.
local function survey_made(facts, found, line, n)
  found.made = found.made + 1
  local known = waits(line, n) and facts.stored(n)
  if not known then
    return
  elseif known.object then
    found.waiting = found.waiting + 1
  elseif is_begun(known.row) or known.job then
    found.in_flight = found.in_flight or { meaning = "missing", n = n }
  else
    found.gone[#found.gone + 1] = n
  end
end

--- One that is to be made. What was recorded and never sent is one: it is paid when it is sent.
local function add_to_make(found, n, known)
  found.make[#found.make + 1] = n
  found.failed = found.failed or known.failed
  found.unsent = found.unsent + (known.row and 1 or 0)
end

--- One of which the lock does not know yet.
local function survey_other(facts, found, line, n)
  local known = facts.candidate(n)
  local row = known.row
  if known.object then
    found.made, found.cached = found.made + 1, found.cached + 1
    found.waiting = found.waiting + (waits(line, n) and 1 or 0)
  elseif is_begun(row) then
    found.in_flight = found.in_flight or row
    found.jobs[#found.jobs + 1] = row.job
  elseif row and row.meaning ~= "unsent" then
    found.unknowns[#found.unknowns + 1] = { n = n, key = row.key, reason = doubts.reason(row) }
  else
    add_to_make(found, n, known)
  end
end

--- Which candidates are there, and what keeps the others.
local function survey(facts, line)
  local found = {
    make = {},
    unknowns = {},
    jobs = {},
    gone = {},
    waiting = 0,
    unsent = 0,
    made = 0,
    cached = 0,
  }
  for n = 1, states.most_wanted(facts.candidates, line) do
    local look = n <= (line and line.made or 0) and survey_made or survey_other
    look(facts, found, line, n)
  end
  return found
end

--- Does a digest belong to a candidate of the request? A build may have been killed between the
--- file at the path and the lock.
---@param digest string
---@param most integer the last candidate to look at
---@param known_of fun(n: integer): { object: string?, derived: string? }|nil
---@return boolean
function states.is_candidate(digest, most, known_of)
  for n = 1, most do
    local known = known_of(n)
    if known and (known.object == digest or known.derived == digest) then
      return true
    end
  end
  return false
end

--- Is what lies at the path another file than the accepted one, which no build put there?
local function is_foreign(facts, line, same)
  if not facts.file or facts.file == (line and line.file) then
    return false
  end
  local most = states.most_wanted(facts.candidates, same and line or nil)
  return not states.is_candidate(facts.file, most, facts.candidate)
end

local function plural(count, one, many)
  return ("%d %s"):format(count, count == 1 and one or many)
end

--- What is missing is made.
local function to_make(found)
  if found.failed then
    return "failed", ("the last attempt failed: %s"):format(found.failed)
  end
  local what = plural(#found.make, "candidate", "candidates")
  if found.made > 0 then
    what = what .. " more"
  end
  if found.unsent > 0 then
    what = ("%s; %d recorded, and never sent"):format(what, found.unsent)
  end
  return "new", what
end

local IN_FLIGHT = {
  paid = "made, and not fetched yet",
  open = "under way: it is taken up",
  missing = "no store has the picture of candidate %d: its job is asked for it",
}

local function about_ledger(found)
  if found.unknowns[1] then
    return "unknown", doubts.sum(found.unknowns)
  elseif found.in_flight then
    return "in_flight", IN_FLIGHT[found.in_flight.meaning]:format(found.in_flight.n or 0)
  end
end

--- A single candidate that nobody wants to look at first.
local function comes_accepted(facts)
  return facts.candidates == 1 and not facts.review
end

local GONE = "no store has the picture of %s: take the store of who made it (`store`), reject, "
  .. "or build with stale = 'make'"

--- Candidates wait that nobody can look at.
local function of_gone(found)
  local names = {}
  for i, n in ipairs(found.gone) do
    names[i] = ("%d"):format(n)
  end
  found.lost = found.gone
  local which = (names[2] and "candidates " or "candidate ") .. table.concat(names, ", ")
  return "gone", GONE:format(which)
end

--- There is no accepted picture for the request.
local function of_nothing(facts, found, line)
  if found.make[1] then
    return to_make(found)
  elseif found.gone[1] then
    return of_gone(found)
  elseif not line or found.made == 1 and found.waiting == 1 and comes_accepted(facts) then
    return "cached", "a store has it"
  elseif found.cached > 0 then
    return "cached", "a store has more candidates"
  elseif found.waiting == 0 then
    return "rejected", "all candidates were rejected; `again` asks for one more"
  end
  return "unreviewed", plural(found.waiting, "candidate waits", "candidates wait")
end

local LINK = "a link lies there, and nothing is read or written through one: put a file in its "
  .. "place, or take it away"

--- The words about a file that is not ours to write over.
local function about_file(facts, words)
  return facts.file == "link" and LINK or words
end

local EDITED = "the file is not what was accepted"
local TAKEN = "a file that no build made lies there; accept it as edited, or move it away"

--- The accepted picture and its file.
local function of_file(facts, line)
  if facts.file == line.file then
    return nil
  elseif facts.file then
    return "edited", about_file(facts, EDITED)
  end
  for _, digest in ipairs({ line.file, line.original }) do
    if facts.has(digest) then
      return "lost", "the file is missing; a store has it"
    end
  end
  local job = facts.job()
  if job then
    return "lost", ("the file is missing; job %s is asked for it"):format(job)
  end
  return "gone", "the file is missing, and no store has it"
end

--- The file was made by another command than the manifest has.
local function is_derived_anew(facts, line)
  return (line.n or 0) > 0 and line.derive ~= facts.derive
end

--- A picture was accepted for this very request.
local function of_accepted(facts, found, line)
  local state, reason = of_file(facts, line)
  if state == "lost" and found.make[1] then
    return state, ("%s; %s"):format(reason, select(2, to_make(found)))
  elseif state then
    return state, reason
  elseif found.make[1] then
    return to_make(found)
  elseif found.gone[1] then
    return of_gone(found)
  elseif found.cached > 0 then
    return "cached", "a store has more candidates"
  elseif found.waiting > 0 then
    return "unreviewed", plural(found.waiting, "candidate waits", "candidates wait")
  end
  return "fresh", is_derived_anew(facts, line) and "it is derived anew" or "nothing to do"
end

--- A picture was accepted for another request.
local function of_older(facts, found, line, same)
  if is_foreign(facts, line, same) then
    return "edited", about_file(facts, EDITED)
  elseif same then
    return of_nothing(facts, found, line)
  end
  return "stale", "the request changed"
end

local function of_line(facts, found, line)
  local same = line and line.hash == facts.hash
  if line and line.n and same and not line.of then
    return of_accepted(facts, found, line)
  elseif line and line.n then
    return of_older(facts, found, line, same)
  elseif is_foreign(facts, line, same) then
    return "taken", about_file(facts, TAKEN)
  end
  return of_nothing(facts, found, same and line)
end

--- States in which what is missing is made; the others of a picture's candidates, too.
local MAKING =
  { new = true, failed = true, in_flight = true, unknown = true, stale = true, lost = true }

--- Candidates that are paid, and lost: as many others, behind all that were made.
local function others(found, line)
  local list = {}
  for i = 1, found.lost and #found.lost or 1 do
    list[i] = (line.made or 0) + i
  end
  return list
end

--- What a build makes. What replaces an accepted picture is made only when asked for.
local function making(facts, found, line, state)
  local replaces = line and line.n and line.hash ~= facts.hash
  if state == "gone" then
    return facts.stale == "make" and others(found, line) or {}
  elseif not MAKING[state] or replaces and facts.stale ~= "make" then
    return {}
  end
  return found.make
end

--- Whether there is something that a build takes for nothing. All of a changed picture may be
--- there, as of one that is changed back.
local function brings(facts, state, make)
  return state == "cached"
    or state == "lost"
    or state == "stale" and facts.stale == "make" and not make[1]
end

---@class gptimage2.assets.Verdict
---@field state string
---@field reason string
---@field make integer[] candidates that a build makes
---@field cost integer credits that it costs at most
---@field unknown { n: integer, key: string, reason: string }[]|nil what may have been paid
---@field brings boolean|nil a build takes what a store, or the job of a lost file, has
---@field derives boolean|nil its file is made of the original anew
---@field jobs string[]|nil what is under way at the service
---@field lost integer[]|nil candidates that wait, and whose pictures cannot be had

--- The verdict.
---@param facts gptimage2.assets.Facts
---@return gptimage2.assets.Verdict
function states.of(facts)
  local line = facts.line
  if facts.pin or line and line.pin then
    local state, reason
    if line and line.n then
      state, reason = of_file(facts, line)
    end
    reason = state and "pinned; " .. reason or line and line.n and "pinned" or "pinned, never made"
    if not (line and line.n) and not facts.file then
      state = "new"
    end
    return { state = "pinned", reason = reason, problem = state, make = {}, cost = 0 }
  end
  local found = survey(facts, line and line.hash == facts.hash and line or nil)
  local state, reason = about_ledger(found)
  if not state then
    state, reason = of_line(facts, found, line)
  end
  local make = making(facts, found, line, state)
  return {
    state = state,
    reason = reason,
    make = make,
    cost = #make * states.CREDITS,
    unknown = state == "unknown" and found.unknowns or nil,
    jobs = state == "in_flight" and found.jobs or nil,
    brings = brings(facts, state, make) or nil,
    derives = state == "fresh" and is_derived_anew(facts, line) or nil,
    lost = found.lost,
  }
end

return states
