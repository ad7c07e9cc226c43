--- The bench: runs every case in a process of its own, against a server in yet another, prints the
--- figures and writes them to results.md beside this file. Argument: the build folder.

local here, build = arg[0]:match("^(.*)/[^/]*$") or ".", assert(arg[1], "which build folder?")
local interpreter = arg[-1]
package.path = here .. "/?.lua;" .. here .. "/../helpers/?.lua;" .. package.path
package.cpath = build .. "/bench/?.so;" .. package.cpath

local figures = require("figures")
local meter = require("meter")
local report = require("report")

local ROUNDS = 15 -- of the exchanges
local WAYS = { "submit", "generate", "poll", "socket" } -- to make them: ours, and floor.c's
local JOBS, AT_ONCE, PAUSE = 2000, 64, 25 -- ms
local DURATION = 0.02 -- seconds of a job: one poll finds it running, the next one done
local LARGE = 64 * 1024 * 1024 - 65536 -- bytes: the largest image is 64 MiB
local PICTURE = 3 * 1024 * 1024 -- bytes
local LEDGER = "1000000" -- jobs in the large one
local MANY = "100000" -- jobs submitted at once
local AT_ONCE_TLS = "1000" -- and over TLS, all of them made
local SYNCED = "8" -- jobs with a ledger, one after the other
local SHARED, SHARERS = 800, 4 -- jobs of all the processes that share a ledger; 64 at once
local ENDLESS = "duration=1e8"

--- Starts the interpreter with the paths of this bench.
local function lua(...)
  return meter.start(
    "env",
    "LUA_PATH=" .. package.path,
    "LUA_CPATH=" .. package.cpath,
    interpreter,
    ...
  )
end

--- The same by a line of the shell, which runs "$@"; `name` is its "$0".
local function lua_by(line, name, words)
  local paths = { "LUA_PATH=" .. package.path, "LUA_CPATH=" .. package.cpath }
  return meter.start(
    "sh",
    "-c",
    line,
    name,
    "env",
    paths[1],
    paths[2],
    interpreter,
    table.unpack(words)
  )
end

--- A running server: { url, key, ca_file, process }.
local function serve(...)
  local process = lua(here .. "/server.lua", ...)
  local server = { process = process }
  server.url, server.key, server.ca_file = process:line(), process:line(), process:line()
  assert(server.ca_file, "the server does not start")
  return server
end

--- Reads `name value` lines to the end.
local function read(process, what)
  local found = {}
  for line in process.line, process do
    local name, value = line:match("^(%S+) (%S+)$")
    found[name or line] = tonumber(value)
  end
  assert(process:finish() == 0, what .. " failed")
  return found
end

local function run(case, ...)
  return read(lua(here .. "/" .. case .. ".lua", ...), case)
end

--- Runs a case against a server of its own.
local function run_served(options, case, ...)
  local server = serve(table.unpack(options))
  local found = run(case, server.url, server.key, ...)
  server.process:finish()
  return found
end

--- A new folder below `parent`, given to `use`, and gone afterwards.
local function with_folder(parent, use)
  local process = meter.start("mktemp", "-d", "-p", parent, "gptimage2-bench-XXXXXX")
  local folder = assert(process:line(), "no folder in " .. parent)
  process:finish()
  local ok, err = pcall(use, folder)
  meter.start("rm", "-rf", folder):finish()
  assert(ok, err)
end

-- The cases.

local results = { rounds = ROUNDS, jobs = JOBS, at_once = AT_ONCE }

function results.measure_idle()
  results.idle_none = run_served({ ENDLESS }, "idle", "0")
  results.idle_many = run_served({ ENDLESS }, "idle", "1000")
end

