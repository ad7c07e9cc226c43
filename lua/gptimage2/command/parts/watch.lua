--- What is known of a client's jobs while they are under way, for progress.

local gptimage2 = require("gptimage2")

local watch = {}

local function job_of(job, names)
  local name = names and names[job.idempotency_key] or (job.metadata or {}).path
  name = name or job.id or "a picture"
  return { name = name, status = job.status, elapsed = job.elapsed, eta = job.eta }
end

--- What is drawn of a client's jobs.
---@param client gptimage2.Client
---@param began number
---@param names? table<string, string> idempotency key -> what its job is called
---@return gptimage2.command.Progress
function watch.state(client, began, names)
  local jobs = {}
  for i, job in ipairs(client:jobs()) do
    jobs[i] = job_of(job, names)
  end
  return {
    jobs = jobs,
    done = 0,
    failed = 0,
    spent = client.spent,
    left = client.balance and client.balance.paid_credits,
    elapsed = gptimage2.now() - began,
  }
end

--- How long such jobs take: half of them are done by then.
---@param client gptimage2.Client
---@return number|nil seconds
function watch.expected(client)
  local job = client:jobs()[1]
  local expected = job and job.request and client:expect(job.request)
  return type(expected) == "number" and expected or nil
end

return watch
