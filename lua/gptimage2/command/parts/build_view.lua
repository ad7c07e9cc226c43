--- What came of a build, in words. Pure.

local output = require("gptimage2.command.parts.output")
local text = require("gptimage2.command.parts.text")

local build_view = {}

--- What tells a candidate from all others.
---@param one { path: string, n: integer|nil }
---@return string
function build_view.id(one)
  return ("%s %s"):format(one.path, tostring(one.n))
end

--- A failure in words. The id of what is paid is told: where the disk is full the ledger may not
--- have it.
---@param one { error: gptimage2.Error|nil, reason: string|nil }
---@return string
function build_view.failure(one)
  local err = one.error
  return err and output.paid_words_of(err) or one.reason or ""
end

--- What may have been paid, with the id of its job where this build was told it.
---@param one { reason: string }
---@param job string|nil
---@return string
function build_view.unknown(one, job)
  local words = text.clean(text.commands(one.reason))
  return job and ("%s (its job is %s)"):format(words, text.clean(job)) or words
end

local function ids_of(list)
  local ids = {}
  for _, one in ipairs(list) do
    ids[build_view.id(one)] = true
  end
  return ids
end

--- What is at the service by the report: how many, and the paths.
local function in_flight(report)
  local count, paths = 0, {}
  for _, line in ipairs(report.plan.lines) do
    if line.state == "in_flight" then
      count = count + math.max(#(line.jobs or {}), 1)
      paths[line.path] = true
    end
  end
  return count, paths
end

--- How many of what: each candidate counts once, whatever was told of it. What was made and did
--- not come to its path is counted as made, too, and so is told apart from what failed.
---@param report gptimage2.BuildReport
---@param failures table[] those of the report that are told
---@return { failed: integer, unplaced: integer, in_flight: integer }
function build_view.counts(report, failures)
  local unknown = ids_of(report.unknown)
  local flying, paths = in_flight(report)
  local found = { failed = 0, unplaced = 0, in_flight = flying }
  for _, one in ipairs(failures) do
    if one.error and one.error.kind == "build" then
      found.unplaced = found.unplaced + 1
    elseif not unknown[build_view.id(one)] and not paths[one.path] then
      found.failed = found.failed + 1
    end
  end
  return found
end

--- All of it in a line.
---@param report gptimage2.BuildReport
---@param failures table[]
---@return string
function build_view.summary(report, failures)
  local counts = build_view.counts(report, failures)
  local parts = {
    ("made %s for %d credits"):format(text.count(report.made, "picture"), report.credits),
  }
  for _, one in ipairs({
    { report.restored, "restored" },
    { counts.failed, "failed" },
    { counts.unplaced, "not put to their paths" },
    { counts.in_flight, "in flight" },
    { #report.unknown, "that may have been paid" },
    { report.plan.counts.unreviewed or 0, "to be reviewed" },
  }) do
    parts[#parts + 1] = one[1] > 0 and ("%d %s"):format(one[1], one[2]) or nil
  end
  if report.over then
    parts[#parts + 1] = ("the budget was not enough: %d credits more"):format(report.plan.cost)
  end
  return table.concat(parts, ", ")
end

return build_view
