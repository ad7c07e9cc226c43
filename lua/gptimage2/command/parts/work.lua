--- Jobs of one client under way, whichever command began them: what is counted and drawn meanwhile,
--- and how they end by Ctrl-C.

local core = require("gptimage2.core")
local gptimage2 = require("gptimage2")
local loop = require("gptimage2.command.parts.loop")
local progress = require("gptimage2.command.parts.progress")
local screen = require("gptimage2.command.parts.screen")
local watch = require("gptimage2.command.parts.watch")

local work = {}

local PLACES = 8 -- jobs at once, as a client has them
local LAST = 0.1 -- seconds between two looks at what is left in the end

---@class gptimage2.command.Work
---@field out gptimage2.command.Output
---@field client gptimage2.Client
---@field done integer
---@field failures integer
---@field credits integer spent so far
---@field total integer|nil
---@field places integer jobs at once
---@field names table<string, string>|nil idempotency key -> what its job is called
---@field waiting boolean|nil for somebody else: nothing is under way
---@field stopping boolean|nil somebody asked for the end
---@field closed boolean|nil the client is, for that
local Work = {}
Work.__index = Work

--- A kind of work, whose methods are its own and these.
---@return table class
function work.class()
  local class = setmetatable({}, Work)
  class.__index = class
  return class
end

--- The fields of new work.
---@param out gptimage2.command.Output
---@param client gptimage2.Client
---@param places? integer
---@return table
function work.fields(out, client, places)
  return {
    out = out,
    client = client,
    places = places or PLACES,
    done = 0,
    failures = 0,
    credits = 0,
    began = gptimage2.now(),
  }
end

--- Whether nothing more is to begin. While a picture's command runs nobody else looks.
---@return boolean
function Work:is_ending()
  if not self.stopping and loop.interrupted() then
    self.stopping = true
    self.out:note("ending: what is under way is finished; once more ends at once")
  end
  return self.stopping == true
end

--- Nothing more begins: what waits here for its turn is left to the ledger.
function Work:interrupt()
  self:is_ending()
  gptimage2.step()
  for _, job in ipairs(self.client:jobs()) do
    if job.status == "queued" then
      core.leave(job)
    end
  end
end

--- What is sent, or, for all that is known here yet, may be.
local SENT = { queued = true, creating = true }

--- Once what was sent is answered, and what is written is there, the client is closed: the ledger
--- has the rest, and the same command takes it up.
function Work:wind_down()
  local jobs = self.client:jobs()
  for _, job in ipairs(jobs) do
    if SENT[job.status] then
      return
    end
  end
  if gptimage2.pending() > #jobs then
    return
  end
  self.closed = true
  self.client:close()
end

--- What is drawn while it goes on.
function Work:state()
  local state = watch.state(self.client, self.began, self.names)
  state.done, state.failed, state.total = self.done, self.failures, self.total
  state.spent = self.credits
  state.remaining = progress.remaining(state, self.places, watch.expected(self.client))
  return state
end

--- True: there is nothing to wait for.
function Work:tick()
  if self.out.screen then
    self.out.screen:draw(function()
      return self:state()
    end)
  end
  if self.stopping and self.waiting then
    return true
  elseif self.stopping and not self.closed then
    self:wind_down()
  end
end

--- Runs `body` as a task to its end, with progress; gives what it gives.
---@param body fun(): any, any
---@return any
---@return any
function Work:run(body)
  self.out.screen = screen.new()
  local result, err = loop.run(body, self)
  if self.out.screen then
    self.out.screen:clear()
    self.out.screen = nil
  end
  while self.closed and gptimage2.pending() > 0 do -- an answer is to come
    gptimage2.step(LAST)
  end
  return result, err
end

return work
