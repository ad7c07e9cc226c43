--- What progress looks like: one line for each active job, and a total, for a terminal of a given
--- size. Pure.

local text = require("gptimage2.command.parts.text")

local progress = {}

local NAME_LEAST = 8 -- columns; under them what a job does is left out, and its name stays

---@class gptimage2.command.ProgressJob
---@field name string
---@field status string
---@field elapsed number seconds
---@field eta number|nil seconds

---@class gptimage2.command.Progress
---@field jobs gptimage2.command.ProgressJob[] active ones, oldest first
---@field done integer
---@field failed integer
---@field total integer|nil
---@field spent integer credits
---@field left integer|nil credits of the account
---@field elapsed number seconds
---@field remaining number|nil seconds

--- What a job does: "running  12 s, about 8 s left".
local function words_of(job)
  local words = ("%-8s  %s"):format(job.status, text.time(job.elapsed))
  if job.eta then
    words = ("%s, about %s left"):format(words, text.time(job.eta))
  end
  return words
end

--- The line of a job: its name has what the words leave of the width.
local function job_line(job, name_width, width)
  local name = text.clean(job.name)
  local words = words_of(job)
  if width - text.width(words) - 2 < NAME_LEAST then
    return text.cut(name, width)
  end
  local most = math.min(name_width, width - text.width(words) - 2)
  return text.pad(text.cut(name, most), most) .. "  " .. words
end

--- The total, from the longest form to the shortest.
local function totals(state)
  local running, of = #state.jobs, state.total and (" of %d"):format(state.total) or ""
  local short = state.total and ("/%d"):format(state.total) or ""
  local time = text.time(state.elapsed)
  local left = state.left and (", %.14g left"):format(state.left) or ""
  local remaining = state.remaining and (", about %s left"):format(text.time(state.remaining)) or ""
  local long = ("%d%s done, %d running, %d failed; %d credits%s; %s"):format(
    state.done,
    of,
    running,
    state.failed,
    state.spent,
    left,
    time
  )
  return {
    long .. remaining,
    long,
    ("%d%s, %d failed; %d credits%s; %s"):format(
      state.done,
      short,
      state.failed,
      state.spent,
      left,
      time
    ),
    ("%d%s, %d failed; %s"):format(state.done, short, state.failed, time),
    ("%d%s"):format(state.done, short),
  }
end

local function total_line(state, width)
  local forms = totals(state)
  for _, form in ipairs(forms) do
    if text.width(form) <= width then
      return form
    end
  end
  return text.cut(forms[#forms], width)
end

--- The lines for a terminal: none is as wide as it, so that none wraps, and they are fewer than its
--- rows.
---@param state gptimage2.command.Progress
---@param columns integer
---@param rows integer
---@return string[]
function progress.lines(state, columns, rows)
  local width, most = math.max(columns - 1, 1), math.max(rows - 2, 1)
  local lines, name_width = {}, 0
  for _, job in ipairs(state.jobs) do
    name_width = math.max(name_width, text.width(text.clean(job.name)))
  end
  local shown = #state.jobs + 1 > most and math.max(most - 2, 0) or #state.jobs
  for i = 1, shown do
    lines[i] = job_line(state.jobs[i], name_width, width)
  end
  if shown < #state.jobs and most > 1 then
    lines[#lines + 1] = text.cut(("and %d more"):format(#state.jobs - shown), width)
  end
  lines[#lines + 1] = total_line(state, width)
  return lines
end

--- How many rows lines take that were written for a wider terminal, in one of so many columns.
---@param lines string[]
---@param columns integer
---@return integer
function progress.rows(lines, columns)
  local rows = 0
  for _, line in ipairs(lines) do
    rows = rows + math.max(math.ceil(text.width(line) / math.max(columns, 1)), 1)
  end
  return rows
end

--- How long it will take to the end: those that wait follow those that run, in so many places.
---@param state gptimage2.command.Progress
---@param places integer jobs at once
---@param each number|nil seconds of one
---@return number|nil seconds
function progress.remaining(state, places, each)
  local longest = nil
  for _, job in ipairs(state.jobs) do
    local eta = job.eta or job.status == "queued" and each
    longest = eta and math.max(longest or 0, eta) or longest
  end
  local waiting = (state.total or 0) - state.done - state.failed - #state.jobs
  if waiting <= 0 then
    return longest
  elseif not each then
    return nil
  end
  return (longest or 0) + math.ceil(waiting / math.max(places, 1)) * each
end

return progress
