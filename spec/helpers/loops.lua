--- The loops that gptimage2 has an adapter for, as the specs see them: each is a table with
---
---   begin(fn)          starts a coroutine of this host's
---   run([seconds])     runs the loop until it ends by itself, or for so long
---   ticker(ms, tick)   calls `tick` every `ms` milliseconds; gives a function that ends it
---   outside            whether a wait outside of coroutines lets those in coroutines go on
---   ticks_outside      whether it lets all of the loop go on
---   steps_by_itself    whether the loop steps though nobody waits
---
--- `loops.open(name)` gives one of them, or nil and what is missing, and chooses it with `use`.

local gptimage2 = require("gptimage2")

local loops = {}

local openers = {}

--- Seconds after which something that must happen is taken not to happen.
local LIMIT = 60

--- An error in a coroutine of the host's ends the test.
local function wrap(fn)
  return coroutine.wrap(fn)
end

function openers.luv()
  local uv = require("luv")
  local host = { outside = true, ticks_outside = true, name = "luv" }
  function host.begin(fn)
    wrap(fn)()
  end
  function host.run(seconds)
    local timer
    if seconds then
      timer = uv.new_timer()
      timer:start(seconds * 1000, 0, uv.stop)
    end
    uv.run()
  end
  function host.ticker(ms, tick)
    local timer = uv.new_timer()
    timer:start(ms, ms, tick)
    return function()
      timer:stop()
    end
  end
  return host
end

function openers.cqueues()
  local cqueues = require("cqueues")
  local controller
  local host = { name = "cqueues" }
  local function mine()
    controller = controller or cqueues.new()
    return controller
  end
  function host.begin(fn)
    mine():wrap(fn)
  end
  function host.run(seconds)
    local ok, err = mine():loop(seconds)
    if not seconds then
      controller = nil
      assert(ok, err)
    end
  end
  function host.ticker(ms, tick)
    local on = true
    mine():wrap(function()
      while on do
        cqueues.sleep(ms / 1000)
        if on then
          tick()
        end
      end
    end)
    return function()
      on = false
    end
  end
  return host
end

--- Whether a task or a sleep goes on.
local function is_waited()
  return gptimage2.busy() > gptimage2.pending()
end

--- GLib's loops end when they are told to: this one when its coroutines and tickers have ended, and
--- the module has nothing to do.
function openers.glib()
  local GLib = require("lgi").GLib
  local host = { outside = true, ticks_outside = true, name = "glib" }
  local live, context = 0, GLib.MainContext.default()
  function host.begin(fn)
    live = live + 1
    wrap(function()
      fn()
      live = live - 1
    end)()
  end
  function host.run(seconds)
    local over = false
    local limit = GLib.timeout_add(GLib.PRIORITY_HIGH, (seconds or LIMIT) * 1000, function()
      over = true
      return true
    end)
    while not over and (seconds or live > 0 or is_waited()) do
      context:iteration(true)
    end
    GLib.source_remove(limit)
    assert(not over or seconds, "nobody goes on with what is left")
  end
  function host.ticker(ms, tick)
    live = live + 1
    local source = GLib.timeout_add(GLib.PRIORITY_HIGH, ms, function()
      tick()
      return true
    end)
    return function()
      GLib.source_remove(source)
      live = live - 1
    end
  end
  return host
end

--- LuaSocket has no loop: this is the one that programs write around its select.
function openers.luasocket()
  local socket = require("socket")
  local ours = gptimage2.loops.luasocket.reader
  local host = { outside = true, name = "luasocket", ticks_outside = false, steps_by_itself = true }
  local live, tickers = 0, {}
  function host.begin(fn)
    live = live + 1
    wrap(function()
      fn()
      live = live - 1
    end)()
  end
  local function tick_all()
    local soonest
    for ticker in pairs(tickers) do
      if ticker.next <= socket.gettime() then
        ticker.next = socket.gettime() + ticker.ms / 1000
        ticker.tick()
      end
      soonest = math.min(soonest or math.huge, ticker.next)
    end
    return soonest and math.max(soonest - socket.gettime(), 0)
  end
  function host.run(seconds)
    local stop = seconds and socket.gettime() + seconds
    while live > 0 or is_waited() or next(tickers) do
      local rest = tick_all()
      if stop and stop <= socket.gettime() then
        return
      end
      if socket.select({ ours }, nil, math.min(rest or 1, 1))[ours] then
        gptimage2.step()
      end
    end
  end
  function host.ticker(ms, tick)
    local ticker = { ms = ms, tick = tick, next = socket.gettime() + ms / 1000 }
    tickers[ticker] = true
    return function()
      tickers[ticker] = nil
    end
  end
  return host
end

--- Copas 4, or a double of it: Debian's is too old. Whichever it is has to be loaded before
--- anything else asks for it.
local function preload_copas()
  local ok, copas = pcall(require, "copas")
  if not (ok and copas.pauseforever) then
    package.loaded.copas = nil
    package.preload.copas = function()
      return require("spec.helpers.copas_double")
    end
  end
end

function openers.copas()
  local copas = require("copas")
  local host = { name = "copas" }
  function host.begin(fn)
    copas.addthread(fn)
  end
  function host.run(seconds)
    if not seconds then
      return copas.loop()
    end
    local stop = gptimage2.now() + seconds
    copas.running = true
    while gptimage2.now() < stop do
      copas.step(0.01)
    end
    copas.running = false
  end
  function host.ticker(ms, tick)
    local on = true
    copas.addthread(function()
      while on do
        copas.pause(ms / 1000)
        if on then
          tick()
        end
      end
    end)
    return function()
      on = false
    end
  end
  return host
end

--- What each needs.
local LIBRARIES =
  { luv = "luv", cqueues = "cqueues", glib = "lgi", luasocket = "socket", copas = "copas" }

--- The host of this name, which `use` is told; or nil and why there is none.
---@param name string
---@return table|nil host
---@return string|nil why
function loops.open(name)
  local library = LIBRARIES[name]
  if name == "copas" and pcall(require, "socket") then
    preload_copas()
  end
  if not pcall(require, library) then
    return nil,
      ("there is no %s for %s"):format(library, rawget(_G, "jit") and "LuaJIT" or _VERSION)
  end
  gptimage2.use(name)
  return openers[name]()
end

return loops
