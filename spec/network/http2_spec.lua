-- Creates over HTTP/2: what the server provably did not handle was not sent, all else may be paid.
-- The server's books are the judge.

local gptimage2 = require("gptimage2")
local host = require("spec.host")
local http2 = require("spec.helpers.http2")
local sockets = require("spec.helpers.sockets")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function it_if_there(name, test)
  if http2.is_there() then
    it(name, test)
  else
    pending(name .. " (skipped: nghttp2 is not installed)")
  end
end

describe("a create over HTTP/2", function()
  local server

  after_each(function()
    support.clean()
    if server then
      server:stop()
    end
    server = nil
  end)

  local function start(script, options)
    server = http2.start(script)
    return support.client(server, options)
  end

  for _, limit in ipairs({ 1, 4 }) do
    it_if_there(("is never over a limit of %d streams, known or not"):format(limit), function()
      local script = ("--limit %d --late 100 --delay 200"):format(limit)
      local client = start(script, { max_attempts = 1 })
      local jobs = {}
      for i = 1, 8 do
        jobs[i] = assert(client:submit(CUP))
      end
      for _, job in ipairs(jobs) do
        support.finish(job)
        assert.equal("succeeded", job.status, tostring(job.error))
      end
      assert.equal(8, server:counts().taken)
      assert.equal(80, client.spent)
    end)
  end

  for script, event in pairs({
    ["--refuse 1"] = "refused",
    ["--goaway 1"] = "goaway",
    ["--http1"] = "http1-wanted",
  }) do
    it_if_there(("that is refused (%s) was not sent, and goes again"):format(script), function()
      local client = start(script, { retry = "safe" })
      local job = assert(client:generate(CUP))
      assert.equal("succeeded", job.status)
      assert.equal(2, job.attempts)
      assert.equal(1, server:counts()[event])
      assert.equal(1, server:counts().taken)
      assert.equal(10, client.spent)
    end)

    it_if_there(("says so when it may not go again (%s)"):format(script), function()
      local client = start(script, { max_attempts = 1 })
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("network", err.kind, err.message)
      assert.equal("stream_refused", err.code)
      assert.equal("no", err.sent)
      assert.equal("no", err.charged)
      assert.is_true(err.retryable)
      assert.equal(0, server:counts().taken)
      assert.equal(0, client.spent)
    end)
  end

  it_if_there("goes over HTTP/1.1 from then on where the server wants that", function()
    local client = start("--http1")
    assert(client:generate(CUP))
    assert.equal(1, assert(client:generate(CUP)).attempts)
    assert.equal(1, server:counts()["http1-wanted"])
    assert.equal(2, server:counts().taken)
  end)

  it_if_there("that was taken and then reset is lost, and not sent again", function()
    local client = start("--reset 1")
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("lost", err.kind)
    assert.equal("connection_lost", err.code)
    assert.equal("unknown", err.charged)
    assert.equal(1, server:counts().taken)
    assert.equal(10, client.spent)
  end)

  it_if_there("that a server without HTTP/2 gets is like any other", function()
    local client = start("--only-http1")
    for _ = 1, 3 do
      assert.equal(1, assert(client:generate(CUP)).attempts)
    end
    assert.equal(3, server:counts().taken)
  end)
end)

describe("many jobs over HTTP/2", function()
  after_each(support.clean)

  --- Makes many at once, each with one create; the most connections that were seen.
  local function most_connections(script, options)
    local server = http2.start(script)
    local count = support.slow and 50 or 100
    options.max_active = count
    local client = support.client(server, options)
    local jobs, most = {}, 0
    for i = 1, count do
      jobs[i] = assert(client:submit(CUP))
    end
    for _, job in ipairs(jobs) do
      support.step_until(function()
        most = math.max(most, sockets.to(server.url))
        return job:done()
      end)
      assert.equal("succeeded", job.status, tostring(job.error))
      assert.equal(1, job.attempts)
    end
    local counts = server:counts()
    server:stop()
    assert.equal(count, counts.taken)
    return most
  end

  it_if_there("share few connections, and all are made once", function()
    local most = most_connections("--delay 50", {})
    -- Eight creates, and the polls of the others: fewer than half of what there may be.
    assert.is_true(most > 2 and most <= 16, most)
  end)

  it_if_there("have no more connections where the server takes few streams on each", function()
    local most = most_connections("--limit 4 --late 20 --delay 50", { max_connections = 6 })
    assert.is_true(most > 2 and most <= 6, most)
  end)
end)

describe("a host that says nothing", function()
  after_each(support.clean)

  local LIMIT = support.seconds(0.5)

  --- Seconds for so many exchanges at once, each of which ends by its own limit.
  local function time_of(count, start)
    local url = ("https://127.0.0.1:%d"):format(host.silent_port())
    local client = support.client({ url = url, api_key = support.KEY }, {
      connect_timeout = LIMIT,
      max_attempts = 1,
      max_active = count,
    })
    local before = gptimage2.now()
    for _ = 1, count do
      gptimage2.spawn(function()
        local _, err = start(client)
        assert.equal("connect_timeout", err.code)
        assert.truthy(err.message:find("no connection was made in time", 1, true), err.message)
      end)
    end
    gptimage2.run()
    return gptimage2.now() - before
  end

  for name, start in pairs({
    creates = function(client)
      return client:create(CUP)
    end,
    polls = function(client)
      return client:poll("job-1")
    end,
  }) do
    it(("has all of many %s within one limit, not one after the other"):format(name), function()
      assert.is_true(time_of(12, start) < 6 * LIMIT)
    end)
  end
end)
