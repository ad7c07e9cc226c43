--- The sandbox as a server: its start and stop, and each fault that it can be told.

local boxes = require("spec.helpers.boxes")
local client = require("spec.helpers.curl")
local patience = require("spec.helpers.patience")
local sandbox_module = require("gptimage2.sandbox")

local CURL = client.COMMAND
local create, create_arguments = client.create, client.create_arguments
local curl, field, run = client.fetch, client.field, client.run
local poll, poll_arguments, read_file = client.poll, client.poll_arguments, client.read_file
local start = boxes.start

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

describe("the sandbox", function()
  after_each(boxes.clean)

  describe("start", function()
    it("gives a loopback URL and the default key", function()
      local box = start()
      assert.truthy(box.url:match("^http://127%.0%.0%.1:%d+$"))
      assert.equal("sandbox", box.api_key)
      assert.is_nil(box.ca_file)
      assert.truthy(tostring(box):find(box.url, 1, true))
    end)

    it("raises on unknown options, and says what was meant", function()
      assert.has_error(function()
        sandbox_module.start({ prot = 1 })
      end, "bad argument #1 to 'start' (unknown option 'prot', did you mean 'port'?)")
      local _, message = pcall(sandbox_module.start, { something = 1 })
      assert.truthy(message:find("there are: port, api_key", 1, true))
    end)

    it("raises on wrong types and on values out of range", function()
      for _, options in ipairs({
        { port = "80" },
        { port = 70000 },
        { port = 1.5 },
        { api_key = 5 },
        { api_key = "" },
        { api_key = "two\nlines" },
        { credits = -1 },
        { duration = -1 },
        { duration = { medain = 1 } },
        { duration = { median = -1 } },
        { duration = { sigma = "0.1" } },
        { duration = { scale = 1e4 } },
        { duration = { seed = 0.5 } },
        { tls = 1 },
        { image_size = 1 },
        { image_bytes = 10 },
        { [1] = "port" },
      }) do
        assert.is_false(pcall(sandbox_module.start, options))
      end
      assert.is_false(pcall(sandbox_module.start, "port"))
    end)

    it("gives nil and a message when the port is taken", function()
      local box = start()
      local port = tonumber(box.url:match("%d+$"))
      local other, message = sandbox_module.start({ port = port })
      assert.is_nil(other)
      assert.truthy(message:find("cannot listen on 127.0.0.1:" .. port, 1, true))
    end)

    it("runs several at once, each with its own books", function()
      local a, b = start({ api_key = "a" }), start({ api_key = "b" })
      assert.equal(202, create(a).status)
      assert.equal(490, a:ledger().credits)
      assert.equal(500, b:ledger().credits)
      assert.equal(0, #b:ledger().jobs)
    end)

    it("serves https with its own authority for the loopback names", function()
      local box = start({ tls = true })
      local folder = box.ca_file:match("^(.*)/")
      local trust = "--cacert " .. box.ca_file .. " "
      assert.equal(200, curl(trust .. box:reference("cup")).status)
      local named = box:reference("cup"):gsub("127%.0%.0%.1", "localhost")
      assert.equal(200, curl(trust .. named).status)
      assert.equal(60, curl(box:reference("cup")).exit)
      box:stop()
      assert.is_nil(box.ca_file)
      assert.is_nil(io.open(folder .. "/ca.pem"))
    end)
  end)

  describe("stop", function()
    it("can be repeated, and leaves the books readable", function()
      local box = start()
      create(box)
      box:stop()
      box:stop()
      assert.equal(1, #box:ledger().jobs)
      assert.equal(7, curl(box.url).exit)
      assert.truthy(tostring(box):find("stopped", 1, true))
    end)

    it("ends hung and delayed connections", function()
      local box = start()
      box:fault({ on = "any", action = "hang" })
      box:fault({ on = "any", action = "delay", seconds = 1000 })
      local file = os.tmpname()
      local line = "(%s -w '%%{exitcode}\\n' %s; %s -w '%%{exitcode}\\n' %s) >> %s 2>&1 &"
      local url = box:reference("cup")
      os.execute(
        line:format(CURL .. ("--max-time %.2f"):format(patience.seconds(0.2)), url, CURL, url, file)
      )
      wait_for(function()
        return #box:ledger().log == 2
      end)
      assert.equal(0, box:ledger().log[1].status)
      box:stop()
      local seen
      wait_for(function()
        seen = read_file(file)
        return seen:find("%d+\n%d+\n")
      end)
      os.remove(file)
      assert.truthy(seen:find("^28\n5[26]\n"), seen)
    end)

    it("is what garbage collection does", function()
      local url
      do
        local box = assert(sandbox_module.start())
        url = box.url
      end
      collectgarbage()
      collectgarbage()
      assert.equal(7, curl(url).exit)
    end)
  end)

  describe("a fault", function()
    it("raises on what it does not know or miss", function()
      local box = start()
      for _, rule in ipairs({
        {},
        { on = "create" },
        { action = "hang" },
        { on = "create", action = "explode" },
        { on = "everything", action = "hang" },
        { on = "create", action = "hang", tims = 2 },
        { on = "create", action = "status" },
        { on = "create", action = "status", status = 99 },
        { on = "create", action = "delay" },
        { on = "create", action = "redirect" },
        { on = "create", action = "truncate" },
        { on = "create", action = "body" },
        { on = "create", action = "fail" },
        { on = "job", action = "hang" },
        { on = "create", action = "hang", times = 0 },
        { on = "create", action = "hang", times = 1.5 },
        { on = "create", action = "status", status = 429, headers = { "x" } },
        { on = "create", action = "status", status = 429, headers = { X = "a\r\nb" } },
      }) do
        assert.is_false(pcall(box.fault, box, rule))
      end
      local _, message = pcall(box.fault, box, { on = "crate", action = "hang" })
      assert.truthy(message:find("did you mean 'create'?", 1, true))
      assert.equal(202, create(box).status)
    end)

    it("answers with a status, headers and body, and does no work", function()
      local box = start()
      box:fault({
        on = "create",
        action = "status",
        status = 429,
        headers = { ["Retry-After"] = "7" },
        body = "later",
      })
      local reply = create(box)
      assert.equal(429, reply.status)
      assert.equal("later", reply.body)
      assert.truthy(reply.head:find("retry-after: 7", 1, true))
      assert.equal(0, #box:ledger().jobs)
      assert.equal(429, box:ledger().log[1].status)
      assert.equal(202, create(box).status)
    end)

    it("names the status in JSON by default", function()
      local box = start()
      box:fault({ on = "any", action = "status", status = 503 })
      assert.equal("service_unavailable", field(poll(box, "x").body, "error"))
    end)

    it("does the work first when told so", function()
      local box = start()
      box:fault({ on = "create", action = "status", status = 500, work = true })
      assert.equal(500, create(box).status)
      assert.equal(1, #box:ledger().jobs)
      assert.equal(490, box:ledger().credits)
      box:fault({ on = "create", action = "close", work = false })
      assert.equal(52, create(box).exit)
      assert.equal(1, #box:ledger().jobs)
    end)

    it("hits as often as told, after as many as told, until cleared", function()
      local box = start()
      box:fault({ on = "reference", action = "status", status = 500, after = 1, times = 2 })
      local seen = {}
      for i = 1, 4 do
        seen[i] = curl(box:reference("cup")).status
      end
      assert.same({ 200, 500, 500, 200 }, seen)
      box:fault({ on = "reference", action = "status", status = 500, times = math.huge })
      assert.equal(500, curl(box:reference("cup")).status)
      assert.equal(500, curl(box:reference("cup")).status)
      box:clear()
      assert.equal(200, curl(box:reference("cup")).status)
    end)

    it("delays an answer while others go on", function()
      local box = start()
      box:fault({ on = "poll", action = "delay", seconds = 0.3 })
      local late = poll(box, "x")
      assert.equal(404, late.status)
      assert.is_true(late.time >= 0.3)
      box:fault({ on = "poll", action = "hang" })
      local hung = ("%s--max-time %.2f -w '%%{exitcode}' %s"):format(
        CURL,
        patience.seconds(1),
        poll_arguments(box, "x")
      )
      local other = CURL .. "-o /dev/null -w '%{http_code} ' " .. box:reference("cup")
      local both = run(("(%s) & while ! %s; do :; done; wait"):format(hung, other))
      assert.equal("200 28", both)
    end)

    it("resets a connection, or closes it, without an answer", function()
      local box = start()
      box:fault({ on = "create", action = "reset" })
      box:fault({ on = "create", action = "close" })
      assert.equal(56, create(box).exit)
      assert.equal(52, create(box).exit)
      assert.equal(2, #box:ledger().jobs)
      assert.equal(0, box:ledger().log[2].status)
    end)

    it("resets a kept-alive connection, on which curl then repeats the POST", function()
      local box = start()
      box:fault({ on = "create", action = "reset", after = 1 })
      local two = create_arguments(box, '{"prompt":"x"}')
      local command = CURL .. "-o /dev/null -o /dev/null -w '%{http_code} ' " .. two
      local output = run(command .. " " .. box.url .. "/api/generate")
      assert.equal("202 202 ", output)
      assert.equal(3, box:ledger().requests.create)
      assert.equal(2, box:ledger().connections)
    end)

    it("cuts a body short of its announced length", function()
      local box = start()
      box:fault({ on = "reference", action = "truncate", bytes = 100 })
      local reply = curl(box:reference("cup"))
      assert.equal(18, reply.exit)
      assert.equal(100, #reply.body)
      assert.truthy(tonumber(reply.head:match("content%-length: (%d+)")) > 100)
    end)

    it("breaks the JSON of an answer with its true status", function()
      local box = start()
      box:fault({ on = "create", action = "malformed" })
      local reply = create(box)
      assert.equal(202, reply.status)
      assert.is_nil(reply.body:find("}", 1, true))
      assert.equal(1, #box:ledger().jobs)
    end)

    it("makes a body too large, with a length or in chunks", function()
      local box = start()
      box:fault({ on = "poll", action = "oversize" })
      box:fault({ on = "poll", action = "oversize", bytes = 100000, chunked = true })
      local plain = poll(box, "x")
      assert.equal(2 * 1024 * 1024, #plain.body)
      assert.truthy(plain.body:find('^{"padding":"a+"}$'))
      local chunked = poll(box, "x")
      assert.equal(100000, #chunked.body)
      assert.truthy(chunked.head:find("transfer-encoding: chunked", 1, true))
      assert.equal(0, chunked.exit)
    end)

    it("redirects", function()
      local box = start()
      local to = box:reference("other")
      box:fault({ on = "reference", action = "redirect", location = to })
      local reply = curl(box:reference("cup"))
      assert.equal(302, reply.status)
      assert.truthy(reply.head:find("location: " .. to, 1, true))
      box:fault({ on = "reference", action = "redirect", status = 307, location = to })
      assert.equal(307, curl(box:reference("cup")).status)
    end)

    it("replaces a body and keeps the status", function()
      local box = start()
      box:fault({ on = "create", action = "body", body = "{}" })
      local reply = create(box)
      assert.equal(202, reply.status)
      assert.equal("{}", reply.body)
    end)

    it("lets the next job fail, and refunds it then", function()
      local box = start({ duration = 100 })
      box:fault({ on = "job", action = "fail", error = "content_policy" })
      local id = field(create(box).body, "jobId")
      local fine = field(create(box).body, "jobId")
      assert.equal(480, box:ledger().credits)
      box:advance(101)
      local reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.equal("failed", field(reply.body, "status"))
      assert.equal("content_policy", field(reply.body, "error"))
      assert.equal(490, field(reply.body, "paidCredits"))
      assert.equal("succeeded", field(poll(box, fine).body, "status"))
      local books = box:ledger()
      assert.is_true(books.jobs[1].refunded)
      assert.equal("failed", books.jobs[1].status)
      assert.is_false(books.jobs[2].refunded)
      assert.equal(10, books.refunded)
    end)
  end)

  it("counts in integers where Lua has them", function()
    local box = start()
    create(box)
    local books = box:ledger()
    if math.type then
      assert.equal("integer", math.type(books.credits))
      assert.equal("integer", math.type(books.requests.create))
      assert.equal("integer", math.type(books.jobs[1].count))
    end
    assert.equal(1, books.requests.create)
    assert.equal(1, books.connections)
  end)
end)
