--- A loop made of tables, to look at what the module does with one: `gptimage2.use(toy.loop)`.

local gptimage2 = require("gptimage2")
local host = require("spec.host")

local toy_loop = {}

--- Seconds after which a loop that should have ended has not.
local LIMIT = 60

local mt = {}
mt.__index = mt

--- What this toy's coroutines yield; nobody else's business.
local TOKEN = {}

local function add_suspend(toy)
  function toy.loop.suspend(w, seconds)
    w.co = coroutine.running()
    toy.suspends[#toy.suspends + 1] = { w = w, seconds = seconds }
    toy.sleeping[w.co] = seconds and gptimage2.now() + seconds or math.huge
    assert(coroutine.yield(TOKEN) == TOKEN, "somebody else resumes the toy's coroutines")
  end

  function toy.loop.resume(w)
    toy.resumes[#toy.resumes + 1] = w
    toy.woken[#toy.woken + 1] = w.co
  end
end

--- A toy, whose `loop` the test may change. It counts what it is told.
---@param bare? boolean only with `start`
---@return table toy
function toy_loop.new(bare)
  local toy = setmetatable({
    starts = 0,
    stops = 0,
    suspends = {},
    resumes = {},
    sleeping = {},
    woken = {},
    loop = {},
  }, mt)
  function toy.loop.start(step)
    toy.starts, toy.step = toy.starts + 1, step
    return function()
      toy.stops, toy.step = toy.stops + 1, nil
    end
  end
  if not bare then
    add_suspend(toy)
  end
  return toy
end

--- Goes on with a coroutine of the toy's.
function mt:go(co, ...)
  self.sleeping[co] = nil
  if coroutine.status(co) == "dead" then
    return
  end
  local ok, err = coroutine.resume(co, ...)
  if not ok then
    error(err, 0)
  end
end

--- Starts a coroutine of the toy's.
---@return thread
function mt:begin(fn)
  local co = coroutine.create(fn)
  self:go(co)
  return co
end

--- One turn: a step, if somebody waits, and then those who may go on.
function mt:spin()
  if self.step then
    self.step()
  end
  for co, deadline in pairs(self.sleeping) do
    if deadline <= gptimage2.now() then
      self.woken[#self.woken + 1] = co
    end
  end
  local woken = self.woken
  self.woken = {}
  for _, co in ipairs(woken) do
    self:go(co, TOKEN)
  end
end

--- Turns until `over()`; without it until there is nothing more to do, as loops do.
---@param over? fun(): boolean
function mt:run(over)
  local limit = gptimage2.now() + LIMIT
  over = over or function()
    return not self.step and #self.woken == 0
  end
  while not over() do
    assert(gptimage2.now() < limit, "the loop does not end")
    self:spin()
    host.pause(0.0005)
  end
end

return toy_loop
