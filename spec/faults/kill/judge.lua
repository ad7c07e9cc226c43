--- The judge: compares what the service's books say was paid with what the last run of each attempt
--- reported, and prints what came of the kills at each system call.
---
--- Arguments: "honours" or "ignores", number of jobs, folder of the runs, file to add the sums to,
--- "trouble", "calm", "mixed", "streams", "build" or "batch"; or "totals" and that file: prints the
--- closing line, status 1 when something is wrong.

--- What a run that went well says of a job.
local CONTENT = { succeeded = true, ["nothing to do"] = true, reported = true }

local COMPLAINTS_MOST = 20 -- for each scenario

--- The job of mixed work that is cancelled before anything can be sent (mixed.lua).
local HELD = 4

local server, jobs, folder, totals_path, mood = arg[1], tonumber(arg[2]), arg[3], arg[4], arg[5]

local MOODS = {
  trouble = " and is in trouble",
  mixed = ", mixed work",
  build = ", a build",
  batch = ", a batch",
  streams = ", HTTP/2 with streams refused and reset",
}

local function split(line)
  local fields = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do
    fields[#fields + 1] = field
  end
  return fields
end

--- Prompt -> { paid = jobs that were charged, ids = set of all }.
local function read_books()
  local books = {}
  for line in io.lines(folder .. "/books") do
    local prompt, id, kept = table.unpack(split(line))
    local entry = books[prompt] or { paid = 0, ids = {} }
    books[prompt] = entry
    entry.paid = entry.paid + (tonumber(kept) > 0 and 1 or 0)
    entry.ids[id] = true
  end
  return books
end

--- What the last run of an attempt told of job n: { state, id, picture, note }.
local function read_report(name)
  local report = {}
  local file = io.open(("%s/%s/report"):format(folder, name))
  for line in file and file:lines() or function() end do
    local n, state, id, picture, note = table.unpack(split(line))
    if tonumber(n) then
      report[tonumber(n)] = { state = state, id = id, picture = picture, note = note }
    end
  end
  if file then
    file:close()
  end
  return report
end

local sums = { faults = 0, lost = 0, twice = 0, finished = 0, reported = 0, needless = 0 }

--- What became of one job: "finished", "reported", "lost". `whole`: nobody was killed, so that all
--- must be finished.
local function fate(n, told, paid, whole)
  local charged = told and told.state:match("^cancelled:(%a+)")
  if not told or whole and told.state == "reported" then
    return "lost"
  elseif mood == "mixed" and n == HELD then
    return charged == "no" and not paid and "reported" or "lost"
  elseif charged then
    return charged == "no" and paid and paid.paid > 0 and "lost" or "reported"
  elseif told.state == "succeeded" and told.picture == "whole" and paid then
    return paid.ids[told.id] and "finished" or "lost"
  elseif told.state == "reported" and (server == "ignores" or mood == "mixed") then
    return "reported"
  elseif mood == "streams" and told.note:find("stream_refused", 1, true) then
    return paid and paid.paid > 0 and "lost" or "reported" -- refused whenever it was tried
  end
  return "lost"
end

local complaints = 0

local function complain(what, name, n, told, paid)
  complaints = complaints + 1
  if complaints > COMPLAINTS_MOST then
    return
  end
  local state = told and table.concat({ told.state, told.id, told.picture, told.note }, ", ")
  print(
    ("  %s: %s, job %d: paid %d times; %s"):format(
      what,
      name,
      n,
      paid and paid.paid or 0,
      state or "nothing in the ledger, or no run ended by itself"
    )
  )
end

local function judge_job(books, name, n, told, whole)
  local paid = books[name .. " " .. n]
  local result = fate(n, told, paid, whole)
  if result == "finished" and not CONTENT[told.note] then
    result = "lost"
  end
  sums[result] = sums[result] + 1
  if paid and paid.paid > 1 then
    sums.twice = sums.twice + 1
    complain("PAID TWICE", name, n, told, paid)
  end
  if result == "lost" then
    complain("LOST", name, n, told, paid)
  elseif result == "reported" and not paid then
    sums.needless = sums.needless + 1
  end
  return result
end

--- Thread and call of the first kill -> what came of those attempts.
local rows, order = {}, {}

local function row_of(first)
  local key = first:match("^(%a+:[%w_]+)")
  if not rows[key] then
    rows[key] = { places = 0, faults = 0, finished = 0, reported = 0, lost = 0 }
    order[#order + 1] = key
  end
  return rows[key]
end

local function judge_attempt(books, line)
  local name, first, outcome = line:match("^(%S+) (%S+) (%S+)")
  local row, stopped = row_of(first), outcome == "stopped"
  local faults = select(2, line:gsub(" killed", "")) + (stopped and 1 or 0)
  local report = read_report(name)
  row.places = row.places + ((stopped or outcome == "killed") and 1 or 0)
  row.faults = row.faults + faults
  sums.faults = sums.faults + faults
  for n = 1, jobs do
    local result = judge_job(books, name, n, report[n], stopped)
    row[result] = row[result] + 1
  end
end

local function print_rows()
  table.sort(order)
  print(
    ("  %-24s %6s %7s %9s %9s %5s"):format(
      "killed at",
      "first",
      "kills",
      "finished",
      "reported",
      "lost"
    )
  )
  for _, key in ipairs(order) do
    local row = rows[key]
    print(
      ("  %-24s %6d %7d %9d %9d %5d"):format(
        key,
        row.places,
        row.faults,
        row.finished,
        row.reported,
        row.lost
      )
    )
  end
end

local function write_sums()
  local file = assert(io.open(totals_path, "a"))
  file:write(("%d\t%d\t%d\n"):format(sums.faults, sums.lost, sums.twice))
  assert(file:close())
end

local function judge_scenario()
  print(
    ("The service %s idempotency keys%s, %d job%s at once:"):format(
      server,
      MOODS[mood] or "",
      jobs,
      jobs == 1 and "" or "s"
    )
  )
  local books, list = read_books(), {}
  local results = assert(io.popen(("cat '%s'/*/result"):format(folder)))
  for line in results:lines() do
    list[#list + 1] = line
  end
  results:close()
  for _, line in ipairs(list) do
    judge_attempt(books, line)
  end
  print_rows()
  print(
    (
      "  %d attempts, %d kills; jobs: %d finished, %d reported as unknown (%d of them not paid),"
      .. " %d lost, %d paid twice"
    ):format(
      #list,
      sums.faults,
      sums.finished,
      sums.reported,
      sums.needless,
      sums.lost,
      sums.twice
    )
  )
  if sums.faults < #list then
    error("strace did not kill as it was told: this proves nothing", 0)
  end
  write_sums()
end

local function print_totals(path)
  local faults, lost, twice = 0, 0, 0
  for line in io.lines(path) do
    local fields = split(line)
    faults = faults + tonumber(fields[1])
    lost = lost + tonumber(fields[2])
    twice = twice + tonumber(fields[3])
  end
  print(("%d faults injected, %d lost, %d paid twice"):format(faults, lost, twice))
  os.exit(lost == 0 and twice == 0 and faults > 0)
end

if server == "totals" then
  print_totals(arg[2])
else
  judge_scenario()
end
