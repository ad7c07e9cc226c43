--- What lies where a row's pictures belong, and whose it is. That there is a file says nothing: it
--- is a row's own where the ledger has it under this very job, and it is a picture.

local core = require("gptimage2.core")
local names = require("gptimage2.batch.names")
local naming = require("gptimage2.files.naming")
local row_job = require("gptimage2.ledger.row_job")
local rows = require("gptimage2.ledger.rows")
local sidecar = require("gptimage2.files.sidecar")

local ground = {}

--- The files that a job's sidecar in this folder names: a folder may have moved since, and the
--- ledger has its old name.
local function described(folder, id)
  local beside = id and folder .. naming.id(id) .. ".json"
  return beside and sidecar.files(beside, id) or {}
end

--- Who tells whether a file is a job's.
local function owner(plan, row, pictures)
  local spelled, ids, beside = {}, nil, {}
  for _, path in ipairs(row.files) do
    spelled[path] = true
  end
  return function(path)
    if spelled[plan:absolute(path)] then
      return true
    end
    if not ids then
      ids = {}
      for _, one in ipairs(row.files) do
        ids[core.file_id(one) or false] = true
      end
      ids[false] = nil
    end
    if ids[core.file_id(path) or false] then
      return true
    end
    local folder = path:match("^.*/") or ""
    if #row.files >= pictures and not beside[folder] then
      beside[folder] = described(folder, row_job.id(row))
    end
    return beside[folder] ~= nil and beside[folder][path:sub(#folder + 1)] == true
  end
end

---@class gptimage2.batch.Ground
---@field whole boolean all pictures of the job are there
---@field broken string|nil a file of its own that is no picture any more
---@field stranger string|nil what lies in the place of one
---@field kind string|nil of the stranger: "file", or what is none

--- Looks at the places of a job that succeeded.
---@param plan gptimage2.batch.Plan
---@param i integer
---@param row table of the ledger
---@param pictures integer that the job has
---@return gptimage2.batch.Ground
function ground.look(plan, i, row, pictures)
  local found = { whole = pictures > 0 }
  local is_own = owner(plan, row, pictures)
  for n, paths in ipairs(names.candidates(plan.base, plan:place(i), plan.counts[i])) do
    local own, stranger, kind
    for _, path in ipairs(n <= pictures and paths or {}) do
      local what = core.disk.look(path)
      if what == "file" and is_own(path) then
        own = own or path
      elseif what and not stranger then
        stranger, kind = path, what
      end
    end
    if own and not core.disk.image_kind(own) then
      found.broken, found.whole = found.broken or own, false
    elseif not own and n <= pictures then
      found.whole = false
      found.stranger, found.kind = found.stranger or stranger, found.kind or kind
    end
  end
  return found
end

--- Whose files are in the way of others: of each path the id of its job, or its key. Reads all of
--- the ledger: for the few plans in which something is in the way.
---@param plan gptimage2.batch.Plan
---@param config { ledger: string }
---@param paths table<string, integer> path -> row
---@return table<string, string>|nil
---@return gptimage2.Error|nil err
function ground.owners(plan, config, paths)
  local spelled, owners = {}, {}
  for path in pairs(paths) do
    spelled[plan:absolute(path)] = path
    spelled[core.file_id(path) or false] = path
  end
  spelled[false] = nil
  local _, err
  if core.disk.look(config.ledger) then
    _, err = rows.each(config, {}, function(row)
      for _, file in ipairs(row.files) do
        local path = spelled[file] or spelled[core.file_id(file) or false]
        if path then
          owners[path] = row_job.id(row) or row.key
        end
      end
    end)
  end
  return not err and owners or nil, err
end

return ground
