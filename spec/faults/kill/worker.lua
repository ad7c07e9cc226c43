--- A pipeline as a user would write it: it takes up what an earlier run left, asks for what is
--- still missing, and saves every picture. Killed and started again it must end with all of them,
--- each paid once. The same program is the first run and every recovery.
---
--- Arguments: URL, folder, name of the run, number of jobs, retry mode, what strace is to do with
--- the I/O thread ("" = nothing, "count", or its options).

local gptimage2 = require("gptimage2")

local url, folder, name, jobs, retry, injection = table.unpack(arg)
jobs = tonumber(jobs)

local trace = dofile(os.getenv("KILL_PARTS") .. "/trace.lua")

local client = assert(gptimage2.new({
  api_key = "kill-run",
  base_url = url,
  ledger = folder .. "/renders.db",
  retry = retry,
  poll = { first = 0.01, interval = 0.01, max = 0.01 },
  timeout = 30,
}))
local pipe = trace.attach(folder, injection)

--- What came of picture n in this run, for the report.
local said = {}

local function picture(n)
  return ("%s/%d.{ext}"):format(folder, n)
end

local function note(n, job, err)
  said[n] = err and tostring(err) or job.status
end

--- `handle` may be one for an id: waiting takes it up and gives another. The picture may be there
--- already, without the ledger's knowing it.
local function finish(n, handle)
  local job, err = handle:wait()
  local saved
  if job then
    saved, err = job:save(picture(n), { overwrite = true })
  end
  note(n, job or handle, not saved and err)
  if err and err.kind == "lost" then
    said[n] = "reported"
  end
end

local function ask(n)
  local job, err = client:generate(
    { prompt = name .. " " .. n },
    { metadata = { n = tostring(n) }, save = picture(n) }
  )
  note(n, job, err or job.save_error)
  if err and err.kind == "lost" then
    said[n] = "reported"
  end
end

--- Jobs of this ledger by their number: those taken up, and rows of all.
local function by_number(list)
  local found = {}
  for _, item in ipairs(list) do
    found[tonumber(item.metadata.n)] = item
  end
  return found
end

local recovered = by_number(assert(client:recover()))
local rows = by_number(assert(client:history()))

local function settle(n)
  local row = rows[n]
  if recovered[n] then
    if recovered[n].status == "unknown" then
      said[n] = "reported"
    else
      finish(n, recovered[n])
    end
  elseif not row then
    ask(n)
  elseif row.status == "succeeded" and #row.files == 0 then
    finish(n, client:job(row.id))
  else
    said[n] = "nothing to do"
  end
end

for n = 1, jobs do
  gptimage2.spawn(settle, n)
end
gptimage2.run()

--- The whole picture is there: its first and its last bytes.
local function is_whole(n)
  local file = io.open(("%s/%d.png"):format(folder, n), "rb")
  local bytes = file and file:read("a") or ""
  if file then
    file:close()
  end
  return bytes:sub(1, 8) == "\137PNG\r\n\26\n" and bytes:sub(-8, -5) == "IEND"
end

local report = {}
for n, row in pairs(by_number(assert(client:history()))) do
  local told = said[n] == "reported" and "reported" or row.status
  local whole = is_whole(n) and "whole" or "missing"
  local note_of = said[n]:gsub("%s+", " ")
  report[#report + 1] = ("%d\t%s\t%s\t%s\t%s"):format(n, told, row.id or "-", whole, note_of)
end
client:close()
local file = assert(io.open(folder .. "/report", "w"))
file:write(table.concat(report, "\n"), "\n")
assert(file:close())
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
