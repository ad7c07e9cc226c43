--- What is let go of while the program goes on: dropped handles, closed clients, the module that
--- is loaded again.

local gptimage2 = require("gptimage2")
local host = require("spec.host")
local patience = require("spec.helpers.patience")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }
local wait_until = patience.wait_until

describe("a dropped handle", function()
  after_each(support.clean)

  local function collect()
    collectgarbage()
    collectgarbage()
  end

  it("neither cancels nor loses the job", function()
    local ended
    local client, box = support.pair({
      on_event = function(event)
        ended = event.job:done() and event.type
      end,
    }, { duration = 0.05 })
    client:submit(REQUEST)
    support.step_until(function()
      collect()
      return gptimage2.pending() == 0
    end)
    assert.equal("succeeded", ended)
    assert.equal("succeeded", box:ledger().jobs[1].status)
  end)

  it("of a client keeps its jobs going", function()
    local box = support.sandbox({ duration = 0.05 })
    local job = assert(gptimage2.new({
      api_key = box.api_key,
      base_url = box.url,
      poll = { first = 0.01, interval = 0.01, max = 0.01 },
    })):submit(REQUEST)
    collect()
    assert.equal(job, job:wait())
    assert.equal("succeeded", job.status)
  end)

  it("is collected once the job is done, and its client with it", function()
    local box = support.sandbox()
    local kept = setmetatable({}, { __mode = "v" })
    do
      local client = assert(gptimage2.new({ api_key = box.api_key, base_url = box.url }))
      kept.client, kept.job = client, client:submit(REQUEST)
    end
    support.step_until(function()
      collect()
      return gptimage2.pending() == 0
    end)
    collect()
    assert.is_nil(kept.job)
    assert.is_nil(kept.client)
  end)

  it("of a task that waits is not needed", function()
    local client = support.pair()
    local done
    gptimage2.spawn(function()
      done = client:generate(REQUEST)
    end)
    collect()
    support.step_until(function()
      collect()
      return done
    end)
  end)
end)

describe("a closed client", function()
  after_each(support.clean)

  local function check_closed(result, err)
    assert.is_nil(result)
    assert.equal("closed", err.kind)
    assert.equal("client_closed", err.code)
  end

  it("gives kind closed, whatever is asked of it", function()
    local client, box = support.pair()
    local job = assert(client:generate(REQUEST))
    local created = assert(client:create(REQUEST))
    client:close()
    client:close()
    check_closed(client:generate(REQUEST))
    check_closed(client:submit(REQUEST))
    check_closed(client:create(REQUEST))
    check_closed(client:poll("an-id"))
    check_closed(client:wait("an-id"))
    check_closed(client:generate(REQUEST, { save = "/nowhere" }))
    check_closed(created:wait())
    check_closed(job:data(1))
    check_closed(job:save("/nowhere"))
    assert.equal(2, box:ledger().requests.create)
    assert.equal(0, box:ledger().requests.image)
  end)

  it("still tells what is known", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    client:close()
    assert.equal(job, job:wait())
    assert.equal(1, #job.results)
    assert.equal(10, client.spent)
    assert.same({}, client:jobs())
    assert.matches("closed", tostring(client))
  end)

  it("ends its jobs, whose waiters are told, and the others' go on", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local other = support.client(support.sandbox())
    local job, going = client:submit(REQUEST), other:submit(REQUEST)
    local result, err
    local task = gptimage2.spawn(function()
      result, err = job:wait()
    end)
    client:close()
    assert.equal("cancelled", job.status)
    support.finish(task)
    check_closed(result, err)
    assert.equal(going, going:wait())
  end)

  it("may have unread answers", function()
    for _ = 1, 20 do
      local client, box = support.pair()
      client:submit(REQUEST)
      wait_until(function()
        return box:ledger().requests.create == 1
      end)
      -- The answer arrives, and the engine has done what close asks of it, before it is read. It
      -- holds without these pauses, too.
      host.pause(0.005)
      client:close()
      host.pause(0.005)
      support.clean()
    end
  end)

  if _VERSION >= "Lua 5.4" then
    it("is what a to-be-closed variable leaves", function()
      local box = support.sandbox()
      local kept = assert(load([[
        local new = ...
        local client <close> = new()
        return client
      ]]))(function()
        return support.client(box)
      end)
      check_closed(kept:submit(REQUEST))
    end)
  end
end)

describe("loading the module again", function()
  after_each(support.clean)

  local LOADED = {}

  -- Forgets what was loaded, as hot reloaders and test runners do, and loads it again.
  local function load_again()
    for name, module in pairs(package.loaded) do
      if name:match("^gptimage2") and not name:match("sandbox") then
        LOADED[name] = module
      end
    end
    for name in pairs(LOADED) do
      package.loaded[name] = nil
    end
    return require("gptimage2")
  end

  after_each(function()
    for name, module in pairs(LOADED) do
      package.loaded[name] = module
    end
  end)

  it("gives the same module while it is loaded", function()
    assert.equal(gptimage2, require("gptimage2"))
  end)

  it("goes on with the same jobs", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "hang" })
    local job = client:submit(REQUEST)
    local again = load_again()
    assert.are_not.equal(gptimage2, again)
    assert.equal(gptimage2.fd(), again.fd())
    assert.equal(1, again.pending())
    assert.equal(job, client:jobs()[1])
    job:cancel()
    again.step()
    assert.equal("cancelled", job.status)
  end)

  it("wakes those who waited before", function()
    local client = support.pair()
    local before
    gptimage2.spawn(function()
      before = client:generate(REQUEST)
    end)
    local again = load_again()
    while not before do
      assert(again.step(0.1))
    end
    assert.equal("succeeded", before.status)
  end)

  it("runs the tasks that were started before", function()
    local done = false
    gptimage2.spawn(function()
      gptimage2.sleep(0.01)
      done = true
    end)
    load_again().run()
    assert.is_true(done)
  end)

  it("serves clients and jobs that were made before, and the other way round", function()
    local client, box = support.pair()
    local job = assert(client:generate(REQUEST))
    local again = load_again()
    assert(client:generate(REQUEST))
    assert(job:data(1))
    local newer = assert(again.new({ api_key = box.api_key, base_url = box.url }))
    assert.equal(10, newer:cost(REQUEST))
    assert(newer:poll(job.id))
    newer:close()
  end)
end)
