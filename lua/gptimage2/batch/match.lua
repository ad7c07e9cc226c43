--- Which job of the ledger is which of equal rows. Rows of one request differ in nothing but their
--- places: where rows moved, a picture stays with the row that names its file, and only the rest is
--- told apart by the order in the file.

local core = require("gptimage2.core")
local lookup = require("gptimage2.batch.lookup")
local names = require("gptimage2.batch.names")

local match = {}

--- Equal rows, of which one at least names its file: other places follow from what a row is.
local function groups(plan)
  local named, found = {}, {}
  for i in pairs(plan.files) do
    named[plan.hashes[i]] = true
  end
  for i = 1, plan.count do
    local hash = plan.hashes[i]
    if named[hash] then
      found[hash] = found[hash] or {}
      table.insert(found[hash], i)
    end
  end
  return found
end

--- The rows that name a file, by all its names: as they are spelled, and those that are there by
--- what they are, for folders have many names.
local function wanted_by(plan, members)
  local spelled, there, count = {}, {}, 0
  for _, i in ipairs(members) do
    local place = plan.files[i] and plan:place(i)
    for _, paths in ipairs(place and names.candidates(plan.base, place, plan.counts[i]) or {}) do
      for _, path in ipairs(paths) do
        local id = core.disk.look(path) == "file" and core.file_id(path)
        spelled[plan:absolute(path)] = i
        if id then
          there[id], count = i, count + 1
        end
      end
    end
  end
  return spelled, there, count > 0
end

--- The first row, still without a job, that one of the files is of.
local function row_of(files, rows, jobs, name_of)
  for _, path in ipairs(files) do
    local name = name_of(path)
    local i = name and rows[name]
    if i and not jobs[i] then
      return i
    end
  end
end

--- The jobs that are paid: as many as there are rows, and where files lie that are not known yet,
--- all that equal rows ever had.
local function read_jobs(plan, finder, hash, most, has_more)
  local list, k = {}, 0
  while true do
    k = k + 1
    local which = { salt = plan.salt, hash = hash, k = k }
    local attempt, err = lookup.attempt(finder, which, plan.retry)
    if not attempt then
      return nil, err
    elseif k > most and (not has_more or not attempt.row and attempt.t == 0) then
      return list
    elseif attempt.meaning == "paid" and attempt.row.files[1] then
      list[#list + 1] = { k = k, files = attempt.row.files }
    end
  end
end

--- Gives the rest what is left, in the order of the file.
local function deal(plan, members, jobs, taken)
  local k, moved = 0, false
  for _, i in ipairs(members) do
    local mine = jobs[i]
    while not mine do
      k = k + 1
      mine = not taken[k] and k or nil
    end
    moved = moved or plan.ks[i] ~= mine and not plan.files[i]
    plan.ks[i] = mine
  end
  return moved
end

local function itself(path)
  return path
end

local function match_group(plan, finder, hash, members)
  local spelled, there, has_more = wanted_by(plan, members)
  local list, err = read_jobs(plan, finder, hash, #members, has_more)
  if not list then
    return nil, err
  end
  local jobs, taken = {}, {}
  for _, pass in ipairs({ { there, core.file_id }, { spelled, itself } }) do
    for _, job in ipairs(list) do
      local i = not taken[job.k] and row_of(job.files, pass[1], jobs, pass[2])
      if i then
        jobs[i], taken[job.k] = job.k, true
      end
    end
  end
  return true, nil, deal(plan, members, jobs, taken)
end

--- Gives each row its `k`.
---@param plan gptimage2.batch.Plan
---@param finder table|false of the ledger
---@return boolean|nil ok
---@return gptimage2.Error|nil err
---@return boolean|nil moved whether one without a file has another, and so another place
function match.of(plan, finder)
  local moved = false
  for hash, members in pairs(finder and next(plan.files) and groups(plan) or {}) do
    local ok, err, other = match_group(plan, finder, hash, members)
    if not ok then
      return nil, err
    end
    moved = moved or other
  end
  return true, nil, moved
end

return match
