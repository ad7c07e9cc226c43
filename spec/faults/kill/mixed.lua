--- What else programs do with a ledger, killed like the pipeline (worker.lua, whose arguments it
--- takes; the URL is what service.lua says when it is mixed): a picture with a reference, a job
--- that is cancelled while its connection is made; by a second client with a ledger of its own, one
--- whose answer never comes and which is settled by hand; by a third, one that is cancelled while a
--- proxy says nothing to the CONNECT.
---
--- The second service tears every answer to a create, after the work. The report has the same lines
--- as the pipeline's; the state of the cancelled job is followed by what its row says was charged.

local gptimage2 = require("gptimage2")

local urls, folder, name, _, retry, injection = table.unpack(arg)
local url, torn_url, ca_file = urls:match("^(.-),(.-),(.*)$")

--- The numbers of the jobs.
local REFERENCE, CANCELLED, SETTLED, HELD = 1, 2, 3, 4

local parts = os.getenv("KILL_PARTS")
local shared = dofile(parts .. "/shared.lua")
local trace = dofile(parts .. "/trace.lua")
local by_number, metadata = shared.by_number, shared.numbered
local silent = ("http://127.0.0.1:%d"):format(require("spec.host").silent_port())

local function open(base_url, ledger, proxy)
  return shared.open({
    base_url = base_url,
    ca_file = ca_file,
    ledger = folder .. "/" .. ledger,
    proxy = proxy,
    retry = retry,
    max_attempts = 1,
    allow_private_references = true,
  })
end

local function open_all()
  return open(url, "renders.db"), open(torn_url, "torn.db"), open(url, "held.db", silent)
end

local client, torn, held = open_all()
local pipe = trace.attach(folder, injection)

local said = {}

local function note(n, job, err)
  said[n] = err and tostring(err) or job.status
  if err and (err.kind == "lost" or err.kind == "cancelled") then
    said[n] = "reported"
  end
end

local function finish(n, handle)
  local job, err = handle:wait()
  local saved
  if job then
    saved, err = job:save(("%s/%d.{ext}"):format(folder, n), { overwrite = true })
  end
  note(n, job or handle, not saved and err)
end

local function ask_with_reference()
  local ask = { prompt = name .. " " .. REFERENCE, image_urls = { url .. "/reference/cup.png" } }
  local job, err = client:submit(ask, metadata(REFERENCE))
  if job then
    finish(REFERENCE, job)
  else
    note(REFERENCE, nil, err)
  end
end

--- Cancelled wherever it is by then.
local function ask_and_cancel()
  local job = assert(client:submit({ prompt = name .. " " .. CANCELLED }, metadata(CANCELLED)))
  gptimage2.sleep(#name % 8 / 1000)
  job:cancel()
  note(CANCELLED, job, select(2, job:wait()))
end

--- Cancelled before anything can be sent, in whatever run.
local function hold(handle)
  local job = handle or assert(held:submit({ prompt = name .. " " .. HELD }, metadata(HELD)))
  while job.status == "queued" do
    gptimage2.sleep(0.002)
  end
  gptimage2.sleep(#name % 8 / 1000)
  job:cancel()
  note(HELD, job, select(2, job:wait()))
end

local function settled_row()
  return by_number(assert(torn:history()))[SETTLED]
end

--- Its create is asked for, or goes out again; then somebody decides.
local function settle(handle)
  if handle and handle.status ~= "unknown" then
    handle:wait()
  elseif not settled_row() then
    local job, err = torn:generate({ prompt = name .. " " .. SETTLED }, metadata(SETTLED))
    note(SETTLED, job, err)
  end
  local row = settled_row()
  said[SETTLED] = "reported"
  if row and (row.state == "unknown" or row.state == "sent") then
    local what = retry == "idempotent" and "resend" or "abandon"
    local job, err = torn:resolve(row.idempotency_key, what)
    if job then
      job:wait()
    end
    said[SETTLED] = err and tostring(err) or "reported"
  end
end

local recovered = by_number(assert(client:recover()))
local torn_recovered = by_number(assert(torn:recover()))
local held_recovered = by_number(assert(held:recover()))
local held_rows = by_number(assert(held:history()))
local rows = by_number(assert(client:history()))

local function go_on(n, ask)
  local row = rows[n]
  if recovered[n] and recovered[n].status ~= "unknown" then
    finish(n, recovered[n])
  elseif recovered[n] then
    said[n] = "reported"
  elseif not row then
    ask()
  elseif row.status == "succeeded" and #row.files == 0 then
    finish(n, client:job(row.id))
  else
    said[n] = row.status == "cancelled" and "reported" or "nothing to do"
  end
end

gptimage2.spawn(go_on, REFERENCE, ask_with_reference)
gptimage2.spawn(go_on, CANCELLED, ask_and_cancel)
gptimage2.spawn(settle, torn_recovered[SETTLED])
if held_recovered[HELD] or not held_rows[HELD] then
  gptimage2.spawn(hold, held_recovered[HELD])
else
  said[HELD] = "reported"
end
gptimage2.run()
gptimage2.sleep(0.05) -- what a cancelled create still brings

client:close()
torn:close()
held:close()
local report = {}
local function tell(list)
  for n, row in pairs(by_number(list)) do
    local told = said[n] == "reported" and "reported" or row.status
    if row.state == "cancelled" then
      told = "cancelled:" .. tostring(row.charged)
    end
    report[#report + 1] = shared.line(n, told, row.id, shared.is_whole(folder, n), said[n])
  end
end
for _, each in ipairs({ open_all() }) do
  tell(assert(each:history()))
end
shared.write_report(folder, report)
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
