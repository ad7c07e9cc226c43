local gptimage2 = require("gptimage2")
local support = require("spec.support")

-- A port of this machine that nobody serves.
local NOWHERE = "http://127.0.0.1:1"

local function pair(sandbox_options, client_options)
  local events, on_event = support.recorder()
  client_options = client_options or {}
  client_options.on_event = on_event
  local client, box = support.pair(client_options, sandbox_options)
  return client, box, events
end

local function find(events, kind)
  for _, event in ipairs(events) do
    if event.type == kind then
      return event
    end
  end
end

describe("on_event", function()
  after_each(support.clean)

  it("hears of a job from its queueing to its end", function()
    local client, box, events = pair({ duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.polled(box, 1, 1)
    box:advance(500)
    support.step_until(function()
      return job.status == "running"
    end)
    box:advance(500)
    support.finish(job)
    assert.equal("queued created status succeeded", support.types(events))
    local states = {}
    for i, event in ipairs(events) do
      states[i] = event.status
    end
    assert.same({ "queued", "pending", "running", "succeeded" }, states)
  end)

  it("is told what belongs to the job each time", function()
    local client, _, events = pair()
    local options = { metadata = { order = "17" } }
    local job = assert(client:generate({ prompt = "a cup" }, options))
    local last = 0
    for _, event in ipairs(events) do
      assert.equal(job, event.job)
      assert.equal(job.metadata, event.metadata)
      assert.is_true(event.time > 1e9)
      assert.is_true(event.time >= last)
      last = event.time
      assert.is_nil(event.error)
    end
    assert.is_nil(events[1].id)
    assert.is_nil(events[1].balance)
    assert.equal(job.id, events[2].id)
    assert.equal(490, events[2].balance.paid_credits)
    assert.equal(job.id, events[3].id)
  end)

  it("hears of a failure with its error", function()
    local client, box, events = pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("queued created failed", support.types(events))
    assert.equal(err, events[3].error)
    assert.equal("failed", events[3].status)
    assert.equal("content_policy", events[3].error.code)
  end)

  it("hears failed, too, when nobody knows how a job ended", function()
    local client, box, events = pair()
    box:fault({ on = "create", action = "reset" })
    client:generate({ prompt = "a cup" })
    assert.equal("queued failed", support.types(events))
    assert.equal("unknown", events[2].status)
    assert.equal("lost", events[2].error.kind)
  end)

  it("finds the job up to date", function()
    local statuses, done = {}, {}
    local client = support.pair({
      on_event = function(event)
        statuses[#statuses + 1] = event.job.status
        done[#done + 1] = tostring(event.job:done())
      end,
    })
    assert(client:generate({ prompt = "a cup" }))
    assert.same({ "queued", "pending", "succeeded" }, statuses)
    assert.same({ "false", "false", "true" }, done)
  end)

  it("hears of a create that is tried again, and why", function()
    local events, on_event = support.recorder()
    local box = support.sandbox()
    local options = { base_url = NOWHERE, max_attempts = 2, on_event = on_event }
    local client = support.client(box, options)
    local job, err = client:generate({ prompt = "a cup" })
    assert.is_nil(job)
    assert.equal("queued retry failed", support.types(events))
    local retry = events[2]
    assert.equal(1, retry.attempts)
    assert.equal("connect_failed", retry.code)
    assert.equal("string", type(retry.message))
    assert.is_true(retry.delay >= 0 and retry.delay <= 1)
    assert.equal(2, err.attempts)
  end)

  it("hears of a poll that is tried again, with the HTTP status where there was one", function()
    local client, box, events = pair()
    support.answer(box, "poll", 503)
    box:fault({ on = "poll", action = "truncate", bytes = 3 })
    assert(client:generate({ prompt = "a cup" }))
    assert.equal("queued created retry retry succeeded", support.types(events))
    assert.equal(503, events[3].status)
    assert.is_true(events[3].delay >= 0 and events[3].delay <= 1)
    assert.equal("reply_cut_off", events[4].code)
    assert.is_true(events[4].delay >= 0 and events[4].delay <= 2)
    assert.equal(1, events[4].attempts)
  end)

  it("hears of polls whose answers are of no use, and the timeout tells", function()
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event })
    local useless = {
      "no JSON",
      "{}",
      '{"jobId":"another","status":"running"}',
      '{"status":"succeeded","results":[]}',
      '{"status":"error"}',
    }
    for _, body in ipairs(useless) do
      box:fault({ on = "poll", action = "status", status = 200, body = body })
    end
    assert(client:generate({ prompt = "a cup" }))
    local told = 0
    for _, event in ipairs(events) do
      if event.type == "retry" then
        told = told + 1
        assert.equal("unreadable_reply", event.code)
        assert.equal(200, event.status)
        assert.truthy(event.message:find("not usable", 1, true), event.message)
        assert.truthy(event.delay > 0)
      end
    end
    assert.equal(#useless, told)
    box:fault({ on = "poll", action = "status", status = 200, body = "no JSON", times = math.huge })
    -- Where the machine is slow, the time may run out while a poll is under way: then that is told.
    local why
    for _ = 1, 20 do
      local _, err = client:generate({ prompt = "a cup" }, { timeout = support.seconds(0.5) })
      assert.equal("deadline_passed", err.code)
      why = err.message:match("%(the last try came to nothing: (.*)%)$")
      if why ~= "the time for the exchange ran out" then
        break
      end
    end
    assert.equal("the service's answer to the poll is not usable", why)
  end)

  it("hears of a status only when it is news", function()
    local client, box, events = pair({ duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.polled(box, 1, 5)
    gptimage2.step()
    assert.equal("queued created", support.types(events))
    local told = '{"status":"pending","balance":{"paidCredits":7}}'
    support.answer(box, "poll", 202, told, { times = math.huge }) -- or the next one is seen instead
    support.step_until(function()
      return job.balance.paid_credits == 7
    end)
    assert.equal("queued created", support.types(events))
  end)

  it("hears of a cancel once, in the next step", function()
    local client, box, events = pair({ duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return job.id
    end)
    job:cancel()
    job:cancel()
    assert.equal("queued created", support.types(events))
    gptimage2.step()
    assert.equal("queued created cancelled", support.types(events))
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    box:advance(1000)
    assert.equal("queued created cancelled", support.types(events))
    local event = events[3]
    assert.equal(job.error, event.error)
    assert.equal("cancelled", event.status)
    assert.equal(job.id, event.id)
  end)

  it("hears nothing more of a job that is cancelled at once, its queueing included", function()
    local client, _, events = pair()
    assert(client:submit({ prompt = "a cup" })):cancel()
    assert(client:submit({ prompt = "a bowl" }))
    client:close()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    gptimage2.step()
    assert.equal("cancelled cancelled", support.types(events))
  end)

  it("hears no more of a cancelled job whose create is answered late", function()
    local client, box, events = pair()
    box:fault({ on = "create", action = "delay", seconds = 0.1 })
    local job = assert(client:submit({ prompt = "a cup" }))
    job:cancel()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    gptimage2.step()
    assert.equal("cancelled", support.types(events))
  end)

  it("hears of jobs that end because the client was closed", function()
    local client, box, events = pair({ duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.polled(box, 1, 1)
    client:close()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal("queued created cancelled", support.types(events, job))
    assert.equal("closed", find(events, "cancelled").error.kind)
  end)

  it("hears of create and poll calls as well", function()
    local client, _, events = pair()
    local id = assert(client:create({ prompt = "a cup" })).id
    assert.equal("queued created", support.types(events))
    local job = assert(client:poll(id))
    assert.equal("queued succeeded", support.types(events, job))
  end)

  it("hears of each job in its own order when there are many", function()
    local client, _, events = pair({}, { max_active = 4 })
    local jobs = {}
    for i = 1, 20 do
      jobs[i] = assert(client:submit({ prompt = "job " .. i }))
    end
    for _, job in ipairs(jobs) do
      support.finish(job)
    end
    for _, job in ipairs(jobs) do
      assert.equal("queued created succeeded", support.types(events, job))
    end
    assert.equal(60, #events)
  end)

  it("runs inside step and nowhere else", function()
    local client, box, events = pair()
    assert(client:submit({ prompt = "a cup" }))
    while #box:ledger().jobs < 1 do -- the engine goes on, nobody steps
      collectgarbage("step")
    end
    assert.equal(0, #events)
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.equal(3, #events)
  end)

  it("may submit and cancel jobs", function()
    local client, second, third
    client = support.pair({
      on_event = function(event)
        if event.type == "succeeded" and not second then
          second = assert(client:submit({ prompt = "second" }))
          third = assert(client:submit({ prompt = "third" }))
          third:cancel()
        end
      end,
    })
    assert(client:generate({ prompt = "first" }))
    support.finish(second)
    assert.equal("succeeded", second.status)
    assert.equal("cancelled", third.status)
  end)

  it("may close its client", function()
    local client, box
    client, box = support.pair({
      on_event = function(event)
        if event.type == "created" then
          client:close()
        end
      end,
    }, { duration = 1000 })
    local job, err = client:generate({ prompt = "a cup" })
    assert.is_nil(job)
    assert.equal("closed", err.kind)
    assert.equal(box:ledger().jobs[1].id, err.job_id)
  end)

  it("is each client's own", function()
    local first, box, events = pair()
    local second = support.client(box)
    assert(second:generate({ prompt = "a cup" }))
    assert.equal(0, #events)
    assert(first:generate({ prompt = "a cup" }))
    assert.equal(3, #events)
  end)
end)
