--- The fault matrix: every fault of the sandbox in the phases create, poll and image, in the three
--- retry modes, against services that honour idempotency keys and that ignore them; and creates
--- over HTTP/2 that are refused or reset. expected.lua tells what must come of each.
---
--- Arguments: a folder for the pictures; optionally a text that the names of the cases must hold,
--- which are then told one by one. Exit status 1 unless all is as expected.

local case = require("spec.faults.matrix.case")
local expected = require("spec.faults.matrix.expected")
local gptimage2 = require("gptimage2")
local http2 = require("spec.faults.matrix.http2")
local judge = require("spec.faults.matrix.judge")
local sandbox_module = require("gptimage2.sandbox")

local FOLDER = assert(arg[1])
local ONLY = arg[2]
--- Cases at once. The engine downloads few pictures at a time: the others must not wait for them.
local AT_ONCE = { image = 32, others = 96, http2 = 12 }
local MODES = { "safe", "documented", "idempotent" }

local function shown(rule)
  local words = {}
  for name, value in pairs(rule) do
    if name ~= "action" then
      words[#words + 1] = ("%s=%s"):format(name, tostring(value):gsub("%c", "."))
    end
  end
  table.sort(words)
  table.insert(words, 1, rule.action)
  return table.concat(words, " ")
end

local works = {}
for _, kind in ipairs(sandbox_module.faults()) do
  works[kind.action] = kind.work
end

--- Whether a create does its work before this fault.
local function does_work(rule)
  if rule.work ~= nil then
    return rule.work
  end
  return works[rule.action]
end

local plans = { image = {}, others = {}, http2 = {} }

local function add(row, plan)
  plan.row = row
  local words = { plan.on, plan.what, plan.mode, plan.hits }
  if plan.on == "create" and plan.keys then
    words[#words + 1] = "keys " .. plan.keys
  end
  plan.name = table.concat(words, ", ")
  if not ONLY or plan.name:find(ONLY, 1, true) then
    local list = plans[plan.on] or plans.others
    list[#list + 1] = plan
  end
end

--- Each row in all modes, hitting once and for ever.
local function add_rows(on, services)
  for _, row in ipairs(expected[on]) do
    local rule = row[1]
    for _, mode in ipairs(rule.brief and { "documented" } or MODES) do
      for _, keys in ipairs(rule.first and { "honoured" } or services) do
        for _, times in ipairs({ 1, not rule.brief and math.huge or nil }) do
          add(row, {
            on = on,
            what = shown(rule),
            rule = rule,
            work = does_work(rule),
            mode = mode,
            keys = keys,
            hits = times == 1 and "once" or "for ever",
            times = times,
            attempts = rule.first and 3 or 2,
            late = on == "poll" and row[times == 1 and 2 or 3] == expected.LATE,
          })
        end
      end
    end
  end
end

local function add_tls()
  for _, row in ipairs(expected.tls) do
    for _, mode in ipairs(MODES) do
      for _, on in ipairs({ "create", "poll", "image" }) do
        add(row, {
          on = on,
          what = "tls " .. row[1],
          flaw = row[1],
          mode = mode,
          hits = "for ever",
          late = on == "poll",
        })
      end
    end
  end
end

local function add_http2()
  if not http2.is_there() then
    return print("HTTP/2 is left out: nghttp2 is not installed")
  end
  for _, row in ipairs(expected.http2) do
    for _, mode in ipairs(MODES) do
      add(row, {
        on = "http2",
        what = (row.script:gsub("%-%-", "")),
        script = row.script,
        mode = mode,
        hits = row.attempts == 1 and "one attempt" or "two attempts",
        jobs = row.jobs,
        attempts = row.attempts,
      })
    end
  end
end

--- The faults that have no row, one text each.
local function uncovered()
  local missing, has = {}, {}
  for _, on in ipairs({ "create", "poll", "image" }) do
    for _, row in ipairs(expected[on]) do
      has[on .. " " .. row[1].action] = true
      has["job " .. row[1].action] = row[1].on == "job" or nil
    end
  end
  for _, kind in ipairs(sandbox_module.faults()) do
    for _, on in ipairs(kind.phases) do
      local ours = on == "create" or on == "poll" or on == "image"
      if ours and not has[on .. " " .. kind.action] then
        missing[#missing + 1] = ("%s on %s has no row"):format(kind.action, on)
      end
    end
  end
  return missing
end

local totals = { injected = 0, lost = 0, paid_twice = 0, wrong = 0 }
local groups, twice = {}, {}

local function count(plan, found, verdict)
  local name = plan.flaw and "tls" or plan.on
  if name == "create" then
    name = "create, keys " .. plan.keys
  end
  local group = groups[name]
  if not group then
    group = { name = name, injected = 0, over = 0, told = 0, twice = 0 }
    groups[name], groups[#groups + 1] = group, group
  end
  local column = found.outcome == "ok" and "over" or "told"
  group[column] = group[column] + 1
  group.injected = group.injected + 1
  group.twice = group.twice + (verdict.allowed and 1 or 0)
  totals.injected = totals.injected + 1
  totals.lost = totals.lost + (verdict.lost and 1 or 0)
  totals.paid_twice = totals.paid_twice + (verdict.paid_twice and 1 or 0)
  if verdict.wrong then
    totals.wrong = totals.wrong + 1
    print(("WRONG  %s: %s"):format(plan.name, verdict.wrong))
  elseif ONLY then
    print(("%s: %s, %d POSTs, %d paid"):format(plan.name, found.outcome, found.posts, found.paid))
  end
  twice[plan.row] = twice[plan.row] or verdict.allowed
end

local files = 0 -- that must be there

local function worker(next_plan)
  for number, plan in next_plan do
    plan.folder = ("%s/%d"):format(FOLDER, number)
    local found = plan.script and http2.run(plan) or case.run(plan)
    local verdict = (plan.script and http2.judge or judge.case)(plan, plan.row, found)
    files = files + found.saves
    count(plan, found, verdict)
  end
end

--- All pictures are there, and nothing else.
local function check_files()
  local pipe = assert(io.popen("find '" .. FOLDER .. "' -type f | sed 's,.*/,,' | sort | uniq -c"))
  for line in pipe:lines() do
    local number, name = line:match("^%s*(%d+) (.*)$")
    if name ~= "picture-1.png" or tonumber(number) ~= files then
      totals.wrong = totals.wrong + 1
      print(("WRONG  %s files %s instead of %d"):format(number, name, files))
    end
  end
  pipe:close()
end

--- What the table says of being paid twice is true.
local function check_twice()
  for _, row in ipairs(expected.create) do
    if row[5] and not twice[row] and not ONLY then
      totals.wrong = totals.wrong + 1
      print(("WRONG  create, %s: never paid twice, and the table says so"):format(shown(row[1])))
    end
  end
end

local function report(seconds)
  for _, group in ipairs(groups) do
    local line = "%-22s %4d injected: %4d got over, %4d told as they are"
    print(line:format(group.name, group.injected, group.over, group.told))
    if group.twice > 0 then
      line = "%-22s %4d of them paid twice where the table says so: a repeated POST meets a new job"
      print(line:format("", group.twice))
    end
  end
  print(("%.0f s, %d not as expected"):format(seconds, totals.wrong))
  local line = "%d faults injected, %d lost, %d paid twice"
  print(line:format(totals.injected, totals.lost, totals.paid_twice))
end

add_rows("create", { "honoured", "ignored" })
add_rows("poll", { "honoured" })
add_rows("image", { "honoured" })
add_tls()
add_http2()

for _, text in ipairs(uncovered()) do
  totals.wrong = totals.wrong + 1
  print("WRONG  " .. text)
end

local started = gptimage2.now()
gptimage2.run(function()
  local number, tasks = 0, {}
  for name, list in pairs(plans) do
    local at = 0
    local function next_plan()
      at, number = at + 1, number + 1
      return list[at] and number, list[at]
    end
    for _ = 1, AT_ONCE[name] do
      tasks[#tasks + 1] = gptimage2.spawn(worker, next_plan)
    end
  end
  for _, task in ipairs(tasks) do
    task:wait()
  end
end)
check_files()
check_twice()
report(gptimage2.now() - started)
os.exit(totals.wrong + totals.lost + totals.paid_twice == 0, true)
