--- Batches: rows of a file, each of which is a request. `plan` reads and checks them all, `run`
--- makes what is not there yet.

local plan = require("gptimage2.batch.plan")
local run = require("gptimage2.batch.run")

return { plan = plan.of, run = run.of, left = run.left }
