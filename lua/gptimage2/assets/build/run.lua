--- A build under way: what its parts share. It has the lock on the folder from `open` on until it
--- is closed.

local begun = require("gptimage2.assets.plan.begun")
local core = require("gptimage2.core")
local derive = require("gptimage2.assets.build.derive")
local guard = require("gptimage2.assets.store.guard")
local identity = require("gptimage2.assets.identity")
local failure = require("gptimage2.assets.failure")
local lines = require("gptimage2.assets.build.lines")
local lock = require("gptimage2.assets.store.lock")
local natives = require("gptimage2.waiting.natives")
local plan = require("gptimage2.assets.plan")
local plan_file = require("gptimage2.assets.plan.file")
local project = require("gptimage2.assets.project")
local shield = require("gptimage2.waiting.shield")
local slices = require("gptimage2.assets.store.slices")
local states = require("gptimage2.assets.plan.states")
local wait = require("gptimage2.waiting.wait")

---@class gptimage2.assets.Run
---@field project gptimage2.assets.Project
---@field client gptimage2.Client|nil
---@field found gptimage2.assets.Attempts|nil
---@field held table|nil the lock on the folder, once it was taken
---@field ready boolean|nil the lock was read, and may be written
---@field stopped boolean|nil nothing more is begun
---@field closed boolean|nil
---@field begun gptimage2.assets.Begun|nil of the plan in a file that it does
---@field remade table<string, integer> path -> the candidate that replaces one that is gone
local Run = {}
Run.__index = Run

local run = {}

local CLOSE_WAIT = 1 -- seconds for a lock that is being written
local WRITE_EACH = 1 -- seconds between two writes of the lock that nobody waits for

--- A run that has not begun. Whoever has it closes it, on every way out.
---@param found gptimage2.assets.Project
---@param options { client: gptimage2.Client?, planned: table? }
---@return gptimage2.assets.Run
function run.new(found, options)
  return setmetatable({
    project = found,
    client = options.client,
    planned = options.planned,
    remade = {},
  }, Run)
end

--- The lock as it is now, and what follows from it.
local function read_again(self)
  local own = self.project
  local read, err = lock.read(own.manifest.lock, own.store.pace)
  if not read then
    return nil, err
  end
  own.lock = read
  self.written_at = core.now()
  own.store:rest()
  local ok = true
  if self.planned then
    self.begun = begun.open(own.store.roots[1], self.planned.id)
    ok, err = plan_file.check(self.planned, own, self.begun)
  end
  if ok then
    ok, err = self:begin()
  end
  return ok, err
end

--- Takes the lock on the folder, and reads what may have changed meanwhile. Waits for who has it.
--- May be closed at any moment of that.
---@param tell? fun(event: table)
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:open(tell)
  local stores = self.project.store
  local ok, err = stores:prepare()
  stores:rest()
  if ok then
    ok, err = guard.take(stores:lock_file(), self, tell and function(holder)
      tell({ type = "waiting", holder = holder })
    end)
  end
  if ok then
    stores:rest()
    ok, err = read_again(self)
  end
  if ok and not self.closed then
    self.ready = true
    return true
  end
  self:drop()
  return nil, err
end

--- Opens a manifest, gives its run to `use`, and ends it, whatever comes: what `use` raises is
--- raised, and then nothing is written.
---@param path string
---@param options table
---@param use fun(run: gptimage2.assets.Run): any, gptimage2.Error|nil
---@param tell? fun(event: table)
---@return any result what `use` gave, or nil
---@return gptimage2.Error|nil err
---@return gptimage2.Error|nil late the lock could not be written at the end
function run.with(path, options, use, tell)
  local found, err = project.open(path, options)
  if not found then
    return nil, err
  end
  local self, late = run.new(found, options), nil
  local well, result, why = shield.call(function()
    local ok, reason = self:open(tell)
    if not ok then
      return nil, reason
    end
    local given, refused = use(self)
    late = select(2, self:close())
    return given, refused
  end)
  if not well then
    self:drop()
    error(result, 0)
  end
  return result, why, late
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

--- Whether a task writes the lock: one that was broken off does no more.
local function is_written(self)
  return self.writer ~= nil and natives.status(self.writer) ~= "dead"
end

--- Writes it as it is. What a plan in a file does to it is noted before.
local function write(self, pace)
  local function note(text)
    return self.begun:will_write(core.digest.sha256(text))
  end
  local own = self.project
  return lock.write(own.manifest.lock, own.lock, pace, self.begun and note or nil)
end

--- Writes it while a frame loop goes on: one after the other, so that the last one tells most.
local function write_slowly(self, pace)
  while is_written(self) do
    pace()
  end
  if self.closed then
    return true
  end
  self.writer = coroutine.running()
  local ok, err = write(self, pace)
  self.writer = nil
  return ok, err
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
  local pace = not self.closing and self.project.store.pace
  if pace then
    return write_slowly(self, pace)
  end
  return write(self)
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

--- Brings a picture, or what was derived from it, to its path: the store knows before whose it is.
local function deliver(own, record, digest, to, replaces)
  local ok, err = true, nil
  if digest ~= record.object and record.derived ~= digest then
    record.derived = digest
    ok, err = own.store:write_record(record)
  end
  if ok then
    ok, err = own.store:deliver(digest, to, replaces)
  end
  return ok, err
end

--- Whether the file at the path may be replaced: it is the accepted one, or one that a build put
--- there which was killed before its lock said so.
local function may_replace(own, picture, line, there)
  if there == line.file or (line.n and not line.of) then
    return there == line.file
  end
  local most = states.most_wanted(picture.candidates, line)
  return states.is_candidate(there, most, function(n)
    local record = own.store:record(picture.hash, n)
    return record and record.here and record
  end)
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
  local replaces = there ~= nil and may_replace(own, picture, line, there)
  local digest, err = derive.file(own, picture, record.object)
  if there and not replaces and there ~= digest then
    local message = in_the_way(there, picture.path)
    return failure.new(code or "store_failed", message, { file = to })
  end
  local ok = digest ~= nil
  if ok and there ~= digest then
    ok, err = deliver(own, record, digest, to, replaces)
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

--- A single candidate is accepted as it comes; so is one that replaces what is gone. It is not
--- single where `again` has asked for more, whichever of them comes first.
local function accepts_itself(self, picture, line)
  local first = line.made == 1 and (not line.n or line.of) and not (line.rejected or {})[1]
  first = first and not line.want
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
      return not is_written(self)
    end,
  }
end

--- Ends it, and writes nothing: the folder is free. What was made, the stores and the ledger know.
function Run:drop()
  self.stopped, self.closed = true, true -- tasks that are left begin nothing more
  guard.release(self.project.store:lock_file(), self)
end

--- Ends it: the lock is written, if it was read, and the folder is free.
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Run:close()
  self.closing = true
  if is_written(self) and not wait.refusal() then
    wait.until_done(idle_of(self), CLOSE_WAIT)
  end
  local well, ok, err = true, true, nil
  if self.ready and not self.closed then
    well, ok, err = pcall(self.write_lock, self, true)
  end
  self:drop()
  if not well then
    error(ok, 0)
  end
  return ok, err
end

return run
