--- A build under way: what its parts share. It has the lock on the folder, and ends with it.

local begun = require("gptimage2.assets.plan.begun")
local core = require("gptimage2.core")
local derive = require("gptimage2.assets.build.derive")
local guard = require("gptimage2.assets.store.guard")
local identity = require("gptimage2.assets.identity")
local failure = require("gptimage2.assets.failure")
local lines = require("gptimage2.assets.build.lines")
local lock = require("gptimage2.assets.store.lock")
local plan = require("gptimage2.assets.plan")
local plan_file = require("gptimage2.assets.plan.file")
local project = require("gptimage2.assets.project")
local slices = require("gptimage2.assets.store.slices")
local states = require("gptimage2.assets.plan.states")
local wait = require("gptimage2.waiting.wait")

---@class gptimage2.assets.Run
---@field project gptimage2.assets.Project
---@field client gptimage2.Client|nil
---@field found gptimage2.assets.Attempts|nil
---@field closed boolean|nil
---@field begun gptimage2.assets.Begun|nil of the plan in a file that it does
---@field remade table<string, integer> path -> the candidate that replaces one that is gone
local Run = {}
Run.__index = Run

local run = {}

local CLOSE_WAIT = 1 -- seconds for a lock that is being written
local WRITE_EACH = 1 -- seconds between two writes of the lock that nobody waits for

--- Takes the lock on the folder of a project, and reads what may have changed meanwhile. Waits for
--- who has it.
---@param found gptimage2.assets.Project
---@param options { client: gptimage2.Client? }
---@param tell? fun(event: table)
---@return gptimage2.assets.Run|nil
---@return gptimage2.Error|nil err
function run.of(found, options, tell)
  local ok, err = found.store:prepare()
  found.store:rest()
  if not ok then
    return nil, err
  end
  local held
  held, err = guard.take(found.store:lock_file(), function(holder)
    if tell then
      tell({ type = "waiting", holder = holder })
    end
  end)
  if not held then
    return nil, err
  end
  local read
  found.store:rest()
  read, err = lock.read(found.manifest.lock, found.store.pace) -- as it is now
  found.lock = read or found.lock
  local self =
    setmetatable({ project = found, held = held, client = options.client, remade = {} }, Run)
  self.written_at = core.now()
  found.store:rest()
  ok = read ~= nil
  if ok and options.planned then
    self.begun = begun.open(found.store.roots[1], options.planned.id)
    ok, err = plan_file.check(options.planned, found, self.begun)
  end
  if ok then
    ok, err = self:begin()
  end
  if not ok then
    held:release()
    return nil, err
  end
  return self
end

--- Opens a manifest to change what belongs to it.
---@param path string
---@param options table
---@param tell? fun(event: table)
---@return gptimage2.assets.Run|nil
---@return gptimage2.Error|nil err
function run.open(path, options, tell)
  local found, err = project.open(path, options)
  if not found then
    return nil, err
  end
  return run.of(found, options, tell)
end

