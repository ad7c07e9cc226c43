--- One build at a time in a folder: a lock on `.gptimage2/lock`, which names who holds it.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local naps = require("gptimage2.waiting.naps")

local guard = {}

--- Lock (device and number of its file, whatever it is called) -> true while the on_progress of who
--- holds it is called: who waits for it there waits for itself.
local telling = {}

local PATIENCE = 60 -- seconds
local EACH = 0.1

local function id_of(file)
  local id = core.file_id(file)
  return id and id:match("^%x+:%x+") or file
end

--- Calls `fn(event)`, which raises nothing, in the name of who holds the lock.
---@param file string
---@param fn fun(event: table)
---@param event table
function guard.tell(file, fn, event)
  local id = id_of(file)
  local outer = telling[id]
  telling[id] = true
  fn(event)
  telling[id] = outer
end

--- Who has the lock; nil where nobody has it.
---@param file string
---@return string|nil
function guard.holder(file)
  local held, _, holder = core.disk.lock(file)
  if held then
    held:release()
  end
  return holder and core.printable(holder) or nil
end

--- Takes the lock. Waits for who has it, and tells `on_wait` of them once.
---@param file string
---@param on_wait? fun(holder: string)
---@param patience? number seconds
---@return table|nil held with a method `release`
---@return gptimage2.Error|nil err
function guard.take(file, on_wait, patience)
  if telling[id_of(file)] then
    return core.cannot_wait()
  end
  local limit = core.now() + (patience or PATIENCE)
  local told = false
  while true do
    local held, err, holder = core.disk.lock(file)
    if held then
      return held
    elseif err then
      return failure.of(err, { file = file }, "store_failed")
    end
    holder = core.printable(holder)
    if core.now() >= limit then
      local message = "another build is at work here, %s: wait for its end"
      return failure.new("store_failed", message:format(holder), { file = file })
    end
    if on_wait and not told then
      on_wait(holder)
    end
    told = true
    local ok
    ok, err = naps.sleep(EACH)
    if not ok then
      return nil, err
    end
  end
end

return guard
