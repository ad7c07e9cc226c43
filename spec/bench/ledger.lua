--- Case: a large ledger. Arguments: folder, jobs, runs. Makes the file, in which 100 jobs are
--- unfinished; then times the first opening, which makes the indexes, every other one, taking up
--- what is unfinished, and asking for a hundred rows by each filter.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local path, jobs = arg[1] .. "/large.db", tonumber(arg[2])
local RUNS, UNFINISHED, LIMIT = tonumber(arg[3]) or 9, 100, 100
local BEGAN, STEP = 1700000000, 10 -- seconds since 1970 of the first job, and to the next

local function open()
  return assert(gptimage2.new({
    api_key = "bench",
    account = "bench",
    base_url = "http://127.0.0.1:9", -- nobody is asked: what is unfinished is unknown
    ledger = path,
  }))
end

--- What the I/O thread does behind a close is no part of what comes next.
local function close(client)
  client:close()
  meter.sleep_until(meter.now() + 50000000)
end

local SQL = [[
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -1000000;
DROP INDEX jobs_by_time; DROP INDEX jobs_by_state_and_time; DROP INDEX jobs_by_id_and_time;
BEGIN;
CREATE TEMP TABLE made AS
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < @jobs)
  SELECT i, lower(hex(randomblob(16))) AS key, lower(hex(randomblob(16))) AS id,
    i % (@jobs / @unfinished) = 0 AS unfinished,
    '{"prompt":"picture ' || i || ', a studio photo of a cup on a wooden table","mode":'
      || '"text-to-image","ratio":"16:9","count":1}' AS body
  FROM n;
INSERT INTO jobs (key, state, charged, created_at, updated_at, base_url, account, mode, ratio,
    count, cost, job_id, attempts, http_status, attempt_id, prompt, metadata)
  SELECT key,
    CASE WHEN unfinished THEN 'unknown' WHEN i % 50 = 0 THEN 'failed' ELSE 'succeeded' END,
    CASE WHEN unfinished THEN 'unknown' ELSE 'yes' END,
    @began + i * @step, @began + i * @step + 20, 'http://127.0.0.1:9', 'bench', 'text-to-image',
    '16:9', 1, 10, CASE WHEN NOT unfinished THEN id END, 1, 200, substr(key, 1, 16) || '-1',
    'picture ' || i || ', a studio photo of a cup on a wooden table', '{"order":"' || i || '"}'
  FROM made;
INSERT INTO bodies (key, body) SELECT key, CAST(body AS BLOB) FROM made;
INSERT INTO bodies (key, answer, result)
  SELECT key,
    CAST('{"id":"' || id || '","status":"pending","balance":{"paid_credits":100}}' AS BLOB),
    CAST('{"id":"' || id || '","status":"succeeded","results":[{"imageUrl":'
      || '"https://cdn.example.com/images/' || id || '/1.png","seed":' || i
      || ',"finalPrompt":"picture ' || i || '"}]}' AS BLOB)
  FROM made WHERE NOT unfinished;
INSERT INTO files (key, n, path, saved_at)
  SELECT key, 1, '/srv/pictures/' || id || '.png', @began + i * @step + 21
  FROM made WHERE NOT unfinished;
COMMIT;
PRAGMA journal_mode = WAL;
]]

local function make()
  close(open())
  local words = { jobs = jobs, unfinished = UNFINISHED, began = BEGAN, step = STEP }
  local script = path .. ".sql"
  local file = assert(io.open(script, "w"))
  file:write((SQL:gsub("@(%l+)", words)))
  file:close()
  local process = meter.start("sqlite3", path, ".read '" .. script .. "'")
  repeat
    local line = process:line()
  until not line
  assert(process:finish() == 0, "the ledger cannot be made")
end

--- The median of some runs in ms, of what `timed` gives in ns.
local function median_of(timed)
  local taken = {}
  for i = 0, RUNS do
    taken[i] = timed() / 1e6 -- the first one only warms up
  end
  return figures.median(taken)
end

local function time(fn, ...)
  local arguments = table.pack(...)
  return (meter.timed(function()
    fn(table.unpack(arguments, 1, arguments.n))
  end))
end

local function time_new()
  local client
  local taken = time(function()
    client = open()
  end)
  close(client)
  return taken
end

local function time_recover()
  local client, found = open(), nil
  local taken = time(function()
    found = assert(client:recover())
  end)
  assert(#found == UNFINISHED, #found)
  close(client)
  return taken
end

--- Every filter, most of them with rows at the far end of the file.
local function filters(client)
  local last = assert(client:history({ state = "succeeded", limit = 1 }))[1]
  local first = assert(client:history({ ["until"] = BEGAN + STEP }))[1]
  local early, late = BEGAN + 500 * STEP, BEGAN + (jobs - 500) * STEP
  return {
    none = { limit = LIMIT },
    key = { key = first.idempotency_key, limit = LIMIT },
    no_key = { key = "none", limit = LIMIT },
    id = { id = first.id, limit = LIMIT },
    id_state = { id = last.id, state = "succeeded", limit = LIMIT },
    state = { state = "succeeded", limit = LIMIT },
    rare_state = { state = "unknown", limit = LIMIT },
    no_state = { state = "abandoned", limit = LIMIT },
    since = { since = early, limit = LIMIT },
    ["until"] = { ["until"] = early, limit = LIMIT },
    since_until = { since = early, ["until"] = late, limit = LIMIT },
    state_until = { state = "succeeded", ["until"] = early, limit = LIMIT },
    state_since = { state = "unknown", since = late, limit = LIMIT },
    all = { id = first.id, state = "failed", since = early, ["until"] = late, limit = LIMIT },
  }
end

local function measure_history()
  local client = open()
  for name, filter in pairs(filters(client)) do
    local found = assert(client:history(filter))
    figures.print("rows_" .. name, #found)
    figures.print(
      "history_" .. name,
      median_of(function()
        return time(function()
          assert(client:history(filter))
        end)
      end)
    )
  end
  close(client)
end

local began = meter.now()
make()
figures.print("made_s", (meter.now() - began) / 1e9)
figures.print("jobs", jobs)
figures.print("first_new_s", time_new() / 1e9)
figures.print("new", median_of(time_new))
figures.print("recover", median_of(time_recover))
measure_history()
local file = assert(io.open(path, "rb")) -- nobody has it open
figures.print("bytes", file:seek("end"))
file:close()
