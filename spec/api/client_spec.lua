local gptimage2 = require("gptimage2")
local support = require("spec.support")

-- The bytes of a body as people write them: lua-cjson puts backslashes before slashes.
local function plain(body)
  return (body:gsub("\\/", "/"))
end

local function is_integer(value)
  return math.type == nil or math.type(value) == "integer"
end

describe("the module", function()
  it("says what it is", function()
    assert.equal("gptimage2", gptimage2._NAME)
    assert.truthy(gptimage2._VERSION:match("^gptimage2 %d+%.%d+%.%d+"))
    assert.equal("MIT", gptimage2._LICENSE)
    assert.equal("string", type(gptimage2._DESCRIPTION))
    assert.truthy(gptimage2._URL:match("^https://"))
  end)
end)

describe("a new client", function()
  after_each(support.clean)

  it("raises for unknown options and wrong types, blaming the caller", function()
    local ok, message = pcall(function()
      gptimage2.new({ api_kye = "k" })
    end)
    assert.is_false(ok)
    local expected = "bad argument #1 to 'new' (unknown option 'api_kye', did you mean 'api_key'?)"
    assert.truthy(message:find(expected, 1, true))
    assert.truthy(message:find("client_spec.lua", 1, true))
    assert.has_error(function()
      gptimage2.new({ timeout = "long" })
    end)
    assert.has_error(function()
      gptimage2.new("key")
    end)
  end)

  it("is refused with a key or a URL that cannot be", function()
    local client, err = gptimage2.new({ api_key = "two words" })
    assert.is_nil(client)
    assert.equal("auth", err.kind)
    assert.equal("api_key_invalid", err.code)
    client, err = gptimage2.new({ api_key = "k", base_url = "http://example.com" })
    assert.is_nil(client)
    assert.equal("insecure_base_url", err.code)
  end)

  it("shows its URL and not its key, and keeps its metatable to itself", function()
    local client, box = support.pair()
    assert.equal(("gptimage2.Client (%s)"):format(box.url), tostring(client))
    assert.equal("gptimage2.Client", getmetatable(client))
    assert.is_nil(client.api_key)
    assert.is_nil(client.nonsense)
  end)

  it("has sent nothing, spent nothing and knows no balance", function()
    local client, box = support.pair()
    assert.equal(0, client.spent)
    assert.is_nil(client.balance)
    assert.same({}, client:jobs())
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("client:cost", function()
  after_each(support.clean)

  it("is ten credits for each image, an integer, and asks nobody", function()
    local client, box = support.pair()
    assert.equal(10, client:cost({ prompt = "a cup" }))
    assert.equal(40, client:cost({ prompt = "a cup", count = 4 }))
    assert.is_true(is_integer(client:cost({ prompt = "a cup", count = 2.0 })))
    assert.equal(0, box:ledger().connections)
  end)

  it("gives the error of a request that is wrong", function()
    local credits, err = support.pair():cost({ prompt = " " })
    assert.is_nil(credits)
    assert.equal("prompt_required", err.code)
  end)
end)

describe("client:generate", function()
  after_each(support.clean)

  it("gives a job that has succeeded", function()
    local client, box = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    assert.equal("succeeded", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.equal(1, #job.results)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(0, gptimage2.pending())
  end)

  it("gives nil and the error of a job that failed", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local job, err = client:generate({ prompt = "a cup" })
    assert.is_nil(job)
    assert.equal("job_failed", err.kind)
    assert.equal("content_policy", err.code)
  end)

  it("takes the client's ratios beside the documented ones", function()
    local client, box = support.pair({ ratios = { "21:9" } })
    local _, err = client:generate({ prompt = "a cup", ratio = "2:1" })
    assert.equal("invalid_ratio", err.code)
    assert.equal(0, box:ledger().connections)
    _, err = client:generate({ prompt = "a cup", ratio = "21:9" })
    assert.equal("invalid_ratio", err.code)
    assert.equal(400, err.status) -- it was sent, and the service knows no such ratio
  end)

  it("follows a job through pending and running", function()
    local client, box = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    support.polled(box, 1, 2)
    assert.equal("pending", job.status)
    box:advance(500)
    support.step_until(function()
      return job.status == "running"
    end)
    box:advance(500)
    support.finish(job)
    assert.equal("succeeded", job.status)
  end)
end)

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

describe("client:submit", function()
  after_each(support.clean)

  it("returns at once with a queued job", function()
    local client = support.pair()
    local job = assert(client:submit({ prompt = "a cup" }))
    assert.equal("queued", job.status)
    assert.is_false(job:done())
    assert.is_nil(job.id)
    assert.equal(1, gptimage2.pending())
    support.finish(job)
    assert.equal("succeeded", job.status)
  end)

  it("is done by the engine, whatever the host does", function()
    local client, box = support.pair()
    assert(client:submit({ prompt = "a cup" }))
    repeat -- no step here
      local jobs = box:ledger().jobs
    until jobs[1]
    assert.equal("a cup", box:ledger().jobs[1].prompt)
  end)
end)

describe("client:create", function()
  after_each(support.clean)

  it("is one POST and no poll", function()
    local client, box = support.pair()
    local job = assert(client:create({ prompt = "a cup" }))
    assert.equal("pending", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.is_nil(job.results)
    assert.equal(box:ledger().jobs[1].id, job.id)
    assert.equal(0, gptimage2.pending())
    local expected = { create = 1, poll = 0, image = 0, reference = 0, other = 0 }
    assert.same(expected, box:ledger().requests)
  end)

  it("leaves a job whose wait takes it up", function()
    local client, box = support.pair()
    local created = assert(client:create({ prompt = "a cup" }))
    local job = assert(created:wait())
    assert.equal("succeeded", job.status)
    assert.equal(created.id, job.id)
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("client:poll", function()
  after_each(support.clean)

  it("is one GET, and tells how the job is", function()
    local client, box = support.pair({}, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    local job = assert(client:poll(id))
    assert.equal(id, job.id)
    assert.equal("pending", job.status)
    assert.is_true(job:done())
    assert.equal(1, job.polls)
    box:advance(500)
    assert.equal("running", assert(client:poll(id)).status)
    box:advance(500)
    job = assert(client:poll(id))
    assert.equal("succeeded", job.status)
    assert.equal(1, #job.results)
    assert.equal(3, box:ledger().requests.poll)
  end)

  it("gives the error of a job that failed", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    local id = client:create({ prompt = "a cup" }).id
    local job, err = client:poll(id)
    assert.is_nil(job)
    assert.equal("job_failed", err.kind)
    assert.equal("content_policy", err.code)
    assert.equal(id, err.job_id)
  end)

  it("does not try again", function()
    local client, box = support.pair()
    local id = client:create({ prompt = "a cup" }).id
    support.answer(box, "poll", 500)
    local job, err = client:poll(id)
    assert.is_nil(job)
    assert.equal("server", err.kind)
    assert.equal(1, box:ledger().requests.poll)
  end)

  it("costs nothing", function()
    local client, box = support.pair({ budget = 10 })
    local id = client:create({ prompt = "a cup" }).id
    assert(client:poll(id))
    assert.equal(10, client.spent)
    assert.equal(10, box:ledger().charged)
  end)
end)

describe("client:wait", function()
  after_each(support.clean)

  it("takes up a job of another client by its id", function()
    local first, box = support.pair({}, { duration = 1000 })
    local id = first:create({ prompt = "a cup" }).id
    first:close()
    box:advance(1000)
    local second = support.client(box)
    local job = assert(second:wait(id))
    assert.equal(id, job.id)
    assert.equal("succeeded", job.status)
    assert.equal(0, second.spent)
    assert.equal(1, box:ledger().requests.create)
  end)

  it("ends with the id and a hint when its timeout runs out, and can be called again", function()
    local client, box = support.pair({}, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    local job, err = client:wait(id, 0.05)
    assert.is_nil(job)
    assert.equal("timeout", err.kind)
    assert.equal("deadline_passed", err.code)
    assert.equal(id, err.job_id)
    assert.equal("yes", err.charged)
    assert.truthy(err.message:find(('client:wait("%s")'):format(id), 1, true))
    support.step_until(function() -- what a slow step left to the next
      return gptimage2.pending() == 0
    end)
    box:advance(1000)
    assert.equal("succeeded", assert(client:wait(id)).status)
  end)

  it("raises for a timeout that is none", function()
    local client, box = support.pair()
    for _, bad in ipairs({ -1, 0 / 0, "soon" }) do
      assert.has_error(function()
        client:wait("job-1", bad)
      end)
    end
    assert.equal(0, box:ledger().connections)
  end)
end)

describe("client:job", function()
  after_each(support.clean)

  it("is a handle, made without a request, whose wait takes the job up", function()
    local client, box = support.pair()
    local id = client:create({ prompt = "a cup" }).id
    local before = box:ledger().requests.poll
    local job = assert(client:job(id))
    assert.equal(id, job.id)
    assert.equal("unknown", job.status)
    assert.is_true(job:done())
    assert.is_nil(job.error)
    assert.equal(before, box:ledger().requests.poll)
    local taken = assert(job:wait())
    assert.equal("succeeded", taken.status)
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

describe("client:jobs", function()
  after_each(support.clean)

  it("lists the unfinished ones of this client, the oldest first", function()
    local client, box = support.pair({}, { duration = 1000 })
    local other = support.client(box)
    local done = assert(client:create({ prompt = "created only" }))
    local one = assert(client:submit({ prompt = "one" }))
    local two = assert(client:submit({ prompt = "two" }))
    local three = assert(client:submit({ prompt = "three" }))
    assert(other:submit({ prompt = "another client's" }))
    assert.is_true(done:done())
    assert.same({ one, two, three }, client:jobs())
    two:cancel()
    assert.same({ one, three }, client:jobs())
    support.step_until(function()
      return #box:ledger().jobs >= 4 -- two may not have been sent
    end)
    assert.equal(1, #other:jobs())
    box:advance(1000)
    support.finish(one)
    support.finish(three)
    assert.same({}, client:jobs())
  end)

  it("knows jobs that nobody holds", function()
    local client = support.pair({}, { duration = 1000 })
    assert(client:submit({ prompt = "dropped" }))
    collectgarbage()
    collectgarbage()
    assert.equal("dropped", client:jobs()[1].request.prompt)
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
      assert.truthy(tostring(message):find("client_spec.lua:%d+: bad argument #%d to '"), hint)
      assert.truthy(tostring(message):find("'" .. case[3] .. "'", 1, true), hint)
    end
  end)
end)

describe("max_active", function()
  after_each(support.clean)

  -- How many jobs the sandbox has not finished.
  local function unfinished(box)
    local count = 0
    for _, job in ipairs(box:ledger().jobs) do
      if job.status == "pending" or job.status == "running" then
        count = count + 1
      end
    end
    return count
  end

  local function all_done(jobs)
    for _, job in ipairs(jobs) do
      if not job:done() then
        return false
      end
    end
    return true
  end

  local function submit(client, count)
    local jobs = {}
    for i = 1, count do
      jobs[i] = assert(client:submit({ prompt = "job " .. i }))
    end
    return jobs
  end

  it("limits the unfinished jobs at the service", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    local jobs = submit(client, 6)
    local asked = 0
    support.step_until(function()
      assert.is_true(unfinished(box) <= 2)
      if #box:ledger().log >= asked + 10 then -- long enough for a third to slip through
        asked = #box:ledger().log
        box:advance(1000)
      end
      return all_done(jobs)
    end)
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", job.status)
    end
    assert.equal(6, #box:ledger().jobs)
  end)

  it("lets no more through while those go on", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    local jobs = submit(client, 3)
    support.polled(box, 1, 5)
    support.polled(box, 2, 5)
    assert.equal(2, #box:ledger().jobs)
    assert.equal("queued", jobs[3].status)
    assert.equal(3, gptimage2.pending())
  end)

  it("holds when polls of running jobs are answered with 200", function()
    local client, box = support.pair({ max_active = 2 }, { duration = 1000 })
    support.answer(box, "poll", 200, '{"status":"running"}', { times = math.huge })
    local jobs = submit(client, 20)
    support.step_until(function()
      return box:ledger().requests.poll >= 60
    end)
    -- A 200 looks final, so the next job may begin before it is read: once for each job.
    assert.is_true(#box:ledger().jobs <= 4, #box:ledger().jobs .. " jobs at once")
    assert.equal("queued", jobs[20].status)
  end)

  it("keeps the order of submission", function()
    local client, box = support.pair({ max_active = 1 })
    local jobs = submit(client, 5)
    support.step_until(function()
      return all_done(jobs)
    end)
    for i, job in ipairs(box:ledger().jobs) do
      assert.equal("job " .. i, job.prompt)
      assert.equal(jobs[i].id, job.id)
    end
  end)

  it("gives the place of a job that ended badly to the next", function()
    local client, box = support.pair({ max_active = 1 })
    support.answer(box, "create", 402)
    box:fault({ on = "create", action = "reset" })
    box:fault({ on = "create", action = "malformed" })
    box:fault({ on = "job", action = "fail", times = 3 }) -- those two were made
    local jobs = submit(client, 6)
    jobs[5]:cancel()
    support.step_until(function()
      return all_done(jobs)
    end)
    local kinds = {}
    for i, job in ipairs(jobs) do
      kinds[i] = job.error and job.error.kind or "none"
    end
    assert.same({ "credits", "lost", "protocol", "job_failed", "cancelled", "none" }, kinds)
  end)

  it("is each client's own", function()
    local first, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local second = support.client(box, { max_active = 1 })
    submit(first, 2)
    submit(second, 2)
    support.step_until(function()
      return #box:ledger().jobs == 2
    end)
    assert.equal(2, unfinished(box))
  end)

  it("lets polls of known jobs through at once", function()
    local client = support.pair({ max_active = 1 }, { duration = 1000 })
    local id = client:create({ prompt = "a cup" }).id
    submit(client, 2)
    assert.equal("pending", assert(client:poll(id)).status)
  end)

  it("makes a job wait no longer than its timeout, and costs it nothing then", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    submit(client, 1)
    local job = assert(client:submit({ prompt = "impatient" }, { timeout = 0.05 }))
    support.finish(job)
    assert.equal("failed", job.status)
    assert.equal("timeout", job.error.kind)
    assert.equal("deadline_passed", job.error.code)
    assert.equal("no", job.error.sent)
    assert.equal("no", job.error.charged)
    assert.is_true(job.error.retryable)
    assert.equal(0, job.attempts)
    assert.equal(10, client.spent)
    assert.is_true(#box:ledger().jobs <= 1)
  end)
end)

describe("client:close", function()
  after_each(support.clean)

  it("can be repeated, and shows", function()
    local client, box = support.pair()
    client:close()
    client:close()
    assert.equal(("gptimage2.Client (%s, closed)"):format(box.url), tostring(client))
  end)

  it("makes every further call fail with kind closed", function()
    local client, box = support.pair()
    client:close()
    local request = { prompt = "a cup" }
    for name, argument in pairs({
      generate = request,
      submit = request,
      create = request,
      poll = "job-1",
      wait = "job-1",
      job = "job-1",
      cost = request,
    }) do
      local job, err = client[name](client, argument)
      assert.is_nil(job)
      assert.equal("closed", err.kind)
      assert.equal("client_closed", err.code)
    end
    assert.same({}, client:jobs())
    assert.equal(0, box:ledger().connections)
  end)

  it("ends the client's unfinished jobs, and only those", function()
    local client, box = support.pair({ max_active = 1 }, { duration = 1000 })
    local other = support.client(box)
    local polling = assert(client:submit({ prompt = "polling" }))
    local queued = assert(client:submit({ prompt = "queued" }))
    local theirs = assert(other:submit({ prompt = "theirs" }))
    support.polled(box, 1, 1)
    support.polled(box, 2, 1)
    client:close()
    for _, job in ipairs({ polling, queued }) do
      assert.equal("cancelled", job.status)
      assert.equal("closed", job.error.kind)
      assert.is_true(job:done())
    end
    assert.equal(polling.id, polling.error.job_id)
    support.step_until(function()
      return gptimage2.pending() == 1
    end)
    assert.is_false(theirs:done())
    box:advance(1000)
    assert.equal("succeeded", support.finish(theirs).status)
    assert.is_nil(box:ledger().jobs[3])
  end)

  it("ends a wait for one of its jobs", function()
    local client = support.pair({}, { duration = 1000 })
    local job = assert(client:submit({ prompt = "a cup" }))
    local waited, err
    local task = gptimage2.spawn(function()
      waited, err = job:wait()
    end)
    client:close()
    support.finish(task)
    assert.is_nil(waited)
    assert.equal("closed", err.kind)
  end)

  it("leaves the jobs that were done as they are", function()
    local client = support.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    client:close()
    assert.equal("succeeded", job.status)
    assert.equal(1, #job.results)
  end)
end)

describe("client.balance", function()
  after_each(support.clean)

  it("is what the service told last, in integers", function()
    local client = support.pair({}, { free_per_day = 2 })
    local job = assert(client:generate({ prompt = "a cup", count = 3 }))
    local expected = {
      paid_credits = 490,
      free_images_remaining = 0,
      total_images = 49,
      free_images_per_day = 2,
    }
    assert.same(expected, client.balance)
    assert.same(expected, job.balance)
    for _, value in pairs(client.balance) do
      assert.is_true(is_integer(value))
    end
    assert(client:generate({ prompt = "a cup" }))
    assert.equal(480, client.balance.paid_credits)
    assert.equal(490, job.balance.paid_credits)
  end)
end)
