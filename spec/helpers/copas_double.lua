--- A small double of Copas 4's public interface, for the specs: Debian has 1.2, which cannot wake a
--- thread. It records what was called, and waits with LuaSocket's select as Copas does.

local gptimage2 = require("gptimage2")
local socket = require("socket")

local copas = { _VERSION = "a double of Copas 4", running = false, calls = {} }

--- Threads that may go on, those that sleep (by when they wake), and servers by their handlers.
local ready, sleeping, servers = {}, {}, {}

--- What a thread of Copas yields; anything else ends it.
local SLEEP = {}

local function count(name)
  copas.calls[name] = (copas.calls[name] or 0) + 1
end

function copas.addthread(fn, ...)
  local co = coroutine.create(fn)
  ready[#ready + 1] = { co = co, arguments = { ... } }
  return co
end

local function sleep(seconds)
  local ok = coroutine.yield(seconds, SLEEP)
  assert(ok == SLEEP, "somebody else has resumed a thread of Copas")
end

--- As in Copas 4, a time of 0 or less lets the others go on once, and is not for ever.
function copas.pause(seconds)
  count("pause")
  sleep(seconds and math.max(seconds, 0) or 0)
end

function copas.pauseforever()
  count("pauseforever")
  sleep(math.huge)
end

--- One that does not sleep is not woken.
function copas.wakeup(co)
  count("wakeup")
  if sleeping[co] then
    sleeping[co] = nil
    ready[#ready + 1] = { co = co, arguments = { SLEEP } }
  end
end

function copas.addserver(server, handler)
  count("addserver")
  server:settimeout(0)
  assert(tostring(server):find("^tcp{"), "Copas takes this for a datagram socket")
  servers[server] = handler
end

function copas.removeserver(server, keep_open)
  count("removeserver")
  servers[server] = nil
  return keep_open or server:close()
end

local function go(co, arguments)
  local ok, seconds, queue = coroutine.resume(co, (table.unpack or unpack)(arguments)) -- luacheck: ignore
  if ok and coroutine.status(co) ~= "dead" then
    ok = queue == SLEEP
    sleeping[co] = ok and gptimage2.now() + seconds or nil
    seconds = not ok and "user-code cannot yield to Copas"
  end
  if not ok then
    io.stderr:write("copas: ", tostring(seconds), "\n")
  end
end

local function wake_those_due()
  for co, time in pairs(sleeping) do
    if time <= gptimage2.now() then
      sleeping[co] = nil
      ready[#ready + 1] = { co = co, arguments = { SLEEP } }
    end
  end
end

local function time_to_next(most)
  for _, time in pairs(sleeping) do
    most = math.min(most, math.max(time - gptimage2.now(), 0))
  end
  return ready[1] and 0 or most
end

--- Readable servers first, then all threads that may go on now.
function copas.step(timeout)
  local reading = {}
  for server in pairs(servers) do
    reading[#reading + 1] = server
  end
  local readable = socket.select(reading, nil, time_to_next(timeout or 0.1))
  for _, server in ipairs(readable) do
    assert(servers[server] == nil or server:accept() == nil, "there is nobody to accept")
  end
  wake_those_due()
  local now = ready
  ready = {}
  for _, each in ipairs(now) do
    go(each.co, each.arguments)
  end
end

--- Threads that sleep for ever keep no loop running.
function copas.finished()
  for _, time in pairs(sleeping) do
    if time < math.huge then
      return false
    end
  end
  return next(servers) == nil and ready[1] == nil
end

function copas.loop()
  copas.running = true
  while not copas.finished() do
    copas.step()
  end
  copas.running = false
end

return copas
