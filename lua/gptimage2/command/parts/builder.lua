--- A build under way: what it tells, and what came of it.

local assets = require("gptimage2.assets")
local build_view = require("gptimage2.command.parts.build_view")
local codes = require("gptimage2.command.parts.codes")
local output = require("gptimage2.command.parts.output")
local text = require("gptimage2.command.parts.text")
local work = require("gptimage2.command.parts.work")

local builder = {}

---@class gptimage2.command.Builder: gptimage2.command.Work
---@field told table<string, true> failures that were told as they came
local Builder = work.class()

local function name_of(one)
  local name = text.clean(one.path)
  return one.n and one.n > 1 and ("%s (candidate %d)"):format(name, one.n) or name
end

local COLOURS =
  { made = "green", restored = "green", derived = "green", failed = "red", unknown = "red" }

local function show_line(out, kind, words)
  out:line(out:paint(text.pad(kind, 8), COLOURS[kind]) .. "  " .. words)
end

local function show_failure(out, kind, one)
  local err = one.error
  show_line(out, kind, ("%s: %s"):format(name_of(one), build_view.failure(one)))
  out:object({
    type = kind,
    path = one.path,
    n = one.n,
    error = err and output.error_fields(err) or nil,
    key = one.key,
    reason = one.reason,
  })
end

--- Keeps the numbers of an event.
function Builder:count(event)
  self.credits, self.total = event.credits or self.credits, event.total or self.total
  if event.type == "made" then
    self.done = self.done + 1
  elseif event.type == "failed" or event.type == "unknown" then
    self.failures = self.failures + 1
  end
end

--- One event of the build.
function Builder:tell(event)
  local out = self.out
  self.waiting = event.type == "waiting"
  self:count(event)
  if event.type == "waiting" then
    out:note(("another build is at work here, %s: waiting for its end"):format(event.holder))
    out:object({ type = "waiting", holder = event.holder })
  elseif event.type == "failed" or event.type == "unknown" then
    if not (event.error and event.error.kind == "closed") then
      self.told[build_view.id(event)] = true
      show_failure(out, event.type, event)
    end
  else
    local count = event.total and ("  %d/%d"):format(event.done, event.total) or ""
    show_line(out, event.type, name_of(event) .. count)
    out:object({
      type = event.type,
      path = event.path,
      n = event.n,
      done = event.done,
      total = event.total,
      credits = event.credits,
    })
  end
end

--- What the report has as failed, and was not told yet; gives all of it. What is left for the next
--- build, because somebody asked for the end, has not failed.
function Builder:show_failures(report)
  local failures = {}
  for _, one in ipairs(report.failed) do
    local ours = self.stopping and one.error.kind == "closed"
    if not self.told[build_view.id(one)] and not ours then
      show_failure(self.out, "failed", one)
    end
    failures[#failures + 1] = not ours and one or nil
  end
  return failures
end

--- What may have been paid. `known`: the errors of this build, by whose they are.
function Builder:show_unknown(report, known)
  for _, one in ipairs(report.unknown) do
    local err = known[build_view.id(one)]
    local job = err and err.job_id
    show_line(self.out, "unknown", ("%s: %s"):format(name_of(one), build_view.unknown(one, job)))
    self.out:object({
      type = "unknown",
      path = one.path,
      n = one.n,
      key = one.key,
      job = job,
      reason = text.commands(one.reason),
    })
  end
end

--- What the report has that was not told yet; gives all errors, and the failures.
function Builder:show_report(report)
  local out, errors, known = self.out, {}, {}
  local failures = self:show_failures(report)
  for _, one in ipairs(failures) do
    errors[#errors + 1] = one.error
    known[build_view.id(one)] = one.error
  end
  self:show_unknown(report, known)
  for _, one in ipairs(report.unknown) do -- of an earlier build it is no error of ours
    errors[#errors + 1] = one.error or not known[build_view.id(one)] and {} or nil
  end
  for _, one in ipairs(report.warnings) do
    out:note(("%s: %s"):format(one.path, one.reason))
    out:object({ type = "warning", path = one.path, reason = one.reason })
  end
  return errors, failures
end

--- The lock could not be written at the end: what was made is paid, and is not in it.
function Builder:show_lock_error(report, errors)
  local err = report.lock_error
  if err then
    self.out:note(output.words_of(err))
    self.out:object(output.error_fields(err))
    errors[#errors + 1] = err
  end
end

--- What goes on at the service without us.
function Builder:show_in_flight(plan)
  for _, line in ipairs(self.stopping and plan.lines or {}) do
    for _, job in ipairs(line.jobs or {}) do
      local words = "%s: job %s; the next build takes it up"
      show_line(self.out, "in flight", words:format(text.clean(line.path), text.clean(job)))
      self.out:object({ type = "in_flight", path = line.path, job = job })
    end
  end
end

local function status_of(report, errors, interrupted)
  if interrupted then
    return codes.interrupted
  elseif errors[1] then
    return codes.of_all(errors, report.made + report.restored > 0)
  elseif report.over then
    return codes.money
  end
  return report.ok and codes.done or codes.some_failed
end

--- Tells what came of it; gives the exit code.
function Builder:conclude(report)
  local errors, failures = self:show_report(report)
  self:show_in_flight(report.plan)
  self:show_lock_error(report, errors)
  local status = status_of(report, errors, self.stopping)
  self.out:line(build_view.summary(report, failures))
  self.out:object({
    type = "build",
    ok = report.ok,
    made = report.made,
    restored = report.restored,
    credits = report.credits,
    over = report.over,
    exit = status,
  })
  return status
end

--- Builds; gives the report, and the exit code.
---@param path string
---@param out gptimage2.command.Output
---@param asked gptimage2.BuildOptions
---@return gptimage2.BuildReport|nil
---@return integer status
function builder.run(path, out, asked)
  local self = setmetatable(work.fields(out, asked.client), Builder)
  self.told = {}
  function asked.on_progress(event)
    self:tell(event)
  end
  function asked.stop()
    return self:is_ending()
  end
  local report, err = self:run(function()
    return assets.build(path, asked)
  end)
  if not report then
    if self.stopping then
      return nil, codes.interrupted
    end
    return nil, out:fail(err)
  end
  return report, self:conclude(report)
end

return builder
