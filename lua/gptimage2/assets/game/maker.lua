--- Makes the pictures that a game asks for, in that order and two at a time, while its frame loop
--- goes on: all of it is done in tasks, a little in each step.
---
--- The server holds the folder's lock while something is made, and has workers. Hooks and
--- finalizers of the host's run between any two lines, and may raise: that ends the task in which
--- they did. So the keeper, a function that the steps call until it comes to its end, looks at what
--- there is whenever a server has ended, and begins what is missing anew: from the disk, as after a
--- crash.

local core = require("gptimage2.core")
local making = require("gptimage2.assets.game.making")
local plan = require("gptimage2.assets.plan")
local project = require("gptimage2.assets.project")
local queue = require("gptimage2.assets.game.queue")
local run_of = require("gptimage2.assets.build.run")
local task = require("gptimage2.waiting.task")
local telling = require("gptimage2.assets.game.telling")
local wait = require("gptimage2.waiting.wait")
local waiters = require("gptimage2.waiting.waiters")

local maker = {}

local AT_ONCE = 2

--- Accidents in a row, without a picture in between of which the game was told, after which what
--- waits is given up.
local ACCIDENTS_MAX = 20

---@class gptimage2.assets.Maker
---@field project gptimage2.assets.Project
---@field client gptimage2.Client
---@field budget number
---@field bought table<string, boolean> candidates that it has reserved
---@field queue gptimage2.assets.Queue
---@field asked table<string, boolean>
---@field told table<string, boolean>
---@field server gptimage2.Task|nil the last one
---@field serving boolean|nil it has not come to its end
---@field run gptimage2.assets.Run|nil from before it is opened until it is closed
---@field accidents integer
---@field keeper function
---@field closed boolean|nil
---@field found gptimage2.assets.Attempts|nil what the ledger said at the beginning
local Maker = {}
Maker.__index = Maker

local pause = making.pause

local function work(self, run)
  run.workers[task.running()] = true
  local path = not run.stopped and self.queue:take()
  while path and not self.closed do
    making.picture(self, run, path)
    path = not run.stopped and self.queue:take()
  end
end

--- A worker that has not ended, and how many there are.
local function workers_of(run)
  local one, count = nil, 0
  for worker in pairs(run.workers) do
    if not worker:done() then
      one, count = worker, count + 1
    end
  end
  return one, count
end

--- One worker more, if there is work for him.
local function employ(self, run)
  local _, count = workers_of(run)
  if run.hires and count < AT_ONCE then
    run.workers[task.spawn(work, self, run)] = true
  end
end

--- Takes the lock on the folder, and reads what others may have changed.
local function begin(self, run)
  local ok, err = run:open()
  if not ok then
    return nil, err
  end
  local found = self.found
  self.found = nil -- others may add to the ledger when this is over
  if not found then
    found, err = plan.attempts(self.project, pause)
  end
  if not found or run.closed then
    return nil, err
  end
  run.found = found
  run:index()
  run.twins, run.bought = {}, {}
  pause()
  return true
end

local function interrupted()
  return core.error({
    kind = "io",
    code = "interrupted",
    message = ("an error of this program's own came %d times in a row while it was made"):format(
      ACCIDENTS_MAX
    ),
    retryable = true,
  })
end

--- Something was broken off. Too often: nothing more is tried.
local function had_accident(self)
  self.accidents = self.accidents + 1
  if self.accidents > ACCIDENTS_MAX then
    telling.of_rest(self, interrupted())
  end
end

--- Whether a worker has not come to his end.
local function is_broken(run)
  for worker in pairs(run.workers) do
    if worker.failed or worker.cancelled then
      return true
    end
  end
  return false
end

--- Ends the run that is there, once its workers have ended. One in which something was broken off
--- writes nothing: what it has in memory may be half of something.
local function finish(self)
  local run = self.run
  if not run then
    return
  end
  local worker = workers_of(run)
  while worker and wait.until_done(worker) do
    worker = workers_of(run)
  end
  local broken, ok, why = is_broken(run), true, nil
  local sound = run.hires and not broken
  run.hires = false
  if sound then
    ok, why = run:close()
  else
    run:drop()
    self.project.store:forget()
  end
  self.queue:renew(not sound)
  self.run = nil
  if broken then
    had_accident(self)
  elseif run.final or not ok then
    telling.of_rest(self, run.final or why)
  end
end

--- Makes what is asked for while the folder's lock is held.
local function serve_once(self)
  local run = run_of.new(self.project, { client = self.client })
  run.workers = {}
  self.run = run
  local ok, err = begin(self, run)
  if ok then
    run.hires = true
    employ(self, run)
    employ(self, run)
  elseif not self.closed then
    run:drop()
    self.run = nil
    telling.of_rest(self, err)
  end
end

local function serve(self)
  self.server, self.serving = task.running(), true
  pause()
  finish(self) -- the one of a server that was broken off
  while not self.closed and not self.queue:is_empty() do
    serve_once(self)
    finish(self)
  end
  self.serving = false
end

--- Looks after the server. May be called at any time, any number of times.
local function keep(self)
  local server = self.server
  if server and not server:done() then
    waiters.add(server, self.keeper)
    return
  elseif self.closed then
    return
  elseif self.serving then -- it was broken off
    self.serving = false
    self.queue:renew(true)
    had_accident(self)
  end
  if self.run or not self.queue:is_empty() then
    waiters.add(task.spawn(serve, self), self.keeper)
  end
end

--- Asks for a picture. Each is tried once.
---@param path string
function Maker:ask(path)
  if self.told[path] then
    return
  elseif not self.asked[path] then
    self.queue:add(path)
    self.asked[path] = true
  end
  if self.run then
    employ(self, self.run)
  end
  if not self.server or self.server:done() then
    core.later(self.keeper, true) -- if an error ends the next line
    keep(self)
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
  local told = {}
  local self = setmetatable({
    found = found,
    project = own,
    client = options.client,
    budget = options.budget,
    on_change = telling.guarded(options.on_change, "on_change", options.client),
    on_error = telling.guarded(options.on_error, "on_error", options.client),
    accidents = 0,
    bought = {},
    queue = queue.new(told),
    asked = {},
    told = told,
  }, Maker)
  function self.keeper()
    keep(self)
  end
  function own.store.pace()
    pause()
    return not self.closed
  end
  return self
end

return maker
