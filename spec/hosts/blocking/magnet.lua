--- What spec/hosts/blocking_spec.lua lets lighttpd serve: the first request submits, each one steps
--- and tells how far it is. None waits.
local gptimage2 = require("gptimage2")

-- What is required stays between requests; globals do not.
local mine = package.loaded["spec.magnet"] or {}
package.loaded["spec.magnet"] = mine
mine.client = mine.client or assert(gptimage2.new({ poll = { first = 0.05, interval = 0.05 } }))
mine.job = mine.job or assert(mine.client:submit({ prompt = "from lighttpd" }))
assert(gptimage2.step())
lighty.content = { mine.job.status, " ", _VERSION, "\n" }
return 200
