--- What a client sends for a request and under which key, and what it refuses to send.

local gptimage2 = require("gptimage2")
local support = require("spec.support")

-- The bytes of a body as people write them: lua-cjson puts backslashes before slashes.
local function plain(body)
  return (body:gsub("\\/", "/"))
end

describe("the request on the wire", function()
  after_each(support.clean)

  local function body_of(request)
    local client, box = support.pair()
    assert(client:create(request))
    return plain(box:ledger().jobs[1].body)
  end

  it("holds no more than was asked for", function()
    local expected = '{"prompt":"a cup","mode":"text-to-image","count":1}'
    assert.equal(expected, body_of({ prompt = "  a cup\n" }))
  end)

  it("holds all nine fields in a fixed order, with the service's names", function()
    local request = {
      prompt = "a cup",
      mode = "image-to-image",
      ratio = "16:9",
      count = 2,
      image_urls = { "https://example.com/a.png", "https://example.com/b.png?x=1" },
      style = "studio-product",
      lighting = "soft",
      camera = "close-up",
      negative = "no text",
    }
    local expected = '{"prompt":"a cup","mode":"image-to-image","ratio":"16:9","count":2,'
      .. '"style":"studio-product","lighting":"soft","camera":"close-up","negative":"no text",'
      .. '"imageUrls":["https://example.com/a.png","https://example.com/b.png?x=1"]}'
    assert.equal(expected, body_of(request))
  end)

  it("infers image-to-image from the references", function()
    local body = body_of({ prompt = "a cup", image_urls = { "https://example.com/a.png" } })
    assert.truthy(body:find('"mode":"image-to-image"', 1, true))
  end)

  it("keeps every character of the prompt", function()
    local text = 'q " b \\ n \n t \t / ü 猫 😀 \127'
    local client, box = support.pair()
    assert(client:create({ prompt = text }))
    assert.equal(text, box:ledger().jobs[1].prompt)
  end)

  it("is made from a prompt object and its references", function()
    local refs = { subject = "https://e.com/a.png" }
    local prompt = gptimage2.prompt({ subject = "a cup", refs = refs })
    local client, box = support.pair()
    assert(client:create({ prompt = prompt, ratio = "1:1" }))
    local job = box:ledger().jobs[1]
    assert.equal(tostring(prompt), job.prompt)
    assert.truthy(plain(job.body):find('"imageUrls":["https://e.com/a.png"]', 1, true))
  end)

  it("goes out with the key, our name and an idempotency key", function()
    local client, box = support.pair({ user_agent = "my-game/1.0" })
    local job = assert(client:create({ prompt = "a cup" }))
    local entry = box:ledger().log[1]
    assert.equal("POST", entry.method)
    assert.equal("/api/generate", entry.path)
    assert.is_true(entry.authorization)
    assert.equal("my-game/1.0", entry.user_agent)
    assert.equal(job.idempotency_key, entry.key)
    client = support.client(box)
    assert(client:create({ prompt = "a cup" }))
    assert.truthy(box:ledger().log[2].user_agent:match("^gptimage2%-lua/%d"))
  end)

  it("does not change when the caller's table does", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local request = { prompt = "a cup", image_urls = { "https://e.com/a.png" } }
    assert(client:submit({ prompt = "first" }))
    local job = assert(client:submit(request))
    request.prompt, request.image_urls[1] = "a mug", "https://e.com/b.png"
    support.step_until(function()
      box:advance(1000)
      return job:done()
    end)
    local sent = box:ledger().jobs[2]
    assert.equal("a cup", sent.prompt)
    assert.truthy(plain(sent.body):find("a.png", 1, true))
    assert.equal("a cup", job.request.prompt)
  end)
end)

