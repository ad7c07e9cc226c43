-- The two routes: create a job, and ask after it. Both wait for the service the way nginx waits
-- for anything: the worker serves others meanwhile.
local answers = require("answers")
local audit = require("audit")
local customers = require("customers")
local gptimage2 = require("gptimage2")
local jobs = require("jobs")
local limits = require("limits")
local shape = require("shape")

local render = {}

local client

-- For init_by_lua: each worker begins with a copy of this client. The key comes from
-- GPTIMAGE2_API_KEY.
function render.start()
  local why
  client, why = gptimage2.new({ max_active = 32, timeout = 60 })
  assert(client, tostring(why))
  customers.load(ngx.config.prefix() .. "customers.txt")
end

-- The customer; nil where the request has been answered.
local function enter(method, seconds_to_wait)
  if ngx.req.get_method() ~= method then
    ngx.header["Allow"] = method
    return answers.refuse(405, "method_not_allowed")
  end
  local customer = customers.of_request()
  if not customer then
    return answers.refuse(401, "token_required")
  end
  audit.customer(customer)
  local seconds = seconds_to_wait(customer)
  if seconds then
    return answers.refuse(429, "too_many_requests", seconds)
  end
  return customer
end

-- Nothing was charged, or will not be: the customer does not pay either.
local function is_free(err)
  return err.charged == "no" or err.charged == "refund_expected"
end

-- Sends what is paid for by `cost` credits that were set aside.
local function pay(customer, request, cost)
  local job = jobs.reserve(customer, cost)
  if not job then
    limits.give_back(customer, cost)
    return answers.refuse(503, "no_place_left")
  end
  local made, err = client:create(request, { metadata = { customer = customer.name } })
  if not made and not is_free(err) then
    job.id = err.job_id -- it may have been paid: the credits stay spent, and the audit says so
    audit.job(job, cost)
    return answers.fail(err)
  elseif not made then
    jobs.forget(job)
    limits.give_back(customer, cost)
    return answers.fail(err)
  end
  job.id = made.id
  jobs.keep(job)
  audit.job(job, cost)
  ngx.header["Location"] = "/api/render/" .. job.name
  local left = limits.credits_left(customer)
  answers.send(202, { jobId = job.name, status = "pending", cost = cost, creditsLeft = left })
end

-- POST /api/render
function render.create()
  local customer = enter("POST", limits.wait_to_create)
  if not customer then
    return
  end
  ngx.req.read_body()
  local request, wrong = shape.request(ngx.req.get_body_data())
  if not request then
    return answers.refuse(400, wrong)
  end
  audit.request(request)
  local cost, err = client:cost(request) -- checks the rest; sends nothing
  if not cost then
    return answers.fail(err)
  elseif not limits.reserve(customer, cost) then
    return answers.refuse(402, "not_enough_credits")
  end
  pay(customer, request, cost)
end

local function tell_end(customer, job)
  job.ended.jobId, job.ended.creditsLeft = job.name, limits.credits_left(customer)
  answers.send(200, job.ended)
end

-- What became of the job: kept, so that nobody has to ask the service again.
local function finish(customer, job, status, results, code)
  job.ended = { status = status, results = results, error = code }
  jobs.keep(job)
  tell_end(customer, job)
end

local function results_of(made)
  local results = {}
  for i, result in ipairs(made.results) do
    results[i] =
      { imageUrl = result.image_url, seed = result.seed, finalPrompt = result.final_prompt }
  end
  return results
end

local function failed(customer, job, err)
  if is_free(err) and jobs.is_first_refund(job) then
    limits.give_back(customer, job.cost)
    audit.job(job, -job.cost)
  end
  audit.refusal(err.kind .. "/" .. err.code)
  finish(customer, job, "failed", nil, err.code)
end

-- GET /api/render/<job>
function render.poll(name)
  local customer = enter("GET", limits.wait_to_poll)
  if not customer then
    return
  end
  local job = jobs.of(customer, name)
  if not job then
    return answers.refuse(404, "no_such_job")
  end
  audit.job(job)
  if job.ended then
    return tell_end(customer, job)
  end
  local made, err = client:poll(job.id)
  if not made and err.kind == "job_failed" then
    failed(customer, job, err)
  elseif not made then
    answers.fail(err)
  elseif made.status == "succeeded" then
    finish(customer, job, "succeeded", results_of(made))
  else
    answers.send(200, { jobId = name, status = made.status })
  end
end

return render
