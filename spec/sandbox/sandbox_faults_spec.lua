--- The sandbox's faults: the list of them, and those of the connection.

local boxes = require("spec.helpers.boxes")
local client = require("spec.helpers.curl")
local patience = require("spec.helpers.patience")
local sandbox_module = require("gptimage2.sandbox")

local create, curl, field = client.create, client.fetch, client.field
local poll, run = client.poll, client.run

-- Gives up on an answer that will not come: the sandbox may run in an emulator.
local IMPATIENT = ("--max-time %.2f "):format(patience.seconds(0.5))

-- A value for each option that some action cannot do without.
local NEEDED = { status = 503, seconds = 0.1, bytes = 10, body = "x" }

local PHASES = { "create", "poll", "image", "reference", "other", "any", "job" }

local function set(list)
  local found = {}
  for _, name in ipairs(list) do
    found[name] = true
  end
  return found
end

-- A rule with no more than the action needs.
local function rule_of(kind, on)
  local rule = { on = on, action = kind.action }
  for _, name in ipairs(kind.required) do
    rule[name] = NEEDED[name]
  end
  if kind.action == "redirect" then
    rule.to = "self"
  end
  return rule
end

local start = boxes.start_quick

-- Asks again until it is so; each time a process has come and gone.
local function wait_for(condition)
  for _ = 1, 20000 do
    if condition() then
      return
    end
    run("true")
  end
  error("waited in vain")
end

local count = client.count

