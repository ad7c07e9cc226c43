--- The pipeline over HTTP/2 and TLS, killed like the other (worker.lua, whose arguments it takes;
--- the URL is what service.lua says for streams): a service that refuses streams, goes away, and
--- resets what it has taken. It has no pictures.

local gptimage2 = require("gptimage2")

local urls, folder, name, jobs, retry, injection = table.unpack(arg)
local url, ca_file = urls:match("^(.-),(.*)$")

local parts = os.getenv("KILL_PARTS")
local shared = dofile(parts .. "/shared.lua")
local trace = dofile(parts .. "/trace.lua")

local client = shared.open({
  base_url = url,
  ca_file = ca_file,
  ledger = folder .. "/renders.db",
  retry = retry,
  max_attempts = 20, -- all runs share the service's count of creates: some are refused often
})
local pipe = trace.attach(folder, injection)

--- What came of job n in this run, for the report.
local said = {}

local function note(n, job, err)
  said[n] = err and tostring(err) or job.status
  if err and err.kind == "lost" then
    said[n] = "reported"
  end
end

--- The service's books tell jobs by their keys.
local function ask(n)
  local options = shared.numbered(n)
  options.idempotency_key = (name:gsub(" ", "_")) .. "/" .. n
  note(n, client:generate({ prompt = name .. " " .. n }, options))
end

local recovered = shared.by_number(assert(client:recover()))
local rows = shared.by_number(assert(client:history()))

local function settle(n)
  local job = recovered[n]
  if job and job.status == "unknown" then
    said[n] = "reported"
  elseif job then
    note(n, job, select(2, job:wait()))
  elseif rows[n] then
    said[n] = "nothing to do"
  else
    ask(n)
  end
end

for n = 1, tonumber(jobs) do
  gptimage2.spawn(settle, n)
end
gptimage2.run()

local report = {}
for n, row in pairs(shared.by_number(assert(client:history()))) do
  local told = said[n] == "reported" and "reported" or row.status
  report[#report + 1] = shared.line(n, told, row.id, row.status == "succeeded", said[n])
end
client:close()
shared.write_report(folder, report)
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
