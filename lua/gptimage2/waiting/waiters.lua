--- Who waits for what: coroutines and callbacks, by the thing that they wait for, which tells
--- through `object:done()` whether it is over.
---
--- Finalizers and hooks of the host run between any two lines of this file, may call all of the
--- module, and may raise.

local core = require("gptimage2.core")

-- Loaded once more in the same state: those who wait are in the first one.
if core.kept.waiters then
  return core.kept.waiters
end

local waiters = {}

--- What is waited for -> list of coroutines and functions.
local lists = {}

--- Marks `object` as done for those who wait for it. For things made in Lua; the core's own come
--- by themselves.
---@param object any
function waiters.finished(object)
  if lists[object] then
    core.finish(object) -- may raise: there is no memory
  end
end

--- From now on `waiter` waits for `object`.
---@param object any
---@param waiter thread|function
function waiters.add(object, waiter)
  if type(object) == "userdata" then
    core.await(object)
  end
  core.add(lists, object, waiter)
  if object:done() then -- a hook has stepped meanwhile
    waiters.finished(object)
  end
end

--- `waiter` waits for `object` no longer.
---@param object any
---@param waiter thread|function
function waiters.remove(object, waiter)
  core.remove(lists, object, waiter)
end

--- Calls `callback` inside a step once `object` is done; at once when it is. A callback that raises
--- is called again by the next step: an error of the host's may have broken it off anywhere. So it
--- must not mind being called twice, and end at some time.
---@param object any
---@param callback function
function waiters.on_done(object, callback)
  if object:done() then
    callback()
  else
    waiters.add(object, callback)
  end
end

--- What the core is to remember by a job when it hands that to the engine (`by_job` of its submit),
--- so that `callback` is called as on_done does: no error of the host's can come in between.
---@param callback function
---@return table by_job
function waiters.at_end(callback)
  return { [lists] = { callback } }
end

--- Puts those who wait for `object` into the ready queue.
---@param object any
function waiters.ready(object)
  core.ready(lists, object)
end

core.kept.waiters = waiters

return waiters
