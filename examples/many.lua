-- Many pictures at once, within a budget, and nothing paid twice.
--
-- Run it with  lua5.4 examples/many.lua
-- Every job has its own coroutine, which reads from top to bottom; `run` drives them all.
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, which is told to refuse one job.
local gptimage2 = require("gptimage2")

local options = { max_active = 6, budget = 100 }
function options.on_event(e)
  if e.type == "retry" then -- the service asked for patience; the module has it
    print(("%2s  again in %.1f s: %s"):format(e.metadata.number, e.delay, e.message))
  end
end
local sandbox
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = assert(require("gptimage2.sandbox").start({ image_size = 512 }))
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
  local again_in = { ["Retry-After"] = "1" }
  sandbox:fault({ on = "create", action = "status", status = 429, headers = again_in })
end
local client, why = gptimage2.new(options)
assert(client, tostring(why))
local count = { made = 0, budget = 0, unsure = 0, failed = 0 }

local function make(prompt, n)
  local metadata = { number = tostring(n) }
  local job, err = client:generate(prompt:request({ ratio = "1:1" }), { metadata = metadata })
  local paths
  if job then
    paths, err = job:save("out/{id}.{ext}")
  end
  local outcome = "made"
  if not paths then
    -- Before you ask again for what may have been paid, look at the account.
    outcome = err.kind == "budget" and "budget" or err.charged == "unknown" and "unsure" or "failed"
  end
  count[outcome] = count[outcome] + 1
  print(("%2d  %s"):format(n, paths and paths[1] or tostring(err)))
end

local variants = gptimage2.prompt.variants({
  subject = { "a lighthouse", "a windmill", "a water tower" },
  style = { "woodcut", "watercolour", "blueprint", "pixel art" },
})
for prompt, n in variants do
  gptimage2.spawn(make, prompt, n)
end
gptimage2.run()
local text = "%d made, %d over the budget, %d unsure, %d failed; %d of %d credits spent"
local spent, budget = client.spent, options.budget
print(text:format(count.made, count.budget, count.unsure, count.failed, spent, budget))
