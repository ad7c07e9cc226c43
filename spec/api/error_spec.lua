local gptimage2 = require("gptimage2")
local support = require("spec.support")

-- One error of each kind that asking the service can give: kind -> function() -> err, client.
local makers = {}

function makers.validation()
  local client = support.pair()
  return select(2, client:generate({ prompt = "" })), client
end

function makers.budget()
  local client = support.pair({ budget = 5 })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.credits()
  local client = support.pair({}, { credits = 0 })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.auth()
  local client = support.pair({ api_key = "wrong" })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.not_found()
  local client = support.pair()
  return select(2, client:poll("job-1")), client
end

function makers.rate_limit()
  local client, box = support.pair({ max_attempts = 1 })
  support.answer(box, "create", 429)
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.server()
  local client, box = support.pair({ max_attempts = 1 })
  support.answer(box, "create", 503)
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.network()
  local client = support.pair({ base_url = "http://127.0.0.1:1", max_attempts = 1 })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.tls()
  local box = support.sandbox()
  local base_url = box.url:gsub("^http:", "https:") -- a server that does not speak TLS
  local client = support.client(box, { base_url = base_url, max_attempts = 1 })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.timeout()
  local client = support.pair({}, { duration = 1000 })
  local id = client:create({ prompt = "a cup" }).id
  return select(2, client:wait(id, 0.05)), client
end

function makers.cancelled()
  local client = support.pair()
  local job = assert(client:submit({ prompt = "a cup" }))
  job:cancel()
  return select(2, job:wait()), client
end

function makers.lost()
  local client, box = support.pair()
  box:fault({ on = "create", action = "close" })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.job_failed()
  local client, box = support.pair()
  box:fault({ on = "job", action = "fail" })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.protocol()
  local client, box = support.pair()
  box:fault({ on = "create", action = "malformed" })
  return select(2, client:generate({ prompt = "a cup" })), client
end

function makers.closed()
  local client = support.pair()
  client:close()
  return select(2, client:generate({ prompt = "a cup" })), client
end

local CHARGED = { no = true, yes = true, unknown = true, refund_expected = true }

