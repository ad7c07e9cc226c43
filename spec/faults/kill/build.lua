--- A build of pictures, killed like the pipeline (worker.lua, whose arguments it takes): the same
--- manifest and the same call in every run. A picture is told as "succeeded" when it is in its
--- place and the lock says which job made it.

local assets = require("gptimage2.assets")

local url, folder, name, jobs, retry, injection = table.unpack(arg)
jobs = tonumber(jobs)

local parts = os.getenv("KILL_PARTS")
local shared = dofile(parts .. "/shared.lua")
local trace = dofile(parts .. "/trace.lua")

local manifest = folder .. "/pictures.lua"

local function write_manifest()
  local lines = { "return { pictures = {" }
  for n = 1, jobs do
    lines[#lines + 1] = ("[%q] = { subject = %q },"):format(n .. ".png", name .. " " .. n)
  end
  lines[#lines + 1] = "} }\n"
  local file = assert(io.open(manifest, "w"))
  file:write(table.concat(lines, "\n"))
  assert(file:close())
end

--- The number of a picture -> the job that the lock names.
local function read_lock()
  local found = {}
  for line in io.lines(folder .. "/pictures.lock") do
    local n, id = line:match('"path":"(%d+)%.png"'), line:match('"job":"([^"]+)"')
    if n then
      found[tonumber(n)] = id
    end
  end
  return found
end

--- What a line of the plan after the build says of its picture.
local TOLD = { fresh = "succeeded", unknown = "reported" }

write_manifest()
local ledger = assert(assets.ledger(manifest))
local client = shared.open({ base_url = url, ledger = ledger, retry = retry })
local pipe = trace.attach(folder, injection)
local built = assert(assets.build(manifest, { client = client }))
client:close()

local ids, report = read_lock(), {}
for _, line in ipairs(built.plan.lines) do
  local n = tonumber(line.path:match("%d+"))
  local told = TOLD[line.state] or line.state
  report[n] = shared.line(n, told, ids[n], shared.is_whole(folder, n), told)
end
shared.write_report(folder, report)
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
