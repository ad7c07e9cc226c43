--- Where to kill: a line for each attempt, with its name and the places for the first run and two
--- recoveries.
---
--- Arguments: "short", "long" (every call that was recorded) or "more" (the calls after those, as
--- long as a run is still killed there: threads make the counts vary), and the folder of the runs.

local form, folder = arg[1], arg[2]

--- Not worth a kill, and why.
local SKIPPED = {
  execve = "strace's own: nothing of the worker has run yet",
}

--- Durable writes, sends, and what lies next to them.
local SHORT = {
  "fsync",
  "fdatasync",
  "pwrite64",
  "sendto",
  "recvfrom",
  "write",
  "connect",
  "renameat2",
}

--- How many of a call's places the short form takes at most, by thread.
local SHORT_MOST = { main = 1, io = 2 }

--- Where the process is stopped and continued, if it is, and how many of a call's places.
local STOPS = { "connect", "sendto", "recvfrom", "pwrite64", "fdatasync" }
local STOPS_MOST = form == "short" and 1 or 8

--- State after state in which every call of a recovery is killed, too.
local SWEPT = { "io:sendto:1", "io:recvfrom:1" }

--- The calls of a recorded run: name -> count.
local function counts(path)
  local found = {}
  for line in io.lines(path) do
    local call = line:match("^([%w_]+)%(")
    if call and not SKIPPED[call] then
      found[call] = (found[call] or 0) + 1
    end
  end
  return found
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function place(thread, call, k)
  return ("%s:%s:%d"):format(thread, call, k)
end

--- Every call, and one more of each.
local function all(thread, map, places)
  for _, call in ipairs(sorted_keys(map)) do
    for k = 1, map[call] + 1 do
      places[#places + 1] = place(thread, call, k)
    end
  end
end

--- At most so many places of a call, spread evenly.
local function spread(thread, call, count, most, places)
  local taken = math.min(count, most)
  for i = 1, taken do
    places[#places + 1] = place(thread, call, 1 + (i - 1) * count // taken)
  end
end

--- Some of the calls that matter.
local function some(thread, map, places)
  for _, call in ipairs(SHORT) do
    spread(thread, call, map[call] or 0, SHORT_MOST[thread], places)
  end
end

local function emit(first, second, third)
  local name = table.concat({ first, second, third }, "+"):gsub(":", ".")
  print(table.concat({ name, first, second, third }, "\t"))
end

--- A run that is stopped is not killed.
local function stop(map)
  local places = {}
  for _, call in ipairs(STOPS) do
    spread("stop", call, map[call] or 0, STOPS_MOST, places)
  end
  for _, first in ipairs(places) do
    emit(first)
  end
end

--- Each place is once the first kill, once the second, once the third.
local function pair_up(places)
  local n = #places
  for i, first in ipairs(places) do
    emit(first, places[(i * 7 + n // 3) % n + 1], places[(i * 11 + n // 2) % n + 1])
  end
end

--- In a state that matters, a recovery of one job is killed at every call that matters.
local function sweep(main, io_calls)
  local places = {}
  for _, call in ipairs(SHORT) do
    all("main", { [call] = main[call] }, places)
    all("io", { [call] = io_calls[call] }, places)
  end
  for _, first in ipairs(SWEPT) do
    for i, second in ipairs(places) do
      emit(first, second, places[(i * 5) % #places + 1])
    end
  end
end

--- Calls that still killed at the last place tried: one further place each.
local function more()
  local last, killed = {}, {}
  for line in io.popen(("cat '%s'/*/result"):format(folder)):lines() do
    local thread, call, k, outcome = line:match("^%S+ (%a+):([%w_]+):(%d+) (%S+)")
    local which = thread .. ":" .. call
    k = tonumber(k)
    if k > (last[which] or 0) then
      last[which] = k
      killed[which] = outcome == "killed"
    end
  end
  for _, which in ipairs(sorted_keys(last)) do
    if killed[which] then
      emit(("%s:%d"):format(which, last[which] + 1), "io:sendto:2", "main:openat:40")
    end
  end
end

if form == "more" then
  return more()
end
local main = counts(folder .. "/record-main/main.trace")
local io_calls = counts(folder .. "/record-thread/thread.trace")
local take = form == "short" and some or all
local places = {}
take("main", main, places)
take("io", io_calls, places)
pair_up(places)
if os.getenv("KILL_STOPS") then
  stop(io_calls)
end
if form == "long" and os.getenv("KILL_JOBS") == "1" then
  sweep(main, io_calls)
end
