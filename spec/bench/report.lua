--- The report: what the bench found, as Markdown.

local figures = require("figures")

local report = {}

--- The filters of the case ledger.lua.
local FILTERS = {
  "none",
  "key",
  "no_key",
  "id",
  "id_state",
  "state",
  "rare_state",
  "no_state",
  "since",
  "until",
  "since_until",
  "state_since",
  "state_until",
  "all",
}

--- The first line a command prints, or "unknown".
local function said(command)
  local pipe = io.popen(command .. " 2>/dev/null")
  local line = pipe and pipe:read("l")
  if pipe then
    pipe:close()
  end
  return line and line ~= "" and line or "unknown"
end

--- What the figures depend on; `folder` is on the disk that was written to.
---@param folder string
---@return table
function report.machine(folder)
  local quoted = "'" .. folder:gsub("'", "'\\''") .. "'"
  return {
    date = os.date("!%Y-%m-%d %H:%M UTC"),
    cpu = said("sed -n 's/^model name[[:space:]]*: //p' /proc/cpuinfo | head -n 1"),
    cores = said("nproc"),
    kernel = said("uname -sr"),
    system = said("sed -n 's/^PRETTY_NAME=\"\\(.*\\)\"/\\1/p' /etc/os-release"),
    load = said("cut -d ' ' -f 1-3 /proc/loadavg"),
    curl = said("curl --version | cut -d ' ' -f 1-4"),
    lua = said("lua5.4 -v | cut -d ' ' -f 1-2"),
    disk = said("stat -f -c %T " .. quoted),
    version = require("gptimage2")._VERSION,
  }
end

local function head(machine, results)
  return {
    "# How fast",
    "",
    "Written by `spec/run bench`; change nothing by hand.",
    "",
    ("- %s, %s, in %.0f s"):format(machine.date, machine.version, results.seconds),
    ("- %s, %s cores, %s, %s, load %s"):format(
      machine.cpu,
      machine.cores,
      machine.system,
      machine.kernel,
      machine.load
    ),
    ("- %s, %s"):format(machine.lua, machine.curl),
    "",
    "| what | measured | target | |",
    "|---|---|---|---|",
  }
end

--- Rows of the table: text, figure, its format, the target, its format or nil.
local function targets(results)
  local frame = results.frame
  local times_floor = figures.median(results.exchange.ratios)
  local times_generate = figures.median(results.exchange.generate_ratios)
  local in_memory = results.save_memory.curl_ms / results.save_memory.ours_ms
  local on_disk = results.save_disk.curl_sync_ms / results.save_disk.ours_ms
  local most = math.max
  local idle = most(results.idle_none.median_ns, results.idle_many.median_ns)
  local threads = most(results.queued.threads_more, results.polled.threads_more)
  local burst, http2, many = results.burst, results.http2, results.many
  local idle_cpu = most(results.queued.idle_cpu_ms, results.polled.idle_cpu_ms)
  local more = results.require.loaded - results.require.empty
  local slowest = 0
  for _, name in ipairs(FILTERS) do
    slowest = most(slowest, results.ledger["history_" .. name])
  end
  local learned = results.learned
  local loop = learned.world_1_loop_lag
  return {
    { "`step()` with nothing to do, median", idle, "%.0f ns", 1000 },
    { "worst `step()` of a 60 Hz loop, its CPU time", frame.cpu_worst_us, "%.0f µs", 1000 },
    { "CPU time for an exchange, against plain C", times_floor, "%.2f ×", 1.15 },
    { "the same by `generate` in 64 coroutines", times_generate, "%.2f ×", 1.3 },
    { "memory for a job that waits its turn", results.queued.bytes_each, "%.0f bytes", 2048 },
    { "memory for a job between two polls", results.polled.bytes_each, "%.0f bytes", 2048 },
    {
      "10,000 jobs at once: memory for each, at most",
      burst.bytes_each_at_most,
      "%.0f bytes",
      2048,
    },
    { "the same: descriptors, at most (`ulimit -n 128`)", burst.descriptors_at_most, "%d", 99 },
    { "the same: creates for each", burst.attempts / 10000, "%.2f", 1 },
    { "1,000 jobs at once over HTTP/2: connections, at once", http2.connections_at_most, "%d", 12 },
    { "the same: creates for each", http2.attempts / 1000, "%.2f", 1 },
    {
      "the same over TLS with HTTP/1.1: connections, at once",
      results.http1.connections_at_most,
      "%d",
      34,
    },
    { "100,000 jobs at once: memory for each", many.bytes_each, "%.0f bytes", 2048 },
    { "the same: worst `step()`, its CPU time", many.step_worst_us, "%.0f µs", 1000 },
    { "threads more with 10,000 jobs", threads, "%d", 1 },
    { "CPU time of 5 s with 10,000 waiting jobs", idle_cpu, "%.1f ms", 50 },
    { '`require("gptimage2")`', more, "%.1f ms", 5 },
    { "speed of saving 64 MB to tmpfs, against `curl`", in_memory, "%.2f ×", 0.9, true },
    { "the same to disk, against `curl` and `sync`", on_disk, "%.2f ×", 0.9, true },
    { "ledger of a million: `new`", results.ledger.new, "%.1f ms", 50 },
    { "ledger of a million: `recover`", results.ledger.recover, "%.1f ms", 50 },
    { "ledger of a million: `history`, slowest filter", slowest, "%.1f ms", 50 },
    { "waits for the disk, for a job with a ledger", results.syncs, "%.1f", 4 },
    { "four processes on one ledger, jobs a second", results.shared_by_all, "%.0f", 150, true },
    { "the same by one process", results.shared_by_one, "%.0f", 150, true },
    {
      "wait for the poll that finds a job done, after 20 jobs, against a loop of 2.5 s",
      learned.world_1_lag_20 / loop,
      "%.3f ×",
      0.66,
    },
    { "the same after 100 jobs", learned.world_1_lag_100 / loop, "%.3f ×", 0.65 },
    {
      "the same: polls",
      learned.world_1_polls_100 / learned.world_1_loop_polls,
      "%.3f ×",
      1.03,
    },
    { "CPU time to learn when to poll, at most once a second", learned.plan_us, "%.0f µs", 1000 },
    { "CPU time to choose a poll", learned.pause_ns, "%.0f ns", 1000 },
  }
