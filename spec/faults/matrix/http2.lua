--- Creates over HTTP/2 and TLS that a server refuses, lets go, or takes and then resets: its books,
--- a line for each create that it took, say what is paid.

local gptimage2 = require("gptimage2")
local server = require("spec.helpers.http2")

local http2 = {}

local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW") and 4 or 1
local MODES = { safe = 1, documented = 2, idempotent = 3 }
local PLENTY = 60 * SLOW

--- Whether the server could be built here: it needs nghttp2.
http2.is_there = server.is_there

local function client_of(box, plan)
  return assert(gptimage2.new({
    api_key = box.api_key,
    base_url = box.url,
    ca_file = box.ca_file,
    retry = plan.mode,
    max_attempts = plan.attempts,
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
    request_timeout = PLENTY,
    timeout = PLENTY,
  }))
end

--- Makes the pictures of a case, all at once.
local function generate(client, plan, found)
  local jobs = {}
  for i = 1, plan.jobs do
    jobs[i] = assert(client:submit({ prompt = "a cup" }))
  end
  for i, job in ipairs(jobs) do
    local done, err = job:wait()
    found.outcomes[i] = done and "ok" or err.kind .. "/" .. err.code
    found.jobs[i] = { key = job.idempotency_key, done = done, err = err }
    if err then
      found.outcome, found.err = found.outcomes[i], err
    end
  end
end

--- Runs a case.
---@param plan table mode, script, jobs, attempts
---@return table found outcome ("ok", or of one that failed), outcomes, jobs, taken (key -> times),
--- posts (creates that were taken), paid (how often the same one was, at most), spent, saves
function http2.run(plan)
  local found = { saves = 0, outcome = "ok", outcomes = {}, jobs = {}, posts = 0, paid = 0 }
  local box = server.start(plan.script)
  local client = client_of(box, plan)
  local ok, message = xpcall(generate, debug.traceback, client, plan, found)
  found.spent = client.spent
  client:close()
  found.taken = box:taken()
  for _, times in pairs(found.taken) do
    found.posts = found.posts + times
    found.paid = math.max(found.paid, times)
  end
  box:stop()
  assert(ok, message)
  return found
end

--- What a job was told against what the server took of it; nil when both agree.
local function loss(job, times)
  local charged = job.err and job.err.charged
  if times > 0 and job.err and (charged == "no" or charged == nil) then
    return "it was taken, and the error says " .. tostring(charged)
  elseif times == 0 and job.done then
    return "it succeeded, and was never taken"
  end
end

--- The first difference from the row, or nil.
local function difference(plan, row, found)
  local failed = 0
  for _, outcome in ipairs(found.outcomes) do
    if outcome ~= "ok" then
      failed = failed + 1
      if outcome ~= row.outcome then
        return ("%s instead of %s"):format(outcome, row.outcome or "ok")
      end
    end
  end
  local mode = MODES[plan.mode]
  local actual = { failed = failed, taken = found.posts, spent = found.spent }
  for _, name in ipairs({ "failed", "taken", "spent" }) do
    local wanted = type(row[name]) == "table" and row[name][mode] or row[name]
    if actual[name] ~= wanted then
      return ("%s is %s instead of %s"):format(name, actual[name], wanted)
    end
  end
  if found.err and found.err.charged ~= row.charged then
    return ("charged is %s instead of %s"):format(found.err.charged, row.charged)
  end
end

--- Judges a case.
---@param plan table
---@param row table of expected.lua
---@param found table what http2.run gave
---@return table verdict as judge.case gives
function http2.judge(plan, row, found)
  local lost
  for _, job in ipairs(found.jobs) do
    lost = lost or loss(job, found.taken[job.key] or 0)
  end
  local twice = found.paid > 1
  return {
    lost = lost ~= nil,
    paid_twice = twice and plan.mode ~= "idempotent",
    allowed = twice and plan.mode == "idempotent",
    wrong = lost or difference(plan, row, found),
  }
end

return http2
