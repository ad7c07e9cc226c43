--- Drives the allocation faults: counts the allocations of a faultless run, plans which of them
--- fail, runs the hosts, and judges by the sandbox's own books. Arguments: host program, folder of
--- these files, an empty folder to work in, "short" or "long", how many hosts at once, which of the
--- long form's faults to take (1 all, 2 every second ...), the one plan to take, or "", and
--- what to run the hosts with, or "".

local sandbox = require("gptimage2.sandbox")
local report = assert(loadfile(arg[2] .. "/report.lua"))()

local HOST, PARTS, FOLDER, FORM = arg[1], arg[2], arg[3], arg[4]
local WORKERS = tonumber(arg[5])
local STRIDE = tonumber(arg[6])
local ONLY, TOOL = arg[7], arg[8]
--- Faults that one host injects before the books are read.
local CHUNK = 12

--- Who runs out of memory, how, and in which scenario: the pipeline from the module's loading on
--- ("load"), once it is loaded ("work"), or likewise for jobs that no ledger records ("plain"); or
--- a scene of scenes.lua. `short` is how many faults the short form takes, `each` which of them the
--- long form takes: every second, every third …
--- stylua: ignore start
local PLANS = {
  { pool = "engine", mode = "once", start = "load", short = 16 },
  { pool = "engine", mode = "ever", start = "load", short = 10 },
  { pool = "curl", mode = "once", start = "load", short = 10 },
  { pool = "curl", mode = "ever", start = "load", short = 6 },
  { pool = "bare", mode = "once", start = "load", short = 6 },
  { pool = "bare", mode = "ever", start = "load", short = 6 },
  { pool = "sqlite", mode = "once", start = "load", short = 16 },
  { pool = "sqlite", mode = "ever", start = "load", short = 8 },
  { pool = "lua", mode = "once", start = "load", short = 6 },
  { pool = "lua", mode = "once", start = "work", short = 20 },
  { pool = "lua", mode = "ever", start = "load", short = 4 },
  { pool = "lua", mode = "ever", start = "work", short = 10 },
  { pool = "lua", mode = "collect", start = "work", short = 8 },
  { pool = "engine", mode = "once", start = "plain", short = 6 },
  { pool = "engine", mode = "ever", start = "plain", short = 6 },
  { pool = "lua", mode = "once", start = "plain", short = 8 },
  { pool = "lua", mode = "ever", start = "plain", short = 6 },
  { pool = "lua", mode = "collect", start = "plain", short = 6 },
}

--- The same in every scene.
local SCENES = { "cancel", "two", "resolve", "references", "saves" }
local SCENE_PLANS = {
  { pool = "engine", mode = "once", short = 2 },
  { pool = "engine", mode = "ever", short = 1 },
  { pool = "curl", mode = "once", short = 1, each = 2 },
  { pool = "sqlite", mode = "once", short = 2, each = 20 },
  { pool = "sqlite", mode = "ever", short = 1, each = 60 },
  { pool = "lua", mode = "once", short = 2, each = 4 },
  { pool = "lua", mode = "ever", short = 1, each = 8 },
}
--- stylua: ignore end

for _, scene in ipairs(SCENES) do
  for _, row in ipairs(SCENE_PLANS) do
    local plan = { start = scene }
    for name, value in pairs(row) do
      plan[name] = value
    end
    PLANS[#PLANS + 1] = plan
  end
end

--- What the service is like, and what it does at every create, where that is not as usual.
local SERVICES = {
  cancel = { tls = true, fault = { action = "delay", seconds = 0.03 } },
  resolve = { idempotency = true, fault = { action = "delay", seconds = 0.3 } },
}

local POOLS = { lua = 1, engine = 2, curl = 3, bare = 3, sqlite = 4 }

local function quote(word)
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- Starts a host for the faults `list`; its lines come through the pipe.
local function start_host(plan, mode, url, list)
  local name = ("%s-%s-%s"):format(plan.pool, mode, plan.start)
  local faults = table.concat(list, ",")
  local words = { HOST, plan.pool, mode, plan.start, url, FOLDER, name, faults, PARTS }
  for i, word in ipairs(words) do
    words[i] = quote(word)
  end
  return assert(io.popen(TOOL .. " " .. table.concat(words, " ") .. " 2>&1"))
end

local function read_runs(pipe, runs)
  for line in pipe:lines() do
    report.read(line, runs)
  end
  pipe:close()
end

--- The service for a scenario, and its URL, with its certificate's file where it has one.
local function open_box(start)
  local service = SERVICES[start] or {}
  local box = assert(sandbox.start({
    duration = 0.02,
    idempotency = service.idempotency or false,
    tls = service.tls or false,
    credits = 1000000,
  }))
  if service.fault then
    local fault = { on = "create", times = math.huge }
    for name, value in pairs(service.fault) do
      fault[name] = value
    end
    box:fault(fault)
  end
  return box, service.tls and box.url .. "," .. box.ca_file or box.url
end

--- Scenario -> its run without faults; libcurl's own malloc is another's only where it is "bare".
local faultless = {}

--- How often the pool allocates when nothing fails.
local function count(plan)
  local key = plan.start .. (plan.pool == "bare" and " bare" or "")
  local run = faultless[key]
  if not run then
    local box, url = open_box(plan.start)
    local runs = {}
    read_runs(start_host(plan, "never", url, { 0 }), runs)
    run = runs[0]
    local problem = run and report.problem_of_faultless(plan, run)
    box:stop()
    if not run or problem then
      error(("%s without faults failed: %s"):format(key, problem or "no report"))
    end
    faultless[key] = run
  end
  return run.calls[POOLS[plan.pool]], run
end

--- The faults to inject: all, or a fixed choice spread over them.
local function choose(plan, calls)
  local list = {}
  local wanted = FORM == "short" and plan.short or math.ceil(calls / STRIDE / (plan.each or 1))
  local step = math.max(1, calls / wanted)
  local at = 1
  while math.floor(at) <= calls do
    list[#list + 1] = math.floor(at)
    at = at + step
  end
  return list
end

local function chunks(list)
  local parts = {}
  for i, n in ipairs(list) do
    local part = (i - 1) // CHUNK + 1
    parts[part] = parts[part] or {}
    table.insert(parts[part], n)
  end
  return parts
end

--- Removes what the runs left: names are made by us, without spaces.
local function clean()
  os.execute("find " .. quote(FOLDER) .. " -mindepth 1 -delete")
end

local function inject(plan)
  local calls, run = count(plan)
  local parts = chunks(choose(plan, calls))
  local tally = report.tally(plan, calls, run)
  for i = 1, #parts, WORKERS do
    local box, url = open_box(plan.start)
    local pipes, runs = {}, {}
    for worker = i, math.min(i + WORKERS - 1, #parts) do
      pipes[#pipes + 1] = start_host(plan, plan.mode, url, parts[worker])
    end
    for _, pipe in ipairs(pipes) do
      read_runs(pipe, runs)
    end
    report.judge(tally, runs, box:ledger().jobs)
    box:stop()
    clean()
  end
  report.print(tally)
end

for _, plan in ipairs(PLANS) do
  if ONLY == "" or ONLY == ("%s-%s-%s"):format(plan.pool, plan.mode, plan.start) then
    inject(plan)
  end
end
os.exit(report.finish() and 0 or 1)
