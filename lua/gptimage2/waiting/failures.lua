--- Errors of coroutines and callbacks: kept until somebody gets them.
---
--- That is `on_error`, the client's or the module's. Without one a step of the host's raises them,
--- and the step that a loop calls writes them to stderr: an error there would end the host's loop.

local core = require("gptimage2.core")

-- Loaded once more in the same state: the errors are in the first one.
if core.kept.failures then
  return core.kept.failures
end

local failures = {}

--- Errors that are kept at most: a program that only blocks may never take them.
local MAX = 1000

--- Those that nobody has got yet, and one there was no room or no memory to put there; and whether
--- it was memory.
local list, spare, starved = {}, nil, false

--- The module's `on_error`, as it is now; init.lua says where that stands.
---@type fun(): function|nil
failures.handler = function()
  return nil
end

local function keep_failure(err, what, job)
  local failure = { err, what = what, job = job }
  table.insert(list, failure)
  return failure
end

--- Keeps an error until somebody gets it. Never raises itself.
---@param err any
---@param what string what has failed: "task", "coroutine", "on_event", "on_done", "on_progress",
--- "on_change", "on_error" (of an art), "loop", "step"
---@param job? gptimage2.Job that it is about, or a table with its `client`
---@return table|nil failure for `failures.forget`
function failures.keep(err, what, job)
  if #list < MAX then
    local ok, failure = pcall(keep_failure, err, what, job)
    if ok then
      return failure
    end
    starved = true
  end
  spare = err
end

--- What `spare` was, which somebody gets now.
local function take_spare()
  local err = spare
  spare, starved = nil, false
  return err
end

--- Nobody is to get this failure any more: somebody has got its error.
---@param failure table|nil
function failures.forget(failure)
  for i = #list, 1, -1 do
    if list[i] == failure then
      table.remove(list, i)
    end
  end
end

local function handler_of(failure)
  local own = failure.job and core.created(failure.job.client).on_error
  return own or failures.handler()
end

--- Standard error is where a loop's host looks; a closed one is nobody's concern, nor one that the
--- host has taken away.
local function write(err, what)
  if not (io and io.stderr) then
    return
  end
  local ok, text = pcall(tostring, err)
  io.stderr:write(("gptimage2: an error in %s: %s\n"):format(what, ok and text or type(err)))
end

local function hand(failure)
  local handler = handler_of(failure)
  if not handler then
    return false
  end
  failures.forget(failure)
  local ok, err = pcall(handler, failure[1], failure.what)
  if not ok then
    write(err, "on_error")
  end
  return true
end

--- Gives those that have an `on_error` to it, once for each that is there now.
function failures.hand_over()
  if not list[1] then
    return
  end
  local now = {}
  for i = 1, #list do
    now[i] = list[i]
  end
  for i = 1, #now do
    hand(now[i])
  end
end

--- Writes to standard error what nobody else gets.
function failures.write()
  failures.hand_over()
  while list[1] do
    local failure = table.remove(list, 1)
    write(failure[1], failure.what)
  end
  if spare ~= nil then
    write(take_spare(), "a callback")
  end
end

--- Takes what a step is to raise: the first that was kept and no `on_error` is to get, else the one
--- there was no memory for.
---@return table|nil failure with the error as its first element
---@return any spare an error, to be raised where there is no failure
function failures.take()
  for i = 1, #list do
    if not handler_of(list[i]) then
      return table.remove(list, i), spare
    end
  end
  return nil, take_spare()
end

--- Takes what a wait is to raise: an error of the very job that it is about, and nobody else's. But
--- for the one that there was no memory to keep: whoever could not go on for it cannot be told from
--- who waits here, and a wait that went on would never end.
---@param job any
---@return table|nil failure with the error as its first element
---@return any spare an error, to be raised where there is no failure
function failures.take_of(job)
  for i, failure in ipairs(list) do
    if job ~= nil and failure.job == job and not handler_of(failure) then
      return table.remove(list, i)
    end
  end
  if starved then
    return nil, take_spare()
  end
end

--- Whether a step would raise an error, or give it to an `on_error`.
---@return boolean
function failures.any()
  return list[1] ~= nil or spare ~= nil
end

core.kept.failures = failures

return failures
