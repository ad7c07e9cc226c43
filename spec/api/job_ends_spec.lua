--- What a server or a loop of its own asks of a job: is it over, call me then, tell it on.

local cjson = require("cjson")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local REQUEST = { prompt = "two cups", count = 2 }

describe("job:finished", function()
  after_each(support.clean)

  it("is true once the service has said what became of it, unlike done", function()
    local client, box = support.pair(nil, { duration = 3600 })
    local job = assert(client:create(REQUEST))
    assert.is_true(job:done())
    assert.is_false(job:finished())
    local polled = assert(client:poll(job.id))
    assert.is_true(polled:done())
    assert.is_false(polled:finished())
    box:advance(3600)
    assert.is_true(assert(client:poll(job.id)):finished())
  end)

  it("is true for a job that failed, and not for one that was cancelled", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail" })
    local failed = client:submit(REQUEST)
    support.finish(failed)
    assert.is_true(failed:finished())
    local cancelled = client:submit(REQUEST)
    cancelled:cancel()
    assert.is_true(cancelled:done())
    assert.is_false(cancelled:finished())
  end)
end)

describe("job:on_done", function()
  after_each(support.clean)

  it("calls once, in a later step, with the job and its error", function()
    local client, box = support.pair()
    local calls = {}
    local function note(job, err)
      calls[#calls + 1] = { job, err or false }
    end
    local good = client:submit(REQUEST)
    good:on_done(note)
    assert.same({}, calls)
    support.finish(good)
    support.step_until(function()
      return #calls == 1
    end)
    assert.same({ { good, false } }, calls)
    support.answer(box, "create", 400)
    local bad = client:submit(REQUEST)
    bad:on_done(note)
    support.step_until(function()
      return #calls == 2
    end)
    assert.equal(bad, calls[2][1])
    assert.equal(bad.error, calls[2][2])
    gptimage2.step()
    assert.equal(2, #calls)
  end)

  it("calls in a later step when the job is done already", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    local calls = 0
    job:on_done(function()
      calls = calls + 1
    end)
    job:on_done(function()
      calls = calls + 1
    end)
    assert.equal(0, calls)
    assert.is_true(gptimage2.step(support.seconds(5)) > 0)
    support.step_until(function()
      return calls == 2
    end)
    gptimage2.step()
    assert.equal(2, calls)
  end)

  it("is called for a job that is cancelled, and once where it raises", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local calls = 0
    job:on_done(function(_, err)
      calls = calls + 1
      error("mine: " .. err.kind)
    end)
    job:cancel()
    local ok, raised
    repeat
      ok, raised = pcall(gptimage2.step, 0.01)
    until not ok
    assert.matches("mine: cancelled", raised)
    assert(gptimage2.step(0.01))
    assert.equal(1, calls)
  end)

  it("takes a function", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    assert.is_false(pcall(job.on_done, job))
    assert.is_false(pcall(job.on_done, job, "later"))
    assert.is_false(pcall(job.on_done, {}, print))
  end)
end)

describe("job:answer", function()
  after_each(support.clean)

  it("is the service's own JSON, whose arrays stay arrays", function()
    local client, box = support.pair(nil, { duration = 3600 })
    local job = assert(client:create(REQUEST))
    local answer = cjson.decode((assert(job:answer())))
    assert.equal(job.id, answer.jobId)
    assert.equal("pending", answer.status)
    assert.is_nil(answer.results)
    assert.equal(480, answer.balance.paidCredits)
    box:advance(3600)
    job = assert(client:poll(job.id))
    answer = cjson.decode((assert(job:answer())))
    assert.equal("succeeded", answer.status)
    assert.equal(2, #answer.results)
    assert.equal(job.results[2].image_url, answer.results[2].imageUrl)
    assert.equal(job.results[2].seed, answer.results[2].seed)
    assert.equal("two cups", answer.results[2].finalPrompt)
  end)

  it("says the service's code where the job failed", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local job = client:submit(REQUEST)
    support.finish(job)
    local answer = cjson.decode((assert(job:answer())))
    assert.equal("failed", answer.status)
    assert.equal(job.error.code, answer.error)
  end)

  it("gives an empty list, not an object, where no image has a URL", function()
    local client, box = support.pair()
    local body = [[{"jobId":"j1","status":"pending"}]]
    support.answer(box, "create", 200, body)
    support.answer(box, "poll", 200, [[{"jobId":"j1","status":"succeeded","results":[]}]])
    local job = assert(client:create(REQUEST))
    local polled = client:poll(job.id)
    if polled and polled:finished() then
      assert.truthy(assert(polled:answer()):find('"results": []', 1, true))
    end
  end)

  it("is an error before the service has told of an id", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local answer, err = job:answer()
    assert.is_nil(answer)
    assert.equal("validation", err.kind)
    assert.equal("no_job_id", err.code)
    assert.equal(job.idempotency_key, err.idempotency_key)
  end)
end)

describe("err:http_status", function()
  after_each(support.clean)

  it("is what a server answers its own client, by the kind", function()
    local core = require("gptimage2.core")
    local expected = {
      validation = 400,
      budget = 402,
      credits = 402,
      not_found = 404,
      cancelled = 409,
      rate_limit = 429,
      closed = 503,
      ledger = 503,
      io = 503,
      timeout = 504,
      auth = 502,
      server = 502,
      network = 502,
      tls = 502,
      lost = 502,
      job_failed = 502,
      protocol = 502,
    }
    for kind, status in pairs(expected) do
      local err = core.error({ kind = kind, code = "x", message = "x" })
      assert.equal(status, err:http_status(), kind)
    end
    local client = support.pair()
    local _, err = client:generate({})
    assert.equal(400, err:http_status())
    assert.is_nil(err.no_such_field)
  end)
end)

describe("busy", function()
  after_each(support.clean)

  it("counts jobs, tasks and sleeps, and is 0 when all is over", function()
    local client = support.pair()
    assert.equal(0, gptimage2.busy())
    local job = client:submit(REQUEST)
    assert.equal(1, gptimage2.busy())
    local open = true
    local task = gptimage2.spawn(function()
      while open do
        coroutine.yield()
      end
    end)
    local slept
    coroutine.wrap(function()
      slept = gptimage2.sleep(0.01)
    end)()
    assert.equal(3, gptimage2.busy())
    support.finish(job)
    support.step_until(function()
      return slept
    end)
    assert.equal(1, gptimage2.busy())
    open = false
    support.finish(task)
    assert.equal(0, gptimage2.busy())
  end)
end)
