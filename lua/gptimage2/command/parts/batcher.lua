--- A batch under way: what it tells, and what came of it.

local batch = require("gptimage2.batch")
local batch_view = require("gptimage2.command.parts.batch_view")
local checking = require("gptimage2.assets.plan.check")
local codes = require("gptimage2.command.parts.codes")
local output = require("gptimage2.command.parts.output")
local record = require("gptimage2.command.parts.record")
local text = require("gptimage2.command.parts.text")
local work = require("gptimage2.command.parts.work")

local batcher = {}

local AT_ONCE = 8

---@class gptimage2.command.Batcher: gptimage2.command.Work
---@field plan gptimage2.batch.Plan
---@field in_flight table[] what goes on at the service without us
local Batcher = work.class()

local COLOURS = { made = "green", fetched = "green", failed = "red", unknown = "red" }

local function name_of(self, row)
  return ("row %d"):format(row) .. (self.plan.files[row] and " " .. self.plan.files[row] or "")
end

local function object_of(event)
  return {
    type = event.type,
    row = event.row,
    line = event.line,
    hash = event.hash,
    key = (event.type == "unknown" or event.type == "given_up") and event.key or nil,
    job = event.job,
    files = event.files and record.list(event.files),
    metadata = event.metadata,
    error = event.error and output.error_fields(event.error) or nil,
    done = event.done,
    total = event.total,
    credits = event.credits,
  }
end

--- What is said of a row that has its pictures, or has not.
local function words_of(self, event)
  local name = text.clean(name_of(self, event.row))
  if event.files then
    local files = text.clean(table.concat(event.files, " "))
    return ("%s  %s  %d/%d"):format(name, files, event.done, event.total)
  elseif event.type == "unknown" then
    local words =
      "%s: %s; look at your account, then: gptimage2 resolve %s resend, abandon or its id"
    local why = event.error and output.paid_words_of(event.error) or "it may have been paid"
    return words:format(name, why, event.key)
  end
  local words = event.error and output.paid_words_of(event.error)
  return ("%s: %s"):format(name, words or "it is not there")
end

--- A picture may be of another kind than its name says.
local function warn(self, event)
  for _, path in ipairs(self.plan.files[event.row] and event.files or {}) do
    local reason = checking.wrong_type(path)
    if reason then
      self.out:note(("%s: %s"):format(path, reason))
      self.out:object({ type = "warning", path = path, reason = reason })
    end
  end
end

