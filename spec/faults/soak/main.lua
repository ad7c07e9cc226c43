--- The soak: many jobs through one client with a ledger, while one in ten meets a fault. Then every
--- job's fate is compared with the service's own books and with the ledger, and memory and
--- descriptors must not have grown.
---
--- Arguments: the number of jobs, a folder for its files. Exit status 1 when a job was lost or paid
--- twice, or something grew.

local faults = require("spec.faults.soak.faults")
local gptimage2 = require("gptimage2")
local judge = require("spec.faults.soak.judge")
local meter = require("spec.faults.soak.meter")

local TOTAL = math.tointeger(tonumber(arg[1])) or 100000
local FOLDER = assert(arg[2])
local FAULT_EVERY = 10 -- jobs
local SAVE_EVERY = 50 -- jobs
local WINDOW = 256 -- jobs submitted and not ended
local SAMPLES = 100
--- A short run has not seen everything once before it is measured.
local GROWTH_MAX = TOTAL >= 20000 and 1.1 or 1.25
local WARM = 0.1 -- of the run, before anything is compared

local server = {}

function server.start()
  local answers = FOLDER .. "/answers"
  assert(os.execute("mkfifo '" .. answers .. "'"))
  local lua = assert(os.getenv("GPTIMAGE2_SPEC_LUA"))
  local command = ("exec '%s' spec/faults/soak/server.lua >'%s'"):format(lua, answers)
  server.commands = assert(io.popen(command, "w"))
  server.answers = assert(io.open(answers))
  return server.answers:read("l"), server.answers:read("l")
end

function server.tell(line)
  assert(server.commands:write(line, "\n"))
  assert(server.commands:flush())
end

function server.ask(line)
  server.tell(line)
  return assert(server.answers:read("l"))
end

local count = { submitted = 0, ended = 0, faults = 0, retries = 0, saved = 0 }
local statuses, retried, samples = {}, {}, {}
local fates = assert(io.open(FOLDER .. "/fates", "w"))
local began = gptimage2.now()

local function add(counts, name)
  counts[name] = (counts[name] or 0) + 1
end

local function sample()
  local now = gptimage2.now() - began
  local memory, descriptors = meter.memory(), meter.descriptors()
  samples[#samples + 1] = { memory = memory, descriptors = descriptors }
  if #samples % (SAMPLES // 10) == 0 then
    print(
      ("%7d jobs  %6.1f s  %5.0f jobs/s  %6d KiB  %3d descriptors"):format(
        count.ended,
        now,
        count.ended / now,
        memory,
        descriptors
      )
    )
  end
end

local function ended(event)
  local job = event.job
  local kind = job.error and job.error.kind or "-"
  local number = job.idempotency_key:match("%d+$")
  assert(fates:write(("%s %s %s %s\n"):format(number, job.status, job.id or "-", kind)))
  add(statuses, kind == "-" and job.status or job.status .. " (" .. kind .. ")")
  count.ended = count.ended + 1
  if count.ended <= TOTAL and count.ended % math.max(TOTAL // SAMPLES, 1) == 0 then
    sample()
  end
end

local function saved(event)
  count.saved = count.saved + #event.paths
  for _, path in ipairs(event.paths) do
    os.remove(path)
  end
end

local function on_event(event)
  if event.type == "succeeded" or event.type == "failed" or event.type == "cancelled" then
    ended(event)
  elseif event.type == "retry" then
    count.retries = count.retries + 1
    add(retried, event.status or event.code)
  elseif event.type == "saved" then
    saved(event)
  end
end

local function submit(client)
  local number = count.submitted + 1
  -- The last ones go in peace, so that every fault finds a request to hit.
  if number % FAULT_EVERY == 0 and number <= TOTAL - WINDOW then
    count.faults = count.faults + 1
    server.tell("fault " .. count.faults)
  end
  count.submitted = number
  assert(client:submit({ prompt = ("soak %d"):format(number) }, {
    idempotency_key = ("soak-%d"):format(number),
    save = number % SAVE_EVERY == 0 and { FOLDER .. "/{id}-{n}.{ext}", sidecar = false } or nil,
  }))
end

local function run(client)
  while count.ended < TOTAL or gptimage2.pending() > 0 do
    while count.submitted < TOTAL and count.submitted - count.ended < WINDOW do
      submit(client)
    end
    gptimage2.step(0.1)
  end
end

--- Those whose answer could not be read, or whose attempts were used up.
local function recover(client)
  local jobs = assert(client:recover())
  while gptimage2.pending() > 0 do
    gptimage2.step(0.1)
  end
  return #jobs
end

local function list(counts)
  local names = {}
  for name, n in pairs(counts) do
    names[#names + 1] = ("%s: %d"):format(name, n)
  end
  table.sort(names)
  return table.concat(names, ", ")
end

local function growth(field)
  local span = (1 - WARM) / 3
  local first = meter.mean(samples, field, WARM, WARM + span)
  local last = meter.mean(samples, field, 1 - span, 1)
  return last / first, first, last
end

--- Connections come and go: so many descriptors more or less are no leak.
local SLACK = { memory = 0, descriptors = 16 }

local function report_growth()
  local flat = true
  for _, field in ipairs({ "memory", "descriptors" }) do
    local ratio, first, last = growth(field)
    print(
      ("%s: last third / first third after warm-up = %.3f (%.0f, %.0f)"):format(
        field,
        ratio,
        last,
        first
      )
    )
    flat = flat and (ratio < GROWTH_MAX or last - first < SLACK[field])
  end
  return flat
end

local function report_faults()
  local injected = {}
  for n = 1, count.faults do
    add(injected, faults.name(faults.at(n)))
  end
  print("injected: " .. list(injected))
  print("repeated by the client: " .. list(retried))
  print("ended as: " .. list(statuses))
end

local url, key = server.start()
local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  ledger = FOLDER .. "/soak.db",
  retry = "idempotent",
  max_active = 64,
  max_attempts = 8,
  request_timeout = 2,
  timeout = 120,
  poll = { first = 0.01, interval = 0.02, max = 0.05 },
  on_event = on_event,
}))
run(client)
local seconds = gptimage2.now() - began
server.ask("clear")
local recovered = recover(client)
fates:close()
server.ask("books " .. FOLDER .. "/books")
local rows = judge.read_ledger(client)
client:close()
server.commands:close()

local verdict, complaints =
  judge.all(TOTAL, judge.read_fates(FOLDER .. "/fates"), rows, judge.read_books(FOLDER .. "/books"))
report_faults()
print(("%d jobs in %.0f s (%.0f jobs/s)"):format(TOTAL, seconds, TOTAL / seconds))
print(
  ("%d repeats, %d keys sent more than once, %d jobs recovered, %d paid, %d pictures saved"):format(
    count.retries,
    verdict.repeated,
    recovered,
    verdict.jobs_paid,
    count.saved
  )
)
local flat = report_growth()
for _, complaint in ipairs(complaints) do
  print(complaint)
end
if not flat then
  print("it grows")
end
print(
  ("%d faults injected, %d lost, %d paid twice"):format(
    count.faults,
    verdict.lost,
    verdict.paid_twice
  )
)
os.exit(flat and verdict.lost == 0 and verdict.paid_twice == 0, true)
