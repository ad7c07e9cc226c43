--- A batch's rows as they are told before anything is sent: what is wrong with them, or what they
--- would cost.

local codes = require("gptimage2.command.parts.codes")
local text = require("gptimage2.command.parts.text")

local batch_view = {}

local MOST_WRONG = 20 -- rows whose faults are told
local TOGETHER = 256 -- lines that are written at once

batch_view.GIVEN_UP = "its attempt came to nothing, and may have been paid"

local COLOURS = { new = "yellow", failed = "red", unknown = "red", given_up = "red", done = "dim" }

--- Who tells what is wrong with rows, and after the last one that nothing was sent.
---@param out gptimage2.command.Output
---@return { tell: fun(err: table, row: integer), conclude: fun(plan: table): integer }
function batch_view.wrong(out)
  local told = 0
  return {
    tell = function(err, row)
      told = told + 1
      if told <= MOST_WRONG then
        out:fail(err, { row = row })
      end
    end,
    conclude = function(plan)
      return batch_view.conclude_wrong(out, plan)
    end,
  }
end

--- Rows are wrong: nothing was sent.
---@param out gptimage2.command.Output
---@param plan gptimage2.batch.Plan
---@return integer status
function batch_view.conclude_wrong(out, plan)
  local rows = text.count(plan.wrong, "row is", "rows are")
  out:note(("%s wrong, of %d: nothing was sent"):format(rows, plan.count))
  out:object({ type = "batch", ok = false, wrong = plan.wrong, credits = 0, exit = codes.usage })
  return codes.usage
end

--- What may have been meant otherwise.
---@param plan gptimage2.batch.Plan
---@param out gptimage2.command.Output
function batch_view.warn(plan, out)
  for _, message in ipairs(plan.warnings) do
    out:note(message)
    out:object({ type = "warning", path = plan.source.name, reason = message })
  end
end

--- The words of a row's state.
local function reason_of(plan, i)
  local state, reason = plan.states[i], plan.reasons[i]
  if state == "unknown" then
    reason = "it may have been paid: see gptimage2 recover"
  elseif state == "given_up" then
    reason = batch_view.GIVEN_UP
  end
  return reason and "  " .. text.clean(reason) or ""
end

local function show_row(plan, out, i)
  local state, cost = plan.states[i], plan.costs_now[i] or 0
  local words = out:paint(text.pad((state:gsub("_", " ")), 9), COLOURS[state])
  local place = plan:pattern(i)
  local shown = cost > 0 and ("%d"):format(cost) or ""
  out:line(
    ("%s  row %-6d %4s  %s%s"):format(words, i, shown, text.clean(place), reason_of(plan, i))
  )
  out:object({
    type = "row",
    row = i,
    line = plan.lines[i],
    state = state,
    cost = cost,
    hash = plan.hashes[i],
    k = plan.ks[i],
    file = place,
    reason = plan.reasons[i],
  })
end

--- "3 new, 2 done", those that are most first.
local function counted(states_of)
  local names = {}
  for name in pairs(states_of) do
    names[#names + 1] = name
  end
  table.sort(names, function(a, b)
    return states_of[a] > states_of[b] or states_of[a] == states_of[b] and a < b
  end)
  for i, name in ipairs(names) do
    names[i] = ("%d %s"):format(states_of[name], (name:gsub("_", " ")))
  end
  return names[1] and table.concat(names, ", ") or "no rows"
end

--- Shows each row with its state and cost, then the total.
---@param plan gptimage2.batch.Plan
---@param out gptimage2.command.Output
---@param status? integer the exit code; done where nothing was meant but to show it
---@return integer status
function batch_view.show(plan, out, status)
  status = status or codes.done
  for first = 1, plan.count, TOGETHER do
    out:together(function()
      for i = first, math.min(first + TOGETHER - 1, plan.count) do
        show_row(plan, out, i)
      end
    end)
  end
  out:line(("%d credits; %s"):format(plan.cost, counted(plan.states_of)))
  out:object({
    type = "plan",
    cost = plan.cost,
    rows = plan.count,
    counts = plan.states_of,
    exit = status,
  })
  return status
end

return batch_view
