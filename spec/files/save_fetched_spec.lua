--- What job:save fetches: the URLs of the service, and whatever the host of images answers.

local cjson = require("cjson")
local folder = require("spec.folder")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP, IMAGES = picture.CUP, picture.IMAGES
local made = picture.made

describe("saving", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- Expects that saving `job` fails, leaves the job as it is and nothing in the folder.
  local function expect_failure(job, kind, code, options)
    local paths, err = job:save(place .. "/", options)
    assert.is_nil(paths)
    assert.equal(kind, err.kind, err.message)
    assert.equal(code, err.code, err.message)
    assert.equal(job.id, err.job_id)
    assert.same({}, err.paths)
    assert.equal("succeeded", job.status)
    assert.is_nil(job.error)
    assert.equal("", folder.list(place))
    return err
  end

  describe("what the service points to", function()
    --- A job whose only image is at `url`.
    local function job_with_url(url)
      local client, box = support.pair()
      picture.answer_all(box, picture.at({ url }))
      return assert(client:generate(CUP)), box
    end

    for _, url in ipairs({
      "http://192.0.2.1/a.png",
      "http://example.invalid/a.png",
      "http://127.0.0.1.example.invalid/a.png",
      "http://user:password@127.0.0.1/a.png",
      "https://user:password@127.0.0.1/a.png",
      "http://127.0.0.1@192.0.2.1/a.png",
      "http://localhost@192.0.2.1/a.png ",
      "file:///etc/hostname",
      "FILE:///etc/hostname",
      "ftp://127.0.0.1/a.png",
      "data:image/png;base64,iVBORw0KGgo=",
      "//127.0.0.1/a.png",
      "/etc/hostname",
      "",
      "http://127.0.0.1:99999/a.png",
      "http://127.0.0.1/a\r\nX-Injected: 1",
    }) do
      it(("is refused: %q"):format(url), function()
        local job, box = job_with_url(url)
        local err = expect_failure(job, "protocol", "image_url_refused")
        assert.truthy(err.message:find("a URL that is not fetched, for it", 1, true), err.message)
        assert.equal(0, box:ledger().requests.image + box:ledger().requests.other)
      end)
    end

    it("is plain http to loopback only when the service itself is there", function()
      local box = support.sandbox()
      local there = { url = box.url:gsub("127%.0%.0%.1", "api.localhost"), api_key = box.api_key }
      local client = support.client(there, { allow_http = true })
      local job = assert(client:generate(CUP))
      expect_failure(job, "protocol", "image_url_refused")
      assert.equal(0, box:ledger().requests.image)
    end)

    for _, location in ipairs({
      "http://192.0.2.1/a.png",
      "file:///etc/hostname",
      "ftp://127.0.0.1/a.png",
      "http://user:password@127.0.0.1/a.png",
    }) do
      it("is refused when it redirects to " .. location, function()
        local job, box = made()
        box:fault({ on = "image", action = "redirect", location = location })
        expect_failure(job, "protocol", "image_url_refused")
        assert.equal(1, box:ledger().requests.image)
      end)
    end

    it("is followed over three redirects, not over four", function()
      local job, box = made()
      local url = job.results[1].image_url
      box:fault({ on = "image", action = "redirect", location = url, times = 3 })
      assert(job:save(place .. "/three/"))
      assert.equal(4, box:ledger().requests.image)
      box:fault({ on = "image", action = "redirect", location = url, times = 4 })
      local paths, err = job:save(place .. "/four/")
      assert.is_nil(paths)
      assert.equal("too_many_redirects", err.code)
      assert.equal(8, box:ledger().requests.image)
    end)

    it("gets no key, not even from the host of the service", function()
      local job, box = made()
      local other = support.sandbox()
      local location = other:reference("cup")
      box:fault({ on = "image", action = "redirect", location = location })
      assert(job:save(place))
      for _, ledger in ipairs({ box:ledger(), other:ledger() }) do
        local last = ledger.log[#ledger.log]
        assert.equal("GET", last.method)
        assert.is_false(last.authorization)
        assert.is_nil(last.key)
      end
    end)

    it("never leads out of the folder by its seed", function()
      local client, box = support.pair()
      local seeds = { "../../out", "/etc/x", "..", "a\0b", ".hidden", ("9"):rep(500), "" }
      local results = {}
      for i, seed in ipairs(seeds) do
        results[i] = { imageUrl = box:reference("cup"), seed = seed, finalPrompt = "cups" }
      end
      picture.answer_all(box, results)
      local job = assert(client:generate({ prompt = "cups", count = 4 }))
      assert.equal(#seeds, #job.results)
      local inner = place .. "/in/ner"
      local paths = assert(job:save(inner .. "/{seed}-{n}.{ext}", { sidecar = false }))
      assert.equal(#seeds, #paths)
      for _, path in ipairs(paths) do
        assert.equal(inner .. "/", path:sub(1, #inner + 1))
        assert.truthy(path:sub(#inner + 2):find("^[%w_][%w._-]*$"), path)
      end
      local count = select(2, (folder.list(place) .. " "):gsub("in/ner/[^/ ]+ ", ""))
      assert.equal(#seeds, count)
      local all = folder.run("find " .. place .. " -type f | wc -l")
      assert.equal(#seeds, tonumber(all))
    end)

    it("is never a job id that leads elsewhere: such an answer is refused", function()
      for _, id in ipairs({ "../x", "a/../b", "/b", "a b", "", ("x"):rep(257), "a\0b" }) do
        local client, box = support.pair()
        local body = cjson.encode({ jobId = id, status = "pending" })
        box:fault({ on = "create", action = "body", body = body })
        local job, err = client:generate(CUP, { save = place .. "/" })
        assert.is_nil(job)
        assert.equal("protocol", err.kind)
        assert.equal("job_id_missing", err.code)
        assert.is_nil(err.job_id)
      end
      assert.equal("", folder.list(place))
    end)

    it("stays in its folder, whatever letters a job id has", function()
      for _, id in ipairs({ "a/b", "gen:1/2024.01", "x..y%2F", ("x"):rep(256) }) do
        local client, box = support.pair()
        local url = assert(client:generate(CUP)).results[1].image_url
        support.answer(box, "create", 200, cjson.encode({ jobId = id, status = "pending" }))
        local results = { { imageUrl = url } }
        support.answer(box, "poll", 200, picture.body(results))
        local job = assert(client:generate(CUP))
        local paths = assert(job:save(place .. "/" .. #id .. "/"))
        assert.equal(place .. "/" .. #id, paths[1]:match("^(.*)/"))
      end
    end)
  end)

  describe("what comes back", function()
    for name, body in pairs({ html = "<html>busy</html>", short = "\137PN", empty = "" }) do
      it(("is refused when it is not an image: %s"):format(name), function()
        local job, box = made()
        box:fault({ on = "image", action = "body", body = body })
        expect_failure(job, "protocol", "not_an_image")
        assert.equal(1, box:ledger().requests.image)
      end)
    end

    it("is asked for again from where it was cut off", function()
      local job, box = made(nil, nil, { image_bytes = 200000 })
      box:fault({ on = "image", action = "truncate", bytes = 50000 })
      local paths = assert(job:save(place))
      local log = box:ledger().log
      assert.equal("bytes=50000-", log[#log].range)
      assert.equal(206, log[#log].status)
      assert.equal(2, box:ledger().requests.image)
      assert.is_true(job:data(1) == folder.read(paths[1]))
    end)

    it("is taken from the beginning when the host does not do ranges", function()
      local job, box = made(nil, nil, { image_bytes = 200000 })
      local whole = IMAGES.gif:rep(1000)
      box:fault({ on = "image", action = "truncate", bytes = 50000 })
      box:fault({ on = "image", action = "status", status = 200, body = whole })
      local paths = assert(job:save(place))
      assert.equal(2, box:ledger().requests.image)
      assert.is_true(whole == folder.read(paths[1]))
      assert.truthy(paths[1]:find("%.gif$"))
    end)

    it("is asked for again after a reset and after an error of the host", function()
      local job, box = made()
      box:fault({ on = "image", action = "status", status = 503 })
      assert(job:save(place))
      assert.equal(2, box:ledger().requests.image)
    end)

    for _, bytes in ipairs({ 8, 100, 1000 }) do
      it(("that has only %d bytes, as it says, is not whole"):format(bytes), function()
        local job, box = made()
        box:fault({ on = "image", action = "short", bytes = bytes })
        local paths = assert(job:save(place))
        assert.equal(2, box:ledger().requests.image)
        assert.is_true(folder.read(paths[1]) == job:data())
      end)
    end

    it("is asked for four times, then given up, and can be had later", function()
      local job, box = made()
      box:fault({ on = "image", action = "status", status = 500, times = 4 })
      local err = expect_failure(job, "network", "image_refused")
      assert.equal(500, err.status)
      assert.equal(4, box:ledger().requests.image)
      assert.equal(err, job.save_error)
      assert(job:save(place))
      assert.is_nil(job.save_error)
      assert.equal(1, #job.files)
    end)

    for _, status in ipairs({ 401, 402, 410 }) do
      it(("is asked for once when the host answers with %d"):format(status), function()
        local job, box = made()
        box:fault({ on = "image", action = "status", status = status, times = math.huge })
        local err = expect_failure(job, "network", "image_refused")
        assert.equal(status, err.status)
        assert.equal(1, box:ledger().requests.image)
      end)
    end

    it("is refused above 64 MiB, even when its length is not told", function()
      local job, box = made()
      local bytes = 64 * 1024 * 1024 + 1
      box:fault({ on = "image", action = "oversize", bytes = bytes, chunked = true })
      expect_failure(job, "protocol", "image_too_large")
      assert.equal(1, box:ledger().requests.image)
    end)
  end)
end)