describe("the sandbox's faults", function()
  after_each(boxes.clean)

  describe("as a list", function()
    it("name each action once, with its options and a line about it", function()
      local seen = {}
      for _, kind in ipairs(sandbox_module.faults()) do
        assert.is_nil(seen[kind.action])
        seen[kind.action] = true
        assert.truthy(kind.about:find("%w"))
        assert.is_boolean(kind.work)
        assert.is_boolean(kind.tls)
        local options = set(kind.options)
        for _, name in ipairs(kind.required) do
          assert.is_true(options[name], kind.action)
        end
      end
      assert.is_true(seen.status and seen.cut and seen.results)
    end)

    it("tell exactly the phases in which each can happen", function()
      local box = start()
      for _, kind in ipairs(sandbox_module.faults()) do
        local phases = set(kind.phases)
        for _, on in ipairs(PHASES) do
          local ok, message = pcall(box.fault, box, rule_of(kind, on))
          local what = kind.action .. " on " .. on .. ": " .. (message or "")
          assert.equal(phases[on] or false, ok, what)
        end
      end
    end)

    it("tell exactly the options that each one needs", function()
      local box = start()
      for _, kind in ipairs(sandbox_module.faults()) do
        for _, name in ipairs(kind.required) do
          local rule = rule_of(kind, kind.phases[1])
          rule[name] = nil
          local _, message = pcall(box.fault, box, rule)
          assert.truthy(message:find("needs option '" .. name .. "'", 1, true), message)
        end
      end
      local _, message = pcall(box.fault, box, { on = "poll", action = "redirect" })
      assert.truthy(message:find("needs option 'location' or 'to'", 1, true))
    end)

    it("tell which can be had with TLS, and the others raise there", function()
      local box = start({ tls = true })
      for _, kind in ipairs(sandbox_module.faults()) do
        local ok, message = pcall(box.fault, box, rule_of(kind, kind.phases[1]))
        assert.equal(kind.tls, ok, kind.action)
        assert.truthy(ok or message:find("needs a sandbox without tls", 1, true))
      end
    end)

    it("take no option that belongs to another action, and no wrong value", function()
      local box = start()
      for _, rule in ipairs({
        { on = "poll", action = "hang", status = 500 },
        { on = "poll", action = "cut", bytes = 5, shape = "null" },
        { on = "poll", action = "results", shape = "round" },
        { on = "poll", action = "redirect", to = "nowhere" },
        { on = "poll", action = "drip", bytes = 0 },
        { on = "poll", action = "gzip", bytes = 5 },
        { on = "poll", action = "nesting", count = 1e7 },
        { on = "poll", action = "informational", status = 101 },
        { on = "create", action = "conflict", status = 400 },
        { on = "poll", action = "length", value = "5\r\nX: y" },
        { on = "poll", action = "unknown_status", name = 5 },
      }) do
        assert.is_false(pcall(box.fault, box, rule), rule.action)
      end
    end)
  end)

  describe("of the connection", function()
    it("stall after the headers", function()
      local box = start()
      box:fault({ on = "create", action = "stall" })
      local reply = create(box, nil, IMPATIENT)
      assert.equal(28, reply.exit)
      assert.equal(202, reply.status)
      assert.truthy(reply.head:find("\r\n\r\n$"))
      assert.equal("", reply.body)
      assert.equal(1, #box:ledger().jobs)
      assert.equal(202, box:ledger().log[1].status)
    end)

    it("stall in the middle of the body, or of the headers", function()
      local box = start()
      curl(box:reference("cup")) -- it is drawn: what follows is no matter of that
      box:fault({ on = "reference", action = "stall", bytes = 100 })
      local reply = curl(IMPATIENT .. box:reference("cup"))
      assert.equal(28, reply.exit)
      assert.equal(100, #reply.body)
      box:fault({ on = "reference", action = "stall", bytes = 30, head = true })
      reply = curl(IMPATIENT .. box:reference("cup"))
      assert.equal(28, reply.exit)
      assert.is_nil(reply.head:find("\r\n\r\n", 1, true))
    end)

    it("let go of a stalled connection when its peer has left", function()
      local box = start()
      create(box)
      local function open_files()
        return tonumber(run("ls /proc/$PPID/fd | wc -l"))
      end
      local before
      wait_for(function() -- the connection of the create may still be there
        local now = open_files()
        local same = now == before
        before = now
        return same
      end)
      box:fault({ on = "create", action = "stall", times = 3 })
      for _ = 1, 3 do
        local pipe = create(box, nil, ("--max-time %.2f "):format(patience.seconds(0.2)))
        assert.equal(28, pipe.exit)
      end
      wait_for(function()
        return open_files() <= before
      end)
    end)

    it("drip so many bytes a second", function()
      local box = start()
      box:fault({ on = "reference", action = "drip", bytes = 50 })
      local reply = curl(IMPATIENT .. box:reference("cup"))
      assert.equal(28, reply.exit)
      assert.equal(200, reply.status)
      assert.is_true(#reply.body > 0 and #reply.body < 600, #reply.body)
      box:fault({ on = "create", action = "drip", bytes = 2, head = true })
      reply = create(box, nil, IMPATIENT)
      assert.equal(28, reply.exit)
      assert.is_nil(reply.head:find("\r\n\r\n", 1, true))
    end)

    it("drip the whole of an answer in the end", function()
      local box = start()
      box:fault({ on = "create", action = "drip", bytes = 2000, head = true })
      local reply = create(box)
      assert.equal(0, reply.exit)
      assert.equal(490, field(reply.body, "paidCredits"))
      assert.truthy(reply.head:find("content-type: application/json", 1, true))
      assert.is_true(reply.time > 0)
    end)

    it("cut the answer after any byte, with or without the work done", function()
      local box = start()
      box:fault({ on = "create", action = "cut", bytes = 0 })
      assert.equal(52, create(box).exit)
      box:fault({ on = "create", action = "cut", bytes = 40, work = false })
      local reply = create(box)
      assert.is_nil(reply.head:find("\r\n\r\n", 1, true))
      assert.equal("", reply.body)
      assert.equal(1, #box:ledger().jobs)
      local whole = curl(box:reference("cup"))
      box:fault({ on = "reference", action = "cut", bytes = #whole.body })
      reply = curl(box:reference("cup"))
      assert.equal(18, reply.exit)
      assert.equal(#whole.body, #reply.head + #reply.body)
      assert.equal(whole.body:sub(1, #reply.body), reply.body)
      box:fault({ on = "reference", action = "cut", bytes = math.floor(1e9) })
      assert.equal(whole.body, curl(box:reference("cup")).body)
    end)

    it("reset the connection in the middle of an answer", function()
      local box = start()
      box:fault({ on = "reference", action = "cut", bytes = 1000, reset = true })
      assert.equal(56, curl(box:reference("cup")).exit)
    end)

    it("announce a length too long, too short, or no number at all", function()
      local box = start()
      local size = #create(box).body
      box:fault({ on = "create", action = "length" })
      box:fault({ on = "create", action = "length", add = -10 })
      box:fault({ on = "create", action = "length", value = "-7" })
      local long = create(box)
      assert.equal(18, long.exit)
      assert.equal(size, #long.body)
      assert.truthy(long.head:find("content-length: " .. size + 10, 1, true))
      local short = create(box)
      assert.equal(size - 10, #short.body)
      assert.equal(8, create(box).exit)
    end)

    it("send headers without an end, or very many", function()
      local box = start()
      box:fault({ on = "poll", action = "endless_headers", bytes = 100000 })
      box:fault({ on = "poll", action = "endless_headers" })
      local reply = poll(box, "x")
      assert.equal(404, reply.status)
      assert.is_true(#reply.head > 99000 and #reply.head < 101000)
      assert.equal("job_not_found", field(reply.body, "error"))
      local arguments = "--include " .. client.poll_arguments(box, "x")
      local seen = run(client.COMMAND .. arguments .. " | head -c 2000000 | tail -c 100")
      assert.equal(100, #seen)
      assert.truthy(seen:find("X-Filler: a", 1, true))
    end)

    it("send chunks without an end, or very many", function()
      local box = start()
      box:fault({ on = "image", action = "endless_chunks", bytes = 38 * 1000 })
      box:fault({ on = "image", action = "endless_chunks" })
      local url = box.url .. "/generated/x-1.png"
      assert.equal(32 * 1000, #curl(url).body)
      local seen = run(client.COMMAND .. url .. " | head -c 3000000 | wc -c")
      assert.equal(3000000, tonumber(seen))
    end)

    it("send 1xx answers before the right one", function()
      local box = start()
      for _, status in ipairs({ 100, 102, 103 }) do
        box:fault({ on = "create", action = "informational", status = status, count = 50 })
        local reply = create(box)
        assert.equal(202, reply.status)
        assert.equal(50, count(reply.head, "http/1.1 " .. status))
        assert.equal(0, reply.exit)
      end
      assert.equal(3, #box:ledger().jobs)
    end)

    it("send other bytes than HTTP", function()
      local box = start()
      box:fault({ on = "create", action = "raw", body = "220 mail.example ESMTP\r\n" })
      local reply = create(box)
      assert.equal(1, reply.exit)
      assert.equal(1, #box:ledger().jobs)
      box:fault({ on = "poll", action = "raw", body = "HTTP/1.1 299 Odd\r\n\r\nbody" })
      reply = poll(box, "x")
      assert.equal(299, reply.status)
      assert.equal("body", reply.body)
    end)

    it("leave the body out of an answer to HEAD", function()
      local box = start()
      box:fault({ on = "reference", action = "informational", count = 1 })
      local reply = curl("--head " .. box:reference("cup"))
      assert.equal(200, reply.status)
      assert.equal(0, reply.exit)
    end)

    it("wait before any of it when told so", function()
      local box = start()
      box:fault({ on = "create", action = "cut", bytes = 10, seconds = 1000 })
      os.execute(client.COMMAND .. client.create_arguments(box, "{}") .. " >/dev/null 2>&1 &")
      wait_for(function()
        return box:ledger().log[1]
      end)
      assert.equal(0, box:ledger().log[1].status)
    end)

    it("all end when the sandbox is stopped", function()
      local box = start()
      local files, asked = {}, 0
      for _, kind in ipairs(sandbox_module.faults()) do
        local on = kind.phases[1]
        if on == "create" then
          local rule = rule_of(kind, on)
          rule.bytes = rule.bytes and 1
          box:fault(rule)
          asked = asked + 1
        end
      end
      for i = 1, asked do
        files[i] = os.tmpname()
        local line = client.COMMAND .. "--output /dev/null --write-out 'ended' "
        line = line .. client.create_arguments(box, '{"prompt":"x"}', "-H 'Idempotency-Key: k' ")
        os.execute(line .. " >" .. files[i] .. " 2>&1 &")
      end
      wait_for(function()
        return box:ledger().requests.create >= asked
      end)
      box:stop()
      for _, file in ipairs(files) do
        wait_for(function()
          return client.read_file(file):find("ended", 1, true)
        end)
        os.remove(file)
      end
    end)
  end)
end)
