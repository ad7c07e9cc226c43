--- The first run of an attempt: three jobs with a ledger and saved pictures, two at once, one of
--- them with a reference, the third after them; then, by a second client with its own ledger, one
--- that is cancelled at once, and one whose answer is torn and which is settled by hand; by a
--- third, one that is cancelled while a proxy says nothing to the CONNECT. From its set-up on,
--- system calls of one thread fail. It writes down what the host was told; nothing it is told may
--- end it.
---
--- Arguments: URL, folder, name of the run, thread ("main", "io" or "limit"), what strace
--- is to do.
--- A line of the file `told`: what, status, kind, code, charged, id, message; tabs between.

local url, folder, name, thread, options = table.unpack(arg)

local gptimage2
local told = {}

local function tell(what, status, err, id)
  local fields = { what, tostring(status), "-", "-", "-", "-", "-" }
  if type(err) == "table" then
    fields[3], fields[4] = tostring(err.kind), tostring(err.code)
    fields[5] = tostring(err.charged)
    fields[7] = tostring(err)
  elseif err ~= nil then
    fields[3], fields[7] = "raised", tostring(err)
  end
  fields[6] = tostring(id or type(err) == "table" and err.job_id or "-")
  for i, field in ipairs(fields) do
    fields[i] = field:gsub("%s+", " ")
  end
  told[#told + 1] = table.concat(fields, "\t")
end

--- Runs `fn`; an error that it raises is told, too.
local function guarded(what, fn, ...)
  local results = table.pack(pcall(fn, ...))
  if results[1] then
    return table.unpack(results, 2, results.n)
  end
  tell(what, "raised", results[2] == nil and "nil" or results[2])
  return nil, results[2]
end

--- Sets strace on one thread of this process. It goes when the returned pipe is closed: that needs
--- no call that fails.
local function attach()
  local script = ([[
    cd '%s' || exit 1
    until [ -e ready ]; do sleep 0.01; done
    for task in /proc/$PPID/task/*; do
      case %s in
        main) [ "${task##*/}" = "$PPID" ] || continue ;;
        *) [ "${task##*/}" != "$PPID" ] || continue ;;
      esac
      strace -p "${task##*/}" %s -o trace 2>attached &
      tracer=$!
      break
    done
    read -r _
    exec 2>/dev/null
    kill "$tracer"
    wait "$tracer"]]):format(folder, thread, options)
  local pipe = assert(io.popen(script, "w"))
  -- While this thread waits for another process it makes no call that counts.
  assert(os.execute(([[
    cd '%s' && : >ready || exit 1
    for _ in $(seq 500); do
      grep -qs attached attached && exit 0
      sleep 0.02
    done
    exit 1]]):format(folder)))
  return pipe
end

--- A client with some patience and no more: nothing here may take long. Interruptions must not show
--- even on a slow machine.
local function open_client(base_url, ledger, proxy)
  local patience = options:find("EINTR", 1, true) and 10 or 1
  local client, err = gptimage2.new({
    api_key = "kill-run",
    base_url = base_url,
    ledger = folder .. "/" .. ledger,
    proxy = proxy,
    allow_private_references = true,
    retry = "documented",
    max_attempts = 2,
    connect_timeout = patience,
    request_timeout = patience,
    timeout = 2 * patience,
    poll = { first = 0.01, interval = 0.01, max = 0.05 },
  })
  if not client then
    tell("new", "refused", err)
  end
  return client
end

--- Its calls are none of the module's.
local silent = ("http://127.0.0.1:%d"):format(require("spec.host").silent_port())

local function open_all()
  local client = open_client(url, "renders.db")
  if client then
    return client,
      open_client(os.getenv("CALLS_TORN"), "other.db"),
      open_client("https://held.invalid", "held.db", silent)
  end
end

local PATTERNS = { "%s/1.{ext}", "%s/2.{ext}", "%s/more/3.{ext}" }

local function ask(client, n)
  local references = n == 2 and { url .. "/reference/cup.png" } or nil
  local job, err = client:generate(
    { prompt = name .. " " .. n, image_urls = references },
    { metadata = { n = tostring(n) }, save = PATTERNS[n]:format(folder) }
  )
  tell("job " .. n, job and job.status or "failed", err, job and job.id)
  if job and job.save_error then
    tell("save " .. n, "failed", job.save_error)
  end
end

--- What the end of a cancelled job still brings.
local function hear_out()
  local limit = gptimage2.now() + 5
  repeat
    gptimage2.sleep(0.02)
  until gptimage2.pending() == 0 or gptimage2.now() > limit
end

--- Cancelled wherever it is by then.
local function ask_and_cancel(client)
  local job, err = client:submit({ prompt = name .. " 4" }, { metadata = { n = "4" } })
  if job then
    job:cancel()
    hear_out()
    err = job.error
  end
  tell("job 4", job and job.status or "failed", err, job and job.id)
end

--- Cancelled before anything can have been sent.
local function ask_and_hold(client)
  local job, err = client:submit({ prompt = name .. " 6" }, { metadata = { n = "6" } })
  while job and job.status == "queued" do
    gptimage2.step(0.01)
  end
  if job then
    gptimage2.sleep(0.01)
    job:cancel()
    hear_out()
    err = job.error
  end
  tell("job 6", job and job.status or "failed", err, job and job.id)
end

local function settle(client)
  local job, err = client:generate({ prompt = name .. " 5" }, { metadata = { n = "5" } })
  tell("job 5", job and job.status or "failed", err, job and job.id)
  if err and err.kind == "lost" then
    job, err = client:resolve(err.idempotency_key, "abandon")
    tell("resolve 5", job and job.status or "failed", err)
  end
end

local function scenario(client)
  local first = gptimage2.spawn(ask, client, 1)
  local second = gptimage2.spawn(ask, client, 2)
  guarded("wait", gptimage2.run)
  for n, task in ipairs({ first, second }) do
    if not task:done() then
      tell("task " .. n, "not done")
    end
  end
  guarded("job 3", ask, client, 3)
  local rows, err = guarded("history", client.history, client)
  tell("history", rows and #rows, err)
end

--- The calls of the loading are among those that fail. That raises an error: Lua's way to say it.
local function load_module()
  local ok, result = pcall(require, "gptimage2")
  if ok then
    gptimage2 = result
    return open_all()
  end
  local err = { kind = "require", code = "not_loaded" }
  err.__tostring = function()
    return tostring(result)
  end
  tell("new", "refused", setmetatable(err, err))
end

local pipe, client, other, held
if thread == "main" then
  pipe = attach()
end
client, other, held = guarded("new", load_module)
if thread == "io" then
  gptimage2.sleep(0)
  pipe = attach()
end
if client then
  guarded("jobs", scenario, client)
  if other then
    guarded("job 4", ask_and_cancel, other)
    guarded("job 5", settle, other)
    guarded("close", other.close, other)
  end
  if held then
    guarded("job 6", ask_and_hold, held)
    guarded("close", held.close, held)
  end
  guarded("close", client.close, client)
end
if pipe then
  pipe:close()
end
if thread == "limit" then
  os.execute("prlimit --fsize=unlimited --pid $PPID")
end
local file = assert(io.open(folder .. "/told", "w"))
file:write(table.concat(told, "\n"), "\n")
assert(file:close())
if thread == "io" then
  os.exit(true, false)
end