--- One event of the batch.
function Batcher:tell(event)
  if event.type == "begun" then
    self.names[event.key] = name_of(self, event.row)
    return
  end
  self.names[event.key] = nil
  self.credits, self.total = event.credits, event.total
  if event.type == "in_flight" then
    self.in_flight[#self.in_flight + 1] = event
    return
  end
  local counter = event.files and "done" or "failures"
  self[counter] = self[counter] + 1
  self.out:line(
    self.out:paint(text.pad(event.type, 8), COLOURS[event.type]) .. "  " .. words_of(self, event)
  )
  self.out:object(object_of(event))
  warn(self, event)
end

--- What goes on at the service without us; gives how many may have been paid, and nobody knows, and
--- the credits that all of it took, and how many of it go on at the
--- service, and were not sent.
function Batcher:show_in_flight()
  local unknown, credits, flying, unsent = 0, 0, 0, 0
  for _, event in ipairs(self.in_flight) do
    local meaning, job, spent = batch.left(self.client, event.key)
    credits = credits + (self.plan.costs_now[event.row] and spent or 0)
    if meaning == "unknown" then
      unknown = unknown + 1
      event.type, event.error = "unknown", nil
      self.out:line(text.pad("unknown", 8) .. "  " .. words_of(self, event))
      self.out:object(object_of(event))
    elseif job then
      flying = flying + 1
      local words = "in flight  row %d: job %s; the same command takes it up"
      self.out:line(words:format(event.row, text.clean(job)))
      self.out:object({ type = "in_flight", row = event.row, job = job })
    else -- recorded, perhaps, and not sent
      unsent = unsent + 1
    end
  end
  return unknown, credits, flying, unsent
end

--- One that somebody gave up by hand: it is settled, and nothing is to be done for it.
local function given_up_words(plan, i)
  local name = text.clean(name_of({ plan = plan }, i))
  return ("given up  %s: %s"):format(name, batch_view.GIVEN_UP)
end

--- Tells the rows that no batch makes any more, and those that none makes before a person has said
--- what they are; gives how many these are.
local function show_stuck(plan, out)
  for i = 1, (plan.states_of.unknown or plan.states_of.given_up) and plan.count or 0 do
    local event = { type = plan.states[i], row = i, line = plan.lines[i], hash = plan.hashes[i] }
    if event.type == "unknown" then
      event.key = plan:key(i)
      out:line(text.pad("unknown", 8) .. "  " .. words_of({ plan = plan }, event))
      out:object(object_of(event))
    elseif event.type == "given_up" then
      event.key = plan:key(i)
      out:line(given_up_words(plan, i))
      out:object(object_of(event))
    end
  end
  return plan.states_of.unknown or 0
end

--- Rows that were made before, for who reads the objects: all of them have their files there.
local function show_done(plan, out)
  for i = 1, out.json and plan.count or 0 do
    if plan.states[i] == "done" then
      local made = plan:row(i)
      out:object({
        type = "kept",
        row = i,
        line = plan.lines[i],
        hash = plan.hashes[i],
        files = record.list(plan:there(i)),
        metadata = made and made.metadata,
      })
    end
  end
end

--- Whether the budget was not enough.
local function is_over(plan)
  return (plan.left_out or 0) > 0
end

local function summary(report, plan, stuck)
  local parts = {
    ("made %s for %d credits"):format(text.count(report.made, "row"), report.credits),
  }
  local more = {
    { report.fetched, "fetched" },
    { plan.states_of.done or 0, "there before" },
    { report.failed, "failed" },
    { report.unknown + stuck, "that may have been paid" },
    { plan.states_of.given_up or 0, "given up" },
    { report.in_flight or 0, "in flight" },
    { report.left, "not tried" },
  }
  for _, one in ipairs(more) do
    parts[#parts + 1] = one[1] > 0 and ("%d %s"):format(one[1], one[2]) or nil
  end
  if is_over(plan) then
    parts[#parts + 1] = ("the budget was not enough for %d"):format(plan.left_out)
  end
  return table.concat(parts, ", ")
end

--- The exit code.
local function status_of(report, plan, stuck, interrupted)
  if interrupted then
    return codes.interrupted
  end
  if report.errors[1] then
    return codes.of_all(report.errors, report.made + report.fetched > 0)
  elseif stuck > 0 then
    return codes.some_failed
  end
  return is_over(plan) and codes.money or codes.done
end

local function conclude(report, plan, out, stuck, interrupted)
  local status = status_of(report, plan, stuck, interrupted)
  out:line(summary(report, plan, stuck))
  out:object({
    type = "batch",
    ok = status == codes.done,
    made = report.made,
    fetched = report.fetched,
    kept = plan.states_of.done or 0,
    failed = report.failed,
    unknown = report.unknown + stuck,
    given_up = plan.states_of.given_up or 0,
    left = report.left,
    credits = report.credits,
    over = is_over(plan),
    exit = status,
  })
  return status
end

--- Tells that nothing is to be done.
---@param plan gptimage2.batch.Plan
---@param out gptimage2.command.Output
---@return integer status
function batcher.conclude_idle(plan, out)
  show_done(plan, out)
  local nothing = { made = 0, fetched = 0, failed = 0, unknown = 0, credits = 0, left = 0 }
  nothing.errors = {}
  return conclude(nothing, plan, out, show_stuck(plan, out), false)
end

--- Makes the rows; gives the exit code.
---@param plan gptimage2.batch.Plan
---@param out gptimage2.command.Output
---@param client gptimage2.Client
---@param concurrency? integer
---@return integer status
function batcher.run(plan, out, client, concurrency)
  concurrency = concurrency or AT_ONCE
  local self = setmetatable(work.fields(out, client, concurrency), Batcher)
  self.plan, self.names, self.in_flight = plan, {}, {}
  self.total = plan:count_work()
  show_done(plan, out)
  local report = self:run(function()
    return batch.run(plan, client, {
      concurrency = concurrency,
      stop = function()
        return self:is_ending()
      end,
      on_progress = function(event)
        self:tell(event)
      end,
    })
  end)
  if not report then
    return codes.interrupted
  end
  local unknown, credits, flying, unsent = self:show_in_flight()
  report.in_flight = flying
  report.left = report.left + unsent
  report.unknown, report.credits = report.unknown + unknown, report.credits + credits
  return conclude(report, plan, out, show_stuck(plan, out), self.stopping)
end

return batcher
