--- A pipeline as a user would write it: it takes up what an earlier run left, asks for what is
--- still missing, and saves every picture. Killed and started again it must end with all of them,
--- each paid once. The same program is the first run and every recovery.
---
--- Arguments: URL, folder, name of the run, number of jobs, retry mode, what strace is to do with
--- the I/O thread ("" = nothing, "count", or its options).

local gptimage2 = require("gptimage2")

local url, folder, name, jobs, retry, injection = table.unpack(arg)
jobs = tonumber(jobs)

local parts = os.getenv("KILL_PARTS")
local shared = dofile(parts .. "/shared.lua")
local trace = dofile(parts .. "/trace.lua")
local by_number = shared.by_number

--- Where it is stopped, and goes on later: shorter than that.
local limit = injection:find("SIGSTOP", 1, true) and 2 or nil

local client = shared.open({
  base_url = url,
  ledger = folder .. "/renders.db",
  retry = retry,
  connect_timeout = limit,
  request_timeout = limit,
})
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
  local options = shared.numbered(n)
  options.save = picture(n)
  local job, err = client:generate({ prompt = name .. " " .. n }, options)
  note(n, job, err or job.save_error)
  if err and err.kind == "lost" then
    said[n] = "reported"
  end
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

local report = {}
for n, row in pairs(by_number(assert(client:history()))) do
  local told = said[n] == "reported" and "reported" or row.status
  report[#report + 1] = shared.line(n, told, row.id, shared.is_whole(folder, n), said[n])
end
client:close()
shared.write_report(folder, report)
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
