--- Lua's own functions for coroutines.
---
--- nginx puts others in their place, which hand each resume to its scheduler and so work nowhere
--- below a C function, as in a step; they know no coroutine but their own. It keeps Lua's under
--- names with a "_".

local natives = { close = coroutine.close }

for _, name in ipairs({ "create", "resume", "status", "yield" }) do
  natives[name] = rawget(coroutine, "_" .. name) or coroutine[name]
end

--- Calls fn(...). `guard` is closed (its metamethod `__close`) when that is over, also where
--- somebody closes the coroutine while fn yields: where Lua has variables that are to be closed.
function natives.closing(_, fn, ...)
  return fn(...)
end

if natives.close then
  natives.closing = assert(load(
    [[
    return function(guard, fn, ...)
      local closed <close> = guard
      return fn(...)
    end
  ]],
    "=gptimage2.natives"
  ))()
end

-- There each coroutine is tied to the request that made it, and a task may outlive that: what it
-- then asked nginx for would be looked for in memory that is another's. Without a request nginx
-- says "no request found".
local create = rawget(coroutine, "_create")
local has_exdata, exdata = false, nil
if create then
  has_exdata, exdata = pcall(require, "thread.exdata")
end
if has_exdata then
  local nothing = require("ffi").new("void *")
  function natives.create(fn)
    return create(function(...)
      exdata(nothing)
      return fn(...)
    end)
  end
end

return natives
