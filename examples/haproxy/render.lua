-- The service behind /api/render: POST creates a job, GET /api/render/<job> asks after it. Both
-- wait the way HAProxy waits for anything. What is kept here is lost when HAProxy ends.
local cjson = require("cjson.safe")
local gptimage2 = require("gptimage2")

local CREDITS = 200 -- for each customer
local MOST = 10000 -- jobs that are known, at least

local client, why = gptimage2.new({ max_active = 32 }) -- the key: GPTIMAGE2_API_KEY
assert(client, tostring(why))
local spent, jobs, older, count = {}, {}, {}, 0

local function answer(applet, status, body)
  local text = cjson.encode(body)
  applet:set_status(status)
  applet:add_header("Content-Type", "application/json")
  applet:add_header("Content-Length", tostring(#text))
  applet:add_header("Cache-Control", "no-store")
  applet:start_response()
  applet:send(text)
end

-- Credits that were set aside and are not charged come back. The customer learns the code: no text
-- of the service, nothing about the account.
local function fail(applet, err, who, cost)
  if err.charged == "no" or err.charged == "refund_expected" then
    spent[who] = spent[who] - cost
  end
  answer(applet, err:http_status(), { error = err.code, field = err.field })
end

-- The service's own id is nobody's concern; ours cannot be guessed.
local function keep(job)
  local file = assert(io.open("/dev/urandom", "rb"))
  local id = file:read(16):gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end)
  file:close()
  if count == MOST then
    jobs, older, count = {}, jobs, 0
  end
  jobs[id], count = job, count + 1
  return id
end

local function create(applet, who)
  local wish = cjson.decode(applet:receive(65536))
  if type(wish) ~= "table" or type(wish.prompt) ~= "string" then
    return answer(applet, 400, { error = "prompt_required" })
  end
  local request = { prompt = wish.prompt, ratio = wish.ratio == "4:3" and "4:3" or "1:1" }
  spent[who] = spent[who] or 0
  local cost, err = client:cost(request) -- checks the request; sends nothing
  if not cost then
    return fail(applet, err, who, 0)
  elseif spent[who] + cost > CREDITS then
    return answer(applet, 402, { error = "not_enough_credits" })
  end
  spent[who] = spent[who] + cost -- before anything is sent: others ask meanwhile
  local made
  made, err = client:create(request)
  if not made then
    return fail(applet, err, who, cost)
  end
  applet:set_var("txn.job", made.id)
  applet:set_var("txn.paid", tostring(cost))
  local id = keep({ id = made.id, who = who, cost = cost })
  answer(applet, 202, { jobId = id, creditsLeft = CREDITS - spent[who] })
end

local function poll(applet, who)
  local id = applet.path:match("^/api/render/(%x+)$")
  local job = jobs[id] or older[id]
  if not job or job.who ~= who then -- nobody learns of somebody else's
    return answer(applet, 404, { error = "no_such_job" })
  end
  applet:set_var("txn.job", job.id)
  local made, err = client:poll(job.id)
  if made then
    local url = made.results and made.results[1].image_url
    return answer(applet, 200, { status = made.status, imageUrl = url })
  end
  local cost = err.kind == "job_failed" and job.cost or 0
  job.cost = job.cost - cost -- once
  fail(applet, err, who, cost)
end

core.register_service("render", "http", function(applet)
  local act = applet.method == "POST" and create or poll
  act(applet, applet:get_var("txn.who"))
end)
