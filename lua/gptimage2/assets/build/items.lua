--- What a build is to do about the pictures of a plan: the candidates that are made, and those that
--- were begun before.

local leftovers = require("gptimage2.assets.plan.leftovers")
local lines = require("gptimage2.assets.build.lines")
local plan = require("gptimage2.assets.plan")
local states = require("gptimage2.assets.plan.states")

local items = {}

--- What is known of a candidate. One that the lock says was made, and that waits, is fetched again
--- where no store has its very bytes.
local function candidate_of(own, found, same, hash, n)
  local known = plan.candidate(own, found, same, hash, n)
  if not same or n > (same.made or 0) then
    return known
  elseif same.n == n and not same.of or same.rejected and same.rejected[n] then
    return { t = known.t } -- nobody waits for it
  end
  if known.object and not own.store:object(known.object) then
    known.object = nil
  end
  local job = known.record and known.record.job
  if not known.row and not known.object and job then
    known.row = { meaning = "paid", job = job }
  end
  return known
end

--- Is a candidate to be gone on with, or to be made? Nothing that is paid when it is sent is, but
--- where the plan says so.
local function is_work(known, makes)
  local meaning = known.row and known.row.meaning
  if meaning == "open" or meaning == "paid" then
    return not known.object
  end
  return makes and (not meaning or meaning == "unsent")
end

--- The items of a line of the plan: what is begun, and what is to be made.
---@param run gptimage2.assets.Run
---@param found gptimage2.assets.Attempts
---@param line table of the plan
---@param list gptimage2.assets.Item[] to which they are added
function items.add(run, found, line, list)
  local own = run.project
  local picture, known_line = own.pictures[line.path], own.lock.lines[line.path]
  local same = known_line and known_line.hash == line.hash and known_line or nil
  local making = {}
  for _, n in ipairs(line.make) do
    making[n] = true
  end
  local most = math.max(states.most_wanted(picture.candidates, same), line.make[#line.make] or 0)
  for n = 1, most do
    local known = candidate_of(own, found, same, line.hash, n)
    local id = line.hash .. n
    if not run.asked[id] and is_work(known, making[n]) then
      run.asked[id] = true
      list[#list + 1] = {
        path = line.path,
        hash = line.hash,
        n = n,
        t = known.t,
        row = known.row,
        pays = not known.row or known.row.meaning == "unsent",
        record = known.record,
        picture = picture,
      }
    end
  end
end

--- What cannot be had any more and is made again: the lock says so before anything is sent.
---@param run gptimage2.assets.Run
---@param plan_lines table[]
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function items.replace_gone(run, plan_lines)
  local changed = false
  for _, line in ipairs(plan_lines) do
    local known_line = run.project.lock.lines[line.path]
    if line.state == "gone" and line.make[1] then
      local last = line.make[#line.make]
      if line.lost then
        lines.replace(known_line, line.lost, last)
        changed = true
      end
      if not line.lost or not known_line.n then
        run.remade[line.path] = last
      end
    end
  end
  return not changed or run:write_lock(true)
end

--- What nobody waits for any more: what is paid is taken into the store, and what was never sent is
--- given up.
---@param run gptimage2.assets.Run
---@param found gptimage2.assets.Attempts
---@param list gptimage2.assets.Item[]
function items.add_leftovers(run, found, list)
  for _, one in ipairs(leftovers.of(run.project, found)) do
    local id = one.hash .. one.n
    local item = { path = one.path, hash = one.hash, n = one.n, t = one.row.t }
    if one.give_up then
      item.abandon = one.row.key
    else
      item.row, item.record = one.row, one.record
    end
    if one.give_up or not run.asked[id] then
      list[#list + 1] = item
    end
  end
end

return items
