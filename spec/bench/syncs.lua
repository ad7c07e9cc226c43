--- Case: jobs with a ledger, one after the other, for strace to look at. Arguments: URL, key, the
--- ledger's path, jobs. Writes "begin" and "end" round them.

local gptimage2 = require("gptimage2")

local url, key, path, jobs = table.unpack(arg)
local client = assert(gptimage2.new({
  api_key = key,
  base_url = url,
  ledger = path,
  poll = { first = 0, interval = 0.025 },
}))

local function say(word)
  io.stdout:write(word, "\n")
  io.stdout:flush()
end

say("begin")
for i = 1, tonumber(jobs) do
  assert(client:generate({ prompt = "A studio photo of item " .. i }).status == "succeeded")
end
say("end")
client:close()
