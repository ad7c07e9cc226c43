-- Reference images are looked at before anything is spent: each rule, and that nothing is POSTed.

local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

--- Options that look at references, on this machine too.
local CAREFUL = { verify_references = true, allow_private_references = true }

local function request_with(...)
  return { prompt = "like this", image_urls = { ... } }
end

--- Asks for a picture and expects a refusal of reference `n` that costs nothing; `later` says
--- whether it may go well then.
local function expect_refusal(client, box, request, n, later)
  local job, err = client:generate(request)
  assert.is_nil(job)
  assert.equal("validation", err.kind)
  assert.equal("reference_unreachable", err.code)
  assert.equal(("image_urls[%d]"):format(n or 1), err.field)
  assert.equal("no", err.sent)
  assert.equal("no", err.charged)
  assert.equal(later or false, err.retryable)
  assert.equal(0, client.spent)
  assert.equal(0, box:ledger().requests.create)
  return err
end

describe("references", function()
  after_each(support.clean)

  describe("at an address that is not public", function()
    --- Spellings of this very machine, with the port of a sandbox behind.
    local HERE = {
      "127.0.0.1",
      "127.1",
      "127.0.0.2",
      "2130706433",
      "0x7f000001",
      "0x7f.1",
      "0177.0.0.1",
      "0.0.0.0",
      "0",
      "localhost",
      "LOCALHOST",
      "localhost.",
      "127.0.0.1.",
      "www.localhost",
    }
    for _, host in ipairs(HERE) do
      it(("are refused before anything connects: %s"):format(host), function()
        local client, box = support.pair({ verify_references = true })
        local there = support.sandbox()
        local url = there:reference("cup"):gsub("127%.0%.0%.1", host)
        local err = expect_refusal(client, box, request_with(url))
        assert.equal(0, there:ledger().connections)
        if not host:find("%.$") then -- those with a dot behind need not resolve at all
          assert.truthy(err.message:find("private, loopback or link-local", 1, true), err.message)
        end
      end)
    end

    --- Where IPv6 is off these do not even resolve: refused all the same.
    local HERE6 = { "[::1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::]", "[64:ff9b::7f00:1]" }
    for _, host in ipairs(HERE6) do
      it(("are refused before anything connects: %s"):format(host), function()
        local client, box = support.pair({ verify_references = true })
        local there = support.sandbox()
        local url = there:reference("cup"):gsub("127%.0%.0%.1", host)
        expect_refusal(client, box, request_with(url))
        assert.equal(0, there:ledger().connections)
      end)
    end

    for _, host in ipairs({
      "10.0.0.1",
      "172.16.0.1",
      "172.31.255.255",
      "192.168.1.1",
      "169.254.169.254",
      "100.64.0.1",
      "192.0.2.1",
      "198.18.0.1",
      "224.0.0.1",
      "255.255.255.255",
    }) do
      it("are refused: " .. host, function()
        local client, box = support.pair({ verify_references = true })
        local err = expect_refusal(client, box, request_with("http://" .. host .. "/a.png"))
        assert.truthy(err.message:find("private, loopback or link-local", 1, true), err.message)
        err = expect_refusal(client, box, request_with("https://" .. host .. "/a.png"))
        assert.truthy(err.message:find("private, loopback or link-local", 1, true), err.message)
      end)
    end

    it("name the option that permits them, for tests", function()
      local client, box = support.pair({ verify_references = true })
      local err = expect_refusal(client, box, request_with(box:reference("cup")))
      assert.truthy(err.message:find("allow_private_references", 1, true))
    end)

    it("are refused by submit and create, too", function()
      local client, box = support.pair({ verify_references = true })
      local request = request_with(box:reference("cup"))
      local job = support.finish(assert(client:submit(request)))
      assert.equal("failed", job.status)
      assert.equal("reference_unreachable", job.error.code)
      local created, err = client:create(request)
      assert.is_nil(created)
      assert.equal("reference_unreachable", err.code)
      assert.equal(0, box:ledger().connections)
      assert.equal(0, client.spent)
    end)
  end)

  describe("that are looked at", function()
    local client, box, host

    before_each(function()
      client, box = support.pair(CAREFUL)
      host = support.sandbox()
    end)

    it("are sent when they are images", function()
      local url = host:reference("cup")
      local job = assert(client:generate(request_with(url)))
      assert.equal("succeeded", job.status)
      assert.equal("image-to-image", job.request.mode)
      local ledger = box:ledger()
      assert.equal(1, ledger.requests.create)
      assert.truthy(ledger.jobs[1].body:gsub("\\/", "/"):find(url, 1, true))
      assert.equal(1, host:ledger().requests.reference)
    end)

    it("get neither the API key nor more than a request for the first bytes", function()
      assert(client:generate(request_with(host:reference("cup"))))
      local seen = host:ledger().log[1]
      assert.equal("GET", seen.method)
      assert.is_false(seen.authorization)
      assert.equal("bytes=0-63", seen.range)
      assert.is_nil(seen.key)
    end)

    it("are looked at once each, up to 16 of them", function()
      local urls = {}
      for i = 1, 16 do
        urls[i] = host:reference("r" .. i)
      end
      assert(client:generate({ prompt = "all of these", image_urls = urls }))
      assert.equal(16, host:ledger().requests.reference)
      urls[17] = host:reference("r17")
      local job, err = client:generate({ prompt = "all of these", image_urls = urls })
      assert.is_nil(job)
      assert.equal("too_many_image_urls", err.code)
      assert.equal(16, host:ledger().requests.reference)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("are refused when they are no images", function()
      local err = expect_refusal(client, box, request_with(host:reference("notes.txt")))
      assert.truthy(err.message:find("is not an image", 1, true))
    end)

    it("are refused when they are empty", function()
      local headers = { ["Content-Type"] = "application/octet-stream" }
      host:fault({ on = "reference", action = "body", body = "", headers = headers })
      expect_refusal(client, box, request_with(host:reference("cup")))
    end)

    it("are images by their first bytes, whatever their type says", function()
      local headers = { ["Content-Type"] = "application/octet-stream" }
      local body = "GIF89a" .. ("\0"):rep(100)
      host:fault({ on = "reference", action = "body", body = body, headers = headers })
      assert(client:generate(request_with(host:reference("cup"))))
    end)

    it("are images by their type, whatever their first bytes are", function()
      local headers = { ["Content-Type"] = "image/heic" }
      host:fault({ on = "reference", action = "body", body = "heic", headers = headers })
      assert(client:generate(request_with(host:reference("cup"))))
    end)

    it("are not read to the end when the host sends more than was asked for", function()
      local bytes = 1024 * 1024 * 1024
      host:fault({ on = "reference", action = "oversize", bytes = bytes, chunked = true })
      assert(client:generate(request_with(host:reference("cup"))))
    end)

    for _, status in ipairs({ 204, 302, 304, 403, 404 }) do -- without a Location
      it(("are refused when the host answers with %d"):format(status), function()
        host:fault({ on = "reference", action = "status", status = status })
        local err = expect_refusal(client, box, request_with(host:reference("cup")))
        assert.truthy(err.message:find("HTTP status " .. status, 1, true), err.message)
        assert.equal(1, host:ledger().requests.reference)
      end)
    end

    for _, status in ipairs({ 429, 503 }) do
      it(("are looked at again after a %d"):format(status), function()
        host:fault({ on = "reference", action = "status", status = status })
        assert(client:generate(request_with(host:reference("cup"))))
        assert.equal(2, host:ledger().requests.reference)
        assert.equal(1, box:ledger().requests.create)
      end)
    end

    it("may be good later when the host is busy for longer, which the error tells", function()
      local busy = { on = "reference", action = "status", status = 503, times = 2 }
      busy.headers = { ["Retry-After"] = "1" }
      host:fault(busy)
      local err = expect_refusal(client, box, request_with(host:reference("cup")), 1, true)
      assert.equal(503, err.status)
      assert.equal(1, err.retry_after)
      assert.truthy(err.message:find("HTTP status 503, twice", 1, true), err.message)
      assert.equal(2, host:ledger().requests.reference)
      assert(client:generate(request_with(host:reference("cup"))))
    end)

    it("are not waited for when the host asks for more than their time", function()
      local headers = { ["Retry-After"] = "3600" }
      host:fault({ on = "reference", action = "status", status = 429, headers = headers })
      local err = expect_refusal(client, box, request_with(host:reference("cup")), 1, true)
      assert.equal(429, err.status)
      assert.equal(3600, err.retry_after)
      assert.equal(1, host:ledger().requests.reference)
    end)

    it("hold up nobody when their host accepts and says nothing", function()
      local silent = support.sandbox()
      silent:fault({ on = "reference", action = "hang", times = math.huge })
      local url = silent:reference("cup"):gsub("127%.0%.0%.1", "localhost")
      local hasty = { max_active = 2 }
      for name, value in pairs(CAREFUL) do
        hasty[name] = value
      end
      local crowd, jobs = support.client(box, hasty), {}
      for i = 1, 24 do
        jobs[i] = assert(crowd:submit(request_with(url)))
      end
      support.step_until(function()
        return silent:ledger().connections == 4 -- half of the places, and never more
      end)
      assert(crowd:generate({ prompt = "a cup" }))
      assert(crowd:generate(request_with(host:reference("cup"))))
      assert(client:generate(request_with(host:reference("a"), host:reference("b"))))
      assert.equal(4, silent:ledger().connections)
      for i = 1, 24 do
        assert.is_false(jobs[i]:done())
        jobs[i]:cancel()
      end
      assert.equal(3, box:ledger().requests.create)
    end)

    it("end with the job's timeout while they wait for a place", function()
      host:fault({ on = "reference", action = "hang", times = math.huge })
      local url = host:reference("cup")
      for _ = 1, 8 do
        assert(client:submit(request_with(url)))
      end
      local job, err = client:generate(request_with(url), { timeout = support.seconds(0.3) })
      assert.is_nil(job)
      assert.equal("timeout", err.kind)
      assert.equal("no", err.charged)
      assert.equal(0, box:ledger().requests.create)
    end)

    it("are not looked at long before their job can be sent", function()
      local slow = support.sandbox({ duration = 60 })
      local careful = { max_active = 2 }
      for name, value in pairs(CAREFUL) do
        careful[name] = value
      end
      local crowd = support.client(slow, careful)
      for _ = 1, 8 do
        assert(crowd:submit(request_with(host:reference("cup"))))
      end
      support.step_until(function()
        return slow:ledger().requests.create == 2
      end)
      assert(client:generate(request_with(host:reference("other")))) -- another's looks go on
      local looks = 0
      for _, entry in ipairs(host:ledger().log) do
        looks = looks + (entry.path:find("cup", 1, true) and 1 or 0)
      end
      -- those of the two that were sent, the two that wait, and what was under way then
      assert.truthy(looks >= 4 and looks < 8, looks)
    end)

    it("are refused when the host does not answer within request_timeout", function()
      host:fault({ on = "reference", action = "hang" })
      local hasty = support.client(box, {
        verify_references = true,
        allow_private_references = true,
        request_timeout = support.slow and 3 or support.seconds(0.5),
      })
      local err = expect_refusal(hasty, box, request_with(host:reference("cup")), 1, true)
      assert.truthy(err.message:find("did not answer", 1, true))
      assert.equal(1, host:ledger().requests.reference)
    end)

    it("are refused when the connection dies", function()
      host:fault({ on = "reference", action = "reset", times = math.huge })
      local err = expect_refusal(client, box, request_with(host:reference("cup")), 1, true)
      assert.truthy(err.message:find("did not answer", 1, true))
    end)

    it("are refused when nobody listens there", function()
      local url = host:reference("cup")
      host:stop()
      expect_refusal(client, box, request_with(url), 1, true)
    end)

    it("are named by their place in the list", function()
      local good, bad = host:reference("cup"), host:reference("notes.txt")
      expect_refusal(client, box, request_with(good, good, bad, good), 3)
    end)

    it("are shown without their query, which may hold a signature", function()
      local err = expect_refusal(client, box, request_with(host.url .. "/a.png?sig=hidden-word"))
      assert.truthy(err.message:find("/a.png answered with HTTP status 404", 1, true), err.message)
      assert.is_nil(err.message:find("hidden-word", 1, true))
      host:fault({ on = "reference", action = "reset", times = math.huge })
      local signed = request_with(host:reference("cup") .. "?sig=hidden-word")
      err = expect_refusal(client, box, signed, 1, true)
      assert.is_nil(err.message:find("hidden-word", 1, true))
    end)

    it("do not wait for the others when one is bad", function()
      host:fault({ on = "reference", action = "hang" })
      local bad = box.url .. "/nothing.png"
      expect_refusal(client, box, request_with(host:reference("cup"), bad), 2)
    end)

    it("are followed over three redirects", function()
      local url = host:reference("cup")
      host:fault({ on = "reference", action = "redirect", location = url, times = 3 })
      assert(client:generate(request_with(url)))
      assert.equal(4, host:ledger().requests.reference)
    end)

    it("are refused at the fourth redirect", function()
      local url = host:reference("cup")
      host:fault({ on = "reference", action = "redirect", location = url, times = 4 })
      local err = expect_refusal(client, box, request_with(url))
      assert.truthy(err.message:find("redirects too often", 1, true))
      assert.equal(4, host:ledger().requests.reference)
    end)

    it("may redirect by a path alone", function()
      host:fault({ on = "reference", action = "redirect", location = "/reference/other.png" })
      assert(client:generate(request_with(host:reference("cup"))))
      assert.equal("/reference/other.png", host:ledger().log[2].path)
    end)

    for _, location in ipairs({
      "file:///etc/hostname",
      "ftp://127.0.0.1/a.png",
      "gopher://127.0.0.1/",
      "http://user:password@127.0.0.1/a.png",
    }) do
      it("are refused when they redirect to " .. location, function()
        host:fault({ on = "reference", action = "redirect", location = location })
        expect_refusal(client, box, request_with(host:reference("cup")))
      end)
    end

    it("that end a cancelled job are no longer asked for", function()
      host:fault({ on = "reference", action = "hang" })
      local job = assert(client:submit(request_with(host:reference("cup"))))
      support.step_until(function()
        return host:ledger().requests.reference == 1
      end)
      job:cancel()
      assert.equal("cancelled", job.status)
      support.step_until(function()
        return gptimage2.pending() == 0
      end)
      assert.equal("no", job.error.charged)
      assert.equal(0, box:ledger().requests.create)
    end)
  end)

  describe("with verify_references = false", function()
    it("are sent as they are", function()
      local client, box = support.pair({ verify_references = false })
      local host = support.sandbox()
      assert(client:generate(request_with(host:reference("notes.txt"), "http://10.0.0.1/a.png")))
      assert.equal(0, host:ledger().connections)
      assert.equal(1, box:ledger().requests.create)
    end)
  end)

  -- A public host cannot stand on this machine. For a child process it can: a preloaded library
  -- leads what is meant for 8.8.8.8 to this machine, behind the back of the check.
  describe("at a public address", function()
    local CHILD = [[
      local gptimage2 = require("gptimage2")
      local client = assert(gptimage2.new({
        api_key = arg[1], base_url = arg[2], verify_references = true, max_attempts = 1,
        poll = { first = 0.02, interval = 0.02 },
      }))
      local job, err = client:generate({ prompt = "like this", image_urls = { arg[3] } })
      print(job and job.status or err.code .. ": " .. err.message)
    ]]
    local place

    local function build()
      local library = place .. "/elsewhere.so"
      local source = folder.quote("spec/lib/elsewhere.c")
      local output = folder.run(("cc -shared -fPIC -o %s %s"):format(library, source))
      return output == "" and library
    end

    local function run(library, box, url)
      local script = place .. "/child.lua"
      folder.write(script, CHILD)
      local words = { os.getenv("GPTIMAGE2_SPEC_LUA"), script, box.api_key, box.url, url }
      for i, word in ipairs(words) do
        words[i] = folder.quote(word)
      end
      return folder.run("LD_PRELOAD=" .. library .. " " .. table.concat(words, " "))
    end

    before_each(function()
      place = folder.new()
    end)

    after_each(folder.clean)

    it("are looked at, and refused when they redirect to a private one", function()
      if os.getenv("GPTIMAGE2_SPEC_SLOW") then
        return pending("the preloaded library does not get along with the sanitizers'")
      end
      local library = build()
      if not library then
        return pending("there is no C compiler")
      end
      local box, host, inside = support.sandbox(), support.sandbox(), support.sandbox()
      local url = host:reference("cup"):gsub("127%.0%.0%.1", "8.8.8.8")
      assert.equal("succeeded", run(library, box, url))
      assert.equal(1, host:ledger().requests.reference)

      host:fault({ on = "reference", action = "redirect", location = inside:reference("cup") })
      local output = run(library, box, url)
      assert.truthy(output:find("^reference_unreachable: "), output)
      assert.truthy(output:find("private, loopback or link-local", 1, true), output)
      assert.equal(2, host:ledger().requests.reference)
      assert.equal(0, inside:ledger().connections)
      assert.equal(1, box:ledger().requests.create)
    end)
  end)
end)
