-- Fetching images: URLs that expire or are odd, hosts that are late, and what lies at the end.

local cjson = require("cjson")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local PNG, JPEG, IMAGES = picture.PNG, picture.JPEG, picture.IMAGES
local made = picture.made

describe("fetching an image", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- Makes polls say that the job has images at these URLs.
  local function answer(box, urls)
    picture.answer(box, picture.at(urls))
  end

  --- A job whose images are at these URLs, as its first poll says.
  local function job_at(urls, client_options)
    local client, box = support.pair(client_options)
    if type(urls) == "function" then
      urls = urls(box)
    end
    answer(box, urls)
    return assert(client:generate({ prompt = "cups", count = #urls })), box
  end

  local function polls(box)
    return box:ledger().requests.poll
  end

  describe("that its host does not have yet", function()
    for _, status in ipairs({ 403, 404 }) do
      it(("goes on for some seconds after the job's end: %d"):format(status), function()
        local job, box = made()
        local before = polls(box)
        box:fault({ on = "image", action = "status", status = status, times = 2 })
        assert(job:save(place))
        assert.equal(3, box:ledger().requests.image)
        assert.equal(before, polls(box))
      end)
    end
  end)

  describe("whose URL has expired", function()
    it("goes on with a new one, which the job then has", function()
      local events, on_event = support.recorder()
      local job, box = made(nil, { on_event = on_event })
      local old, new = job.results[1].image_url, box:reference("new")
      local told, before = #events, polls(box)
      box:fault({ on = "image", action = "status", status = 410, times = math.huge })
      answer(box, { new })
      local paths = assert(job:save(place))
      assert.equal(PNG, folder.read(paths[1]):sub(1, 8))
      assert.equal(before + 1, polls(box))
      assert.equal(new, job.results[1].image_url)
      assert.not_equal(old, new)
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal(new, sidecar.results[1].image_url)
      assert.equal(told + 1, #events) -- of the poll nobody is told
      assert.equal("saved", events[#events].type)
      assert.equal(PNG, assert(job:data()):sub(1, 8))
      assert.equal(before + 1, polls(box))
    end)

    it("goes on in memory, too", function()
      local job, box = made()
      box:fault({ on = "image", action = "status", status = 400, times = math.huge })
      answer(box, { box:reference("new") })
      assert.equal(PNG, assert(job:data()):sub(1, 8))
      assert.equal(1, box:ledger().requests.image)
      assert.equal(1, box:ledger().requests.reference)
    end)

    it("costs one poll for all images of the job", function()
      local job, box = made({ prompt = "cups", count = 4 })
      local before = polls(box)
      box:fault({ on = "image", action = "status", status = 410, times = math.huge })
      local urls = {}
      for i = 1, 4 do
        urls[i] = box:reference("new" .. i)
      end
      answer(box, urls)
      assert.equal(4, #assert(job:save(place)))
      assert.equal(before + 1, polls(box))
      assert.equal(4, box:ledger().requests.image)
    end)

    it("says what was done when the service gives the same", function()
      local job, box = made()
      local before = polls(box)
      box:fault({ on = "image", action = "status", status = 404, times = math.huge })
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("network", err.kind)
      assert.equal("image_refused", err.code)
      assert.equal(404, err.status)
      assert.truthy(err.message:find("HTTP status 404 (four times)", 1, true), err.message)
      assert.truthy(err.message:find("asked for a new URL, and gave the same", 1, true))
      assert.equal(4, box:ledger().requests.image)
      assert.equal(before + 1, polls(box))
      assert.equal(err, job.save_error)
      assert.equal("", folder.list(place))
    end)

    it("says so when the new one is refused, too", function()
      local job, box = made()
      box:fault({ on = "image", action = "status", status = 410, times = math.huge })
      box:fault({ on = "reference", action = "status", status = 410, times = math.huge })
      answer(box, { box:reference("new") })
      local bytes, err = job:data()
      assert.is_nil(bytes)
      assert.equal(410, err.status)
      assert.truthy(err.message:find("/reference/new", 1, true), err.message)
      assert.truthy(err.message:find("that is a new URL", 1, true), err.message)
      assert.equal(1, box:ledger().requests.reference)
    end)

    it("says so when the service gives none", function()
      local job, box = made()
      box:fault({ on = "image", action = "status", status = 410 })
      support.answer(box, "poll", 500)
      local bytes, err = job:data()
      assert.is_nil(bytes)
      assert.equal("image_refused", err.code)
      assert.truthy(err.message:find("the service gave no new URL: ", 1, true), err.message)
      assert.equal("succeeded", job.status)
      assert.truthy(job:data())
    end)
  end)

  describe("under an odd URL", function()
    it("sends it as browsers do", function()
      local signature = ("s"):rep(9000)
      local job, box = job_at(function(box)
        return {
          box:reference("a") .. "?name=a cup|ü.png&sig=" .. signature,
          " " .. box:reference("b") .. "#part ",
        }
      end)
      assert.equal(2, #assert(job:save(place)))
      local sent = {}
      for _, entry in ipairs(box:ledger().log) do
        if entry.path:find("^/reference/") then
          sent[#sent + 1] = entry.path
        end
      end
      table.sort(sent)
      assert.equal(2, #sent)
      assert.truthy(sent[1]:find("^/reference/a"), sent[1])
      assert.truthy(sent[2]:find("^/reference/b[%w.]*$"), sent[2])
    end)

    for url, why in pairs({
      ["http://192.0.2.1/a.png"] = "it is plain http",
      ["http://user:password@127.0.0.1/a.png"] = "it holds a user name",
      ["ftp://127.0.0.1/a.png"] = "it does not start with http:// or https://",
      ["https://a.example/" .. ("x"):rep(20000)] = "it is longer than 16 KiB",
      ["https://a.example/\r\nX-Injected: 1"] = "control character",
      ["http://127.0.0.1:99999/a.png"] = "its port",
    }) do
      it("names the true reason of a refusal: " .. why, function()
        local job, box = job_at({ url })
        local bytes, err = job:data()
        assert.is_nil(bytes)
        assert.equal("image_url_refused", err.code)
        assert.truthy(err.message:find(why, 1, true), err.message)
        assert.is_nil(err.message:find(("x"):rep(301), 1, true))
        assert.equal(0, box:ledger().requests.image)
      end)
    end
  end)

  -- A service out there cannot stand on this machine. For a child process it can: a preloaded
  -- library leads what is meant for 8.8.8.8 to this machine.
  describe("from a service at a public address", function()
    local CHILD = [[
      local gptimage2 = require("gptimage2")
      local client = assert(gptimage2.new({
        api_key = arg[1], base_url = arg[2], allow_http = true, ca_file = arg[3],
        allow_private_references = arg[4] == "allow" or nil,
        poll = { first = 0.02, interval = 0.02 },
      }))
      local job = assert(client:generate({ prompt = "a cup" }))
      local bytes, err = job:data()
      local url = job.results[1].image_url
      print(bytes and "fetched from " .. url or err.code .. ": " .. err.message)
    ]]

    it("follows it to its own host, and never into a private network", function()
      if support.slow then
        return pending("the preloaded library does not get along with the sanitizers'")
      end
      local library = place .. "/elsewhere.so"
      local compile = ("cc -shared -fPIC -o %s spec/lib/elsewhere.c"):format(library)
      if folder.run(compile) ~= "" then
        return pending("there is no C compiler")
      end
      folder.write(place .. "/child.lua", CHILD)
      local box, inside = support.sandbox(), support.sandbox({ tls = true })
      local outside = box.url:gsub("127%.0%.0%.1", "8.8.8.8")
      local function fetch(url, allow)
        answer(box, { url })
        local words = {
          "LD_PRELOAD=" .. library,
          folder.quote(os.getenv("GPTIMAGE2_SPEC_LUA")),
          place .. "/child.lua",
          folder.quote(box.api_key),
          outside,
          inside.ca_file,
          allow and "allow" or "",
        }
        return folder.run(table.concat(words, " "))
      end
      local there = box:reference("cup"):gsub("127%.0%.0%.1", "8.8.8.8")
      assert.equal("fetched from " .. there, fetch(there))
      local output = fetch(box:reference("cup")) -- another host
      assert.truthy(output:find("^image_url_refused: .*plain http"), output)
      output = fetch(inside:reference("cup"))
      assert.truthy(output:find("^image_url_refused: .*a private, loopback"), output)
      box:fault({ on = "reference", action = "redirect", location = inside:reference("cup") })
      output = fetch(there)
      assert.truthy(output:find("^image_url_refused: .*a private, loopback"), output)
      for _, address in ipairs({ "10.0.0.1", "169.254.169.254", "[::1]", "[fd00::1]" }) do
        output = fetch(("https://%s/a.png"):format(address))
        assert.is_nil(output:find("fetched", 1, true), output)
      end
      assert.equal(0, inside:ledger().connections)
      assert.equal("fetched from " .. inside:reference("cup"), fetch(inside:reference("cup"), true))
    end)
  end)

  describe("whose length is not told", function()
    local function raw(bytes)
      local head = "HTTP/1.0 200 OK\r\nContent-Type: image/png\r\n\r\n"
      return { on = "image", action = "raw", body = head .. bytes }
    end
    local whole = picture.png("x", 5000)

    it("is whole where its own end is", function()
      local job, box = made()
      box:fault(raw(whole))
      assert.is_true(whole == job:data())
      assert.equal(1, box:ledger().requests.image)
    end)

    it("is asked for again where that is missing", function()
      local job, box = made()
      box:fault(raw(whole:sub(1, 3000)))
      box:fault(raw(JPEG:sub(1, -3)))
      box:fault(raw(whole))
      local paths = assert(job:save(place))
      assert.is_true(whole == folder.read(paths[1]))
      assert.equal(3, box:ledger().requests.image)
    end)

    --- Those whose end a search for it would not tell: an image, and how much of it is a cut.
    local AVIF = IMAGES.avif
    local TEXT = picture.chunk("tEXt", "Comment\0" .. picture.PNG_END)
    local CUTS = {
      ["a PNG with its end in a text"] = { PNG .. TEXT .. whole:sub(9), 1000 },
      ["an AVIF"] = { AVIF, #AVIF - 1 },
    }

    for what, row in pairs(CUTS) do
      it(("is not whole where it is cut: %s"):format(what), function()
        local job, box = made()
        box:fault(raw(row[1]:sub(1, row[2])))
        box:fault(raw(row[1]))
        assert.is_true(row[1] == job:data())
        assert.equal(2, box:ledger().requests.image)
      end)
    end

    it("is an AVIF whose first brand is another", function()
      local job, box = made()
      local image = picture.box("ftyp", "mif1\0\0\0\0mif1miafavif") .. AVIF:sub(25)
      box:fault(raw(image))
      local paths = assert(job:save(place))
      assert.truthy(paths[1]:find("%.avif$"))
      assert.equal("avif", job.results[1].format)
      assert.is_true(image == folder.read(paths[1]))
    end)
  end)

  describe("from a host that does not speak as it should", function()
    local function raw(box, status, headers, body, times)
      local head = ("HTTP/1.1 %s\r\n%s"):format(status, headers)
      local length = headers:find("Content-Length", 1, true) and "\r\n"
        or ("Content-Length: %d\r\n\r\n"):format(#body)
      box:fault({ on = "image", action = "raw", body = head .. length .. body, times = times })
    end

    --- Expects that a download with little time says this. What is slow may have time for a second
    --- try, and none to end it.
    local function expect_soon(client, url, kind, code, words)
      local download = core.download(client, url, nil, false, support.seconds(0.4), false)
      local bytes, err = support.finish(download):result()
      assert.is_nil(bytes)
      if err.code ~= "deadline_passed" then
        assert.equal(kind, err.kind, err.message)
        assert.equal(code, err.code, err.message)
      end
      assert.truthy(err.message:find(words, 1, true), err.message)
      assert.truthy(err.message:find(url:match("^[^?]*"), 1, true), err.message)
      assert.is_nil(err.message:find("hidden", 1, true), err.message)
    end

    --- Expects that it was asked once, and that the error says this.
    local function expect(box, job, kind, code, words)
      local before = box:ledger().requests.image
      local bytes, err = job:data()
      assert.is_nil(bytes)
      assert.equal(kind, err.kind, err.message)
      assert.equal(code, err.code, err.message)
      assert.truthy(err.message:find(words, 1, true), err.message)
      assert.truthy(err.message:find(job.results[1].image_url, 1, true), err.message)
      assert.equal(before + 1, box:ledger().requests.image)
    end

    it("takes no part for the whole, and says so", function()
      local job, box, client = made()
      local image = picture.png("x", 76)
      for _, range in ipairs({
        "",
        "Content-Range: bytes 100-207/1000\r\n",
        "Content-Type: multipart/byteranges; boundary=x\r\n",
      }) do
        raw(box, "206 Partial Content", range, image, math.huge)
        local words = "a part of the image that was not asked for (HTTP status 206)"
        expect_soon(client, job.results[1].image_url, "protocol", "unexpected_status", words)
        box:clear()
      end
      raw(box, "206 Partial Content", "Content-Range: bytes 0-107/108\r\n", image)
      assert.is_true(image == job:data()) -- it is all of it
    end)

    it("joins no halves of two pictures", function()
      local a = picture.png("a", 76)
      local b = picture.png("b", 76)
      local first = 'ETag: "one"\r\nContent-Length: %d\r\n'
      for headers, length in pairs({
        ['ETag: "other"\r\n'] = #a,
        [""] = #a, -- which version that is nobody knows
        ['ETag: "one"\r\n'] = #a + 50, -- and yet another length
      }) do
        local job, box = made()
        local range = ("Content-Range: bytes 40-%d/%d\r\n"):format(#b - 1, #b)
        raw(box, "200 OK", first:format(length), a:sub(1, 40))
        raw(box, "206 Partial Content", headers .. range, b:sub(41))
        raw(box, "200 OK", "", b)
        assert.is_true(b == assert(job:data()))
        assert.equal(3, box:ledger().requests.image)
      end
    end)

    it("asks for no rest of what is said to be all, and ends early", function()
      local job, box = made()
      local image = picture.png("x", 76)
      raw(box, "200 OK", 'ETag: "one"\r\n', image:sub(1, 60))
      raw(box, "200 OK", 'ETag: "one"\r\n', image)
      assert.is_true(image == assert(job:data()))
      local log = box:ledger().log
      assert.is_nil(log[#log].range)
    end)

    it("joins the parts of one", function()
      local job, box = made()
      local image = picture.png("x", 76)
      local range = ("Content-Range: bytes 40-%d/%d\r\n"):format(#image - 1, #image)
      local tag = 'ETag: "one"\r\n'
      raw(box, "200 OK", tag .. ("Content-Length: %d\r\n"):format(#image), image:sub(1, 40))
      raw(box, "206 Partial Content", tag .. range, image:sub(41))
      assert.is_true(image == assert(job:data()))
      assert.equal(2, box:ledger().requests.image)
    end)

    it("says that a head is too large", function()
      local job, box = made()
      local head = "the head of the reply is larger than 64 KiB"
      raw(box, "200 OK", ("X-Fill: " .. ("x"):rep(1000) .. "\r\n"):rep(70), PNG)
      expect(box, job, "protocol", "reply_too_large", head)
      raw(box, "200 OK", "X-Fill: " .. ("x"):rep(200000) .. "\r\n", PNG)
      expect(box, job, "protocol", "reply_too_large", head)
      local hints = ("Link: </a>\r\n\r\nHTTP/1.1 103 Early Hints\r\n"):rep(2000)
      raw(box, "103 Early Hints", hints, PNG)
      local words = "the reply begins with more than 64 KiB of 1xx answers"
      expect(box, job, "protocol", "reply_too_large", words)
    end)

    it("names the status of what leads nowhere", function()
      local job, box = made()
      raw(box, "304 Not Modified", "Location: /elsewhere\r\n", "")
      expect(box, job, "network", "image_refused", "HTTP status 304 and names no other place")
      raw(box, "302 Found", "", "")
      expect(box, job, "network", "image_refused", "HTTP status 302 and names no other place")
      raw(box, "302 Found", "Location: http://[\r\n", "")
      expect(box, job, "protocol", "image_url_refused", "redirects to what is no URL")
    end)

    it("says what was lost, without what is secret in the URL", function()
      local _, box, client = made()
      local url = box:reference("cup")
      for _, action in ipairs({ "reset", "close" }) do
        box:fault({ on = "reference", action = action, times = math.huge })
        local words = "the image could not be fetched"
        expect_soon(client, url .. "?sig=hidden", "network", "connection_lost", words)
        box:clear()
      end
    end)
  end)

  describe("of another kind than its name says", function()
    it("keeps the name, and tells the kind", function()
      local job, box = made()
      box:fault({ on = "image", action = "body", body = JPEG })
      local paths = assert(job:save(place .. "/cup.png"))
      assert.same({ place .. "/cup.png" }, paths)
      assert.is_true(JPEG == folder.read(paths[1]))
      assert.same({ "jpg" }, paths.formats)
      assert.same({ "jpg" }, job.files.formats)
      assert.equal("jpg", job.results[1].format)
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal("jpg", sidecar.results[1].format)
      assert.equal("cup.png", sidecar.results[1].file)
    end)

    it("tells it of those in memory, too", function()
      local job = made()
      assert.is_nil(job.results[1].format)
      assert(job:data())
      assert.equal("png", job.results[1].format)
    end)
  end)

  it("that cannot be started leaves the others to their end", function()
    local job, box = made({ prompt = "cups", count = 3 })
    local download, calls = core.download, 0
    function core.download(...)
      calls = calls + 1
      if calls == 2 then
        return nil, core.error({ kind = "io", code = "no_thread", message = "no memory" })
      end
      return download(...)
    end
    local paths, err = job:save(place)
    core.download = download
    assert.is_nil(paths)
    assert.equal("no_thread", err.code)
    assert.equal(2, #err.paths)
    assert.equal(err, job.save_error)
    assert.equal(job.id .. "-1.png " .. job.id .. "-3.png", folder.list(place))
    support.step_until(function() -- one of the two ends may still be told
      return gptimage2.pending() == 0
    end)
    assert.equal(3, #assert(job:save(place)))
    assert.equal(3, box:ledger().requests.image)
  end)
end)
