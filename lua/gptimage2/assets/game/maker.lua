--- Makes the pictures that a game asks for, in that order and two at a time, while its frame loop
--- goes on: all of it is done in tasks, a little in each step.

local candidate = require("gptimage2.assets.build.candidate")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local failures = require("gptimage2.waiting.failures")
local guard = require("gptimage2.assets.store.guard")
local items = require("gptimage2.assets.build.items")
local naps = require("gptimage2.waiting.naps")
local outcome = require("gptimage2.assets.build.outcome")
local plan = require("gptimage2.assets.plan")
local project = require("gptimage2.assets.project")
local restore = require("gptimage2.assets.build.restore")
local run_of = require("gptimage2.assets.build.run")
local slices = require("gptimage2.assets.store.slices")
local task = require("gptimage2.waiting.task")

local maker = {}

local AT_ONCE = 2

--- As `assets.build` without options: what changed stays as it is.
local KEEP = { stale = "keep" }

---@class gptimage2.assets.Maker
---@field project gptimage2.assets.Project
---@field client gptimage2.Client
---@field budget number
---@field spent number of the budget
---@field queue string[] paths, in the order in which they were asked for
---@field next integer the first of them that nobody has begun
---@field asked table<string, boolean>
---@field run gptimage2.assets.Run|nil while something is made
---@field closed boolean|nil
---@field found gptimage2.assets.Attempts|nil what the ledger said at the beginning
local Maker = {}
Maker.__index = Maker

--- A pause: the rest is done in a later step.
local function pause()
  naps.sleep(0)
end

--- The digests of files that are not known yet, slice by slice.
local looked = {}

function looked:digest(path) -- luacheck: ignore 212
  local kind = core.disk.look(path)
  return kind == "file" and slices.digest(path, pause) or kind
end

--- Calls a hook of the game's, which may not wait for its own folder.
local function tell(self, hook, path, err)
  if hook and not self.closed then
    guard.tell(self.project.store:lock_file(), hook, { path = path, err = err })
  end
end

--- Tells of a picture that is there; of each once.
local function tell_of(self, path, err)
  if not self.asked[path] or self.told[path] then
    return
  elseif core.disk.look(self.project.manifest.base .. path) == "file" then
    self.told[path] = true
    tell(self, self.on_change, path)
  elseif err then
    self.told[path] = true
    tell(self, self.on_error, path, err)
  end
end

--- Tells of all pictures that have one request.
local function tell_all(self, run, hash, err)
  for _, picture in ipairs(run.by_hash[hash] or {}) do
    tell_of(self, picture.path, err)
  end
end

--- What may be spent now: of this game's budget, and of the manifest's.
local function left(self, run)
  local all = self.project.manifest.budget
  all = all and all - run.found.spent - run.reserved or math.huge
  return math.max(math.min(all, self.budget - self.spent), 0)
end

local function no_budget(cost, most)
  local message = "it costs %d credits, and %.14g are left of the budget: nothing was sent"
  return core.error({
    kind = "budget",
    code = "budget_exceeded",
    message = message:format(cost, most),
    sent = "no",
    charged = "no",
  })
end

--- Takes credits out of the budget, or gives back what was not charged.
local function reserve(self, run, credits)
  self.spent, run.reserved = self.spent + credits, run.reserved + credits
end

