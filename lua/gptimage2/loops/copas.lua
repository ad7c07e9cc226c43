--- Copas 4; recognised by itself inside of its loop.

local copas = require("copas")
local gptimage2 = require("gptimage2")

local loop = {}

if not (copas.pause and copas.pauseforever and copas.wakeup) then
  error("gptimage2 needs Copas 4, whose threads can be woken (copas.wakeup)", 0)
end

--- Copas on Lua 5.1 comes with coxpcall, where a thread inside of its pcall is another coroutine.
local running = package.loaded.coxpcall and package.loaded.coxpcall.running or coroutine.running

local function nothing() end

--- What Copas takes for a server: it is readable when there is something to do, and its `accept`
--- is our step.
local function new_server(step)
  local server = {
    getfd = function()
      return assert(gptimage2.fd())
    end,
    accept = function()
      step()
      return nil, "timeout"
    end,
    settimeout = nothing,
    close = nothing,
  }
  return setmetatable(server, {
    __tostring = function()
      return "tcp{gptimage2}"
    end,
  })
end

function loop.start(step)
  local server = new_server(step)
  copas.addserver(server, nothing)
  return function()
    copas.removeserver(server, true)
  end
end

function loop.suspend(w, seconds)
  w.thread = running()
  if seconds then
    copas.pause(seconds)
  else
    copas.pauseforever()
  end
  w.thread = nil
end

function loop.resume(w)
  if w.thread then
    copas.wakeup(w.thread)
  end
end

return loop
