--- A plan as people read it, and as objects. Pure but for its output.

local record = require("gptimage2.command.parts.record")
local text = require("gptimage2.command.parts.text")

local plan_view = {}

local PATH_MOST = 48 -- columns that all paths get; a longer one moves its own line

local COLOURS = {
  new = "green",
  cached = "green",
  lost = "green",
  in_flight = "blue",
  unreviewed = "blue",
  stale = "yellow",
  failed = "yellow",
  rejected = "yellow",
  edited = "yellow",
  taken = "yellow",
  orphan = "yellow",
  gone = "red",
  unknown = "red",
  fresh = "dim",
  pinned = "dim",
}

--- The states of a plan, those with the most pictures first.
local function counted(counts)
  local names = {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return counts[a] > counts[b] or counts[a] == counts[b] and a < b
  end)
  for i, name in ipairs(names) do
    names[i] = ("%d %s"):format(counts[name], (name:gsub("_", " ")))
  end
  return names
end

--- The last line: the exact cost, and what there is.
---@param plan gptimage2.Plan
---@return string
function plan_view.total(plan)
  local parts = { ("%d credits"):format(plan.cost) }
  if plan.budget then
    local left = math.max(plan.budget - plan.spent, 0)
    parts[1] = ("%s of %.14g left"):format(parts[1], left)
  end
  local states = counted(plan.counts)
  parts[#parts + 1] = states[1] and table.concat(states, ", ") or "no pictures"
  return table.concat(parts, "; ")
end

--- What a line tells beside its path.
---@param line gptimage2.PlanLine
---@return string
local function reason_of(line)
  local reason = text.clean(text.commands(line.reason))
  if line.derive then
    reason = ("%s; then: %s"):format(reason, text.clean(table.concat(line.derive, " ")))
  end
  return reason
end

local function widest(lines)
  local width = 0
  for _, line in ipairs(lines) do
    width = math.max(width, math.min(text.width(text.clean(line.path)), PATH_MOST))
  end
  return width
end

local function object_of(line)
  local fields = {
    type = "picture",
    path = line.path,
    state = line.state,
    reason = text.commands(line.reason),
    cost = line.cost,
    make = record.list(line.make),
    hash = line.hash,
    words = line.words and record.list(line.words),
    problem = line.problem,
    jobs = line.jobs and record.list(line.jobs),
    derive = line.derive and record.list(line.derive),
    derives = line.derives,
  }
  if line.unknown then
    fields.unknown = record.list({})
    for i, one in ipairs(line.unknown) do
      fields.unknown[i] = { n = one.n, key = one.key, reason = text.commands(one.reason) }
    end
  end
  return fields
end

local function show(plan, out, status)
  local width = widest(plan.lines)
  for _, line in ipairs(plan.lines) do
    local state = out:paint(text.pad((line.state:gsub("_", " ")), 10), COLOURS[line.state])
    local path = text.pad(text.clean(line.path), width)
    local cost = line.cost > 0 and ("%d"):format(line.cost) or ""
    out:line(("%s  %s  %5s  %s"):format(state, path, cost, reason_of(line)))
    out:object(object_of(line))
  end
  out:line(plan_view.total(plan))
  out:object({
    type = "plan",
    cost = plan.cost,
    counts = plan.counts,
    clean = plan.clean,
    spent = plan.spent,
    budget = plan.budget,
    exit = status,
  })
end

--- Shows it: each picture with its state, cost and reason, then the total.
---@param plan gptimage2.Plan
---@param out gptimage2.command.Output
---@param status? integer the exit code, where that is known
function plan_view.show(plan, out, status)
  out:together(function()
    show(plan, out, status)
  end)
end

return plan_view