describe("an error", function()
  after_each(support.clean)

  for kind, make in pairs(makers) do
    it("of kind " .. kind .. " says what happened, in the form of all", function()
      local err = make()
      assert.equal("table", type(err))
      assert.equal(kind, err.kind)
      assert.truthy(err.code:match("^[a-z_]+$"))
      assert.truthy(#err.message >= 20, err.message)
      assert.is_nil(err.message:find("%c"))
      assert.equal(("%s (%s/%s)"):format(err.message, kind, err.code), tostring(err))
      assert.equal("it is: " .. tostring(err), "it is: " .. err)
      assert.equal(tostring(err) .. "!", err .. "!")
      assert.is_nil(err.message:find(support.KEY, 1, true))
      if err.charged then
        assert.is_true(CHARGED[err.charged])
      end
      if err.sent then
        assert.truthy(err.sent == "yes" or err.sent == "no")
      end
    end)
  end

  it("holds numbers as integers where they are whole", function()
    local err = makers.server()
    assert.equal("503", tostring(err.status))
    assert.equal("1", tostring(err.attempts))
  end)

  it("can be raised, and keeps being a table", function()
    local err = makers.validation()
    local ok, caught = pcall(error, err)
    assert.is_false(ok)
    assert.equal(err, caught)
    assert.equal("prompt_required", caught.code)
  end)

  it("works with assert", function()
    local client = support.pair()
    local ok, caught = pcall(function()
      return assert(client:generate({ prompt = "" }))
    end)
    assert.is_false(ok)
    assert.truthy(tostring(caught):find("prompt", 1, true))
  end)

  it("knows the money: nothing was sent, so nothing was charged", function()
    for _, kind in ipairs({ "validation", "budget", "network", "tls" }) do
      local err, client = makers[kind]()
      assert.equal("no", err.sent, kind)
      assert.equal("no", err.charged, kind)
      assert.equal(0, client.spent, kind)
    end
  end)

  it("knows the money: the service said no", function()
    for _, kind in ipairs({ "credits", "auth", "rate_limit" }) do
      local err, client = makers[kind]()
      assert.equal("yes", err.sent, kind)
      assert.equal("no", err.charged, kind)
      assert.equal(0, client.spent, kind)
    end
  end)

  it("knows the money: nobody knows, and the key of the job is kept", function()
    for _, kind in ipairs({ "server", "lost", "protocol" }) do
      local err, client = makers[kind]()
      assert.equal("yes", err.sent, kind)
      assert.equal("unknown", err.charged, kind)
      assert.truthy(err.idempotency_key:match("^%x+$"), kind)
      assert.equal(10, client.spent, kind)
    end
  end)

  it("says whether it is any use to try again", function()
    for kind, expected in pairs({
      validation = false,
      budget = false,
      credits = false,
      auth = false,
      not_found = false,
      rate_limit = true,
      server = false, -- it may have been paid
      network = true,
      tls = true,
      lost = false,
      job_failed = false,
      protocol = false,
    }) do
      assert.equal(expected, (makers[kind]()).retryable, kind)
    end
  end)

  it("is one line, whatever the service sent", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "status", status = 400, body = '{"error":"a\\nb\\tc"}' })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("a\\x0Ab\\x09c", err.code)
    assert.truthy(err.message:find("a\\x0Ab\\x09c", 1, true))
    assert.is_nil(tostring(err):find("%c"))
    err.message = "a program's own\nline"
    assert.is_nil(tostring(err):find("%c"))
  end)

  it("scrubs the key from a body that repeats it", function()
    local client, box = support.pair()
    local body = ("<p>%s is not %s</p>"):format(support.KEY, support.KEY)
    support.answer(box, "create", 401, body)
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("<p>[key] is not [key]</p>", err.body)
  end)

  it("scrubs the key before the body is cut", function()
    local client, box = support.pair()
    local body = ("x"):rep(4090) .. support.KEY .. ("y"):rep(100)
    support.answer(box, "create", 401, body)
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal(("x"):rep(4090) .. "[key]y", err.body)
  end)

  it("of a name that does not resolve says so", function()
    local client = support.pair({ base_url = support.NOWHERE, max_attempts = 1 })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("network", err.kind)
    assert.equal("dns_failed", err.code)
    assert.equal("no", err.charged)
  end)

  it("of a service that is not there comes after max_attempts, and nothing was sent", function()
    local client = support.pair({ base_url = "http://127.0.0.1:1", max_attempts = 2 })
    local job = support.finish(assert(client:submit({ prompt = "a cup" })))
    assert.equal("failed", job.status)
    assert.equal(2, job.attempts)
    assert.equal(2, job.error.attempts)
    assert.equal("no", job.error.sent)
    assert.equal(0, client.spent)
  end)

  it("of a service that is not there comes before a second attempt would be too late", function()
    local client = support.pair({ base_url = "http://127.0.0.1:1", timeout = 0.45 })
    local _, err = client:generate({ prompt = "a cup" })
    assert.equal("no", err.charged)
    assert.equal(1, err.attempts)
    if not support.slow then -- there the first attempt may take too long already
      assert.equal("network", err.kind)
    end
  end)

  it("goes away: a service that comes back in time gets its job", function()
    local box = support.sandbox()
    local port = tonumber(box.url:match("%d+$"))
    box:stop()
    local events, on_event = support.recorder()
    local client = support.client(box, { on_event = on_event })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.step_until(function()
      return support.types(events) == "queued retry"
    end)
    local again = support.sandbox({ port = port })
    support.finish(job)
    assert.equal("succeeded", job.status)
    assert.is_true(job.attempts >= 2)
    assert.equal(1, again:ledger().requests.create)
    assert.equal(0, gptimage2.pending())
  end)
end)
