--- A batch of rows by the program, killed like the pipeline (worker.lua, whose arguments it takes):
--- the same rows and the same command line in every run. What became of them is read from the
--- ledger afterwards. The service and the key are in the environment.

local history = require("gptimage2.ledger.history")
local main = require("gptimage2.command").main

local _, folder, name, jobs, retry, injection = table.unpack(arg)
jobs = tonumber(jobs)

local parts = os.getenv("KILL_PARTS")
local shared = dofile(parts .. "/shared.lua")
local trace = dofile(parts .. "/trace.lua")

local rows, ledger = folder .. "/rows.jsonl", folder .. "/renders.db"

local function write_rows()
  local file = assert(io.open(rows, "w"))
  for n = 1, jobs do
    local prompt = name .. " " .. n
    file:write(('{"prompt":"%s","file":"%d.png","n":"%d"}\n'):format(prompt, n, n))
  end
  assert(file:close())
end

--- Everything that the ledger knows; to read it needs no client.
local function read_history()
  local found = {}
  assert(history.each({ ledger = ledger }, {}, function(row)
    found[#found + 1] = row
  end))
  return shared.by_number(found)
end

write_rows()
local pipe = trace.attach(folder, injection)
main({ "batch", rows, "-o", folder, "--ledger", ledger, "--retry", retry, "--yes", "--json" })

local report = {}
for n, row in pairs(read_history()) do
  local told = row.status == "unknown" and "reported" or row.status
  report[#report + 1] = shared.line(n, told, row.id, shared.is_whole(folder, n), told)
end
shared.write_report(folder, report)
if pipe then
  os.exit(true, false) -- strace goes with the thread
end
