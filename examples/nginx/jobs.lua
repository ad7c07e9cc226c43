-- Whose the jobs are. A customer gets a name of ours for a job, which cannot be guessed; the
-- service's own id stays here.
local cjson = require("cjson.safe")
local secrets = require("secrets")

local jobs = {}

local KEPT = 24 * 60 * 60 -- seconds

local dict = ngx.shared.jobs

-- A name, before anything is sent: where no place is left for it, nothing is paid. (Jobs of others
-- are never pushed out by it.)
function jobs.reserve(customer, cost)
  local job = { name = secrets.random_id(), who = customer.name, cost = cost }
  local ok, err = dict:safe_set(job.name, cjson.encode(job), KEPT)
  if ok then
    return job
  end
  ngx.log(ngx.ERR, "a job cannot be kept: ", err)
end

function jobs.keep(job)
  local ok, err = dict:set(job.name, cjson.encode(job), KEPT)
  if not ok then
    ngx.log(ngx.ERR, "job ", job.name, " (", job.id, ") cannot be kept: ", err)
  end
end

function jobs.forget(job)
  dict:delete(job.name)
end

-- The customer's job; nil where there is none, and where it is somebody else's.
function jobs.of(customer, name)
  local job = cjson.decode(dict:get(name) or "null")
  if type(job) == "table" and job.who == customer.name and job.id then
    return job
  end
end

-- True once for each job, however many requests ask at once.
function jobs.is_first_refund(job)
  return (dict:add("refund " .. job.name, true, KEPT))
end

return jobs
