--- What spec/hosts/blocking_spec.lua does inside of programs that have no loop for Lua: a submit,
--- and steps until the service has the job. The answer goes into the file SPEC_REPORT.
local gptimage2 = require("gptimage2")

local client = assert(gptimage2.new())
local job = assert(client:submit({ prompt = "from " .. _VERSION }))
repeat
  assert(gptimage2.step(0.02))
until job.id or job.error

local file = assert(io.open(os.getenv("SPEC_REPORT"), "w"))
file:write("version=", _VERSION, "\nid=", tostring(job.id), "\nerror=", tostring(job.error), "\n")
file:close()