end

local function row(lines, target)
  local what, figure, format, limit, at_least = table.unpack(target)
  local met
  if at_least then
    met = figure >= limit
  else
    met = figure <= limit
  end
  lines[#lines + 1] = ("| %s | %s | %s %s | %s |"):format(
    what,
    format:format(figure),
    at_least and "≥" or "≤",
    format:format(limit),
    met and "met" or "**missed**"
  )
end

local function add(lines, text, ...)
  lines[#lines + 1] = text:format(...)
end

local function add_idle(lines, results)
  add(lines, "")
  add(lines, "## step() with nothing to do")
  add(lines, "")
  add(lines, "Calls timed in batches of 100; 1,000 jobs are polled at the default pace meanwhile.")
  add(lines, "")
  add(lines, "| jobs in flight | median | 99 %% of the batches |")
  add(lines, "|---|---|---|")
  for _, found in ipairs({ results.idle_none, results.idle_many }) do
    local text = "| %d | %.0f ns | %.0f ns |"
    add(lines, text, found.pending, found.median_ns, found.p99_ns)
  end
end

local function add_frame_row(lines, what, found)
  add(
    lines,
    "| %s | %d | %.0f / %.0f µs | %.0f / %.0f µs | %.0f µs | %d |",
    what,
    found.frames,
    found.cpu_worst_us,
    found.cpu_p99_us,
    found.wall_worst_us,
    found.wall_p99_us,
    found.calm_worst_us,
    found.interrupted
  )
end

local function add_frame(lines, results)
  local noise = results.frame
  add(lines, "")
  add(lines, "## A 60 Hz loop while 16 pictures of 3 MB are saved over TLS")
  add(lines, "")
  add(lines, "1,000 more jobs wait and are polled. Each `step()` is timed by the thread's CPU time")
  add(lines, "and by the clock, which also counts the time in which the machine ran other things.")
  add(lines, "Calm steps are those in which the thread never left its core.")
  add(lines, "")
  add(
    lines,
    "| Lua's garbage collector | steps | CPU time, worst / 99 %% | clock, worst / 99 %% "
      .. "| clock, worst calm | not calm |"
  )
  add(lines, "|---|---|---|---|---|---|")
  add_frame_row(lines, "runs between the frames", results.frame)
  add_frame_row(lines, "runs when it likes, `step()` included", results.frame_automatic)
  add(lines, "")
  add(
    lines,
    "Noise of the machine: the same loop, before the pictures, woke up late by %.0f µs (median) "
      .. "to %.0f µs (worst).",
    noise.late_median_us,
    noise.late_worst_us
  )
end

local function add_exchange(lines, results)
  local found = results.exchange
  local names = {
    { "submit", "this module, all by `submit`: checks, JSON, events included" },
    { "generate", "this module, `generate` in as many coroutines" },
    { "poll", "plain C, `curl_multi_poll` and `curl_multi_perform`" },
    { "socket", "plain C, `curl_multi_socket_action` and epoll" },
  }
  add(lines, "")
  add(lines, "## CPU time for an exchange")
  add(lines, "")
  add(
    lines,
    "%d jobs, %d at once, three exchanges each: create, a poll that finds the job running, one "
      .. "that finds it done. User and system time of the client; %d alternating runs.",
    results.jobs,
    results.at_once,
    results.rounds
  )
  add(lines, "Against the faster floor of the same round:")
  add(lines, "")
  add(lines, "| way | median | half of the rounds | extremes |")
  add(lines, "|---|---|---|---|")
  for _, way in ipairs({ { "submit", found.ratios }, { "generate", found.generate_ratios } }) do
    local ratios = way[2]
    add(
      lines,
      "| `%s` | %.2f × | %.2f to %.2f | %.2f and %.2f |",
      way[1],
      figures.median(ratios),
      figures.quantile(ratios, 0.25),
      figures.quantile(ratios, 0.75),
      figures.quantile(ratios, 0),
      figures.quantile(ratios, 1)
    )
  end
  add(lines, "")
  add(lines, "| client | median | best |")
  add(lines, "|---|---|---|")
  for _, name in ipairs(names) do
    local median, best = found[name[1]], found[name[1] .. "_best"]
    add(lines, "| %s | %.1f µs | %.1f µs |", name[2], median, best)
  end
end

local function add_memory(lines, results)
  add(lines, "")
  add(lines, "## 10,000 waiting jobs")
  add(lines, "")
  add(lines, "Growth of the resident memory for each job, handles held; then 5 s of idleness.")
  add(lines, "Lua's garbage collector runs early (a pause of 110) or as Lua sets it (200): then")
  add(lines, "the process grows by as much garbage as there is memory in use.")
  add(lines, "")
  add(lines, "| where they wait | collector | bytes a job | threads more | CPU time of the 5 s |")
  add(lines, "|---|---|---|---|---|")
  local places = {
    { "for their turn", "early", results.queued },
    { "for their turn", "Lua's", results.queued_lax },
    { "between two polls", "early", results.polled },
    { "between two polls", "Lua's", results.polled_lax },
  }
  for _, place in ipairs(places) do
    local where, pause, found = table.unpack(place)
    local text = "| %s | %s | %.0f | %d | %.2f ms |"
    add(lines, text, where, pause, found.bytes_each, found.threads_more, found.idle_cpu_ms)
  end
end

local function add_bursts(lines, results)
  local burst, many = results.burst, results.many
  add(lines, "")
  add(lines, "## Many jobs at once")
  add(lines, "")
  add(
    lines,
    "10,000 creates at once, `max_active = 10000`, under `ulimit -n 128`: %.0f s; memory for each "
      .. "at most %.0f bytes while they are made, %.0f afterwards, %d connections at once.",
    burst.seconds,
    burst.bytes_each_at_most,
    burst.bytes_each_after,
    burst.connections_at_most
  )
  add(lines, "")
  add(lines, "| 1,000 jobs at once, polled to the end | connections at once | in all | time |")
  add(lines, "|---|---|---|---|")
  for _, case in ipairs({ { "HTTP/2", results.http2 }, { "TLS, HTTP/1.1", results.http1 } }) do
    local found = case[2]
    local text = "| %s | %d | %d | %.1f s |"
    add(lines, text, case[1], found.connections_at_most, found.connections, found.seconds)
  end
  add(lines, "")
  add(
    lines,
    "100,000 jobs submitted at once (%.1f µs each), 2,000 of them made and all others cancelled at "
      .. "60 frames a second: 99 %% of %d steps took at most %.0f µs of CPU time; the calmest of "
      .. "three runs.",
    many.submit_us,
    many.frames,
    many.step_p99_us
  )
end

local function add_require(lines, results)
  local found = results.require
  add(lines, "")
  add(lines, "## require")
  add(lines, "")
  local text = "A process that does nothing: %.2f ms; one that requires the module: %.2f ms "
    .. "(medians of 40 alternating runs)."
  add(lines, text, found.empty, found.loaded)
end

local function add_save(lines, results, machine)
  add(lines, "")
  add(lines, "## Saving %.1f MB from loopback", results.save_memory.bytes / 1e6)
  add(lines, "")
  add(
    lines,
    "Medians of 15 alternating runs. Ours is the whole of `job:save`, fsync and rename "
      .. "included; `curl` counts its own time without its start, and never syncs."
  )
  add(lines, "")
  add(lines, "| where | ours | `curl` | `curl`, start included | `curl`, then `sync` |")
  add(lines, "|---|---|---|---|---|")
  local text = "| %s | %.1f ms | %.1f ms | %.1f ms | %s |"
  local memory, disk = results.save_memory, results.save_disk
  add(lines, text, "tmpfs", memory.ours_ms, memory.curl_ms, memory.curl_process_ms, "–")
  local synced = ("%.1f ms"):format(disk.curl_sync_ms)
  add(lines, text, machine.disk, disk.ours_ms, disk.curl_ms, disk.curl_process_ms, synced)
end

local function add_ledger(lines, results)
  local found = results.ledger
  add(lines, "")
  add(lines, "## A ledger of %d jobs", found.jobs)
  add(lines, "")
  add(
    lines,
    "%.0f MB, made in %.0f s; 100 jobs are unfinished. The first `new` made the indexes, as it "
      .. "does of an older file: %.1f s. Medians of 9 runs; `history` asks for 100 rows.",
    found.bytes / 1e6,
    found.made_s,
    found.first_new_s
  )
  add(lines, "")
  add(lines, "| what | rows | time |")
  add(lines, "|---|---|---|")
  add(lines, "| `new` | | %.1f ms |", found.new)
  add(lines, "| `recover` | 100 | %.1f ms |", found.recover)
  for _, name in ipairs(FILTERS) do
    local text = "| `history`, filter %s | %d | %.1f ms |"
    add(lines, text, (name:gsub("_", " ")), found["rows_" .. name], found["history_" .. name])
  end
end

--- The whole report.
---@param results table what main.lua found
---@param machine table from report.machine
---@return string
--- What worlds.h has.
local WORLDS = {
  "log-normal 25 s, σ 0.35",
  "log-normal 25 s, σ 0.15",
  "log-normal 25 s, σ 0.70",
  "0.7 × 18 s + 0.3 × 45 s, σ 0.20",
  "0.9 × 20 s, σ 0.25 + 0.1 × 60 s, σ 0.50",
  "log-normal 3 s, σ 0.25",
}

local function add_polls(lines, results)
  local found = results.learned
  add(lines, "")
  add(lines, "## Learned polls")
  add(lines, "")
  add(lines, "Seconds from the end of a job to the poll that finds it, and polls for a job, by")
  add(lines, "calculation: the mean of 20 clients that learned from seeded jobs. The spread of the")
  add(lines, "real service's durations is not known.")
  add(lines, "")
  add(lines, "| durations | loop of 2.5 s | after 20 jobs | after 100 jobs | the p90 covers |")
  add(lines, "|---|---|---|---|---|")
  for i, world in ipairs(WORLDS) do
    local function pair(what, jobs)
      local key = ("world_%d_%%s"):format(i)
      local lag = found[key:format(what .. "lag" .. jobs)]
      return ("%.2f s, %.1f polls"):format(lag, found[key:format(what .. "polls" .. jobs)])
    end
    local row_of = "| %s | %s | %s | %s | %.0f %% |"
    local covered = 100 * found[("world_%d_covered"):format(i)]
    add(lines, row_of, world, pair("loop_", ""), pair("", "_20"), pair("", "_100"), covered)
  end
end

function report.write(results, machine)
  local lines = head(machine, results)
  for _, target in ipairs(targets(results)) do
    row(lines, target)
  end
  add_idle(lines, results)
  add_frame(lines, results)
  add_exchange(lines, results)
  add_memory(lines, results)
  add_bursts(lines, results)
  add_require(lines, results)
  add_save(lines, results, machine)
  add_ledger(lines, results)
  add_polls(lines, results)
  return table.concat(lines, "\n") .. "\n"
end

return report
