local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local FOREVER = { times = math.huge }

local function telling(status, credits)
  return ('{"status":"%s","balance":{"paidCredits":%d}}'):format(status, credits)
end

-- Steps until the body is the job's last reply, which reads nothing of it.
local function received(job, body)
  support.step_until(function()
    return job:raw() == body
  end)
end

-- A job whose polls are all answered with 202 and the body, once that has come; client and sandbox.
local function told(body)
  local client, box = support.pair()
  support.answer(box, "poll", 202, body, FOREVER)
  local job = assert(client:submit(CUP))
  received(job, body)
  return job, client, box
end

describe("the news of a 202, where there is no on_event,", function()
  after_each(support.clean)

  it("are there for who asks for the status", function()
    local job = told(telling("running", 7))
    assert.equal("running", job.status)
  end)

  it("are there for who shows the job", function()
    local job = told(telling("running", 7))
    assert.matches("running", tostring(job), 1, true)
  end)

  it("are there for who asks for the job's balance", function()
    local job = told(telling("running", 7))
    assert.same({ paid_credits = 7 }, job.balance)
  end)

  it("are there for who asks for the client's balance, with no hand on the job", function()
    local _, client = told(telling("running", 7))
    _ = nil
    collectgarbage()
    assert.same({ paid_credits = 7 }, client.balance)
    assert.same({ paid_credits = 7 }, client.balance)
  end)

  it("are another client's business", function()
    local _, _, box = told(telling("running", 7))
    assert.is_nil(support.client(box).balance)
  end)

  it("do not put an older balance over a newer one, whenever they are read", function()
    local job, client = told(telling("running", 7))
    assert(client:create(CUP))
    assert.equal(480, client.balance.paid_credits)
    assert.equal(7, job.balance.paid_credits)
    assert.equal(480, client.balance.paid_credits)
  end)

  it("put a newer balance over an older one, whenever they are read", function()
    local client, box = support.pair()
    assert(client:create(CUP))
    support.answer(box, "poll", 202, telling("running", 7), FOREVER)
    local job = assert(client:submit(CUP))
    received(job, telling("running", 7))
    assert.equal(7, client.balance.paid_credits)
  end)

  it("stay known when the next 202 does not repeat them", function()
    local client, box = support.pair()
    -- Of two that come between two steps the host is told the newest: there is time for one here.
    local later = { ["Retry-After"] = tostring(math.ceil(support.seconds(0.5))) }
    support.answer(box, "poll", 202, telling("running", 7), { headers = later })
    support.answer(box, "poll", 202, '{"status":"polishing"}', FOREVER)
    local job = assert(client:submit(CUP))
    received(job, '{"status":"polishing"}')
    assert.equal("running", job.status)
    assert.equal(7, job.balance.paid_credits)
    assert.equal(7, client.balance.paid_credits)
  end)

  it("give way to those of the next 202", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, telling("running", 7))
    support.answer(box, "poll", 202, telling("pending", 8), FOREVER)
    local job = assert(client:submit(CUP))
    received(job, telling("pending", 8))
    assert.equal("pending", job.status)
    assert.equal(8, job.balance.paid_credits)
    assert.equal(8, client.balance.paid_credits)
  end)

  it("stay known when the final answer does not repeat them", function()
    local client, box = support.pair()
    local done = '{"status":"succeeded","results":[{"imageUrl":"https://e.com/1.png"}]}'
    support.answer(box, "poll", 202, telling("running", 7))
    support.answer(box, "poll", 200, done)
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal("succeeded", job.status)
    assert.equal(done, job:raw())
    assert.equal(7, job.balance.paid_credits)
    assert.equal(7, client.balance.paid_credits)
  end)

  it("give way to the final answer", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, telling("running", 7))
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal("succeeded", job.status)
    assert.equal(490, job.balance.paid_credits)
    assert.equal(490, client.balance.paid_credits)
  end)

  it("stay known when an answer that looks final is not readable", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, telling("running", 7))
    support.answer(box, "poll", 200, "<b>", FOREVER)
    local job = assert(client:submit(CUP))
    received(job, "<b>")
    assert.equal("running", job.status)
    assert.equal(7, job.balance.paid_credits)
  end)

  it("stay known when the polls are refused", function()
    local client, box = support.pair()
    support.answer(box, "poll", 202, telling("running", 7))
    support.answer(box, "poll", 410)
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal("unknown", job.status)
    assert.equal(7, job.balance.paid_credits)
  end)

  it("do not bring a cancelled job back", function()
    local job, client = told(telling("running", 7))
    job:cancel()
    assert.equal(7, job.balance.paid_credits)
    assert.equal("cancelled", job.status)
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("cancelled", job.status)
    assert.equal(7, client.balance.paid_credits)
  end)

  it("may be none: what cannot be read changes nothing", function()
    for _, body in ipairs({ "<b>", "[]", '{"status":"running"' }) do
      local job = told(body)
      assert.equal("pending", job.status)
      assert.equal(490, job.balance.paid_credits)
    end
  end)

  it("that wait for a host that does not step are one for each job: the newest", function()
    local client, box = support.pair({ on_event = function() end }, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.id
    end)
    for i = 1, 12 do
      local body = '{"status":"running","balance":{"paidCredits":%d}}'
      support.answer(box, "poll", 202, body:format(i))
    end
    local seen = box:ledger().requests.poll
    local limit = gptimage2.now() + 60
    while box:ledger().requests.poll < seen + 16 do -- without a step
      assert(gptimage2.now() < limit)
    end
    assert.is_true(gptimage2.step() <= 2) -- of the first the host may have heard
    assert.equal("pending", job.status) -- what the sandbox says behind them
    local raw = job:raw()
    assert.is_nil(raw:find("running", 1, true), raw)
  end)
end)
