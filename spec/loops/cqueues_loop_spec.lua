local gptimage2 = require("gptimage2")
local loop_cases = require("spec.helpers.loop_cases")
local loops = require("spec.helpers.loops")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

describe("the loop of cqueues", function()
  local host, why
  before_each(function()
    host, why = loops.open("cqueues")
  end)
  after_each(support.clean)

  for _, case in ipairs(loop_cases.list) do
    it(case[1], function()
      if not host then
        return pending(why)
      end
      case[2](host)
    end)
  end

  local function begin(fn)
    if not host then
      return pending(why)
    end
    host.begin(fn)
    host.run()
  end

  it("is recognised by itself, in threads of a controller only", function()
    local client, suspends, job = support.pair(), 0, nil
    local suspend = host and gptimage2.loops.cqueues.suspend
    gptimage2.use("auto")
    begin(function()
      gptimage2.loops.cqueues.suspend = function(...)
        suspends = suspends + 1
        return suspend(...)
      end
      job = assert(client:generate(REQUEST))
      gptimage2.loops.cqueues.suspend = suspend
    end)
    assert(client:generate(REQUEST)) -- outside of it: blocks
    if host then
      assert.same({ "succeeded", 1 }, { job.status, suspends })
    end
  end)

  it("may run inside of another one", function()
    local client, well = support.pair(), 0
    begin(function()
      local inner = require("cqueues").new()
      for _, controller in ipairs({ inner, (require("cqueues").running()) }) do
        for _ = 1, 5 do
          controller:wrap(function()
            assert(client:generate(REQUEST))
            well = well + 1
          end)
        end
      end
      assert(inner:loop())
    end)
    assert.equal(host and 10 or 0, well)
  end)

  it("refuses a coroutine inside of a thread, before anything is sent", function()
    local client, ok, err = support.pair(), nil, nil
    begin(function()
      ok, err = coroutine.resume(coroutine.create(function()
        client:generate(REQUEST)
      end))
      assert(gptimage2.spawn(function()
        assert(client:generate(REQUEST)) -- a task may
      end)):wait()
    end)
    if host then
      assert.is_false(ok)
      assert.matches("runs inside of a thread of cqueues", err, 1, true)
      assert.equal(10, client.spent)
    end
  end)

  it("stops when all was told while it started", function()
    local client, job = support.pair(), nil
    local new = host and require("cqueues.condition").new
    begin(function()
      require("cqueues.condition").new = function(...) -- of the pump
        require("cqueues.condition").new = new
        support.step_until(function()
          return #client:jobs() == 0
        end)
        return new(...)
      end
      job = assert(client:generate(REQUEST))
    end)
    assert.equal(host and "succeeded", job and job.status or false)
  end)

  it("wakes who was told while it began to wait", function()
    local client, job = support.pair(), nil
    local condition = host and require("cqueues.condition")
    local new = host and condition.new
    begin(function()
      gptimage2.spawn(gptimage2.sleep, 0.2) -- the loop has started, and goes on
      condition.new = function(...)
        condition.new = new
        support.step_until(function() -- as a finalizer may
          return #client:jobs() == 0
        end)
        return new(...)
      end
      job = assert(client:generate(REQUEST))
    end)
    assert.equal(host and "succeeded", job and job.status or false)
  end)

  it("serves connections, each in a thread of its own", function()
    local client, answers = support.pair({ max_active = 20 }, { duration = 0.1 }), {}
    begin(function()
      local cqueues, socket = require("cqueues"), require("cqueues.socket")
      local server = socket.listen({ host = "127.0.0.1", port = 0 })
      local _, _, port = assert(server:localname())
      cqueues.running():wrap(function()
        for _ = 1, 20 do
          local connection = server:accept()
          cqueues.running():wrap(function()
            local prompt = connection:read("*l")
            local job = assert(client:generate({ prompt = prompt }))
            connection:write(job.request.prompt, ": ", job.status, "\n")
            connection:close()
          end)
        end
        server:close()
      end)
      for i = 1, 20 do
        cqueues.running():wrap(function()
          local connection = socket.connect("127.0.0.1", port)
          connection:write("cup ", tostring(i), "\n")
          answers[i] = connection:read("*l")
          connection:close()
        end)
      end
    end)
    for i = 1, host and 20 or 0 do
      assert.equal(("cup %d: succeeded"):format(i), answers[i])
    end
  end)
end)