describe("an idempotency key", function()
  after_each(support.clean)

  it("is 128 fresh random bits for each job", function()
    local client, box = support.pair()
    local one = assert(client:create({ prompt = "a cup" }))
    local two = assert(client:create({ prompt = "a cup" }))
    assert.truthy(one.idempotency_key:match("^" .. ("%x"):rep(32) .. "$"))
    assert.not_equal(one.idempotency_key, two.idempotency_key)
    assert.equal(one.idempotency_key, box:ledger().jobs[1].key)
    assert.equal(2, #box:ledger().jobs)
  end)

  it("may be the caller's: the same one gives the same job", function()
    local client, box = support.pair()
    local options = { idempotency_key = "order-17" }
    local one = assert(client:generate({ prompt = "a cup" }, options))
    local two = assert(client:generate({ prompt = "a cup" }, options))
    assert.equal("order-17", one.idempotency_key)
    assert.equal(one.id, two.id)
    assert.equal(1, #box:ledger().jobs)
    assert.equal(2, box:ledger().jobs[1].posts)
    assert.equal(10, box:ledger().charged)
  end)

  it("is refused with another request by the service", function()
    local client = support.pair()
    local options = { idempotency_key = "order-17" }
    assert(client:create({ prompt = "a cup" }, options))
    local job, err = client:create({ prompt = "a mug" }, options)
    assert.is_nil(job)
    assert.equal("idempotency_key_reused", err.code)
    assert.equal(422, err.status)
    assert.equal("validation", err.kind)
  end)

  it("is refused before anything is sent when it fits no header", function()
    local client, box = support.pair()
    local job, err = client:generate({ prompt = "a cup" }, { idempotency_key = "a\r\nb" })
    assert.is_nil(job)
    assert.equal("invalid_idempotency_key", err.code)
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("a job id", function()
  after_each(support.clean)

  local bad = {
    "",
    "/a",
    ".a",
    "../x",
    "a/../b",
    "a/.",
    "a\\b",
    "a b",
    "a\0b",
    "ü",
    ("x"):rep(257),
  }

  it("that may not stand in a path is refused, and nothing is sent", function()
    local client, box = support.pair()
    for _, id in ipairs(bad) do
      for _, name in ipairs({ "poll", "wait", "job" }) do
        local job, err = client[name](client, id)
        assert.is_nil(job)
        assert.equal("validation", err.kind)
        assert.equal("invalid_job_id", err.code)
        assert.equal("id", err.field)
      end
    end
    assert.equal(0, box:ledger().connections)
  end)

  it("that is no string raises", function()
    local client = support.pair()
    for _, name in ipairs({ "poll", "wait", "job" }) do
      assert.has_error(function()
        client[name](client, 17)
      end, nil)
    end
  end)

  it("may have 128 letters, digits, hyphens and underscores", function()
    local client, box = support.pair()
    local id = ("aZ09-_"):rep(22):sub(1, 128)
    support.answer(box, "any", 202, ('{"jobId":"%s","status":"running"}'):format(id))
    assert.equal("running", assert(client:poll(id)).status)
    assert.equal("/api/generate/" .. id, box:ledger().log[1].path)
  end)
end)

describe("a wrong request", function()
  after_each(support.clean)

  local long = ("x"):rep(32 * 1024 + 1)
  local url = "https://example.com/a.png"
  local wrong = {
    { "prompt_required", {} },
    { "prompt_required", { prompt = " \n\t" } },
    { "prompt_required", { prompt = 7 } },
    { "too_long", { prompt = long } },
    { "nul_byte", { prompt = "a\0b" } },
    { "invalid_utf8", { prompt = "a\255" } },
    { "invalid_mode", { prompt = "a", mode = "text" } },
    { "invalid_mode", { prompt = "a", mode = "text-to-image", image_urls = { url } } },
    { "invalid_ratio", { prompt = "a", ratio = "2:1" } },
    { "invalid_count", { prompt = "a", count = 0 } },
    { "invalid_count", { prompt = "a", count = 5 } },
    { "invalid_count", { prompt = "a", count = 1.5 } },
    { "image_urls_required", { prompt = "a", mode = "image-to-image" } },
    { "invalid_image_url", { prompt = "a", image_urls = { "a.png" } } },
    { "invalid_image_url", { prompt = "a", image_urls = { "ftp://example.com/a.png" } } },
    { "invalid_image_url", { prompt = "a", image_urls = { "https://u:p@example.com/a.png" } } },
    { "invalid_image_url", { prompt = "a", image_urls = url } },
    { "invalid_style", { prompt = "a", style = "Studio Product" } },
    { "invalid_lighting", { prompt = "a", lighting = 5 } },
    { "invalid_camera", { prompt = "a", camera = {} } },
    { "invalid_negative", { prompt = "a", negative = true } },
    { "unknown_field", { prompt = "a", size = "1024x1024" } },
  }

  it("costs nothing: not a connection is made, whichever call it is for", function()
    local client, box = support.pair()
    for _, case in ipairs(wrong) do
      for _, name in ipairs({ "generate", "submit", "create" }) do
        local job, err = client[name](client, case[2])
        assert.is_nil(job)
        assert.equal("validation", err.kind)
        assert.equal(case[1], err.code)
        assert.equal("no", err.sent)
        assert.equal("no", err.charged)
        assert.is_false(err.retryable)
        assert.equal("string", type(err.field))
        assert.truthy(#err.message > 10)
      end
    end
    assert.equal(0, gptimage2.pending())
    assert.equal(0, client.spent)
    assert.same({}, client:jobs())
    local ledger = box:ledger()
    assert.equal(0, ledger.connections)
    assert.equal(500, ledger.credits)
  end)

  it("raises when it is no table, and so do unknown options", function()
    local client, box = support.pair()
    local calls = {
      { 1, "a cup" },
      { 1, nil },
      { 1, gptimage2.prompt({ subject = "a cup" }) },
      { 2, { prompt = "a cup" }, { timeuot = 5 } },
      { 2, { prompt = "a cup" }, { metadata = { n = 5 } } },
    }
    for _, name in ipairs({ "generate", "submit", "create" }) do
      for _, call in ipairs(calls) do
        local _, message = pcall(function()
          local job = client[name](client, call[2], call[3])
          return job
        end)
        local expected = ("bad argument #%d to '%s' ("):format(call[1], name)
        assert.truthy(tostring(message):find(expected, 1, true), tostring(message))
      end
    end
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("a raised message", function()
  after_each(support.clean)

  it("names the place of the call that was wrong", function()
    local client = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    local wrong = {
      { client, client, "generate", "no table" },
      { client, client, "submit", { prompt = "a cup" }, { timeout = -1 } },
      { client, client, "create", { prompt = "a cup" }, { save = "out" } },
      { client, client, "poll", 17 },
      { client, client, "wait", 17 },
      { client, client, "wait", "job-1", -1 },
      { client, client, "job", 17 },
      { client, client, "cost", "no table" },
      { client, {}, "generate", { prompt = "a cup" } },
      { client, {}, "poll", "job-1" },
      { client, {}, "job", "job-1" },
      { client, {}, "cost", { prompt = "a cup" } },
      { job, {}, "wait" },
      { job, {}, "cancel" },
      { job, {}, "save", "out" },
      { job, {}, "data" },
      { job, job, "wait", -1 },
      { job, job, "save", 17 },
      { job, job, "save", "out", { sidecars = true } },
      { job, job, "data", "one" },
    }
    for _, case in ipairs(wrong) do
      local ok, message = pcall(function()
        local result = case[1][case[3]](case[2], case[4], case[5])
        return result
      end)
      local hint = case[3] .. ": " .. tostring(message)
      assert.is_false(ok, hint)
      assert.truthy(
        tostring(message):find("client_request_spec.lua:%d+: bad argument #%d to '"),
        hint
      )
      assert.truthy(tostring(message):find("'" .. case[3] .. "'", 1, true), hint)
    end
  end)
end)
