--- The judge: compares what the service's books say was paid with what the first run told, what the
--- recovery reported and which pictures are there.
---
--- Arguments: folder of the runs, the books, the plan. Status 1 when something is wrong.

local folder, books_path, plan_path = arg[1], arg[2], arg[3]

local JOBS = 3
local COMPLAINTS_MOST = 60

--- States of the ledger that say that a person has to look.
local REPORTED = { reported = true, unknown = true }

local function split(line)
  local fields = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do
    fields[#fields + 1] = field
  end
  return fields
end

local function lines_of(path)
  local list = {}
  local file = io.open(path)
  for line in file and file:lines() or function() end do
    list[#list + 1] = line
  end
  if file then
    file:close()
  end
  return list
end

--- Prompt -> how many jobs were paid, how many times they were posted.
local function read_books()
  local books = {}
  for _, line in ipairs(lines_of(books_path)) do
    local prompt, _, kept, posts = table.unpack(split(line))
    local entry = books[prompt] or { paid = 0, posts = 0 }
    books[prompt] = entry
    entry.paid = entry.paid + (tonumber(kept) > 0 and 1 or 0)
    entry.posts = entry.posts + tonumber(posts)
  end
  return books
end

--- What the host was told: what -> its last line, as fields by name; and all lines.
local function read_told(run)
  local told, list = {}, {}
  for _, line in ipairs(lines_of(run .. "/told")) do
    local what, status, kind, code, charged, id, message = table.unpack(split(line))
    local entry = { what = what, status = status, kind = kind, code = code }
    entry.charged, entry.id, entry.message = charged, id, message
    told[what] = entry
    list[#list + 1] = entry
  end
  return told, list
end

--- Number of a job -> what the recovery said of it.
local function read_report(run)
  local report = {}
  for _, line in ipairs(lines_of(run .. "/report")) do
    local n, state, id, _, note = table.unpack(split(line))
    if tonumber(n) then
      report[tonumber(n)] = { state = state, id = id, note = note }
    end
  end
  return report
end

local function is_whole(path)
  local file = io.open(path, "rb")
  local bytes = file and file:read("a") or ""
  if file then
    file:close()
  end
  return bytes:sub(1, 8) == "\137PNG\r\n\26\n" and bytes:sub(-8, -5) == "IEND"
end

local function has_picture(run, n)
  return is_whole(("%s/%d.png"):format(run, n)) or is_whole(("%s/more/%d.png"):format(run, n))
end

local sums = { faults = 0, calls = 0, lost = 0, twice = 0, wrong = 0, missed = 0 }
local complaints = 0

local function complain(sort, name, text)
  sums[sort] = sums[sort] + 1
  complaints = complaints + 1
  if complaints <= COMPLAINTS_MOST then
    print(("  %s: %s: %s"):format(sort:upper(), name, text))
  end
end

local function describe(entry)
  if not entry then
    return "nothing"
  end
  return ("%s, %s/%s, charged %s: %s"):format(
    entry.status,
    entry.kind,
    entry.code,
    entry.charged,
    entry.message
  )
end

--- How the processes ended.
local function judge_ends(name, first, second)
  if first == 124 or first == 137 then
    complain("wrong", name, "the program hangs")
  elseif first ~= 0 then
    complain("wrong", name, ("the program ended with status %d"):format(first))
  end
  if second ~= 0 then
    complain("wrong", name, ("the recovery ended with status %d"):format(second))
  end
end

--- Whether everything that must be told was told, and nothing raised.
local function judge_told(name, told, list)
  for _, entry in ipairs(list) do
    if entry.status == "raised" or entry.kind == "raised" then
      complain("wrong", name, ("%s raised: %s"):format(entry.what, entry.message))
    elseif entry.status == "not done" then
      complain("wrong", name, entry.what .. " never ended")
    end
  end
  for n = 1, JOBS do
    if not told["job " .. n] and not told.new then
      complain("wrong", name, ("nothing was told of job %d"):format(n))
    end
  end
end

--- An interruption is nobody's business.
local function judge_interruption(name, faults, told)
  if not faults:find(":EINTR:", 1, true) then
    return
  end
  for _, what in ipairs({ "new", "job 1", "job 2", "job 3", "save 1", "save 2", "save 3" }) do
    local entry = told[what]
    if entry and entry.status ~= "succeeded" then
      complain("wrong", name, ("interrupted: %s: %s"):format(what, describe(entry)))
    end
  end
end

--- A libcurl that could not be loaded once is loaded by the next job.
local function judge_loading(name, faults, told)
  local refused = 0
  for n = 1, JOBS do
    local entry = told["job " .. n]
    refused = refused + (entry and entry.code == "libcurl_unavailable" and 1 or 0)
  end
  if refused > 1 and faults:find(":%d+$") then
    complain("wrong", name, ("%d jobs could not load libcurl, for one fault"):format(refused))
  end
end

--- A ledger that cannot be written for ever, and failed one job, takes no other.
local function judge_spending(name, faults, told)
  local third = told["job 3"]
  for n = 1, 2 do
    local entry = told["job " .. n]
    if
      entry
      and entry.code == "ledger_unwritable"
      and faults:find("%+")
      and third
      and third.kind ~= "ledger"
    then
      complain("wrong", name, ("job %d had no ledger; job 3: %s"):format(n, describe(third)))
    end
  end
end

local function judge_files(name, run, faults)
  for _, line in ipairs(lines_of(run .. "/left")) do
    if line:find("^half") or not faults:find("unlinkat", 1, true) then
      complain("wrong", name, line)
    end
  end
end

--- "finished", "reported", "told" (an error, and nothing was paid), "lost".
local function fate(run, n, paid, entry, report)
  if report and report.state == "succeeded" and has_picture(run, n) then
    return "finished"
  elseif not paid then
    return (entry or report) and "told" or "lost"
  elseif report and REPORTED[report.state] then
    return "reported"
  end
  return "lost"
end

local function judge_jobs(name, run, books, told, row)
  local report = read_report(run)
  for n = 1, JOBS do
    local first = books[("%s %d"):format(name, n)] or { paid = 0, posts = 0 }
    local again = books[("%s again %d"):format(name, n)] or { paid = 0, posts = 0 }
    local entry = told["job " .. n] or told.new
    local paid = first.paid + again.paid
    local result = fate(run, n, paid > 0, entry, report[n])
    row[result] = row[result] + 1
    if entry and entry.status == "succeeded" then
      row.unharmed = row.unharmed + 1
    end
    local story = ("job %d, paid %d times; told: %s; in the ledger: %s"):format(
      n,
      paid,
      describe(entry),
      report[n] and report[n].state or "nothing"
    )
    if result == "lost" then
      complain("lost", name, story)
    elseif result == "reported" and entry and entry.charged == "no" then
      complain("wrong", name, "told as not charged: " .. story)
    end
    if first.paid + again.paid > 1 or first.posts + again.posts > 1 then
      complain("twice", name, story)
    end
  end
end

--- The job that is cancelled before anything can have been sent: nobody may think otherwise, unless
--- its row could not be told, from which a later process would send it.
local function judge_held(name, told, row)
  local is_left = row and row.state == "intent"
  if row and row.charged ~= "no" then
    complain("wrong", name, ("job 6 was not sent: %s, charged %s"):format(row.state, row.charged))
  elseif told and (told.charged == "yes" or told.charged == "unknown" and not is_left) then
    complain("wrong", name, "job 6 was not sent: " .. describe(told))
  end
end

--- Jobs of the second client: none is posted twice, and what was paid is in its ledger and not
--- called "not charged".
local function judge_others(name, run, books, told)
  local states = {}
  for _, line in ipairs(lines_of(run .. "/rows")) do
    local n, state, charged = table.unpack(split(line))
    states[n] = { state = state, charged = charged }
  end
  judge_held(name, told["job 6"], states["6"])
  for _, n in ipairs({ "4", "5" }) do
    local paid = books[name .. " " .. n] or { paid = 0, posts = 0 }
    local entry, row = told["job " .. n], states[n]
    local story = ("job %s, paid %d times; told: %s; in the ledger: %s, charged %s"):format(
      n,
      paid.paid,
      describe(entry),
      row and row.state or "nothing",
      row and row.charged or "-"
    )
    if paid.paid > 0 and (not row or row.state == "intent") then
      complain("lost", name, story)
    elseif paid.paid > 0 and (row.charged == "no" or entry and entry.charged == "no") then
      complain("wrong", name, "told as not charged: " .. story)
    end
    if paid.posts > 1 then
      complain("twice", name, story)
    end
  end
end

local rows, order = {}, {}

local function row_of(key)
  if not rows[key] then
    rows[key] = { places = 0, unharmed = 0, finished = 0, reported = 0, told = 0, lost = 0 }
    order[#order + 1] = key
  end
  return rows[key]
end

--- One attempt of the plan.
local function judge(books, line)
  local name, thread, faults = line:match("^(%S+)\t(%S+)\t(.*)$")
  local run = folder .. "/" .. name
  local result = lines_of(run .. "/result")[1]
  if not result then
    return complain("wrong", name, "no attempt was made")
  end
  local injected, first, second = result:match("(%d+) (%d+) (%d+)$")
  if injected == "0" then
    sums.missed = sums.missed + 1
  else
    sums.faults = sums.faults + 1
    sums.calls = sums.calls + tonumber(injected)
  end
  local together = faults:find("\t", 1, true)
  local key = together and "together" or faults:match("^([%w_]+:%w+)") or "file size"
  local row = row_of(thread .. " " .. key)
  local told, list = read_told(run)
  row.places = row.places + 1
  judge_ends(name, tonumber(first), tonumber(second))
  judge_told(name, told, list)
  judge_interruption(name, faults, told)
  judge_loading(name, faults, told)
  judge_spending(name, faults, told)
  judge_files(name, run, faults)
  judge_jobs(name, run, books, told, row)
  judge_others(name, run, books, told)
end

local COLUMNS = "  %-34s %6s %9s %9s %9s %6s %5s"

local function print_rows()
  print(COLUMNS:format("what failed", "places", "unharmed", "finished", "reported", "told", "lost"))
  for _, key in ipairs(order) do
    local row = rows[key]
    print(
      COLUMNS:format(key, row.places, row.unharmed, row.finished, row.reported, row.told, row.lost)
    )
  end
end

local books = read_books()
local plan = lines_of(plan_path)
for _, line in ipairs(plan) do
  judge(books, line)
end
print_rows()
print(
  ("%d runs with %d jobs each, %d calls failed; in %d runs the call never came; %d wrong"):format(
    #plan,
    JOBS,
    sums.calls,
    sums.missed,
    sums.wrong
  )
)
if sums.missed * 5 > #plan then
  error("strace did not inject as it was told: this proves nothing", 0)
end
print(("%d faults injected, %d lost, %d paid twice"):format(sums.faults, sums.lost, sums.twice))
os.exit(sums.lost == 0 and sums.twice == 0 and sums.wrong == 0)
