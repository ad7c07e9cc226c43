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
  local asker = {}
  local held, _, holder = core.disk.lock(file, asker)
  if held then
    asker.held:release()
  end
  return holder and core.printable(holder) or nil
end

--- Lets the lock go that `owner` has, if it has one. An error of the host's may have broken off a
--- `tell` of his: nobody tells any more.
---@param file string
---@param owner { held: table? }
function guard.release(file, owner)
  if owner.held then
    owner.held:release()
    telling[id_of(file)] = nil
  end
end

--- Takes the lock. Waits for who has it, and tells `on_wait` of them once. The owner has it as
--- `held` from the moment on in which it is taken; one that is `closed` takes none.
---@param file string
---@param owner { held: table?, closed: boolean? }
---@param on_wait? fun(holder: string)
---@param patience? number seconds
---@return true|nil
---@return gptimage2.Error|nil err
function guard.take(file, owner, on_wait, patience)
  if telling[id_of(file)] then
    return core.cannot_wait()
  end
  local limit = core.now() + (patience or PATIENCE)
  local told = false
  while not owner.closed do
    local held, err, holder = core.disk.lock(file, owner)
    if held then
      return true
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
  return failure.new("store_failed", "it was closed meanwhile", { file = file })
end

return guard
