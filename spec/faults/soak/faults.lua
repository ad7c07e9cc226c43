--- What goes wrong during the soak: each entry is a rule of `sandbox:fault`, taken in turn as often
--- as its `weight` says.
---
--- Each of them hits one request. A 429 has a weight of its own, because it halves the number of
--- active jobs on purpose: `RARE` faults come once in `RARE_EVERY`.

local faults = {}

local ODD = '{"status":"reticulating","jobId":"0"}'
local WAIT = { ["Retry-After"] = "1" }

faults.COMMON = {
  { on = "create", action = "status", status = 500 },
  { on = "create", action = "status", status = 502, body = "<html>Bad Gateway</html>" },
  { on = "create", action = "status", status = 503, headers = WAIT },
  { on = "create", action = "status", status = 504, work = true },
  { on = "create", action = "status", status = 503, work = true },
  { on = "create", action = "reset", work = false },
  { on = "create", action = "reset", work = true },
  { on = "create", action = "close", work = false },
  { on = "create", action = "close", work = true },
  { on = "create", action = "truncate", bytes = 0 },
  { on = "create", action = "truncate", bytes = 20 },
  { on = "create", action = "cut", bytes = 60 },
  { on = "create", action = "cut", bytes = 200, reset = true },
  { on = "create", action = "html", status = 503 },
  { on = "create", action = "delay", seconds = 0.2 },
  { on = "poll", action = "status", status = 500 },
  { on = "poll", action = "status", status = 503, headers = WAIT },
  { on = "poll", action = "status", status = 404 },
  { on = "poll", action = "status", status = 200, body = ODD },
  { on = "poll", action = "status", status = 200, body = '{"status":"succeeded"}' },
  { on = "poll", action = "malformed" },
  { on = "poll", action = "html", status = 502 },
  { on = "poll", action = "gzip" },
  { on = "poll", action = "nesting" },
  { on = "poll", action = "other_job" },
  { on = "poll", action = "unknown_status" },
  { on = "poll", action = "results" },
  { on = "poll", action = "missing" },
  { on = "poll", action = "cut", bytes = 100 },
  { on = "poll", action = "oversize", bytes = 1100000, chunked = true },
  { on = "poll", action = "redirect", location = "http://127.0.0.1:9/elsewhere" },
  { on = "poll", action = "reset" },
  { on = "poll", action = "close" },
  { on = "poll", action = "truncate", bytes = 10 },
  { on = "poll", action = "delay", seconds = 0.2 },
  { on = "job", action = "fail", error = "generation_failed" },
  { on = "job", action = "fail", error = "content_policy" },
}

faults.RARE_EVERY = 100

faults.RARE = {
  { on = "create", action = "status", status = 429, headers = WAIT },
  { on = "poll", action = "status", status = 429 },
  { on = "create", action = "hang" },
  { on = "create", action = "malformed" },
  { on = "poll", action = "hang" },
  { on = "image", action = "truncate", bytes = 100 },
  { on = "image", action = "status", status = 503 },
}

--- The n-th fault: which rule it is.
---@param n integer from 1
---@return table rule
function faults.at(n)
  if n % faults.RARE_EVERY == 0 then
    return faults.RARE[(n // faults.RARE_EVERY - 1) % #faults.RARE + 1]
  end
  return faults.COMMON[(n - 1) % #faults.COMMON + 1]
end

--- The same as a few words.
---@param rule table
---@return string
function faults.name(rule)
  local name = rule.on .. " " .. rule.action
  local detail = rule.status or rule.error or (rule.action ~= "oversize" and rule.bytes)
  if detail then
    name = name .. " " .. detail
  end
  if rule.on == "create" and rule.work ~= nil then
    name = name .. (rule.work and ", after the work" or ", before the work")
  end
  return name
end

return faults
