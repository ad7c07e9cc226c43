--- Case: saving a large file, against the `curl` program. Arguments: URL, key, folder, runs, "sync"
--- or "no-sync" (whether to compare with `curl` and `sync`, too). Alternating runs; `curl`'s own
--- time leaves its start out, ours holds everything from the call to the return.

local figures = require("figures")
local gptimage2 = require("gptimage2")
local meter = require("meter")

local url, key, folder, runs, sync = arg[1], arg[2], arg[3], tonumber(arg[4]), arg[5] == "sync"
local theirs = folder .. "/curl.png"

local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  poll = { first = 0, interval = 0.05 },
}))
local job = assert(client:generate({ prompt = "A large picture" }))
local image_url = job.results[1].image_url

local function size_of(path)
  local file = assert(io.open(path, "rb"))
  local size = file:seek("end")
  file:close()
  return size
end

--- Runs a program; its first line of output and its seconds, start included.
local function run(...)
  local process = meter.start(...)
  local line = process:line()
  local status, wall = process:finish()
  assert(status == 0, (...) .. " failed")
  return line, wall
end

--- Saves once with the module; the seconds and the path.
local function ours()
  local began = meter.now()
  local paths = assert(job:save(folder .. "/ours{n}.{ext}", { overwrite = true, sidecar = false }))
  return (meter.now() - began) / 1e9, paths[1]
end

--- Saves once with curl; its own seconds, those of the process, those of a sync.
local function curls()
  os.remove(theirs)
  local line, wall =
    run("curl", "--silent", "--fail", "-o", theirs, "-w", "%{time_total}\n", image_url)
  local synced = 0
  if sync then
    local _
    _, synced = run("sync", theirs)
  end
  return tonumber(line), wall, synced
end

local saved, inner, outer, synced = {}, {}, {}, {}
for i = 0, runs do
  local a, path = ours()
  local b, c, d = curls()
  assert(size_of(path) == size_of(theirs), "the files differ in size")
  os.remove(path)
  if i > 0 then -- the first of each only warms up
    saved[i], inner[i], outer[i], synced[i] = a, b, c, b + d
  end
  if i == runs then
    figures.print("bytes", size_of(theirs))
  end
end
os.remove(theirs)
figures.print("ours_ms", figures.median(saved) * 1000)
figures.print("curl_ms", figures.median(inner) * 1000)
figures.print("curl_process_ms", figures.median(outer) * 1000)
figures.print("curl_sync_ms", figures.median(synced) * 1000)
