--- The sandbox's faults in what it answers: content, JSON, redirects and certificates.

local boxes = require("spec.helpers.boxes")
local client = require("spec.helpers.curl")
local sandbox_module = require("gptimage2.sandbox")

local create, curl, field = client.create, client.fetch, client.field
local poll, run = client.poll, client.run
local count, start = client.count, boxes.start_quick

describe("the sandbox's faults", function()
  after_each(boxes.clean)

  -- A sandbox and the id of a job in it that is done.
  local function start_with_job(options)
    local box = start(options)
    return box, field(create(box).body, "jobId")
  end

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
