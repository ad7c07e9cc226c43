--- What else programs do with a ledger, killed like the pipeline (worker.lua, whose arguments it
--- takes; the URL is what service.lua says when it is mixed): a picture with a reference, a job
--- that is cancelled while its connection is made, and, by a second client with a ledger of its
--- own, one whose answer never comes and which is settled by hand.
---
--- The second service tears every answer to a create, after the work. The report has the same lines
--- as the pipeline's; the state of the cancelled job is followed by what its row says was charged.

local gptimage2 = require("gptimage2")

local urls, folder, name, _, retry, injection = table.unpack(arg)
local url, torn_url, ca_file = urls:match("^(.-),(.-),(.*)$")

--- The numbers of the jobs.
local REFERENCE, CANCELLED, SETTLED = 1, 2, 3

local trace = dofile(os.getenv("KILL_PARTS") .. "/trace.lua")

local function open(base_url, ledger)
  return assert(gptimage2.new({
    api_key = "kill-run",
    base_url = base_url,
    ca_file = ca_file,
    ledger = folder .. "/" .. ledger,
    retry = retry,
    poll = { first = 0.01, interval = 0.01, max = 0.01 },
    timeout = 30,
    max_attempts = 1,
    allow_private_references = true,
  }))
end

local client, torn = open(url, "renders.db"), open(torn_url, "torn.db")
local pipe = trace.attach(folder, injection)

local said = {}

local function note(n, job, err)
  said[n] = err and tostring(err) or job.status
  if err and (err.kind == "lost" or err.kind == "cancelled") then
    said[n] = "reported"
  end
end

local function metadata(n)
  return { metadata = { n = tostring(n) } }
end

local function by_number(list)
  local found = {}
  for _, item in ipairs(list) do
    found[tonumber(item.metadata.n)] = item
  end
  return found
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
gptimage2.run()
gptimage2.sleep(0.05) -- what a cancelled create still brings

local function is_whole(n)
  local file = io.open(("%s/%d.png"):format(folder, n), "rb")
  local bytes = file and file:read("a") or ""
  if file then
    file:close()
  end
  return bytes:sub(1, 8) == "\137PNG\r\n\26\n" and bytes:sub(-8, -5) == "IEND"
end

client:close()
torn:close()
local report = {}
local function tell(list)
  for n, row in pairs(by_number(list)) do
    local told = said[n] == "reported" and "reported" or row.status
    if row.state == "cancelled" then
      told = "cancelled:" .. tostring(row.charged)
    end
    report[#report + 1] = ("%d\t%s\t%s\t%s\t%s"):format(
      n,
      told,
      row.id or "-",
      is_whole(n) and "whole" or "missing",
      said[n]:gsub("%s+", " ")
    )
  end
end
client, torn = open(url, "renders.db"), open(torn_url, "torn.db")
tell(assert(client:history()))
tell(assert(torn:history()))
local file = assert(io.open(folder .. "/report", "w"))
file:write(table.concat(report, "\n"), "\n")
assert(file:close())
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
