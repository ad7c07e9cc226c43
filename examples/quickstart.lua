-- One picture from a prompt, saved under out/. Run it with ./examples/quickstart
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, which costs nothing.
local gptimage2 = require("gptimage2")

local function check(value, err)
  if value == nil then
    io.stderr:write("quickstart: ", tostring(err), "\n")
    os.exit(1, true)
  end
  return value
end

local options, sandbox = {}
function options.on_event(e)
  local news = e.message or e.type == "created" and "job " .. e.id or e.status
  print(("%5.1f s  %-9s %s"):format(e.job.elapsed, e.type, news))
end
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = check(require("gptimage2.sandbox").start({ duration = 3 }))
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
end

local client = check(gptimage2.new(options))
local cup = { subject = "a ceramic espresso cup", style = "product photo", text = "OPEN 24H" }
local request = gptimage2.prompt(cup):request({ ratio = "4:3" })
local job = check(client:generate(request, { save = "out" })) -- "out" is checked before it is paid
local paths = check(job.files, job.save_error)
print("saved:        " .. paths[1] .. "\nsidecar:      out/" .. job.id .. ".json")
print("final prompt: " .. (job.results[1].final_prompt or "not told"))
print("credits left: " .. (client.balance and client.balance.paid_credits or "not told"))
