--- The sandbox as the service: jobs, polls, images and references.

local boxes = require("spec.helpers.boxes")
local client = require("spec.helpers.curl")

local CURL, JSON = client.COMMAND, client.JSON
local create, curl, field = client.create, client.fetch, client.field
local poll = client.poll
local start = boxes.start

-- Width and height, if the bytes are a whole PNG file.
local function png_size(bytes)
  if bytes:sub(1, 8) ~= "\137PNG\r\n\26\n" or bytes:sub(-8, -5) ~= "IEND" then
    return nil
  end
  local function number(at)
    local a, b, c, d = bytes:byte(at, at + 3)
    return ((a * 256 + b) * 256 + c) * 256 + d
  end
  return number(17), number(21)
end

describe("the sandbox", function()
  after_each(boxes.clean)

  describe("creating a job", function()
    it("reserves credits and answers 202 with id and balance", function()
      local box = start()
      local reply = create(box, '{"prompt":"a cup","count":2}')
      assert.equal(202, reply.status)
      assert.equal("pending", field(reply.body, "status"))
      assert.truthy(field(reply.body, "jobId"):match("^%x+%-%x+%-4%x+%-[89ab]%x+%-%x+$"))
      assert.equal(480, field(reply.body, "paidCredits"))
      assert.equal(48, field(reply.body, "totalImages"))
      assert.equal(0, field(reply.body, "freeImagesRemaining"))
      assert.equal(0, field(reply.body, "freeImagesPerDay"))
      local books = box:ledger()
      assert.equal(480, books.credits)
      assert.equal(20, books.charged)
      assert.equal(field(reply.body, "jobId"), books.jobs[1].id)
      assert.equal('{"prompt":"a cup","count":2}', books.jobs[1].body)
    end)

    it("refuses a wrong key", function()
      local box = start({ api_key = "right" })
      local url = box.url .. "/api/generate"
      local bearer, bare = "-H 'Authorization: Bearer wrong' ", "-H 'Authorization: right' "
      for _, header in ipairs({ "", bearer, bare }) do
        local reply = curl(header .. JSON .. '--data \'{"prompt":"x"}\' ' .. url)
        assert.equal(401, reply.status)
        assert.equal("unauthorized", field(reply.body, "error"))
      end
      assert.equal(401, curl(url .. "/some-id").status)
      assert.equal(0, #box:ledger().jobs)
    end)

    it("refuses what the documentation does not allow, with its code", function()
      local box = start()
      local i2i = '{"prompt":"x","mode":"image-to-image"'
      for body, code in pairs({
        ["{}"] = "prompt_required",
        ['{"prompt":" \\n "}'] = "prompt_required",
        ['{"prompt":5}'] = "prompt_required",
        ['{"prompt":"\227\128\128 \\ufeff\\u00a0"}'] = "prompt_required",
        ['{"prompt":'] = "invalid_json",
        ["[1]"] = "invalid_json",
        ['{"prompt":"x","mode":"video"}'] = "invalid_mode",
        ['{"prompt":"x","ratio":"2:1"}'] = "invalid_ratio",
        ['{"prompt":"x","ratio":1}'] = "invalid_ratio",
        ['{"prompt":"x","count":"2"}'] = "invalid_count",
        ['{"prompt":"x","style":1}'] = "invalid_style",
        [i2i .. "}"] = "image_urls_required",
        [i2i .. ',"imageUrls":[]}'] = "image_urls_required",
        [i2i .. ',"imageUrls":["ftp://x/y"]}'] = "invalid_image_url",
      }) do
        local reply = create(box, body)
        assert.equal(400, reply.status, body)
        assert.equal(code, field(reply.body, "error"), body)
      end
      assert.equal(500, box:ledger().credits)
    end)

    it("caps the count between 1 and 4", function()
      local box = start()
      create(box, '{"prompt":"x","count":9}')
      create(box, '{"prompt":"x","count":0}')
      local books = box:ledger()
      assert.equal(4, books.jobs[1].count)
      assert.equal(1, books.jobs[2].count)
      assert.equal(450, books.credits)
    end)

    it("refuses what the account cannot pay", function()
      local box = start({ credits = 15 })
      assert.equal(202, create(box).status)
      local reply = create(box)
      assert.equal(402, reply.status)
      assert.equal("insufficient_credits", field(reply.body, "error"))
      assert.equal(5, box:ledger().credits)
    end)

    it("gives the free images of the day first, and new ones the next day", function()
      local box = start({ credits = 10, free_per_day = 2 })
      local reply = create(box, '{"prompt":"x","count":3}')
      assert.equal(202, reply.status)
      assert.equal(0, field(reply.body, "paidCredits"))
      assert.equal(0, field(reply.body, "freeImagesRemaining"))
      assert.equal(402, create(box).status)
      box:advance(86400)
      assert.equal(1, field(create(box).body, "freeImagesRemaining"))
    end)

    it("refuses other content types, and bodies above 256 KiB", function()
      local box = start()
      local key = "-H 'Authorization: Bearer sandbox' --data "
      assert.equal(415, curl(key .. "'{}' " .. box.url .. "/api/generate").status)
      local path = os.tmpname()
      local file = assert(io.open(path, "wb"))
      file:write('{"prompt":"', ("x"):rep(256 * 1024), '"}')
      file:close()
      local reply = curl(JSON .. key .. "@" .. path .. " " .. box.url .. "/api/generate")
      os.remove(path)
      assert.equal(413, reply.status)
      assert.equal("payload_too_large", field(reply.body, "error"))
    end)

    it("makes one job for one idempotency key", function()
      local box = start()
      local header = "-H 'Idempotency-Key: k1' "
      local first = create(box, nil, header)
      local second = create(box, nil, header)
      assert.equal(202, second.status)
      assert.equal(field(first.body, "jobId"), field(second.body, "jobId"))
      assert.truthy(second.head:find("idempotent-replayed: true", 1, true))
      local other = create(box, '{"prompt":"other"}', header)
      assert.equal(422, other.status)
      assert.equal("idempotency_key_reused", field(other.body, "error"))
      local books = box:ledger()
      assert.equal(1, #books.jobs)
      assert.equal(490, books.credits)
      assert.equal("k1", books.jobs[1].key)
      assert.equal(3, books.jobs[1].posts)
    end)

    it("ignores idempotency keys when told so", function()
      local box = start({ idempotency = false })
      create(box, nil, "-H 'Idempotency-Key: k1' ")
      create(box, nil, "-H 'Idempotency-Key: k1' ")
      assert.equal(2, #box:ledger().jobs)
      assert.equal(480, box:ledger().credits)
    end)
  end)

  describe("polling a job", function()
    it("goes from pending through running to succeeded", function()
      local box = start({ duration = 900 })
      local id = field(create(box).body, "jobId")
      local reply = poll(box, id)
      assert.equal(202, reply.status)
      assert.equal("pending", field(reply.body, "status"))
      box:advance(400)
      reply = poll(box, id)
      assert.equal(202, reply.status)
      assert.equal("running", field(reply.body, "status"))
      box:advance(501)
      reply = poll(box, id)
      assert.equal(200, reply.status)
      assert.equal("succeeded", field(reply.body, "status"))
      assert.equal(3, box:ledger().jobs[1].polls)
    end)

    it("takes as long as its spread says, the same for the same seed", function()
      local function lengths(options)
        local box, list = start({ duration = options, credits = 1000 }), {}
        for i = 1, 12 do
          create(box)
          list[i] = box:ledger().jobs[i].duration
        end
        table.sort(list)
        return list
      end
      local some = lengths({ median = 25, sigma = 0.35, scale = 2 })
      assert.is_true(some[1] > 10 and some[6] > 30 and some[6] < 80 and some[12] < 250)
      assert.is_true(some[12] > 1.3 * some[1])
      assert.same(some, lengths({ median = 50, sigma = 0.35, seed = 1 }))
      assert.not_same(some, lengths({ median = 50, sigma = 0.35, seed = 2 }))
      local even = lengths({ median = 3 })
      assert.equal(3, even[1])
      assert.equal(3, even[12])
    end)

    it("is over when its own time has come", function()
      local box = start({ duration = { median = 1000, sigma = 0.5 } })
      box:fault({ on = "job", action = "fail", times = math.huge })
      for _ = 1, 10 do
        create(box)
      end
      local jobs = box:ledger().jobs
      table.sort(jobs, function(a, b)
        return a.duration < b.duration
      end)
      box:advance((jobs[5].duration + jobs[6].duration) / 2)
      for i, job in ipairs(jobs) do
        assert.equal(i <= 5 and 200 or 202, poll(box, job.id).status)
      end
      local refunded = 0
      for _, job in ipairs(box:ledger().jobs) do
        refunded = refunded + (job.refunded and 1 or 0)
      end
      assert.equal(5, refunded)
    end)

    it("gives a URL, a seed as a string and the final prompt for each image", function()
      local box = start({ duration = 0 })
      local body = '{"prompt":" a \\"cup\\" ","count":2,"style":"studio-product",'
        .. '"lighting":"soft light","camera":"85mm","negative":"dogs"}'
      local id = field(create(box, body).body, "jobId")
      local reply = poll(box, id).body
      local final = 'a \\"cup\\", studio-product, soft light, 85mm --avoid: dogs'
      assert.truthy(reply:find('"finalPrompt":"' .. final .. '"', 1, true), reply)
      for n = 1, 2 do
        local url = ("%s/generated/%s-%d.png"):format(box.url, id, n)
        assert.truthy(reply:find('"imageUrl":"' .. url .. '"', 1, true), reply)
      end
      assert.truthy(reply:find('"seed":"%d+"'))
      assert.equal('a "cup"', box:ledger().jobs[1].prompt)
    end)

    it("knows no other ids", function()
      local reply = poll(start(), "no-such-job")
      assert.equal(404, reply.status)
      assert.equal("job_not_found", field(reply.body, "error"))
    end)

    it("answers 404 and 405 elsewhere", function()
      local box = start()
      assert.equal(404, curl(box.url .. "/").status)
      assert.equal(405, curl(box.url .. "/api/generate").status)
      assert.equal(2, box:ledger().requests.other)
    end)
  end)

  describe("an image", function()
    it("is a PNG file in the shape of its ratio", function()
      local box = start({ duration = 0 })
      local sizes = {
        ["1:1"] = { 64, 64 },
        ["16:9"] = { 64, 36 },
        ["9:16"] = { 36, 64 },
        ["4:3"] = { 64, 48 },
        ["3:4"] = { 48, 64 },
      }
      for ratio, size in pairs(sizes) do
        local body = ('{"prompt":"x","ratio":"%s"}'):format(ratio)
        local id = field(create(box, body).body, "jobId")
        local reply = curl(box.url .. "/generated/" .. id .. "-1.png")
        assert.equal(200, reply.status)
        assert.truthy(reply.head:find("content-type: image/png", 1, true))
        assert.truthy(reply.head:find("content-length: " .. #reply.body, 1, true))
        assert.same(size, { png_size(reply.body) })
        assert.equal(404, curl(box.url .. "/generated/" .. id .. "-2.png").status)
      end
    end)

    it("is not there before the job has succeeded", function()
      local box = start({ duration = 1000 })
      local id = field(create(box).body, "jobId")
      assert.equal(404, curl(box.url .. "/generated/" .. id .. "-1.png").status)
    end)

    it("is served in ranges", function()
      local box = start()
      local url = box:reference("cup")
      local whole = curl(url)
      local tag = whole.head:match('etag: ("[^"]+")')
      local size = #whole.body
      local part = curl("--range 10-19 " .. url)
      assert.equal(206, part.status)
      assert.equal(whole.body:sub(11, 20), part.body)
      assert.truthy(part.head:find(("content-range: bytes 10-19/%d"):format(size), 1, true))
      assert.equal(whole.body:sub(-5), curl("--range -5 " .. url).body)
      assert.equal(whole.body:sub(101), curl("--range 100- " .. url).body)
      assert.equal(416, curl("--range " .. size .. "- " .. url).status)
      assert.equal(206, curl(("--range 0-9 -H 'If-Range: %s' "):format(tag) .. url).status)
      assert.equal(200, curl("--range 0-9 -H 'If-Range: \"old\"' " .. url).status)
      assert.equal("bytes=10-19", box:ledger().log[2].range)
      local head = curl("--head " .. url)
      assert.truthy(head.head:find("content-length: " .. size, 1, true))
    end)

    it("can be padded to an exact size, and stays a PNG file", function()
      local box = start({ duration = 0, image_bytes = 300000 })
      local id = field(create(box).body, "jobId")
      local reply = curl(box.url .. "/generated/" .. id .. "-1.png")
      assert.equal(300000, #reply.body)
      assert.same({ 64, 64 }, { png_size(reply.body) })
    end)

    it("is noted with whether an authorization was sent", function()
      local box = start()
      curl(box:reference("cup"))
      curl("-A tester -H 'Authorization: Bearer sandbox' " .. box:reference("cup"))
      local log = box:ledger().log
      assert.is_false(log[1].authorization)
      assert.is_true(log[2].authorization)
      assert.equal("tester", log[2].user_agent)
      assert.equal("GET", log[2].method)
      assert.equal("/reference/cup.png", log[2].path)
      assert.equal(200, log[2].status)
    end)

    it("stays in sight while further ones come in", function()
      local box = start()
      local count = 1000
      local names = ("'%s/reference/[1-%d].txt'"):format(box.url, count)
      local asking = assert(io.popen(CURL .. "-o /dev/null " .. names .. "; echo done"))
      local seen = 0
      for _ = 1, 20000 do
        local log = box:ledger().log
        assert.is_true(#log >= seen)
        seen = #log
        if seen > 0 then
          assert.equal("/reference/1.txt", log[1].path)
        end
        if seen == count then
          break
        end
      end
      assert.equal("done\n", asking:read("*a"))
      asking:close()
      assert.equal(count, #box:ledger().log)
    end)
  end)

  describe("a reference", function()
    it("is a small image, or a text that is none", function()
      local box = start()
      assert.truthy(png_size(curl(box:reference("cup")).body))
      local text = curl(box:reference("cup.txt"))
      assert.truthy(text.head:find("content-type: text/plain", 1, true))
      assert.equal(2, box:ledger().requests.reference)
    end)

    it("refuses names that are none", function()
      local box = start()
      for _, name in ipairs({ "", "a/b", "a b", "..", "a\0b", ("x"):rep(200) }) do
        assert.is_false(pcall(box.reference, box, name))
      end
    end)
  end)
end)
