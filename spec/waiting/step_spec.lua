--- step, pending and fd: what a program that has its own loop calls, and when.

local gptimage2 = require("gptimage2")
local host = require("spec.host")
local support = require("spec.support")

-- A number that no test waits for: when a step waits that long, the test does not end in time.
local FOR_EVER = 100000

local REQUEST = { prompt = "a cup" }

-- Lets events pile up: submits `count` jobs and stays away from step until the service has had
-- them all. Each has sent "queued" and "creating" by then.
local function pile_up(client, box, count)
  for _ = 1, count do
    assert(client:submit(REQUEST))
  end
  while box:ledger().requests.create < count do
    host.pause(0.001)
  end
end

local function burn(seconds)
  local till = host.now() + seconds
  while host.now() < till do
    host.now()
  end
end

-- An on_event that raises `what` the first time.
local function raise_once(what)
  local raised = false
  return function()
    if not raised then
      raised = true
      error(what)
    end
  end
end

describe("step", function()
  after_each(support.clean)

  it("gives 0 when nothing has arrived", function()
    assert.equal(0, gptimage2.step())
    assert.equal(0, gptimage2.step(0))
  end)

  it("waits as long as it was told when nothing arrives", function()
    local start = host.now()
    assert.equal(0, gptimage2.step(0.05))
    assert.is_true(host.now() - start >= 0.05)
  end)

  it("stops waiting when something arrives", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    while not job:done() do
      assert.is_true(gptimage2.step(FOR_EVER) > 0)
    end
    assert.equal("succeeded", job.status)
  end)

  it("is woken by news that no on_event is told, too", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = assert(client:submit(REQUEST))
    assert.is_true(gptimage2.step(FOR_EVER) > 0)
    assert.equal("creating", job.status)
  end)

  it("is not woken for each of many jobs: their news wait for each other for a frame", function()
    local waiting, silent = support.pair({ max_active = 1 })
    silent:fault({ on = "create", action = "hang" })
    local options = { max_active = 300, poll = { first = 0, interval = 0.05 } }
    local client, box = support.pair(options, { credits = 3000, duration = 0.3 })
    for _ = 1, 300 do
      assert(client:submit(REQUEST))
    end
    for _ = 1, 100 do
      assert(waiting:submit(REQUEST)) -- there are many to the end
    end
    local started, woken, handled = host.now(), 0, 0
    while gptimage2.pending() > 100 do
      local count = gptimage2.step() -- what the step before left
      if count == 0 then
        count = gptimage2.step(FOR_EVER)
        woken = woken + 1
      end
      handled = handled + count
    end
    assert.equal(3000, box:ledger().charged)
    assert.is_true(handled >= 600)
    local most = (host.now() - started) / 0.016 + 5
    assert.is_true(woken < most, ("woken %d times, and at most %.0f allowed"):format(woken, most))
  end)

  it("waits for ever when told so", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    while not job:done() do
      assert.is_true(gptimage2.step(math.huge) > 0)
    end
    assert.equal("succeeded", job.status)
  end)

  it("tells how much it handled", function()
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event })
    pile_up(client, box, 2)
    local total = 0
    repeat -- one step, where the machine is not too slow for it
      local handled = gptimage2.step()
      assert.is_true(handled > 0)
      total = total + handled
      if math.type then
        assert.equal("integer", math.type(handled))
      end
    until total >= 4
    assert.is_true(#events >= 2 and #events <= total)
  end)

  it("changes nothing of a job between two steps", function()
    local client, box = support.pair()
    local job = client:submit(REQUEST)
    while box:ledger().requests.create == 0 do
      host.pause(0.001)
    end
    assert.equal("queued", job.status)
    assert.is_nil(job.id)
    assert.equal(1, gptimage2.pending())
  end)

  it("leaves the rest to the next step when the host's functions take long", function()
    local seen = 0
    local client, box = support.pair({
      max_active = 100,
      max_connections = 54, -- of which creates have 40
      on_event = function()
        seen = seen + 1
        burn(0.001)
      end,
    })
    box:fault({ on = "create", action = "hang", times = math.huge })
    pile_up(client, box, 40)
    assert.equal(1, gptimage2.step()) -- each of them is too much
    assert.is_true(seen <= 1)
    assert.is_true(host.readable(gptimage2.fd()))
    local before = seen
    assert.is_true(gptimage2.step(FOR_EVER) > 0)
    assert.is_true(seen > before)
  end)

  it("can be called from on_event, and tells everything once and in order", function()
    local events = {}
    local client, box = support.pair({
      on_event = function(event)
        events[#events + 1] = event
        gptimage2.step()
      end,
    })
    pile_up(client, box, 5)
    for _, job in ipairs(client:jobs()) do
      support.finish(job)
    end
    local order = {}
    for _, event in ipairs(events) do
      order[event.job] = (order[event.job] or "") .. " " .. event.type
    end
    local jobs = 0
    for _, types in pairs(order) do
      jobs = jobs + 1
      assert.equal(" queued created succeeded", (types:gsub(" status", "")))
    end
    assert.equal(5, jobs)
  end)

  it("raises what on_event raises: strings", function()
    local client, box = support.pair({ on_event = raise_once("the host's own trouble") })
    pile_up(client, box, 1)
    assert.error_matches(gptimage2.step, "the host's own trouble")
  end)

  it("raises what on_event raises: tables, as they are", function()
    local thing = {}
    local client, box = support.pair({ on_event = raise_once(thing) })
    pile_up(client, box, 1)
    local ok, err = pcall(gptimage2.step)
    assert.is_false(ok)
    assert.equal(thing, err)
  end)

  it("loses nothing when on_event raises every time", function()
    local seen = {}
    local client = support.pair({
      on_event = function(event)
        seen[#seen + 1] = event.type
        error("no")
      end,
    })
    local job = client:submit(REQUEST)
    local raised = 0
    while not job:done() do
      if not pcall(gptimage2.step, FOR_EVER) then
        raised = raised + 1
      end
    end
    for _ = 1, #seen - raised do -- where several came in one step, the next ones raise the rest
      raised = raised + (pcall(gptimage2.step, 0) and 0 or 1)
    end
    assert.equal("succeeded", job.status)
    assert.equal(#seen, raised)
    assert.equal("queued created succeeded", (table.concat(seen, " "):gsub("status ", "")))
    assert.equal(0, gptimage2.pending())
  end)

  it("wakes those who wait in spite of an error in on_event, without waiting first", function()
    local client = support.pair({
      on_event = function(event)
        if event.type == "succeeded" then
          error("not now")
        end
      end,
    })
    local woken
    gptimage2.spawn(function()
      woken = client:generate(REQUEST)
    end)
    local ok, err
    repeat
      ok, err = pcall(gptimage2.step, FOR_EVER)
    until not ok
    assert.matches("not now", err)
    if not woken then -- the step had no time left for that
      assert.is_true(host.readable(gptimage2.fd()))
      assert.is_true(gptimage2.step(FOR_EVER) > 0)
    end
    assert.equal("succeeded", woken.status)
  end)

  it("raises one error a step, and the next one without waiting", function()
    local client = support.pair()
    for _, name in ipairs({ "first", "second" }) do
      gptimage2.spawn(function()
        gptimage2.sleep(0)
        error({ name = name })
      end)
    end
    -- Both end in one step: it is taken only when both have arrived.
    local job = client:submit(REQUEST)
    while not job:done() do
      local ok, err = pcall(gptimage2.step, FOR_EVER)
      if not ok then
        assert.equal("first", err.name)
        break
      end
    end
    assert.is_true(host.readable(gptimage2.fd(), FOR_EVER))
    local ok, err = pcall(gptimage2.step, FOR_EVER)
    while ok do
      ok, err = pcall(gptimage2.step, FOR_EVER)
    end
    assert.equal("second", err.name)
    support.finish(job)
  end)

  it("refuses what is no time", function()
    for _, value in ipairs({ "soon", {}, true, -1, 0 / 0 }) do
      local ok, err = pcall(gptimage2.step, value)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'step'", err)
    end
  end)
end)

describe("pending", function()
  after_each(support.clean)

  it("counts unfinished jobs", function()
    local client, box = support.pair()
    assert.equal(0, gptimage2.pending())
    pile_up(client, box, 3)
    assert.equal(3, gptimage2.pending())
    for _, job in ipairs(client:jobs()) do
      support.finish(job)
    end
    assert.equal(0, gptimage2.pending())
  end)

  it("counts downloads", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    local bytes
    gptimage2.spawn(function()
      bytes = job:data(1)
    end)
    assert.equal(1, gptimage2.pending())
    support.step_until(function()
      return bytes
    end)
    assert.equal(0, gptimage2.pending())
  end)

  it("does not count sleeps", function()
    local task = gptimage2.spawn(gptimage2.sleep, 0.01)
    assert.equal(0, gptimage2.pending())
    support.finish(task)
  end)

  it("counts a cancelled job until its create, which is not torn, has come back", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    while box:ledger().requests.create == 0 do
      host.pause(0.001)
    end
    job:cancel()
    assert.is_true(job:done())
    gptimage2.step()
    assert.equal(1, gptimage2.pending())
    box:stop()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
  end)
end)

describe("fd", function()
  after_each(support.clean)

  it("is one integer, the same each time", function()
    local fd = gptimage2.fd()
    assert.equal(fd, gptimage2.fd())
    assert.is_true(fd > 2 and fd % 1 == 0)
    if math.type then
      assert.equal("integer", math.type(fd))
    end
  end)

  it("is not readable while step has nothing to do", function()
    assert.is_false(host.readable(gptimage2.fd()))
  end)

  it("becomes readable when step has something to do, and not readable again after it", function()
    local client = support.pair()
    local job = client:submit(REQUEST)
    while not job:done() do
      assert.is_true(host.readable(gptimage2.fd(), FOR_EVER))
      assert.is_true(gptimage2.step() > 0)
    end
    while gptimage2.step() > 0 do
      assert.is_nil(nil)
    end
    assert.is_false(host.readable(gptimage2.fd()))
  end)

  it("drives a whole program: jobs, sleeps, tasks that yield", function()
    local client = support.pair()
    local order = {}
    local task = gptimage2.spawn(function()
      coroutine.yield()
      order[#order + 1] = "yielded"
      gptimage2.sleep(0.01)
      order[#order + 1] = "slept"
      assert(client:generate(REQUEST)):data(1)
      order[#order + 1] = "generated"
      coroutine.yield()
      coroutine.yield()
    end)
    while not task:done() do
      assert.is_true(host.readable(gptimage2.fd(), FOR_EVER))
      gptimage2.step()
    end
    assert.same({ "yielded", "slept", "generated" }, order)
    gptimage2.step()
    assert.is_false(host.readable(gptimage2.fd()))
  end)

  it("becomes readable by a job that is cancelled while somebody waits for it", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local err
    gptimage2.spawn(function()
      err = select(2, job:wait())
    end)
    gptimage2.step()
    job:cancel()
    assert.is_true(host.readable(gptimage2.fd()))
    gptimage2.step()
    assert.equal("cancelled", err.kind)
  end)
end)
