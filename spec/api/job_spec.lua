--- A job: what it tells, what keeps it alive, and what a cancel makes of it and of its credits.

local busy = require("spec.helpers.busy")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local asked = busy.asked

local function is_integer(value)
  return math.type == nil or math.type(value) == "integer"
end

local function settled()
  support.step_until(function()
    return gptimage2.pending() == 0
  end)
end

describe("a job", function()
  after_each(support.clean)

  it("tells everything about itself once it has succeeded", function()
    local client, box = support.pair()
    local request = { prompt = " a cup ", count = 2, ratio = "4:3", negative = "handles" }
    local metadata = { order = "17" }
    local job = assert(client:generate(request, { metadata = metadata }))
    local sent = box:ledger().jobs[1]
    assert.equal(sent.id, job.id)
    assert.equal(sent.key, job.idempotency_key)
    assert.equal("succeeded", job.status)
    assert.same({
      prompt = "a cup",
      mode = "text-to-image",
      count = 2,
      ratio = "4:3",
      negative = "handles",
    }, job.request)
    assert.same({ order = "17" }, job.metadata)
    assert.equal(20, job.cost)
    assert.equal(1, job.attempts)
    assert.equal(1, job.polls)
    for _, field in ipairs({ "cost", "attempts", "polls" }) do
      assert.is_true(is_integer(job[field]))
    end
    assert.is_nil(job.error)
    assert.is_nil(job.files)
    assert.is_nil(job.save_error)
    assert.equal(client, job.client)
    assert.equal(480, job.balance.paid_credits)
    assert.equal(2, #job.results)
    for i, result in ipairs(job.results) do
      assert.equal(("%s/generated/%s-%d.png"):format(box.url, job.id, i), result.image_url)
      assert.truthy(result.seed:match("^%d+$"))
      assert.equal("a cup", result.final_prompt:sub(1, 5))
      assert.truthy(result.final_prompt:find("handles", 1, true))
    end
    assert.not_equal(job.results[1].seed, job.results[2].seed)
  end)

  it("knows when it was made and how long it took", function()
    local client = support.pair()
    local job = assert(client:submit({ prompt = "a cup" }))
    assert.is_true(job.created_at > 1e9)
    local early = job.elapsed
    assert.is_true(early >= 0)
    support.finish(job)
    local late = job.elapsed
    assert.is_true(late > early)
    assert.equal(late, job.elapsed) -- the clock stands still once it is done
  end)

  it("has no fields but these, and nobody can set one", function()
    local client = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    assert.is_nil(job.api_key)
    assert.is_nil(job[1])
    assert.is_nil(job.Status)
    assert.equal("gptimage2.Job", getmetatable(job))
    assert.has_error(function()
      job.status = "failed"
    end, nil)
  end)

  it("can be printed in every state", function()
    local client = support.pair()
    local job = assert(client:submit({ prompt = "a cup" }))
    assert.equal("gptimage2.Job (no id yet, queued)", tostring(job))
    support.finish(job)
    assert.equal(("gptimage2.Job (%s, succeeded)"):format(job.id), tostring(job))
  end)

  it("keeps a copy of its metadata, which never goes out", function()
    local client, box = support.pair()
    local metadata = { player = "seven-of-nine" }
    local job = assert(client:submit({ prompt = "a cup" }, { metadata = metadata }))
    metadata.player = "other"
    support.finish(job)
    assert.equal("seven-of-nine", job.metadata.player)
    assert.is_nil(box:ledger().jobs[1].body:find("seven", 1, true))
    assert.is_nil(assert(client:generate({ prompt = "a cup" })).metadata)
  end)

  it("goes through its states in order", function()
    local client, box = support.pair({}, { duration = 1000 })
    box:fault({ on = "create", action = "delay", seconds = 0.1 })
    local job = assert(client:submit({ prompt = "a cup" }))
    local seen = { job.status }
    support.step_until(function()
      if job.status ~= seen[#seen] then
        seen[#seen + 1] = job.status
        if job.status == "pending" or job.status == "running" then
          box:advance(500)
        end
      end
      return job:done()
    end)
    assert.equal("queued", table.remove(seen, 1))
    if seen[1] == "creating" then -- a slow machine may not see it
      table.remove(seen, 1)
    end
    assert.same({ "pending", "running", "succeeded" }, seen)
  end)

  it("tells its id as soon as it is known", function()
    local client, box = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.id
    end)
    assert.is_false(job:done())
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal("pending", job.status)
    assert.equal(490, job.balance.paid_credits)
  end)
end)

describe("job:raw", function()
  after_each(support.clean)

  it("is the last reply as it came, and empty before the first", function()
    local client, box = support.pair()
    local body = '{"status" :"succeeded","results":[{"imageUrl":"https://e.com/1.png"}]} '
    support.answer(box, "poll", 200, body)
    local job = assert(client:submit({ prompt = "a cup" }))
    assert.equal("", job:raw())
    support.finish(job)
    assert.equal(body, job:raw())
  end)

  it("is there for a failure too", function()
    local client, box = support.pair()
    support.answer(box, "create", 400, "<b>no</b>")
    local job = support.finish(assert(client:submit({ prompt = "a cup" })))
    assert.equal("<b>no</b>", job:raw())
  end)
end)

-- The array of the registry that holds the object, and where it stands there.
local function array_with(object)
  for _, array in pairs(debug.getregistry()) do
    for i = 1, type(array) == "table" and #array or 0 do
      if rawequal(array[i], object) then
        return array, i
      end
    end
  end
end

describe("a job that the engine works on", function()
  after_each(support.clean)

  it("is kept alive in a seat that is taken again and again", function()
    local client = support.pair({}, { duration = 1000 })
    local function submit()
      return assert(client:submit({ prompt = "a cup" }))
    end
    local waiting = submit()
    local seats, own = array_with(waiting)
    local others = { submit(), submit() }
    local count = #seats
    for _ = 1, 20 do
      gptimage2.sleep(0)
    end
    assert.is_true(#seats <= count + 1, #seats .. " seats")
    assert.equal(3, #client:jobs())
    others[1]:cancel()
    support.step_until(function()
      return gptimage2.pending() == 2
    end)
    assert.equal(2, #client:jobs())
    assert.is_true(rawequal(seats[own], waiting))
  end)
end)

describe("job:cancel", function()
  after_each(support.clean)

  local function assert_cancelled(job)
    assert.equal("cancelled", job.status)
    assert.is_true(job:done())
    assert.equal("cancelled", job.error.kind)
    assert.equal("cancelled", job.error.code)
    assert.equal(job.idempotency_key, job.error.idempotency_key)
  end

  -- Cancelled, and told to be paid under the id that the service gave it.
  local function assert_paid(job, box)
    assert_cancelled(job)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(job.id, job.error.job_id)
    assert.equal("yes", job.error.sent)
    assert.equal("yes", job.error.charged)
  end

  it("of a job that waits for its turn costs nothing: it is never sent", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    assert(client:submit({ prompt = "first" }))
    local job = assert(client:submit({ prompt = "second" }))
    support.polled(box, 1, 1)
    assert.equal(20, client.spent)
    job:cancel()
    assert_cancelled(job)
    assert.equal("unknown", job.error.charged) -- until the engine has come to rest
    support.step_until(function()
      return gptimage2.pending() == 1
    end)
    assert_cancelled(job)
    assert.equal("no", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.equal(10, client.spent)
    box:advance(1000)
    support.finish(client:jobs()[1])
    assert.equal(1, #box:ledger().jobs)
  end)

  it("of a job that is being created waits for the id in the background", function()
    local client, box = support.pair({}, { duration = 1000 })
    box:fault({ on = "create", action = "delay", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    assert_cancelled(job)
    assert.is_nil(job.id)
    settled()
    assert_paid(job, box)
    assert.equal(10, client.spent)
    assert.equal(0, box:ledger().requests.poll)
  end)

  it("of a job that was created, unseen, says that it is paid, and under which id", function()
    local client, box = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "poll", 1)
    job:cancel()
    assert_cancelled(job)
    assert.is_nil(job.id)
    settled()
    assert_paid(job, box)
    assert.equal(490, job.balance.paid_credits)
    assert.equal(490, client.balance.paid_credits)
    assert.equal(10, client.spent)
  end)

  it("of a job whose create is then refused costs nothing", function()
    local client, box = support.pair()
    support.answer(box, "create", 402, nil, { seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    settled()
    assert_cancelled(job)
    assert.equal("yes", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.equal(0, client.spent)
  end)

  it("of a job whose create then gets lost does not know whether it was paid", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "reset", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    settled()
    assert_cancelled(job)
    assert.equal("yes", job.error.sent)
    assert.equal("unknown", job.error.charged)
    assert.equal(10, client.spent)
  end)

  it("of a job whose create is then not readable does not know either", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "malformed", seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    settled()
    assert_cancelled(job)
    assert.equal("yes", job.error.sent)
    assert.equal("unknown", job.error.charged)
    assert.equal(10, client.spent)
  end)

  it("of a job at the service stops polling; the credits stay spent", function()
    local client, box = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.id
    end)
    job:cancel()
    assert_cancelled(job)
    assert.equal("yes", job.error.charged)
    assert.equal("yes", job.error.sent)
    settled()
    assert.equal(job.id, job.error.job_id)
    assert.equal("yes", job.error.charged)
    assert.equal("yes", job.error.sent)
    assert.equal(10, client.spent)
    gptimage2.sleep(support.seconds(0.1)) -- a poll that was torn may still be counted
    local polls = box:ledger().requests.poll
    box:advance(1000)
    local other = assert(client:wait(job.id)) -- the picture can still be had
    assert.equal("succeeded", other.status)
    assert.equal(polls + 1, box:ledger().requests.poll)
    assert_cancelled(job)
  end)

  -- A job whose last answer is there, while the host has not looked: the job behind it was begun.
  local function answered_unseen(poll_status, poll_body)
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local job = assert(client:submit({ prompt = "first" }))
    assert(client:submit({ prompt = "second" }))
    support.step_until(function()
      return job.id
    end)
    support.answer(box, "poll", poll_status, poll_body)
    asked(box, "create", 2)
    assert.is_false(job:done())
    return job,
      client,
      function()
        support.step_until(function()
          return gptimage2.pending() == 1
        end)
      end
  end

  it("of a job whose poll was refused, unseen, says that it is paid", function()
    local job, client, settle = answered_unseen(403)
    job:cancel()
    settle()
    assert_cancelled(job)
    assert.equal("yes", job.error.charged)
    assert.equal("yes", job.error.sent)
    assert.equal(job.id, job.error.job_id)
    assert.equal(20, client.spent)
  end)

  it("of a job that had failed, unseen, gives its credits back", function()
    local job, client, settle = answered_unseen(200, '{"status":"failed","error":"too_busy"}')
    job:cancel()
    settle()
    assert_cancelled(job)
    assert.equal("refund_expected", job.error.charged)
    assert.equal(10, client.spent)
  end)

  it("of a job whose last poll came to nothing believes nothing of its reply", function()
    local client, box = support.pair({}, { duration = 1000 })
    local body = "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n"
      .. '{"jobId":"another","status":"failed"}' -- all of it, and yet less than was promised
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.id
    end)
    local id = job.id
    box:fault({ on = "poll", action = "raw", body = body, times = 1000 })
    asked(box, "poll", box:ledger().requests.poll + 2) -- one was read
    job:cancel()
    settled()
    assert_cancelled(job)
    assert.equal(id, job.id)
    assert.equal(id, job.error.job_id)
    assert.equal("yes", job.error.charged)
    assert.equal(10, client.spent)
  end)

  it("of a job whose create then says failed gives its credits back", function()
    local client, box = support.pair()
    local body = '{"jobId":"job-1","status":"failed","error":"too_busy"}'
    support.answer(box, "create", 200, body, { seconds = support.seconds(0.2) })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    settled()
    assert_cancelled(job)
    assert.equal("job-1", job.error.job_id)
    assert.equal("yes", job.error.sent)
    assert.equal("refund_expected", job.error.charged)
    assert.equal(0, client.spent)
  end)

  it("of a job taken up by its id says that it is paid", function()
    local client, box = support.pair({}, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    local task = gptimage2.spawn(function()
      return client:wait(id)
    end)
    support.polled(box, 1, 1)
    local job = client:jobs()[1]
    job:cancel()
    settled()
    assert.equal("cancelled", job.error.kind)
    assert.equal("yes", job.error.charged)
    assert.equal(id, job.error.job_id)
    assert.is_nil(job.error.sent)
    local waited, err = task:wait()
    assert.is_nil(waited)
    assert.equal(job.error, err)
  end)

  it("ends a wait for it with its error", function()
    local client = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    local task = gptimage2.spawn(function()
      return job:wait()
    end)
    job:cancel()
    local waited, err = task:wait()
    assert.is_nil(waited)
    assert.equal(job.error, err)
  end)

  it("changes nothing about a job that is done, and can be repeated", function()
    local client = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    job:cancel()
    assert.equal("succeeded", job.status)
    assert.is_nil(job.error)
    local other = assert(client:submit({ prompt = "a cup" }))
    other:cancel()
    local err = other.error
    other:cancel()
    assert.equal(err, other.error)
    assert_cancelled(other)
  end)

  it("of a hung create ends when request_timeout does", function()
    local client, box = support.pair({ request_timeout = support.seconds(0.3) })
    box:fault({ on = "create", action = "hang" })
    local job = assert(client:submit({ prompt = "a cup" }))
    asked(box, "create", 1)
    job:cancel()
    assert_cancelled(job)
    settled()
    assert.equal("unknown", job.error.charged)
  end)
end)
