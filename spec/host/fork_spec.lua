local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local host = require("spec.host")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

--- What SQLite has of a parent's ledger is lost in a child, which must not touch it.
local NO_LEAKS = "ASAN_OPTIONS=detect_leaks=0 GPTIMAGE2_SPEC_LEAKS=1"

describe("a forked process", function()
  after_each(support.clean)

  -- What the calls give in a fork: "kind/code" each.
  local function in_fork(calls)
    return host.fork(function()
      local told = {}
      for i, call in ipairs(calls) do
        local result, err = call()
        told[i] = result == nil and type(err) == "table" and err.kind .. "/" .. err.code
          or "gave " .. tostring(result)
      end
      return table.concat(told, "\n")
    end)
  end

  local function check_forked(calls)
    for line in (in_fork(calls) .. "\n"):gmatch("(.-)\n") do
      assert.equal("closed/forked", line)
    end
  end

  it("cannot use an engine that was at work before the fork: the module's calls", function()
    assert(gptimage2.sleep(0))
    check_forked({
      gptimage2.step,
      gptimage2.fd,
      function()
        return gptimage2.step(10)
      end,
      function()
        return gptimage2.sleep(0)
      end,
    })
  end)

  it("cannot use clients and jobs from before the fork", function()
    local client, box = support.pair()
    local job = assert(client:generate(REQUEST))
    local created = assert(client:create(REQUEST))
    local going = client:submit(REQUEST)
    check_forked({
      function()
        return client:submit(REQUEST)
      end,
      function()
        return client:generate(REQUEST)
      end,
      function()
        return client:create(REQUEST)
      end,
      function()
        return client:cost(REQUEST)
      end,
      function()
        return client:job(job.id)
      end,
      function()
        return client:poll(job.id)
      end,
      function()
        return client:wait(job.id)
      end,
      function()
        return created:wait()
      end,
      function()
        return going:wait()
      end,
      function()
        return going:wait(10)
      end,
      function()
        return job:data(1)
      end,
      function()
        return job:save("/nowhere")
      end,
    })
    support.finish(going)
    assert.equal(3, box:ledger().requests.create)
  end)

  it("says what happened and what to do", function()
    assert(gptimage2.sleep(0))
    local message = host.fork(function()
      return tostring(select(2, gptimage2.step()))
    end)
    assert.matches("forked after gptimage2 was at work", message)
    assert.matches("submit nothing before the fork", message)
  end)

  it("gets errors in coroutines, too", function()
    local client = support.pair()
    local told = host.fork(function()
      local kind
      gptimage2.spawn(function()
        kind = select(2, client:generate(REQUEST)).kind
      end)
      return kind
    end)
    assert.equal("closed", told)
  end)

  it("does not hang when it waits for a task", function()
    local task = gptimage2.spawn(gptimage2.sleep, 0.01)
    local told = host.fork(function()
      local _, err = task:wait()
      local _, other = gptimage2.run()
      return err.kind .. " " .. other.kind
    end)
    assert.equal("closed closed", told)
    support.finish(task)
  end)

  it("may cancel, close and collect without disturbing its parent", function()
    local client, box = support.pair(nil, { duration = 0.05 })
    local job = client:submit(REQUEST)
    local told = host.fork(function()
      job:cancel()
      client:close()
      collectgarbage()
      return "no harm done"
    end)
    assert.equal("no harm done", told)
    assert.equal(job, job:wait())
    assert.equal("succeeded", job.status)
    assert.equal(1, box:ledger().requests.create)
    assert(client:generate(REQUEST))
  end)

  it("has nothing pending, and ends what it cancels and closes itself", function()
    local client, box = support.pair(nil, { duration = 0.05 })
    local one, other = client:submit(REQUEST), client:submit(REQUEST)
    local waits = gptimage2.spawn(function()
      return other:wait()
    end)
    local told = host.fork(function()
      local steps = 0
      while gptimage2.pending() > 0 and steps < 1000 do
        gptimage2.step()
        steps = steps + 1
      end
      one:cancel()
      local open = #client:jobs()
      client:close()
      local words = { steps, open, #client:jobs(), gptimage2.pending() }
      for _, job in ipairs({ one, other }) do
        local _, err = job:wait()
        words[#words + 1] = ("%s %s/%s %s"):format(job.status, err.kind, err.code, err.charged)
      end
      return table.concat(words, ", ")
    end)
    local ended = "cancelled closed/forked unknown"
    assert.equal(("0, 1, 0, 0, %s, %s"):format(ended, ended), told)
    assert.equal(2, gptimage2.pending())
    support.finish(one)
    assert.equal(other, waits:wait())
    assert.equal("succeeded", one.status)
    assert.equal(2, box:ledger().requests.create)
  end)

  it("is not busy with what sleeps and waits in its parent", function()
    local task = gptimage2.spawn(gptimage2.sleep, 0.05)
    coroutine.wrap(function()
      gptimage2.sleep(0.05)
    end)()
    assert.is_true(gptimage2.busy() > 1)
    assert.equal(
      "0",
      host.fork(function()
        return tostring(gptimage2.busy())
      end)
    )
    assert.is_true(task:wait())
  end)

  it("still tells what is known", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    local told = host.fork(function()
      return ("%s %d %d"):format(job.status, #job.results, client.spent)
    end)
    assert.equal("succeeded 1 10", told)
  end)

  -- Children that end like programs do, with their Lua state closed or not.
  local function end_in_fork(ending, box)
    return child.run(([[
        local host = require("spec.host")
        local gptimage2 = require("gptimage2")
        local client = gptimage2.new({
          api_key = %q,
          base_url = %q,
          poll = { first = 0.01, interval = 0.01, max = 0.01 },
        })
        local job = client:submit({ prompt = "a cup" })
        repeat
          gptimage2.step(0.01)
        until job.id
        local pid = host.split()
        if pid == 0 then
          %s
        end
        print(host.wait(pid))
        print(job:wait() == job, job.status, gptimage2.pending())
      ]]):format(box.api_key, box.url, ending))
  end

  local VARIANT = os.getenv("GPTIMAGE2_SPEC_VARIANT")
  local ENDINGS = { "return", "os.exit(0)" }
  if VARIANT ~= "5.1" then
    ENDINGS[3] = "os.exit(0, true)"
  end
  -- What OpenSSL keeps for the I/O thread is lost in a child that has no such thread, and is a
  -- leak to those who look for leaks.
  if VARIANT == "asan" or VARIANT == "valgrind" then
    ENDINGS = {}
  end
  for _, ending in ipairs(ENDINGS) do
    it("ends well by " .. ending .. ", and the parent's job goes on", function()
      local result = end_in_fork(ending, support.sandbox({ duration = 0.05 }))
      assert.same({ output = "0\ntrue\tsucceeded\t0\n", errors = "", exit = 0 }, result)
    end)
  end

  it("may load the module when its parent has not", function()
    local box = support.sandbox()
    local result = child.run(([[
        local host = require("spec.host")
        local pid = host.split()
        local gptimage2 = require("gptimage2")
        local client = gptimage2.new({
          api_key = %q,
          base_url = %q,
          poll = { first = 0.01, interval = 0.01, max = 0.01 },
        })
        print(assert(client:generate({ prompt = "a cup" })).status)
        if pid ~= 0 then
          print(host.wait(pid))
        end
      ]]):format(box.api_key, box.url))
    assert.equal("", result.errors)
    assert.equal(0, result.exit)
    assert.same(2, select(2, result.output:gsub("succeeded", "")))
    assert.equal(2, box:ledger().requests.create)
  end)

  it("begins anew where nothing was submitted before the fork, each with its own", function()
    local box = support.sandbox()
    local result = child.run(([[
        local host = require("spec.host")
        local gptimage2 = require("gptimage2")
        local client = assert(gptimage2.new({
          api_key = %q,
          base_url = %q,
          poll = { first = 0.01, interval = 0.01, max = 0.01 },
        }))
        gptimage2.use("block")
        local before = gptimage2.fd()
        local first, second = host.split(), nil
        if first ~= 0 then
          second = host.split()
        end
        assert(client:cost({ prompt = "a cup" }) == 10)
        local job = assert(client:generate({ prompt = "a cup" }))
        print(job.status, client.spent, type(gptimage2.fd()), before ~= nil, job.idempotency_key)
        if first ~= 0 and second ~= 0 then
          host.wait(first)
          host.wait(second)
        end
      ]]):format(box.api_key, box.url))
    assert.equal("", result.errors)
    assert.equal(0, result.exit)
    local keys, count = {}, 0
    for key in result.output:gmatch("succeeded\t10\tnumber\ttrue\t(%S+)\n") do
      count = count + (keys[key] and 0 or 1)
      keys[key] = true
    end
    assert.equal(3, count, result.output)
    assert.equal(3, box:ledger().requests.create)
  end)

  it("leaves a ledger to its parent, whether or not anything was submitted", function()
    local place = folder.new()
    local box = support.sandbox()
    local result = child.run(
      ([[
        local host = require("spec.host")
        local gptimage2 = require("gptimage2")
        local function new(path)
          return gptimage2.new({
            api_key = %q,
            base_url = %q,
            ledger = path,
            poll = { first = 0.01, interval = 0.01, max = 0.01 },
          })
        end
        local client = assert(new(%q .. "/parent.db"))
        local pid = host.split()
        if pid == 0 then
          local words = {}
          for _, name in ipairs({ "submit", "generate", "create", "cost" }) do
            words[#words + 1] = select(2, client[name](client, { prompt = "a cup" })).code
          end
          words[#words + 1] = select(2, client:history()).code
          words[#words + 1] = select(2, client:recover()).code
          client:close()
          client = nil
          collectgarbage()
          local own = assert(new(%q .. "/child.db"))
          words[#words + 1] = assert(own:generate({ prompt = "a cup" })).status
          print(table.concat(words, " "))
          io.stdout:flush()
          return
        end
        host.wait(pid)
        print(assert(client:generate({ prompt = "a cup" })).status, #client:history())
      ]]):format(box.api_key, box.url, place, place),
      {},
      NO_LEAKS
    )
    folder.clean()
    assert.equal("", result.errors)
    assert.equal(("forked "):rep(6) .. "succeeded\nsucceeded\t1\n", result.output)
  end)

  it("is not what popen and execute make", function()
    local client = support.pair()
    local pipe = io.popen("true")
    pipe:close()
    os.execute("true")
    assert(client:generate(REQUEST))
  end)
end)