--- Makes what is missing of a line of the plan; the error of the last one that failed.
local function make_items(self, run, line)
  local list, failed = {}, nil
  items.add(run, run.found, line, list)
  for i, item in ipairs(list) do
    local what, err
    if run.stopped then
      what, err = "failed", run.final
    else
      what, err = candidate.make(run, item)
    end
    if run.closed then
      return nil, "closed"
    end
    err = select(2, outcome.conclude(run, item, what, err, KEEP))
    if item.pays and not item.spent then
      reserve(self, run, -core.limits.credits_each)
    end
    failed, run.final = err or failed, run.final or run.stopped and err or nil
    tell_all(self, run, item.hash, i == #list and failed or nil)
  end
  return #list > 0, failed
end

--- What can be done for nothing.
local function make_free(run, line, picture)
  if line.state == "lost" then
    return restore.file(run, picture)
  elseif restore.may_settle[line.state] and outcome.may_settle(run, picture, KEEP) then
    return run:settle(picture)
  end
  return true
end

--- Why a picture will not come.
local function reason_of(self, path, line)
  local place = { file = self.project.manifest.file, field = path }
  return select(2, failure.new("not_decidable", line.state .. ": " .. line.reason, place))
end

--- One picture that was asked for.
local function make(self, run, path)
  local own = run.project
  local picture = own.pictures[path]
  local line = plan.line(own, run.found, picture, looked, KEEP.stale)
  pause()
  local ok, err = not own.store.fault, own.store.fault
  if ok then
    ok, err = make_free(run, line, picture)
  end
  if not ok then
    return tell_of(self, path, err)
  end
  local most = left(self, run)
  if line.cost > most then
    return tell_of(self, path, no_budget(line.cost, most))
  end
  reserve(self, run, line.cost)
  pause()
  ok, err = make_items(self, run, line)
  if ok == nil then
    return -- closed
  end
  tell_of(self, path, err)
  if not self.told[path] then
    tell_of(self, path, reason_of(self, path, plan.line(own, run.found, picture, looked, "keep")))
  end
end

--- Others that ask for the very same wait for it; they may ask for more candidates.
local function make_with_twins(self, run, path)
  local hash = run.project.pictures[path].hash
  if run.twins[hash] then
    table.insert(run.twins[hash], path)
    return
  end
  run.twins[hash] = {}
  make(self, run, path)
  local twins = run.twins[hash]
  run.twins[hash] = nil
  for _, twin in ipairs(twins) do
    if not self.told[twin] then
      self.queue[#self.queue + 1] = twin
    end
  end
end

local function next_path(self, run)
  local path = not self.closed and not run.stopped and self.queue[self.next]
  if path then
    self.next = self.next + 1
  end
  return path
end

local function work(self, run)
  run.active = run.active + 1
  local path = next_path(self, run)
  while path do
    make_with_twins(self, run, path)
    path = next_path(self, run)
  end
  run.active = run.active - 1
end

--- As many work as there is work for.
local function employ(self, run)
  if run.active < AT_ONCE then
    run.workers[#run.workers + 1] = task.spawn(work, self, run)
  end
end

--- Takes the lock on the folder, and reads what others may have changed.
local function begin(self)
  local run, err = run_of.of(self.project, { client = self.client })
  if not run then
    return nil, err
  end
  run.found, err = self.found, nil
  if not run.found then
    run.found, err = plan.attempts(self.project, pause)
  end
  self.found = nil -- others may add to the ledger when this is over
  if not run.found then
    run:close()
    return nil, err
  end
  run:index()
  pause()
  run.active, run.workers, run.twins, run.reserved = 0, {}, {}, 0
  return run
end

--- What waits cannot be made: nothing can.
local function give_up(self, err)
  local path = self.queue[self.next]
  while path and not self.closed do
    self.next = self.next + 1
    tell_of(self, path, err)
    path = self.queue[self.next]
  end
end

--- Makes what is asked for while the folder's lock is held; then others may have it.
local function serve_once(self)
  local run, err = begin(self)
  if not run then
    return give_up(self, err)
  end
  self.run = run
  employ(self, run)
  employ(self, run)
  local i = 1
  while run.workers[i] do
    run.workers[i]:wait()
    i = i + 1
  end
  self.run = nil
  if self.closed then
    return
  end
  local ok, why = run:close()
  if run.final or not ok then
    give_up(self, run.final or why)
  end
end

local function serve(self)
  pause()
  while not self.closed and self.queue[self.next] do
    serve_once(self)
  end
  self.serving = false
end

--- Asks for a picture. Each is tried once.
---@param path string
function Maker:ask(path)
  if self.asked[path] then
    return
  end
  self.asked[path] = true
  self.queue[#self.queue + 1] = path
  if self.run then
    employ(self, self.run)
  elseif not self.serving then
    self.serving = true
    task.spawn(serve, self)
  end
end

--- Ends it, at once.
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function Maker:close()
  self.closed = true
  local run = self.run
  if not run then
    return true
  end
  run.stopped = true
  return run:close()
end

--- What a hook raises goes where all errors of handlers go.
local function guarded(hook)
  return hook and core.guard(function(news)
    hook(news.path, news.err)
  end, failures.keep)
end

--- Opens a manifest to make what is asked for. Reads it, and the stores; sends nothing.
---@param path string
---@param options table
---@return gptimage2.assets.Maker|nil
---@return gptimage2.Error|nil err
function maker.open(path, options)
  local own, err = project.open(path, options)
  if not own then
    return nil, err
  end
  local found
  found, err = plan.attempts(own)
  if not found then
    return nil, err
  end
  local self = setmetatable({
    found = found,
    project = own,
    client = options.client,
    budget = options.budget,
    on_change = guarded(options.on_change),
    on_error = guarded(options.on_error),
    spent = 0,
    queue = {},
    next = 1,
    asked = {},
    told = {},
  }, Maker)
  function own.store.pace()
    pause()
    return not self.closed
  end
  return self
end

return maker