--- What a run counts, and which pictures have one request.
function Run:index()
  self.done, self.total, self.made, self.restored, self.credits = 0, 0, 0, 0, 0
  self.failed, self.unknown, self.warnings, self.asked = {}, {}, {}, {}
  self.tell = self.tell or function() end
  self.by_hash = {}
  for _, picture in ipairs(self.project.manifest.pictures) do
    local same = self.by_hash[picture.hash] or {}
    self.by_hash[picture.hash] = same
    same[#same + 1] = picture
  end
end

--- The salt is on the disk before anything follows from it.
function Run:begin()
  local content = self.project.lock
  if not content.salt then
    content.salt = identity.new_salt()
    if not content.salt then
      return failure.new("store_failed", "the system gave no random bytes for a salt")
    end
  end
  return self:write_lock(true)
end

--- Writes the lock; without `now` at most once a second: what it tells, the store knows, too.
---@param now boolean|nil
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:write_lock(now)
  if self.closed or not now and core.now() - self.written_at < WRITE_EACH then
    return true
  end
  self.written_at = core.now()
  local pace = not self.closing and self.project.store.pace or nil
  while pace and self.writing do -- one after the other, so that the last one tells most
    pace()
  end
  self.writing = true
  local before = self.begun
    and function(text)
      return self.begun:will_write(core.digest.sha256(text))
    end
  local ok, err = lock.write(self.project.manifest.lock, self.project.lock, pace, before or nil)
  self.writing = false
  return ok, err
end

--- The line of a path in the lock, made where there is none.
---@param path string
---@return gptimage2.assets.Line
function Run:line(path)
  local all = self.project.lock.lines
  all[path] = all[path] or { path = path }
  return all[path]
end

--- Why a picture cannot be put to its path; nil where it can.
local function in_the_way(there, path)
  if there == "link" then
    return ("a link lies at '%s', and nothing is written through one: take it away"):format(path)
  end
  return (
    "the file '%s' is not what was accepted, and is not written over: accept it as it is, as "
    .. 'edited (what = "edited", --edited), or move it away'
  ):format(path)
end

--- Candidate `n` is made, and its picture cannot be had here.
local function no_picture(self, n, to)
  local message = "no store has the whole picture of candidate %d: build first, which asks its job "
    .. "for it; where that is gone, too, stale = 'make' makes another"
  return failure.new("store_failed", message:format(n), { file = to or self.project.manifest.file })
end

--- What lies at a path: a digest, "link", "other", or nil.
local function what_lies_at(to, pace)
  local kind = core.disk.look(to)
  local digest = kind == "file" and slices.digest(to, pace)
  return digest or kind == "link" and kind or kind and "other"
end

--- Brings a picture of the store to its path, and accepts it. Never over what somebody edited.
---@param picture table
---@param n integer
---@param code? string of the error where something else lies at its path; default "store_failed"
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:accept(picture, n, code)
  local own, line = self.project, self:line(picture.path)
  local record = own.store:record(picture.hash, n)
  local to = own.manifest.base .. picture.path
  if not record or not record.object then
    return no_picture(self, n, to)
  end
  local there = what_lies_at(to, own.store.pace)
  local replaces = there ~= nil and there == line.file
  local digest, err = derive.file(own, picture, record.object)
  if there and not replaces and there ~= digest then
    local message = in_the_way(there, picture.path)
    return failure.new(code or "store_failed", message, { file = to })
  end
  local ok = digest ~= nil
  if ok and there ~= digest then
    ok, err = own.store:deliver(digest, to, replaces)
  end
  if ok then
    lines.accept(line, n, record, digest, picture.derive_id)
  elseif not own.store:object(record.object) then
    return no_picture(self, n, to)
  end
  return ok, err
end

--- Whether a candidate will not come any more: its attempt came to nothing, and may have been paid.
local function is_over(self, picture, n)
  local known = self.found and plan.candidate(self.project, self.found, nil, picture.hash, n)
  return known ~= nil and known.row ~= nil and known.row.meaning == "doubtful"
end

--- A single candidate is accepted as it comes; so is one that replaces what is gone.
local function accepts_itself(self, picture, line)
  local first = line.made == 1 and (not line.n or line.of) and not (line.rejected or {})[1]
  local alone = picture.candidates == 1 and not picture.review
  return alone and (first or self.remade[picture.path] == line.made)
end

--- Brings the line of a picture up to date with what the store has for its request.
---@param picture table
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:settle(picture)
  local own = self.project
  local function is_made(n)
    local record = own.store:record(picture.hash, n)
    return record ~= nil and record.here == true
  end
  if not own.lock.lines[picture.path] and not is_made(1) and not is_over(self, picture, 1) then
    return true
  end
  local line = self:line(picture.path)
  lines.turn_to(line, picture.hash)
  local most = states.most_wanted(picture.candidates, line)
  lines.count(line, math.max(most, self.remade[picture.path] or 0), is_made, function(n)
    return is_over(self, picture, n)
  end)
  if accepts_itself(self, picture, line) then
    return self:accept(picture, line.made)
  end
  return true
end

--- What is waited for until the lock is not being written.
local function idle_of(self)
  return {
    done = function()
      return not self.writing
    end,
  }
end

--- Ends it: the lock is written, and the folder is free.
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:close()
  self.closing = true
  if self.writing and not wait.refusal() then
    wait.until_done(idle_of(self), CLOSE_WAIT)
  end
  local ok, err = self:write_lock(true)
  self.closed = true
  self.held:release()
  return ok, err
end

return run
