-- One create is one POST: counted at the server, which alone can tell.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
--- Seconds: long enough for a connection to come up on the slowest build.
local PATIENCE = support.slow and 8 or support.seconds(1)
--- Rounds of which at least one must reuse a connection: one that lay idle for two seconds on a
--- busy machine is not used again.
local ROUNDS = 20

local function posts(box)
  return box:ledger().requests.create
end

describe("one create", function()
  after_each(support.clean)

  -- libcurl does not count a request that went out by a second call.
  for _, errno in ipairs({ "EAGAIN", "EINTR" }) do
    it("whose first bytes the system did not take at once is one POST: " .. errno, function()
      if support.slow or folder.run("strace -o /dev/null true && echo yes") ~= "yes" then
        return pending("strace cannot watch this build")
      end
      local box = support.sandbox()
      box:fault({ on = "create", action = "truncate", bytes = 0, times = math.huge })
      local result = child.run(
        [[
        local _, url, key = ...
        local client = assert(require("gptimage2").new({
          api_key = key, base_url = url, retry = "documented", max_attempts = 2,
        }))
        local _, err = client:generate({ prompt = "a cup" })
        print(err.code, err.charged, err.attempts)
      ]],
        { box.url, box.api_key },
        ("strace -f -o /dev/null -e trace=sendto -e inject=sendto:error=%s:when=1"):format(errno)
      )
      assert.equal("reply_cut_off\tunknown\t1\n", result.output, result.errors)
      assert.equal(1, posts(box))
    end)
  end

  -- libcurl 8.23 does not look at what it kept.
  it("goes over no kept connection that the service has closed", function()
    local port
    for _ = 1, 6 do
      local box = support.sandbox({ port = port })
      port = tonumber(box.url:match("%d+$"))
      local client = support.client(box)
      assert(client:generate(CUP))
      assert.equal(1, posts(box))
      box:stop() -- and there is another one, soon
    end
  end)

  describe("whose warm connection dies", function()
    for _, action in ipairs({ "reset", "close" }) do
      for _, work in ipairs({ true, false }) do
        local done = work and "after the work was done" or "before the work was done"
        it(("by a %s %s is one POST and lost"):format(action, done), function()
          local reused
          for _ = 1, ROUNDS do
            local client, box = support.pair() -- a client distrusts what is kept after a loss
            assert(client:generate(CUP))
            local before = box:ledger()
            box:fault({ on = "create", action = action, work = work })
            local job, err = client:generate(CUP)
            local after = box:ledger()
            assert.is_nil(job)
            assert.equal("lost", err.kind)
            assert.equal("connection_lost", err.code)
            assert.equal("yes", err.sent)
            assert.equal("unknown", err.charged)
            assert.equal(1, err.attempts)
            assert.is_false(err.retryable)
            assert.is_nil(err.message:find("callback", 1, true), err.message)
            assert.equal(2, after.requests.create)
            assert.equal(#before.jobs + (work and 1 or 0), #after.jobs)
            -- A libcurl may open another one for its own attempt, which the guard stops.
            reused = after.connections == before.connections
              or err.message:find("the connection was lost before an answer", 1, true)
            if reused then
              break
            end
          end
          assert.truthy(reused)
        end)
      end
    end

    it("carries the idempotency key that the service got", function()
      local client, box = support.pair()
      assert(client:generate(CUP))
      box:fault({ on = "create", action = "reset" })
      local _, err = client:generate(CUP)
      local made = box:ledger().jobs[2]
      assert.truthy(err.idempotency_key:find("^%x+$"))
      assert.equal(32, #err.idempotency_key)
      assert.equal(made.key, err.idempotency_key)
      assert.equal(1, made.posts)
    end)

    it("stays reserved in client.spent, because it may have been paid", function()
      local client, box = support.pair()
      assert(client:generate(CUP))
      box:fault({ on = "create", action = "close" })
      assert.is_nil((client:generate(CUP)))
      assert.equal(20, client.spent)
    end)

    it("says in its message that it was not sent again, and where the key is", function()
      local client, box = support.pair()
      box:fault({ on = "create", action = "reset" })
      local _, err = client:generate(CUP)
      assert.truthy(err.message:find("was not sent again", 1, true))
      assert.truthy(err.message:find("idempotency key", 1, true))
    end)

    it("says no such thing of one that was sent twice", function()
      local client, box = support.pair()
      box:fault({ on = "create", action = "status", status = 503 })
      box:fault({ on = "create", action = "reset" })
      local _, err = client:generate(CUP)
      assert.equal("lost", err.kind)
      assert.equal(2, err.attempts)
      assert.is_nil(err.message:find("not sent again", 1, true))
      assert.truthy(err.message:find("idempotency key", 1, true))
    end)

    it("leaves the job with status unknown and its key", function()
      local client, box = support.pair()
      box:fault({ on = "create", action = "reset" })
      local job = assert(client:submit(CUP, { idempotency_key = "mine-1" }))
      support.finish(job)
      assert.equal("unknown", job.status)
      assert.equal("mine-1", job.idempotency_key)
      assert.equal("mine-1", job.error.idempotency_key)
      assert.is_nil(job.id)
      assert.equal(1, posts(box))
    end)
  end)

  it("is one POST for each of many at once, lost ones included", function()
    local client, box = support.pair({ max_active = 6 })
    box:fault({ on = "create", action = "reset", after = 6, times = 4 })
    box:fault({ on = "create", action = "close", after = 12, times = 4 })
    local jobs = {}
    for i = 1, 30 do
      jobs[i] = assert(client:submit(CUP))
    end
    local count = { succeeded = 0, unknown = 0 }
    for _, job in ipairs(jobs) do
      support.finish(job)
      count[job.status] = count[job.status] + 1
      assert.equal(1, job.attempts)
    end
    assert.same({ succeeded = 22, unknown = 8 }, count)
    local ledger = box:ledger()
    assert.equal(30, ledger.requests.create)
    for _, made in ipairs(ledger.jobs) do
      assert.equal(1, made.posts)
    end
  end)

  it("that is never answered is one POST and lost when request_timeout runs out", function()
    local client, box = support.pair({ request_timeout = PATIENCE })
    box:fault({ on = "create", action = "hang", times = math.huge })
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("lost", err.kind)
    assert.equal("reply_timeout", err.code)
    assert.equal("unknown", err.charged)
    support.step_until(function()
      return #box:ledger().jobs > 0
    end)
    assert.equal(1, posts(box))
    assert.equal(10, box:ledger().charged)
  end)

  for _, bytes in ipairs({ 0, 20 }) do
    it(("whose answer is cut off after %d bytes is one POST and lost"):format(bytes), function()
      local client, box = support.pair()
      box:fault({ on = "create", action = "truncate", bytes = bytes })
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("lost", err.kind)
      assert.equal("reply_cut_off", err.code)
      assert.equal("unknown", err.charged)
      assert.equal(1, posts(box))
      assert.equal(1, #box:ledger().jobs)
    end)
  end

  for name, fault in pairs({
    unreadable_reply = { action = "malformed" },
    reply_too_large = { action = "oversize", chunked = true },
    job_id_missing = { action = "body", body = '{"status":"pending"}' },
  }) do
    it(("whose answer is of no use (%s) is one POST"):format(name), function()
      local client, box = support.pair()
      fault.on = "create"
      box:fault(fault)
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("protocol", err.kind)
      assert.equal(name, err.code)
      assert.equal("unknown", err.charged)
      assert.equal(box:ledger().jobs[1].key, err.idempotency_key)
      assert.equal(1, posts(box))
      assert.equal(10, client.spent)
    end)
  end

  for status, kind in pairs({
    [408] = "server",
    [429] = "rate_limit",
    [500] = "server",
    [502] = "server",
    [503] = "server",
    [504] = "server",
  }) do
    it(("answered with %d is one POST where one attempt is allowed"):format(status), function()
      local client, box = support.pair({ max_attempts = 1 })
      local headers = { ["Retry-After"] = "7" }
      box:fault({ on = "create", action = "status", status = status, headers = headers })
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal(kind, err.kind)
      assert.equal(status, err.status)
      assert.equal(7, err.retry_after)
      assert.equal(1, err.attempts)
      assert.equal(status == 429 and "no" or "unknown", err.charged)
      assert.equal(status == 429 and 0 or 10, client.spent)
      assert.equal(1, posts(box))
    end)
  end

  describe("that is redirected", function()
    for _, status in ipairs({ 301, 302, 303, 307, 308 }) do
      it(("by a %d is not sent on"):format(status), function()
        local client, box = support.pair()
        local other = support.sandbox()
        local location = other.url .. "/api/generate"
        box:fault({ on = "create", action = "redirect", status = status, location = location })
        local job, err = client:generate(CUP)
        assert.is_nil(job)
        assert.equal("protocol", err.kind)
        assert.equal(status, err.status)
        assert.equal("unknown", err.charged)
        assert.equal(1, posts(box))
        assert.equal(0, other:ledger().connections)
      end)
    end
  end)

  it("never takes its key elsewhere when a poll is redirected", function()
    local client, box = support.pair()
    local other = support.sandbox()
    box:fault({ on = "poll", action = "redirect", location = other.url .. "/api/generate/x" })
    local job = assert(client:generate(CUP))
    assert.equal("succeeded", job.status)
    assert.equal(2, job.polls)
    assert.equal(0, other:ledger().connections)
  end)

  describe("to a port where nobody listens", function()
    it("was never sent, costs nothing and is tried again", function()
      local events, on_event = support.recorder()
      local box = { url = support.nowhere(), api_key = support.KEY }
      local client = support.client(box, { max_attempts = 2, on_event = on_event })
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("network", err.kind)
      assert.equal("connect_failed", err.code)
      assert.equal("no", err.sent)
      assert.equal("no", err.charged)
      assert.equal(2, err.attempts)
      assert.is_true(err.retryable)
      assert.equal(0, client.spent)
      assert.equal("queued retry failed", support.types(events))
      assert.equal("failed", events[3].job.status)
    end)

    it("is tried once only with max_attempts = 1", function()
      local box = { url = support.nowhere(), api_key = support.KEY }
      local client = support.client(box, { max_attempts = 1 })
      local _, err = client:generate(CUP)
      assert.equal(1, err.attempts)
      assert.equal("no", err.charged)
    end)

    it("is one POST once somebody does", function()
      local url, port = support.nowhere()
      local box
      local client = support.client({ url = url, api_key = support.KEY }, {
        on_event = function(event)
          if event.type == "retry" and not box then
            box = support.sandbox({ port = port })
          end
        end,
      })
      local job = assert(client:generate(CUP))
      assert.equal("succeeded", job.status)
      assert.truthy(job.attempts >= 2)
      assert.equal(1, posts(box))
      assert.equal(1, box:ledger().jobs[1].posts)
      assert.equal(10, client.spent)
    end)
  end)

  describe("through a proxy that lets nothing through", function()
    -- The sandbox is the proxy: it knows no CONNECT.
    local function behind(proxy, options)
      options.proxy = proxy.url
      local there = { url = "https://example.invalid", api_key = support.KEY }
      return support.client(there, options)
    end

    local function expect_unsent(client, code, attempts)
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("network", err.kind, err.message)
      assert.equal(code, err.code, err.message)
      assert.equal("no", err.sent)
      assert.equal("no", err.charged)
      assert.equal(attempts, err.attempts)
      assert.equal(0, client.spent)
      return err
    end

    for _, status in ipairs({ 403, 407, 502 }) do
      it(("but says %d was never sent, and is tried again"):format(status), function()
        local proxy = support.sandbox()
        proxy:fault({ on = "any", action = "status", status = status, times = math.huge })
        local err = expect_unsent(behind(proxy, { max_attempts = 2 }), "proxy_failed", 2)
        assert.equal(status, err.status)
        assert.truthy(err.message:find("HTTP status " .. status, 1, true), err.message)
        local log = proxy:ledger().log
        assert.equal("CONNECT", log[1].method)
        assert.equal(2, #log)
      end)
    end

    for name, bytes in pairs({
      ["nothing"] = "",
      ["what is no HTTP"] = "220 mail.example.com ESMTP\r\n\r\n",
      ["a head of 200 KiB"] = "HTTP/1.1 200 OK\r\nX-Fill: " .. ("x"):rep(200 * 1024) .. "\r\n\r\n",
    }) do
      it("but says " .. name .. " was never sent, and the error names the proxy", function()
        local proxy = support.sandbox()
        proxy:fault({ on = "any", action = "raw", body = bytes, times = math.huge })
        local err = expect_unsent(behind(proxy, { max_attempts = 2 }), "proxy_failed", 2)
        assert.truthy(err.message:find("the proxy let nothing through", 1, true), err.message)
        assert.is_true(err.retryable)
      end)
    end

    -- It passes requests on by itself, without CONNECT: no other server may answer 407.
    it("of plain http but wants credentials was never sent, and not tried again", function()
      local proxy = support.sandbox()
      local there = { url = "http://127.0.0.1:9", api_key = support.KEY }
      for options, words in pairs({
        [proxy.url] = "wants a user name and a password in the option proxy",
        [proxy.url:gsub("//", "//user:hidden-word@")] = "does not take the user name",
      }) do
        proxy:fault({ on = "any", action = "status", status = 407 })
        local err = expect_unsent(support.client(there, { proxy = options }), "proxy_failed", 1)
        assert.equal(407, err.status)
        assert.truthy(err.message:find(words, 1, true), err.message)
        assert.is_nil(err.message:find("hidden-word", 1, true))
        assert.is_true(err.retryable)
      end
      assert.equal(2, #proxy:ledger().log)
    end)

    it("but is not there was never sent, and the error names the proxy", function()
      local client = behind({ url = "http://127.0.0.1:1" }, { max_attempts = 2 })
      expect_unsent(client, "proxy_failed", 2)
      local _, err = client:generate(CUP)
      assert.truthy(err.message:find("the proxy could not be used", 1, true), err.message)
    end)

    for _, version in ipairs({ "socks4", "http" }) do
      it("but has no address was never sent: " .. version, function()
        local proxy = support.NOWHERE:gsub("^https", version) .. ":1080"
        local err = expect_unsent(behind({ url = proxy }, { max_attempts = 1 }), "proxy_failed", 1)
        assert.truthy(err.message:find("the proxy could not be used", 1, true), err.message)
      end)
    end

    it("for a host that does not exist was never sent, and the proxy is not to blame", function()
      local proxy = support.sandbox().url:gsub("^http", "socks4") -- which looks up no names
      local box = { url = support.NOWHERE, api_key = support.KEY }
      local client = support.client(box, { max_attempts = 1, proxy = proxy })
      local err = expect_unsent(client, "dns_failed", 1)
      assert.truthy(err.message:find("the service could not be reached", 1, true), err.message)
    end)

    it("and says nothing was never sent", function()
      local proxy = support.sandbox()
      proxy:fault({ on = "any", action = "hang", times = math.huge })
      local options = { max_attempts = 1, request_timeout = support.seconds(0.3) }
      expect_unsent(behind(proxy, options), "connect_timeout", 1)
    end)
  end)

  it("to a host that does not exist was never sent", function()
    local box = { url = support.NOWHERE, api_key = support.KEY }
    local client = support.client(box, { max_attempts = 1 })
    local _, err = client:generate(CUP)
    assert.equal("network", err.kind)
    assert.equal("dns_failed", err.code)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
  end)

  it("sends nothing after the client was closed", function()
    local client, box = support.pair()
    client:close()
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("closed", err.kind)
    assert.equal(0, box:ledger().connections)
    assert.equal(0, gptimage2.pending())
  end)
end)
