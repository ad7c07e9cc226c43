-- job:data: one image in memory.

local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP, PNG = picture.CUP, picture.PNG

describe("job:data", function()
  after_each(support.clean)

  local function made(request, sandbox_options)
    return picture.made(request, nil, sandbox_options)
  end

  local function expect_failure(job, kind, code, n)
    local bytes, err = job:data(n)
    assert.is_nil(bytes)
    assert.equal(kind, err.kind, err.message)
    assert.equal(code, err.code, err.message)
    assert.equal("succeeded", job.status)
    assert.is_nil(job.error)
    return err
  end

  it("gives the bytes of the image, all of them", function()
    local job, box = made(nil, { image_bytes = 300000 })
    local bytes = assert(job:data(1))
    assert.equal(300000, #bytes)
    assert.equal(PNG, bytes:sub(1, 8))
    assert.equal("IEND", bytes:sub(-8, -5))
    assert.equal(1, box:ledger().requests.image)
  end)

  it("gives the first one when no number is told", function()
    local job = made()
    assert.is_true(job:data() == job:data(1))
  end)

  it("gives each of four", function()
    local job, box = made({ prompt = "cups", count = 4 })
    local seen = {}
    for n = 1, 4 do
      local bytes = assert(job:data(n))
      assert.is_nil(seen[bytes])
      seen[bytes] = true
      local log = box:ledger().log
      assert.equal(("/generated/%s-%d.png"):format(job.id, n), log[#log].path)
    end
  end)

  it("says so when there is no such image", function()
    local job, box = made({ prompt = "cups", count = 2 })
    for _, n in ipairs({ 3, 0, -1, 1.5, math.huge, -math.huge, 0 / 0 }) do
      local err = expect_failure(job, "validation", "no_such_image", n)
      assert.equal("n", err.field)
    end
    assert.equal(0, box:ledger().requests.image)
  end)

  it("raises for what is no number", function()
    local job = made()
    for _, n in ipairs({ "1", {}, true }) do
      assert.has_error(function()
        job:data(n)
      end)
    end
  end)

  it("sends no key", function()
    local job, box = made()
    assert(job:data())
    local log = box:ledger().log
    assert.truthy(log[#log].path:find("^/generated/"))
    assert.is_false(log[#log].authorization)
    assert.is_nil(log[#log].key)
  end)

  it("goes on where it was cut off", function()
    local job, box = made(nil, { image_bytes = 200000 })
    box:fault({ on = "image", action = "truncate", bytes = 50000 })
    local bytes = assert(job:data())
    local log = box:ledger().log
    assert.equal("bytes=50000-", log[#log].range)
    assert.equal(200000, #bytes)
    assert.is_true(job:data() == bytes)
  end)

  it("begins again when the image has changed meanwhile", function()
    local job, box = made(nil, { image_bytes = 200000 })
    local other = picture.IMAGES.gif .. ("x"):rep(1000)
    box:fault({ on = "image", action = "truncate", bytes = 50000 })
    box:fault({ on = "image", action = "status", status = 200, body = other })
    assert.is_true(other == job:data())
    assert.equal(2, box:ledger().requests.image)
  end)

  it("begins again when the rest cannot be had", function()
    local job, box = made(nil, { image_bytes = 200000 })
    box:fault({ on = "image", action = "truncate", bytes = 50000 })
    box:fault({ on = "image", action = "status", status = 416 })
    local bytes = assert(job:data())
    assert.equal(200000, #bytes)
    assert.is_true(job:data() == bytes)
    assert.equal(4, box:ledger().requests.image)
  end)

  it("never takes a part that it did not ask for", function()
    local job, box = made()
    local headers = { ["Content-Range"] = "bytes 5-104/105" }
    local part = "GIF89a" .. ("x"):rep(94)
    box:fault({ on = "image", action = "status", status = 206, body = part, headers = headers })
    local bytes = assert(job:data())
    assert.equal(PNG, bytes:sub(1, 8))
    assert.equal(2, box:ledger().requests.image)
  end)

  it("never takes a part that nobody asked for, the first one included", function()
    local job, box = made(nil, { image_bytes = 5000 })
    local part = "GIF89a" .. ("x"):rep(94)
    for i, total in ipairs({ "5000", "*" }) do
      local headers = { ["Content-Range"] = "bytes 0-99/" .. total }
      box:fault({ on = "image", action = "status", status = 206, body = part, headers = headers })
      local bytes = assert(job:data())
      assert.equal(5000, #bytes)
      assert.equal(PNG, bytes:sub(1, 8))
      assert.equal(2 * i, box:ledger().requests.image)
    end
  end)

  it("never takes a part for all of it, though an image ends in it", function()
    local job, box = made(nil, { image_bytes = 5000 })
    local image, rest = assert(job:data()), ("x"):rep(100) -- there is more behind its end
    for _, part in ipairs({ { image, "0-4999" }, { rest, "5000-5099" } }) do
      local body, range = part[1], ("bytes %s/5100"):format(part[2])
      local headers = { ["Content-Range"] = range, ETag = '"v1"' }
      box:fault({ on = "image", action = "status", status = 206, body = body, headers = headers })
    end
    assert.is_true(job:data() == image .. rest)
    assert.equal(3, box:ledger().requests.image)
  end)

  it("never takes the rest for all of it when that ends early, too", function()
    local job, box = made(nil, { image_bytes = 200000 })
    local headers = { ["Content-Range"] = "bytes 50000-50099/200000" }
    local part = ("x"):rep(100)
    box:fault({ on = "image", action = "truncate", bytes = 50000 })
    box:fault({ on = "image", action = "status", status = 206, body = part, headers = headers })
    local bytes = assert(job:data())
    assert.equal(200000, #bytes)
    assert.is_true(job:data() == bytes)
    assert.equal(4, box:ledger().requests.image)
  end)

  --- A job whose image is at "localhost", another host than the sandbox's own.
  local function made_elsewhere(client, box)
    local url = assert(client:generate(CUP)).results[1].image_url
    picture.answer(box, { { imageUrl = (url:gsub("127%.0%.0%.1", "localhost")) } })
    return assert(client:generate(CUP))
  end

  --- Begins so many downloads.
  local function download(job, count)
    for _ = 1, count do
      gptimage2.spawn(function()
        job:data()
      end)
    end
  end

  local function await_requests(box, count)
    support.step_until(function()
      return box:ledger().requests.image == count
    end)
  end

  it("is not held up by one silent host, however many wait for that", function()
    local crowd, box = support.pair()
    local theirs = made_elsewhere(crowd, box)
    local client = support.client(box)
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "hang", times = 12 })
    download(theirs, 40)
    await_requests(box, 12)
    assert.equal(PNG, assert(job:data()):sub(1, 8))
    assert.equal(13, box:ledger().requests.image)
    crowd:close()
  end)

  describe("beyond sixteen at once", function()
    -- Sixteen downloads that hang, half of them of another host, their client, and a job of
    -- another client.
    local function crowded(options)
      local crowd, box = support.pair()
      local theirs = assert(crowd:generate(CUP))
      local elsewhere = made_elsewhere(crowd, box)
      local client = support.client(box, options)
      local job = assert(client:generate(CUP))
      box:fault({ on = "image", action = "hang", times = 16 })
      download(theirs, 8)
      download(elsewhere, 8)
      await_requests(box, 16)
      return crowd, client, job, box
    end

    it("waits until one of them is over", function()
      local crowd, client, job, box = crowded()
      local tasks = {}
      for i = 1, 3 do
        tasks[i] = gptimage2.spawn(function()
          return job:data()
        end)
      end
      for _ = 1, 10 do -- what is sent is on its way before this is
        assert(client:poll(job.id))
      end
      assert.equal(16, box:ledger().requests.image)
      crowd:close()
      for i = 1, 3 do
        assert.equal(PNG, assert(tasks[i]:wait()):sub(1, 8))
      end
      assert.equal(19, box:ledger().requests.image)
    end)

    it("can be cancelled while it waits", function()
      local crowd, client, job, box = crowded()
      local task = gptimage2.spawn(function()
        return job:data()
      end)
      assert(client:poll(job.id))
      client:close()
      local bytes, err = task:wait()
      assert.is_nil(bytes)
      assert.equal("closed", err.kind)
      crowd:close()
      assert.equal(16, box:ledger().requests.image)
    end)

    it("has its time from its turn on", function()
      local time = support.seconds(0.4)
      local crowd, _, job = crowded({ timeout = time })
      local task = gptimage2.spawn(function()
        return job:data()
      end)
      gptimage2.sleep(time * 1.2)
      assert.is_false(task:done())
      crowd:close()
      assert.equal(PNG, assert(task:wait()):sub(1, 8))
    end)
  end)

  it("is refused when what comes back is no image", function()
    local job, box = made()
    for _, body in ipairs({ "<html>", "", "\137PNG" }) do
      box:fault({ on = "image", action = "body", body = body })
      expect_failure(job, "protocol", "not_an_image")
    end
  end)

  it("is refused above 64 MiB, even when the length is not told", function()
    local job, box = made()
    local bytes = 64 * 1024 * 1024 + 1
    box:fault({ on = "image", action = "oversize", bytes = bytes, chunked = true })
    expect_failure(job, "protocol", "image_too_large")
  end)

  it("tells the status of a host that refuses", function()
    local job, box = made()
    box:fault({ on = "image", action = "status", status = 410 })
    local err = expect_failure(job, "network", "image_refused")
    assert.equal(410, err.status)
    assert.truthy(job:data())
  end)

  it("is refused for a URL that is not https, shown without its query", function()
    local client, box = support.pair()
    local result = { imageUrl = "http://192.0.2.1/a.png?sig=hidden-word", seed = "1" }
    picture.answer(box, { result })
    local job = assert(client:generate(CUP))
    local err = expect_failure(job, "protocol", "image_url_refused")
    assert.truthy(err.message:find("http://192.0.2.1/a.png", 1, true))
    assert.is_nil(err.message:find("hidden-word", 1, true))
  end)

  it("is refused for a job that has no images", function()
    local client, box = support.pair()
    box:fault({ on = "job", action = "fail" })
    local job = support.finish(assert(client:submit(CUP)))
    local bytes, err = job:data()
    assert.is_nil(bytes)
    assert.equal("validation", err.kind)
    assert.equal("not_succeeded", err.code)
    assert.equal(job.id, err.job_id)
  end)

  it("is refused after the client was closed", function()
    local client = support.pair()
    local job = assert(client:generate(CUP))
    client:close()
    local bytes, err = job:data()
    assert.is_nil(bytes)
    assert.equal("closed", err.kind)
  end)

  it("ends when the client is closed meanwhile", function()
    local client, box = support.pair()
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "hang" })
    local task = gptimage2.spawn(function()
      return job:data()
    end)
    support.step_until(function()
      return box:ledger().requests.image == 1
    end)
    client:close()
    local bytes, err = task:wait()
    assert.is_nil(bytes)
    assert.equal("closed", err.kind)
    assert.equal(0, gptimage2.pending())
  end)

  it("gives several at once to several coroutines", function()
    local job = made({ prompt = "cups", count = 4 })
    local sizes = {}
    for n = 1, 4 do
      gptimage2.spawn(function()
        local bytes = assert(job:data(n))
        sizes[n] = #bytes
      end)
    end
    gptimage2.run()
    assert.equal(4, #sizes)
  end)
end)

describe("a picture of the sandbox", function()
  after_each(support.clean)

  it("shows a substitute for what can never be a character", function()
    local client = support.pair()
    for _, code in ipairs({
      "\239\191\190", -- U+FFFE
      "\239\191\191", -- U+FFFF
      "\239\183\144", -- U+FDD0
      "\244\143\191\191", -- U+10FFFF
      "\240\159\191\190", -- U+1FFFE
    }) do
      for _, prompt in ipairs({ code, "a" .. code .. "b", code:rep(400) }) do
        local job = assert(client:generate({ prompt = prompt }))
        assert.equal("\137PNG", assert(job:data(1)):sub(1, 4))
      end
    end
  end)
end)
