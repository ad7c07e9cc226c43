--- One life: a program that does at random what programs do with a ledger, until it ends, or is
--- killed from outside. Lives follow each other on the same ledger.
---
--- Arguments: URL, certificate's file ("-" = none), proxy ("" = none), folder, name, seed, retry
--- mode, and after how many seconds it is killed ("-" = not at all), or "last". The last life is
--- calm: it recovers all, waits, and writes the report.
---
--- Every claim about money that this program was told goes to <folder>/told at once, a line each:
--- prompt, what it was told by, `charged`; tabs between. The judge compares them with the books.

local gptimage2 = require("gptimage2")

local url, ca_file, proxy, folder, name, seed, retry, kind = table.unpack(arg)
seed = math.tointeger(tonumber(seed))
math.randomseed(seed)

local told = assert(io.open(folder .. "/told", "a"))
told:setvbuf("no")

if ca_file == "-" then
  ca_file = nil
end

local client
local jobs = {} -- of this life, those that were asked for or recovered
local made = 0

local function prompt_of(job)
  return job.metadata and job.metadata.prompt or (job.request and job.request.prompt)
end

local function tell(job, by, charged)
  local prompt = prompt_of(job)
  if prompt and charged then
    told:write(prompt, "\t", by, "\t", charged, "\n")
  end
end

local function on_event(event)
  local err = event.job.error
  if event.type == "succeeded" then
    tell(event.job, "succeeded", "yes")
  elseif err then
    tell(event.job, event.type .. "/" .. tostring(err.code), err.charged)
  end
end

local function open()
  local err
  client, err = gptimage2.new({
    api_key = "chaos-run",
    base_url = url,
    ca_file = ca_file,
    proxy = proxy ~= "" and proxy or nil,
    ledger = folder .. "/renders.db",
    retry = retry,
    max_active = math.random(1, 8),
    connect_timeout = 1,
    request_timeout = 1,
    timeout = kind == "last" and 30 or 10,
    poll = { first = 0.01, interval = 0.02, max = 0.05 },
    on_event = on_event,
  })
  assert(client, tostring(err))
end

local function any(list)
  return #list > 0 and list[math.random(#list)] or nil
end

local function add(job)
  if job then
    jobs[#jobs + 1] = job
  end
end

local ops = {}

local function request()
  made = made + 1
  local prompt = ("%s %d"):format(name, made)
  return { prompt = prompt }, { metadata = { prompt = prompt } }
end

function ops.submit()
  for _ = 1, math.random(4) do
    add((client:submit(request())))
  end
end

function ops.submit_and_save()
  local ask, options = request()
  options.save = folder .. "/pictures"
  add((client:submit(ask, options)))
end

function ops.create()
  local ask, options = request()
  local job, err = client:create(ask, options)
  if err and err.charged then
    told:write(ask.prompt, "\tcreate/", tostring(err.code), "\t", err.charged, "\n")
  end
  add(job)
end

function ops.cancel()
  for _ = 1, math.random(3) do
    local job = any(jobs)
    if job then
      job:cancel()
    end
  end
end

--- Asks, thinks better of it while the connection is made, and takes up what is there.
function ops.regret()
  local first = #jobs + 1
  ops.submit()
  gptimage2.step(math.random() * 0.1)
  for i = first, #jobs do
    jobs[i]:cancel()
  end
  if math.random(2) == 1 then
    gptimage2.step(math.random() * 0.05)
  end
  ops.recover()
end

function ops.recover()
  for _, job in ipairs(client:recover() or {}) do
    add(job)
  end
end

function ops.step()
  local stop = gptimage2.now() + math.random() * 0.15
  repeat
    gptimage2.step(0.02)
  until gptimage2.now() > stop
end

function ops.settle()
  local row = any(assert(client:history({ state = "unknown" })))
  if row then
    local resend = retry == "idempotent" and math.random(2) == 1
    add((client:resolve(row.idempotency_key, resend and "resend" or "abandon")))
  end
end

function ops.save()
  local job = any(jobs)
  if job and job.status == "succeeded" then
    job:save(folder .. "/pictures")
  end
end

function ops.reopen()
  client:close()
  jobs = {}
  open()
end

--- A second client must not spend beside this one.
function ops.intrude()
  local other, err = gptimage2.new({
    api_key = "chaos-run",
    base_url = url,
    ca_file = ca_file,
    ledger = folder .. "/renders.db",
  })
  assert(not other and err.code == "ledger_locked", "two clients spend on one ledger")
end

--- Stopped for longer than an exchange may take.
function ops.stop()
  os.execute("(kill -STOP $PPID; sleep 1.3; kill -CONT $PPID) &")
  gptimage2.step(0.01)
end

--- How often each is drawn, in relation to each other.
local WEIGHTS = {
  submit = 6,
  submit_and_save = 2,
  create = 2,
  cancel = 5,
  regret = 3,
  recover = 2,
  step = 10,
  settle = 2,
  save = 1,
  reopen = 1,
  intrude = 1,
  stop = 0.15,
}

local names, total = {}, 0
for op, weight in pairs(WEIGHTS) do
  names[#names + 1] = op
  total = total + weight
end
table.sort(names)

local function draw()
  local left = math.random() * total
  for _, op in ipairs(names) do
    left = left - WEIGHTS[op]
    if left < 0 then
      return op
    end
  end
  return "step"
end

local function wait_for_all()
  while gptimage2.pending() > 0 do
    gptimage2.step(0.1)
  end
end

--- How a life ends that nobody kills.
local function finish()
  local how = math.random(6)
  if how == 1 then
    wait_for_all()
    client:close()
  elseif how == 2 then
    client:close()
  elseif how == 3 then
    os.exit(0, false)
  elseif how == 4 then
    os.exit(0, true)
  elseif how == 5 then
    error("a program fails", 0)
  end
end

--- Killed after so long by a process that ends with this one, and then kills nobody.
local function doom(seconds)
  local script = ("read -t %s; [ $? -le 128 ] || kill -KILL $PPID"):format(seconds)
  return assert(io.popen(("exec bash -c '%s'"):format(script), "w"))
end

local function live()
  open()
  local killer = kind ~= "-" and doom(kind)
  if math.random(4) > 1 then
    ops.recover()
  end
  for _ = 1, math.random(3, 16) do
    ops[draw()]()
  end
  finish()
  return killer
end

--- `unknown`: keys of those that recover could not settle.
local function write_report(unknown)
  local file = assert(io.open(folder .. "/report", "w"))
  for _, row in ipairs(assert(client:history())) do
    local state = unknown[row.idempotency_key] and "unknown" or row.state
    file:write(
      ("%s\t%s\t%s\t%s\n"):format(prompt_of(row), state, row.charged or "-", row.id or "-")
    )
  end
  assert(file:close())
end

if kind == "last" then
  open()
  local unknown = {}
  for _ = 1, 2 do
    unknown = {}
    local recovered = assert(client:recover())
    wait_for_all()
    for _, job in ipairs(recovered) do
      unknown[job.idempotency_key] = job.status == "unknown"
    end
  end
  write_report(unknown)
  client:close()
else
  live()
end
