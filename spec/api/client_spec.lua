--- The module and its clients: making one, each call that asks for a job, balance and close.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

local function is_integer(value)
  return math.type == nil or math.type(value) == "integer"
end

describe("the module", function()
  it("says what it is", function()
    assert.equal("gptimage2", gptimage2._NAME)
    assert.truthy(gptimage2._VERSION:match("^gptimage2 %d+%.%d+%.%d+"))
    assert.equal("MIT", gptimage2._LICENSE)
    assert.equal("string", type(gptimage2._DESCRIPTION))
    assert.truthy(gptimage2._URL:match("^https://"))
  end)
end)

describe("a new client", function()
  after_each(support.clean)

  it("raises for unknown options and wrong types, blaming the caller", function()
    local ok, message = pcall(function()
      gptimage2.new({ api_kye = "k" })
    end)
    assert.is_false(ok)
    local expected = "bad argument #1 to 'new' (unknown option 'api_kye', did you mean 'api_key'?)"
    assert.truthy(message:find(expected, 1, true))
    assert.truthy(message:find("client_spec.lua", 1, true))
    assert.has_error(function()
      gptimage2.new({ timeout = "long" })
    end)
    assert.has_error(function()
      gptimage2.new("key")
    end)
  end)

  it("is refused with a key or a URL that cannot be", function()
    local client, err = gptimage2.new({ api_key = "two words" })
    assert.is_nil(client)
    assert.equal("auth", err.kind)
    assert.equal("api_key_invalid", err.code)
    client, err = gptimage2.new({ api_key = "k", base_url = "http://example.com" })
    assert.is_nil(client)
    assert.equal("insecure_base_url", err.code)
  end)

  it("shows its URL and not its key, and keeps its metatable to itself", function()
    local client, box = support.pair()
    assert.equal(("gptimage2.Client (%s)"):format(box.url), tostring(client))
    assert.equal("gptimage2.Client", getmetatable(client))
    assert.is_nil(client.api_key)
    assert.is_nil(client.nonsense)
  end)

  it("has sent nothing, spent nothing and knows no balance", function()
    local client, box = support.pair()
    assert.equal(0, client.spent)
    assert.is_nil(client.balance)
    assert.same({}, client:jobs())
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("client:cost", function()
  after_each(support.clean)

  it("is ten credits for each image, an integer, and asks nobody", function()
    local client, box = support.pair()
    assert.equal(10, client:cost({ prompt = "a cup" }))
    assert.equal(40, client:cost({ prompt = "a cup", count = 4 }))
    assert.is_true(is_integer(client:cost({ prompt = "a cup", count = 2.0 })))
    assert.equal(0, box:ledger().connections)
  end)

  it("gives the error of a request that is wrong", function()
    local credits, err = support.pair():cost({ prompt = " " })
    assert.is_nil(credits)
    assert.equal("prompt_required", err.code)
  end)
end)

describe("client:generate", function()
  after_each(support.clean)

  it("gives a job that has succeeded", function()
    local client, box = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    assert.equal("succeeded", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.equal(1, #job.results)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(0, gptimage2.pending())
  end)

  it("gives nil and the error of a job that failed", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local job, err = client:generate({ prompt = "a cup" })
    assert.is_nil(job)
    assert.equal("job_failed", err.kind)
    assert.equal("content_policy", err.code)
  end)

  it("takes the client's ratios beside the documented ones", function()
    local client, box = support.pair({ ratios = { "21:9" } })
    local _, err = client:generate({ prompt = "a cup", ratio = "2:1" })
    assert.equal("invalid_ratio", err.code)
    assert.equal(0, box:ledger().connections)
    _, err = client:generate({ prompt = "a cup", ratio = "21:9" })
    assert.equal("invalid_ratio", err.code)
    assert.equal(400, err.status) -- it was sent, and the service knows no such ratio
  end)

  it("follows a job through pending and running", function()
    local client, box = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.polled(box, 1, 2)
    assert.equal("pending", job.status)
    box:advance(500)
    support.step_until(function()
      return job.status == "running"
    end)
    box:advance(500)
    support.finish(job)
    assert.equal("succeeded", job.status)
  end)
end)

describe("client:submit", function()
  after_each(support.clean)

  it("returns at once with a queued job", function()
    local client = support.pair()
    local job = assert(client:submit({ prompt = "a cup" }))
    assert.equal("queued", job.status)
    assert.is_false(job:done())
    assert.is_nil(job.id)
    assert.equal(1, gptimage2.pending())
    support.finish(job)
    assert.equal("succeeded", job.status)
  end)

  it("is done by the engine, whatever the host does", function()
    local client, box = support.pair()
    assert(client:submit({ prompt = "a cup" }))
    repeat -- no step here
      local jobs = box:ledger().jobs
    until jobs[1]
    assert.equal("a cup", box:ledger().jobs[1].prompt)
  end)
end)

describe("client:create", function()
  after_each(support.clean)

  it("is one POST and no poll", function()
    local client, box = support.pair()
    local job = assert(client:create({ prompt = "a cup" }))
    assert.equal("pending", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.is_nil(job.results)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(0, gptimage2.pending())
    local expected = { create = 1, poll = 0, image = 0, reference = 0, other = 0 }
    assert.same(expected, box:ledger().requests)
  end)

  it("leaves a job whose wait takes it up", function()
    local client, box = support.pair()
    local created = assert(client:create({ prompt = "a cup" }))
    local job = assert(created:wait())
    assert.equal("succeeded", job.status)
    assert.equal(created.id, job.id)
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("client:poll", function()
  after_each(support.clean)

  it("is one GET, and tells how the job is", function()
    local client, box = support.pair({}, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    local job = assert(client:poll(id))
    assert.equal(id, job.id)
    assert.equal("pending", job.status)
    assert.is_true(job:done())
    assert.equal(1, job.polls)
    box:advance(500)
    assert.equal("running", assert(client:poll(id)).status)
    box:advance(500)
    job = assert(client:poll(id))
    assert.equal("succeeded", job.status)
    assert.equal(1, #job.results)
    assert.equal(3, box:ledger().requests.poll)
  end)

  it("gives the error of a job that failed", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local id = client:create({ prompt = "a cup" }).id
    local job, err = client:poll(id)
    assert.is_nil(job)
    assert.equal("job_failed", err.kind)
    assert.equal("content_policy", err.code)
    assert.equal(id, err.job_id)
  end)

  it("does not try again", function()
    local client, box = support.pair()
    local id = client:create({ prompt = "a cup" }).id
    support.answer(box, "poll", 500)
    local job, err = client:poll(id)
    assert.is_nil(job)
    assert.equal("server", err.kind)
    assert.equal(1, box:ledger().requests.poll)
  end)

  it("costs nothing", function()
    local client, box = support.pair({ budget = 10 })
    local id = client:create({ prompt = "a cup" }).id
    assert(client:poll(id))
    assert.equal(10, client.spent)
    assert.equal(10, box:ledger().charged)
  end)
end)

describe("client:wait", function()
  after_each(support.clean)

  it("takes up a job of another client by its id", function()
    local first, box = support.pair({}, { duration = 1000 })
    local id = first:create({ prompt = "a cup" }).id
    first:close()
    box:advance(1000)
    local second = support.client(box)
    local job = assert(second:wait(id))
    assert.equal(id, job.id)
    assert.equal("succeeded", job.status)
    assert.equal(0, second.spent)
    assert.equal(1, box:ledger().requests.create)
  end)

  it("ends with the id and a hint when its timeout runs out, and can be called again", function()
    local client, box = support.pair({}, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    local job, err = client:wait(id, 0.05)
    assert.is_nil(job)
    assert.equal("timeout", err.kind)
    assert.equal("deadline_passed", err.code)
    assert.equal(id, err.job_id)
    assert.equal("yes", err.charged)
    assert.truthy(err.message:find(('client:wait("%s")'):format(id), 1, true))
    support.step_until(function() -- what a slow step left to the next
      return gptimage2.pending() == 0
    end)
    box:advance(1000)
    assert.equal("succeeded", assert(client:wait(id)).status)
  end)

  it("raises for a timeout that is none", function()
    local client, box = support.pair()
    for _, bad in ipairs({ -1, 0 / 0, "soon" }) do
      assert.has_error(function()
        client:wait("job-1", bad)
      end)
    end
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("client:job", function()
  after_each(support.clean)

  it("is a handle, made without a request, whose wait takes the job up", function()
    local client, box = support.pair()
    local id = client:create({ prompt = "a cup" }).id
    local before = box:ledger().requests.poll
    local job = assert(client:job(id))
    assert.equal(id, job.id)
    assert.equal("unknown", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.equal(before, box:ledger().requests.poll)
    local taken = assert(job:wait())
    assert.equal("succeeded", taken.status)
  end)
end)

describe("client:jobs", function()
  after_each(support.clean)

  it("lists the unfinished ones of this client, the oldest first", function()
    local client, box = support.pair({}, { duration = 1000 })
    local other = support.client(box)
    local done = assert(client:create({ prompt = "created only" }))
    local one = assert(client:submit({ prompt = "one" }))
    local two = assert(client:submit({ prompt = "two" }))
    local three = assert(client:submit({ prompt = "three" }))
    assert(other:submit({ prompt = "another client's" }))
    assert.is_true(done:done())
    assert.same({ one, two, three }, client:jobs())
    two:cancel()
    assert.same({ one, three }, client:jobs())
    support.step_until(function()
      return #box:ledger().jobs >= 4 -- two may not have been sent
    end)
    assert.equal(1, #other:jobs())
    box:advance(1000)
    support.finish(one)
    support.finish(three)
    assert.same({}, client:jobs())
  end)

  it("knows jobs that nobody holds", function()
    local client = support.pair({}, { duration = 1000 })
    assert(client:submit({ prompt = "dropped" }))
    collectgarbage()
    collectgarbage()
    assert.equal("dropped", client:jobs()[1].request.prompt)
  end)
end)

describe("client:close", function()
  after_each(support.clean)

  it("can be repeated, and shows", function()
    local client, box = support.pair()
    client:close()
    client:close()
    assert.equal(("gptimage2.Client (%s, closed)"):format(box.url), tostring(client))
  end)

  it("makes every further call fail with kind closed", function()
    local client, box = support.pair()
    client:close()
    local request = { prompt = "a cup" }
    for name, argument in pairs({
      generate = request,
      submit = request,
      create = request,
      poll = "job-1",
      wait = "job-1",
      job = "job-1",
      cost = request,
    }) do
      local job, err = client[name](client, argument)
      assert.is_nil(job)
      assert.equal("closed", err.kind)
      assert.equal("client_closed", err.code)
    end
    assert.same({}, client:jobs())
    assert.equal(0, box:ledger().connections)
  end)

  it("ends the client's unfinished jobs, and only those", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local other = support.client(box)
    local polling = assert(client:submit({ prompt = "polling" }))
    local queued = assert(client:submit({ prompt = "queued" }))
    local theirs = assert(other:submit({ prompt = "theirs" }))
    support.polled(box, 1, 1)
    support.polled(box, 2, 1)
    client:close()
    for _, job in ipairs({ polling, queued }) do
      assert.equal("cancelled", job.status)
      assert.equal("closed", job.error.kind)
      assert.is_true(job:done())
    end
    assert.equal(polling.id, polling.error.job_id)
    support.step_until(function()
      return gptimage2.pending() == 1
    end)
    assert.is_false(theirs:done())
    box:advance(1000)
    assert.equal("succeeded", support.finish(theirs).status)
    assert.is_nil(box:ledger().jobs[3])
  end)

  it("ends a wait for one of its jobs", function()
    local client = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    local waited, err
    local task = gptimage2.spawn(function()
      waited, err = job:wait()
    end)
    client:close()
    support.finish(task)
    assert.is_nil(waited)
    assert.equal("closed", err.kind)
  end)

  it("leaves the jobs that were done as they are", function()
    local client = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    client:close()
    assert.equal("succeeded", job.status)
    assert.equal(1, #job.results)
  end)
end)

describe("client.balance", function()
  after_each(support.clean)

  it("is what the service told last, in integers", function()
    local client = support.pair({}, { free_per_day = 2 })
    local job = assert(client:generate({ prompt = "a cup", count = 3 }))
    local expected = {
      paid_credits = 490,
      free_images_remaining = 0,
      total_images = 49,
      free_images_per_day = 2,
    }
    assert.same(expected, client.balance)
    assert.same(expected, job.balance)
    for _, value in pairs(client.balance) do
      assert.is_true(is_integer(value))
    end
    assert(client:generate({ prompt = "a cup" }))
    assert.equal(480, client.balance.paid_credits)
    assert.equal(490, job.balance.paid_credits)
  end)
end)