local function measure_frame(collector, rounds)
  local found
  with_folder(build, function(folder)
    local pictures = serve("tls=true", "duration=0", "image_bytes=" .. PICTURE)
    local others = serve(ENDLESS)
    found = run(
      "frame",
      pictures.url,
      pictures.key,
      pictures.ca_file,
      others.url,
      others.key,
      folder,
      rounds,
      collector
    )
    pictures.process:finish()
    others.process:finish()
  end)
  return found
end

function results.measure_frame()
  results.frame = measure_frame("between", "30")
  results.frame_automatic = measure_frame("automatic", "15")
end

local function run_floor(way, server, ...)
  return read(meter.start(build .. "/bench/floor", way, server.url, server.key, ...), "floor")
end

--- CPU time for an exchange by one of WAYS, in µs.
local function measure_way(way)
  local server = serve("duration=" .. DURATION)
  local work = { tostring(JOBS), tostring(AT_ONCE), tostring(PAUSE) }
  local found
  if way == "submit" or way == "generate" then
    work[#work + 1] = way
    found = run("exchange", server.url, server.key, table.unpack(work))
  else
    found = run_floor(way, server, table.unpack(work))
  end
  server.process:finish()
  results.exchanges = math.max(results.exchanges or 0, found.exchanges)
  return found.cpu / found.exchanges * 1e6
end

--- How many times `floor` the rounds of `taken` took.
local function ratios_of(taken, floor)
  local ratios = {}
  for round, time in ipairs(taken) do
    ratios[round] = time / floor[round]
  end
  return ratios
end

-- The machine is faster in one minute than in the next: what is compared was measured within the
-- same few seconds, each time in another order.
function results.measure_exchange()
  local taken = { submit = {}, generate = {}, poll = {}, socket = {} }
  for round = 1, ROUNDS do
    for i = 1, #WAYS do
      local way = WAYS[(i + round) % #WAYS + 1]
      taken[way][round] = measure_way(way)
    end
  end
  local found = {}
  for way, list in pairs(taken) do
    found[way] = figures.median(list)
    found[way .. "_best"] = figures.quantile(list, 0)
  end
  local floor = found.poll < found.socket and taken.poll or taken.socket
  found.ratios = ratios_of(taken.submit, floor)
  found.generate_ratios = ratios_of(taken.generate, floor)
  results.exchange = found
end

function results.measure_memory()
  for _, kind in ipairs({ "queued", "polled" }) do
    results[kind] = run_served({ ENDLESS }, "memory", kind, "10000", "110")
    results[kind .. "_lax"] = run_served({ ENDLESS }, "memory", kind, "10000", "200")
  end
end

function results.measure_burst()
  local server = serve(ENDLESS)
  local words = { here .. "/burst.lua", server.url, server.key, "-", "10000", "created", "110" }
  results.burst = read(lua_by('ulimit -n 128; exec "$@"', "sh", words), "burst")
  server.process:finish()
end

--- Its connections in all, which the server is asked to tell.
local function connections_in_all(server)
  server.process:ask_to_end()
  return read(server.process, "the server").connections
end

--- The same of the HTTP/2 server, from its books.
local function connections_in_books(server)
  local count = 0
  server.process:stop_reading()
  assert(server.process:finish() == 0)
  for line in io.lines(server.books) do
    count = count + (line == "connection" and 1 or 0)
  end
  return count
end

local function serve_http2(folder)
  local books = folder .. "/books"
  local process = meter.start(build .. "/tools/http2-server", books, "--delay", "20")
  local url, ca_file = process:line():match("^(https%S+) (%S+)$")
  return { process = process, books = books, url = url, ca_file = ca_file, key = "bench" }
end

local function burst_over_tls(server, in_all)
  local found = run("burst", server.url, server.key, server.ca_file, AT_ONCE_TLS, "polled", "110")
  found.connections = in_all(server)
  return found
end

function results.measure_connections()
  results.http1 = burst_over_tls(serve("tls=true", "duration=0.05"), connections_in_all)
  with_folder("/tmp", function(folder)
    results.http2 = burst_over_tls(serve_http2(folder), connections_in_books)
  end)
end

-- Another program on the same core makes a step seem longer, never shorter.
function results.measure_many()
  for _ = 1, 3 do
    local found = run_served({ "duration=0.02" }, "many", MANY)
    if not results.many or found.step_worst_us < results.many.step_worst_us then
      results.many = found
    end
  end
end

--- Milliseconds from start to end of an interpreter that runs one line.
local function time_line(line)
  local process = lua("-e", line)
  local status, wall = process:finish()
  assert(status == 0)
  return wall * 1000
end

function results.measure_require()
  local empty, loaded = {}, {}
  for i = 0, 40 do
    local a, b = time_line(""), time_line('require("gptimage2")')
    if i > 0 then -- the first of each only warms up
      empty[i], loaded[i] = a, b
    end
  end
  results.require = { empty = figures.median(empty), loaded = figures.median(loaded) }
end

local function measure_save(parent, sync)
  local found
  with_folder(parent, function(folder)
    local options = { "duration=0", "image_bytes=" .. LARGE }
    found = run_served(options, "save", folder, "15", sync)
  end)
  return found
end

function results.measure_save()
  results.save_memory = measure_save("/dev/shm", "no-sync")
  results.save_disk = measure_save(build, "sync")
end

--- The calls that wait for the disk between the words "begin" and "end" of a trace.
local function syncs_in(log)
  local count
  for line in io.lines(log) do
    if line:find('write(1, "begin', 1, true) then
      count = 0
    elseif line:find('write(1, "end', 1, true) then
      return count
    elseif count and line:find("sync(", 1, true) then
      count = count + 1
    end
  end
  error("the trace has no end")
end

function results.measure_syncs()
  with_folder(build, function(folder)
    local server, log = serve("duration=" .. DURATION), folder .. "/log"
    local words = { here .. "/syncs.lua", server.url, server.key, folder .. "/ledger", SYNCED }
    read(lua_by('exec strace -f -o "$0" -e trace=fsync,fdatasync,write "$@"', log, words), "syncs")
    server.process:finish()
    results.syncs = syncs_in(log) / tonumber(SYNCED)
  end)
end

--- Jobs a second of so many processes on one ledger.
local function measure_shared(processes)
  local began, ended = math.huge, 0
  with_folder(build, function(folder)
    local server, running = serve("duration=" .. DURATION), {}
    local jobs, at_once = SHARED // processes, AT_ONCE // processes
    for i = 1, processes do
      local path = folder .. "/ledger"
      running[i] = lua(here .. "/shared.lua", server.url, server.key, path, jobs, at_once)
    end
    for _, process in ipairs(running) do
      local found = read(process, "shared")
      began, ended = math.min(began, found.began_s), math.max(ended, found.ended_s)
    end
    server.process:finish()
  end)
  return SHARED / (ended - began)
end

function results.measure_shared()
  results.shared_by_one = measure_shared(1)
  results.shared_by_all = measure_shared(SHARERS)
end

function results.measure_ledger()
  with_folder(build, function(folder)
    results.ledger = run("ledger", folder, LEDGER, "9")
  end)
end

function results.measure_polls()
  results.learned = read(meter.start(build .. "/bench/polls"), "polls")
end

local CASES = {
  "idle",
  "frame",
  "exchange",
  "memory",
  "burst",
  "connections",
  "many",
  "require",
  "save",
  "ledger",
  "syncs",
  "shared",
  "polls",
}

local began = meter.now()
for _, name in ipairs(CASES) do
  io.stdout:write("bench: ", name, "\n")
  io.stdout:flush()
  results["measure_" .. name]()
end
results.seconds = (meter.now() - began) / 1e9
local text = report.write(results, report.machine(build))
io.stdout:write("\n", text)
local file = assert(io.open(here .. "/results.md", "w"))
assert(file:write(text))
file:close()
