--- Can a store be read? What is in one that cannot would be paid once more, so that is an error and
--- no empty store.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")

local access = {}

local NOTHING_THERE = 2 -- ENOENT, on all systems

--- Why the system opens nothing there, and whether that is because nothing is.
local function refusal(path)
  local handle, why, number = io.open(path, "rb")
  if handle then
    handle:close()
    return nil, false
  end
  return tostring(why), number == NOTHING_THERE
end

local function fault(root, why)
  return select(2, failure.new("store_failed", why, { file = root }))
end

local UNREADABLE = "the store cannot be read, and what is in it would be paid once more: %s"
local NOWHERE = "there is no such store, nor the folder that it would be in: a typo, or a disk "
  .. "that is not there?"

--- What keeps a store from being read; nil also where it is not there yet, and can be made.
---@param root string with a slash at its end
---@return gptimage2.Error|nil
function access.fault(root)
  local why, missing = refusal(root .. ".")
  if missing then
    local parent = root:match("^(.*/)[^/]+/+$")
    return parent and not core.is_folder(parent) and fault(root, NOWHERE) or nil
  end
  for _, name in ipairs({ "objects", "requests" }) do
    if not why then
      why, missing = refusal(root .. name .. "/.")
      why = not missing and why or nil
    end
  end
  return why and fault(root, UNREADABLE:format(why)) or nil
end

--- Why a record could not be read that should be there; nil where nothing is.
---@param root string
---@param path string
---@param why string
---@return gptimage2.Error|nil
function access.record_fault(root, path, why)
  if core.disk.look(path) then
    return fault(root, UNREADABLE:format(why))
  end
  local reason, missing = refusal(path)
  return reason and not missing and fault(root, UNREADABLE:format(reason)) or nil
end

return access
