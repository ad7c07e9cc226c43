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

local function count(text, pattern)
  local _, n = text:gsub(pattern, "")
  return n
end

describe("the sandbox's faults", function()
  local boxes

  local function start(options)
    options = options or {}
    options.image_size = options.image_size or 64
    options.duration = options.duration or 0
    local box = assert(sandbox_module.start(options))
    boxes[#boxes + 1] = box
    return box
  end

  -- A sandbox and the id of a job in it that is done.
  local function start_with_job(options)
    local box = start(options)
    return box, field(create(box).body, "jobId")
  end

  before_each(function()
    boxes = {}
  end)

  after_each(function()
    for _, box in ipairs(boxes) do
      box:stop()
    end
    boxes = nil
    collectgarbage()
  end)

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

  describe("of the content", function()
    it("show an error page", function()
      local box = start()
      box:fault({ on = "create", action = "html" })
      local reply = create(box)
      assert.equal(502, reply.status)
      assert.truthy(reply.head:find("content-type: text/html", 1, true))
      assert.truthy(reply.body:find("<h1>502 Bad Gateway</h1>", 1, true))
      assert.equal(0, #box:ledger().jobs)
      box:fault({ on = "poll", action = "html", status = 200, body = "<p>Sign in" })
      reply = poll(box, "x")
      assert.equal(200, reply.status)
      assert.equal("<p>Sign in", reply.body)
    end)

    it("name another content type", function()
      local box = start()
      box:fault({ on = "create", action = "type" })
      box:fault({ on = "reference", action = "type", type = "application/json" })
      local reply = create(box)
      assert.truthy(reply.head:find("content-type: text/html\r", 1, true))
      assert.equal("pending", field(reply.body, "status"))
      reply = curl(box:reference("cup"))
      assert.truthy(reply.head:find("content-type: application/json\r", 1, true))
      assert.truthy(reply.body:find("^\137PNG"))
    end)

    it("send a gzip file that unpacks to far more", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "gzip", times = 2 })
      local reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.truthy(reply.head:find("content-encoding: gzip", 1, true))
      assert.is_true(#reply.body < 100000)
      local unpacked = client.COMMAND .. "--compressed " .. client.poll_arguments(box, id)
      assert.equal(64 * 1024 * 1024, tonumber(run(unpacked .. " | wc -c")))
      box:fault({ on = "poll", action = "gzip", bytes = 5001 })
      assert.equal('{"padding":"' .. ("a"):rep(5001 - 14) .. '"}', run(unpacked))
    end)

    it("serve only a part of the body as if it were all", function()
      local box = start()
      local whole = curl(box:reference("cup")).body
      box:fault({ on = "reference", action = "short", bytes = 200 })
      local reply = curl(box:reference("cup"))
      assert.equal(0, reply.exit)
      assert.equal(whole:sub(1, 200), reply.body)
      assert.truthy(reply.head:find("content-length: 200\r", 1, true))
    end)

    it("serve what is no image under the type of one", function()
      local box, id = start_with_job()
      local url = box.url .. "/generated/" .. id .. "-1.png"
      local whole = curl(url).body
      box:fault({ on = "image", action = "not_image" })
      local reply = curl(url)
      assert.equal(200, reply.status)
      assert.truthy(reply.head:find("content-type: image/png", 1, true))
      assert.equal(#whole, #reply.body)
      assert.truthy(reply.body:find("^This is not an image%."))
    end)

    it("say that there is no such thing, though there is", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "missing", times = 2 })
      box:fault({ on = "image", action = "missing" })
      for _ = 1, 2 do
        local reply = poll(box, id)
        assert.equal(404, reply.status)
        assert.equal("job_not_found", field(reply.body, "error"))
      end
      assert.equal(200, poll(box, id).status)
      local url = box.url .. "/generated/" .. id .. "-1.png"
      assert.equal("image_not_found", field(curl(url).body, "error"))
      assert.equal(200, curl(url).status)
    end)

    it("refuse a repeated idempotency key, and nothing else", function()
      local box = start()
      box:fault({ on = "create", action = "conflict" })
      box:fault({ on = "create", action = "conflict", status = 422 })
      local key = "-H 'Idempotency-Key: k1' "
      assert.equal(202, create(box).status)
      assert.equal(202, create(box, nil, key).status)
      local reply = create(box, nil, key)
      assert.equal(409, reply.status)
      assert.equal("idempotency_key_in_use", field(reply.body, "error"))
      reply = create(box, nil, key)
      assert.equal(422, reply.status)
      assert.equal("idempotency_key_reused", field(reply.body, "error"))
      assert.equal(202, create(box, nil, key).status)
      assert.equal(2, #box:ledger().jobs)
    end)
  end)

  describe("of the JSON", function()
    it("have every field twice", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "duplicate_keys" })
      box:fault({ on = "poll", action = "duplicate_keys", last = true })
      local first, last = poll(box, id).body, poll(box, id).body
      for _, body in ipairs({ first, last }) do
        assert.equal(2, count(body, '"status":'))
        assert.equal(2, count(body, '"jobId":'))
        assert.truthy(body:find('"imageUrl":"http', 1, true))
      end
      assert.equal("failed", field(first, "status"))
      assert.equal("succeeded", field(last, "status"))
      assert.truthy(last:find('"paidCredits":0}}', 1, true))
    end)

    it("nest arrays as deeply as told", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "nesting" })
      box:fault({ on = "poll", action = "nesting", count = 3 })
      assert.equal(100000, #poll(box, id).body:match("%[%[+"))
      local body = poll(box, id).body
      assert.truthy(body:find('^{"nested":%[%[%[%]%]%],"jobId":"' .. id:gsub("%-", "%%-")), body)
    end)

    it("hold NUL and terminal escapes in strings", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "escapes" })
      local reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.truthy(reply.body:find('"finalPrompt":"a prompt\\u0000\\u001B[31m', 1, true))
      assert.equal(id, field(reply.body, "jobId"))
      box:fault({ on = "create", action = "escapes", status = 400 })
      reply = create(box)
      assert.equal(400, reply.status)
      assert.truthy(reply.body:find('"error":"content_policy\\u0000\\u001B', 1, true), reply.body)
    end)

    it("tell a job status that there is not", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "unknown_status" })
      box:fault({ on = "poll", action = "unknown_status", name = "SUCCEEDED", status = 202 })
      local reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.equal("dreaming", field(reply.body, "status"))
      reply = poll(box, id)
      assert.equal(202, reply.status)
      assert.equal("SUCCEEDED", field(reply.body, "status"))
    end)

    it("name another job", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "other_job" })
      box:fault({ on = "create", action = "other_job", id = "../../etc/passwd" })
      local body = poll(box, id).body
      assert.equal("00000000-0000-4000-8000-000000000000", field(body, "jobId"))
      assert.equal("succeeded", field(body, "status"))
      assert.equal("../../etc/passwd", field(create(box).body, "jobId"))
    end)

    it("say failed first and succeeded later", function()
      local box, id = start_with_job()
      box:fault({ on = "poll", action = "failed", error = "content_policy" })
      local reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.equal("failed", field(reply.body, "status"))
      assert.equal("content_policy", field(reply.body, "error"))
      assert.is_nil(reply.body:find("imageUrl", 1, true))
      assert.equal("succeeded", field(poll(box, id).body, "status"))
      assert.equal(0, box:ledger().refunded)
    end)

    it("say succeeded without usable results", function()
      local box, id = start_with_job({ duration = 1000 })
      for shape, expected in pairs({
        null = '"results":null',
        empty = '"results":[]',
        without_urls = '"results":[{"seed":"1","finalPrompt":"a cup"}]',
        null_urls = '"results":[{"imageUrl":null,"seed":"1"},null]',
        object = '"results":{"imageUrl":"https://file.invalid/a.png"}',
      }) do
        box:fault({ on = "poll", action = "results", shape = shape })
        local reply = poll(box, id)
        assert.equal(200, reply.status)
        assert.equal("succeeded", field(reply.body, "status"))
        assert.truthy(reply.body:find(expected, 1, true), reply.body)
      end
      box:fault({ on = "poll", action = "results", shape = "absent" })
      assert.is_nil(poll(box, id).body:find("results", 1, true))
      assert.equal(202, poll(box, id).status)
    end)

    it("leave alone what is no answer about a job", function()
      local box = start()
      box:fault({ on = "poll", action = "results" })
      local reply = poll(box, "x")
      assert.equal(404, reply.status)
      assert.equal('{"error":"job_not_found"}', reply.body)
    end)
  end)

  describe("of redirects", function()
    local function location(box, rule)
      rule.on, rule.action = "reference", "redirect"
      box:fault(rule)
      return curl(box:reference("cup")).head:match("location: (%S+)")
    end

    it("lead to the same place for ever", function()
      local box = start()
      for _, status in ipairs({ 301, 302, 303, 307, 308 }) do
        assert.equal(box:reference("cup"), location(box, { to = "self", status = status }))
      end
      box:fault({ on = "reference", action = "redirect", to = "self", times = math.huge })
      assert.equal(47, curl("--location --max-redirs 5 " .. box:reference("cup")).exit)
    end)

    it("lead on and on", function()
      local box = start()
      box:fault({ on = "reference", action = "redirect", to = "chain", times = 3 })
      local reply = curl("--location " .. box:reference("cup"))
      assert.equal(200, reply.status)
      assert.equal(1, count(reply.head, "location: %S+%?hop=1\r"))
      assert.equal(1, count(reply.head, "location: %S+%?hop=3\r"))
    end)

    it("lead to another name, and to the other scheme", function()
      local box = start()
      local port = box.url:match("%d+$")
      local path = "/reference/cup.png"
      assert.equal("http://localhost:" .. port .. path, location(box, { to = "host" }))
      assert.equal(box.url:gsub("http", "https") .. path, location(box, { to = "https" }))
      box = start({ tls = true })
      box:fault({ on = "reference", action = "redirect", to = "http" })
      local reply = curl("--cacert " .. box.ca_file .. " " .. box:reference("cup"))
      assert.truthy(reply.head:find("location: http://127.0.0.1:", 1, true))
    end)
  end)

  describe("of certificates", function()
    it("are seen by whoever looks", function()
      for _, flaw in ipairs({ "good", "expired", "wrong_host", "self_signed" }) do
        local box = start({ tls = true, certificate = flaw })
        local reply = curl("--cacert " .. box.ca_file .. " " .. box:reference("cup"))
        assert.equal(flaw == "good" and 0 or 60, reply.exit, flaw)
        assert.equal(flaw == "good" and 1 or 0, box:ledger().requests.reference, flaw)
        assert.equal(200, curl("--insecure " .. box:reference("cup")).status, flaw)
        box:stop()
      end
    end)

    it("are named rightly, and only with TLS", function()
      assert.is_false(pcall(sandbox_module.start, { tls = true, certificate = "old" }))
      assert.is_false(pcall(sandbox_module.start, { certificate = "expired" }))
    end)
  end)
end)
