-- job:save and options.save: what lands where, and that nothing else does.

local child = require("spec.helpers.child")
local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP, PNG, IMAGES = picture.CUP, picture.PNG, picture.IMAGES
local made = picture.made
local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW")

describe("saving", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- Makes the next polls say that the job has these results.
  local function answer(box, results)
    picture.answer(box, results, math.huge)
  end

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

  describe("to a folder", function()
    it("gives the paths of the image and writes its sidecar beside", function()
      local job = made()
      local paths = assert(job:save(place))
      assert.same({ ("%s/%s-1.png"):format(place, job.id) }, paths)
      assert.equal(job.id .. "-1.png " .. job.id .. ".json", folder.list(place))
      assert.equal(PNG, folder.read(paths[1]):sub(1, 8))
      assert.same(paths, job.files)
      assert.is_nil(job.save_error)
    end)

    it("makes the folders that are missing", function()
      local job = made()
      local paths = assert(job:save(place .. "/a/b c/ü/"))
      assert.equal(("%s/a/b c/ü/%s-1.png"):format(place, job.id), paths[1])
      assert.truthy(folder.read(paths[1]))
    end)

    it("writes the very bytes that job:data gives", function()
      local job = made(nil, nil, { image_bytes = 300000 })
      local paths = assert(job:save(place))
      assert.is_true(job:data(1) == folder.read(paths[1]))
    end)

    it("writes four images for a count of 4", function()
      local job = made({ prompt = "four cups", count = 4 })
      local paths = assert(job:save(place))
      assert.equal(4, #paths)
      for n, path in ipairs(paths) do
        assert.equal(("%s/%s-%d.png"):format(place, job.id, n), path)
        assert.is_true(job:data(n) == folder.read(path))
      end
    end)

    it("gives files the permissions that new files have", function()
      local job = made()
      local paths = assert(job:save(place))
      folder.run("touch " .. place .. "/mine")
      assert.equal(folder.stat(place .. "/mine", "%a"), folder.stat(paths[1], "%a"))
    end)

    it("leaves out the sidecar with sidecar = false", function()
      local job = made()
      assert(job:save(place, { sidecar = false }))
      assert.equal(job.id .. "-1.png", folder.list(place))
    end)

    it("whose name holds {ext} keeps its name", function()
      local job = made()
      folder.run("mkdir " .. folder.quote(place .. "/a{ext}"))
      local paths = assert(job:save(place .. "/a{ext}"))
      assert.equal(("%s/a{ext}/%s-1.png"):format(place, job.id), paths[1])
      assert.truthy(folder.read(paths[1]))
    end)
  end)

  describe("by a pattern", function()
    it("fills in every placeholder", function()
      local job = made({ prompt = "two cups", count = 2 })
      local paths = assert(job:save(place .. "/{date}/{id}_{n}_{seed}.{ext}"))
      local date = os.date("%Y-%m-%d", math.floor(job.created_at))
      for n, path in ipairs(paths) do
        local seed = job.results[n].seed
        assert.truthy(seed:find("^%d+$"))
        assert.equal(("%s/%s/%s_%d_%s.png"):format(place, date, job.id, n, seed), path)
        assert.truthy(folder.read(path))
      end
      assert.truthy(folder.read(("%s/%s/%s.json"):format(place, date, job.id)))
    end)

    it("puts n behind a seed that comes twice", function()
      local client, box = support.pair()
      local url = box:reference("cup")
      local result = { imageUrl = url, seed = "7", finalPrompt = "cups" }
      answer(box, { result, result })
      local job = assert(client:generate({ prompt = "cups", count = 2 }))
      local paths = assert(job:save(place .. "/{seed}.{ext}", { sidecar = false }))
      assert.same({ place .. "/7.png", place .. "/7-2.png" }, paths)
      assert.equal("7-2.png 7.png", folder.list(place))
    end)

    for extension, bytes in pairs(IMAGES) do
      it(("writes {ext} as %s when the bytes say so"):format(extension), function()
        local job, box = made()
        local headers = { ["Content-Type"] = "text/html" }
        box:fault({ on = "image", action = "body", body = bytes, headers = headers })
        local paths = assert(job:save(place .. "/picture.{ext}", { sidecar = false }))
        assert.same({ place .. "/picture." .. extension }, paths)
        assert.is_true(bytes == folder.read(paths[1]))
      end)
    end

    it("keeps an extension that is written out", function()
      local job = made()
      local paths = assert(job:save(place .. "/cup.jpg", { sidecar = false }))
      assert.same({ place .. "/cup.jpg" }, paths)
    end)

    it("refuses {ext} in the name of a folder, which is made before it is known", function()
      local job, box = made()
      local paths, err = job:save(place .. "/{ext}/{id}.{ext}")
      assert.is_nil(paths)
      assert.equal("validation", err.kind)
      assert.equal("ext_in_folder", err.code)
      assert.equal("where", err.field)
      assert.equal(0, box:ledger().requests.image)
    end)

    it("that cannot be filled in is refused before anything is asked for", function()
      local job, box = made({ prompt = "cups", count = 2 })
      for where, code in pairs({
        [""] = "where_empty",
        ["cups\0.png"] = "nul_byte",
        [("x"):rep(5000)] = "too_long",
        ["{name}.png"] = "unknown_placeholder",
        ["cup.png"] = "pattern_needs_n",
      }) do
        local paths, err = job:save(where)
        assert.is_nil(paths)
        assert.equal("validation", err.kind)
        assert.equal(code, err.code)
      end
      assert.equal(0, box:ledger().requests.image)
    end)
  end)

  describe("writes a sidecar", function()
    it("with what was asked, paid and received", function()
      local request = {
        prompt = 'a "cup"\nof tea: ü',
        ratio = "16:9",
        count = 2,
        style = "studio-product",
        lighting = "soft",
        camera = "close",
        negative = "hands",
      }
      local client = support.pair()
      local metadata = { shelf = "b/3", ["who\t"] = "me" }
      local job = assert(client:generate(request, { metadata = metadata }))
      assert(job:save(place))
      local text = folder.read(("%s/%s.json"):format(place, job.id))
      local sidecar = cjson.decode(text)
      assert.equal(job.id, sidecar.id)
      assert.equal("16:9", sidecar.ratio)
      assert.equal(2, sidecar.count)
      assert.equal(20, sidecar.cost)
      assert.equal(job.idempotency_key, sidecar.idempotency_key)
      assert.same(metadata, sidecar.metadata)
      assert.equal(os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(job.created_at)), sidecar.created_at)
      assert.truthy(math.abs(job.elapsed - sidecar.elapsed) < 0.001)
      request.mode = "text-to-image"
      assert.same(request, sidecar.request)
      assert.equal(2, #sidecar.results)
      for n, result in ipairs(sidecar.results) do
        assert.equal(("%s-%d.png"):format(job.id, n), result.file)
        assert.equal(job.results[n].image_url, result.image_url)
        assert.equal(job.results[n].final_prompt, result.final_prompt)
        assert.equal("string", type(result.seed))
        assert.equal(job.results[n].seed, result.seed)
      end
      assert.truthy(text:find('"image_url": "http://', 1, true))
    end)

    it("with the references of an image-to-image job", function()
      local client, box = support.pair()
      local urls = { box:reference("a"), box:reference("b") }
      local job = assert(client:generate({ prompt = "like this", image_urls = urls }))
      assert(job:save(place))
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.same(urls, sidecar.request.image_urls)
      assert.equal("image-to-image", sidecar.request.mode)
    end)

    it("for a job that was taken up by its id, without its request", function()
      local job, box = made()
      local again = assert(support.client(box):wait(job.id))
      assert(again:save(place))
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal(job.id, sidecar.id)
      assert.is_nil(sidecar.request)
      assert.equal(job.results[1].seed, sidecar.results[1].seed)
    end)

    it("that is JSON whatever bytes the file's name holds", function()
      local job = made()
      local paths = assert(job:save(place .. "/k\228nnchen-{n}.{ext}"))
      assert.same({ place .. "/k\228nnchen-1.png" }, paths)
      assert.truthy(folder.read(paths[1]))
      local text = folder.read(("%s/%s.json"):format(place, job.id))
      assert.is_nil(text:find("[\128-\255]"))
      assert.equal("k\\xE4nnchen-1.png", cjson.decode(text).results[1].file)
      assert(job:save(place .. "/kännchen-{n}.{ext}"))
      text = folder.read(("%s/%s.json"):format(place, job.id))
      assert.equal("kännchen-1.png", cjson.decode(text).results[1].file)
    end)

    it("that is JSON whatever the service says", function()
      local client, box = support.pair()
      local words = '"},\n\27[31m\0 \\" ]'
      local url = box:reference("cup")
      answer(box, { { imageUrl = url, seed = words, finalPrompt = words } })
      local job = assert(client:generate(CUP))
      assert(job:save(place))
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal('"},\n\\x1B[31m\\x00 \\" ]', sidecar.results[1].final_prompt)
    end)
  end)

  describe("where something is already", function()
    it("leaves it alone and says so", function()
      local job = made()
      local path = ("%s/%s-1.png"):format(place, job.id)
      folder.write(path, "mine")
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("io", err.kind)
      assert.equal("file_exists", err.code)
      assert.truthy(err.message:find(path, 1, true))
      assert.same({}, err.paths)
      assert.equal("mine", folder.read(path))
      assert.equal(job.id .. "-1.png", folder.list(place))
      assert.equal(err, job.save_error)
    end)

    it("leaves a sidecar alone and names the images that were saved", function()
      local job = made()
      local path = ("%s/%s.json"):format(place, job.id)
      folder.write(path, "mine")
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("file_exists", err.code)
      assert.same({ ("%s/%s-1.png"):format(place, job.id) }, err.paths)
      assert.equal("mine", folder.read(path))
    end)

    it("goes on with a save of this job that was not finished", function()
      local job, box = made({ prompt = "four cups", count = 4 })
      box:fault({ on = "image", action = "status", status = 410, after = 2 })
      local where = place .. "/x{n}.{ext}"
      local paths, err = job:save(where)
      assert.is_nil(paths)
      assert.equal(3, #err.paths)
      assert.is_nil(job.files)
      local before = box:ledger().requests.image
      paths = assert(job:save(where))
      assert.equal(before + 1, box:ledger().requests.image)
      for n, path in ipairs(paths) do
        assert.equal(("%s/x%d.png"):format(place, n), path)
        assert.is_true(job:data(n) == folder.read(path))
      end
      assert.same(paths, job.files)
      assert.is_nil(job.save_error)
      assert.equal(job.id .. ".json x1.png x2.png x3.png x4.png", folder.list(place))
    end)

    it("takes as done what this job has saved there", function()
      local events, on_event = support.recorder()
      local job, box = made({ prompt = "two cups", count = 2 }, { on_event = on_event })
      local paths = assert(job:save(place, { sidecar = false }))
      local before = box:ledger().requests.image
      local inside
      local saving = gptimage2.spawn(function()
        inside = assert(job:save(place, { sidecar = false }))
      end)
      assert.equal("saved", events[#events].type)
      local told = #events -- events are told by a step, at no other time
      support.finish(saving)
      assert.equal(told + 1, #events)
      assert.same(paths, inside)
      assert.same(paths, assert(job:save(place)))
      assert.equal(before, box:ledger().requests.image)
      assert(job:save(place, { overwrite = true }))
      assert.equal(before + 2, box:ledger().requests.image)
    end)

    local IN_ITS_PLACE = {
      ["a FIFO"] = "mkfifo %s",
      ["a folder"] = "mkdir %s",
      ["a link"] = "echo mine > %s.mine && ln -s %s.mine %s",
      ["another text"] = "echo mine > %s",
      ["a text of its length and age"] = "cp -p %s.before %s && printf x | dd of=%s conv=notrunc "
        .. "2>/dev/null && touch -r %s.before %s",
    }

    for what, command in pairs(IN_ITS_PLACE) do
      it("takes " .. what .. " in an image's place for no image, and is not held up", function()
        local job = made()
        local path = assert(job:save(place))[1]
        folder.run(("mv %s %s.before"):format(path, path))
        assert.equal("", folder.run((command:gsub("%%s", path))))
        local before = folder.run("ls -ld " .. place .. "; ls -l " .. place)
        local paths, err = job:save(place, { sidecar = false })
        assert.is_nil(paths)
        assert.equal("file_exists", err.code, err.message)
        assert.equal(err, job.save_error)
        assert.equal(
          before:gsub("^[^\n]*", ""),
          (folder.run("ls -ld " .. place .. "; ls -l " .. place):gsub("^[^\n]*", ""))
        )
      end)
    end

    it("fetches what is gone again, and replaces its own sidecar", function()
      local job, box = made({ prompt = "two cups", count = 2 })
      local paths = assert(job:save(place))
      local before = box:ledger().requests.image
      os.remove(paths[2])
      assert.same(paths, assert(job:save(place)))
      assert.equal(before + 1, box:ledger().requests.image)
      assert.is_true(job:data(2) == folder.read(paths[2]))
    end)

    it("knows what it has saved under every name of the folder", function()
      local job, box = made({ prompt = "two cups", count = 2 })
      assert(job:save(place .. "/a"))
      local before = box:ledger().requests.image
      folder.link("a", place .. "/link")
      local names = { "/a/", "/./a", "/link", "/a/{id}-{n}.{ext}", "/link/{id}-{n}.png" }
      for _, name in ipairs(names) do
        local paths = assert(job:save(place .. name))
        assert.equal(2, #paths, name)
      end
      assert.equal(before, box:ledger().requests.image)
      folder.write(("%s/a/%s.json"):format(place, "other"), "{}")
      os.rename(place .. "/a/other.json", ("%s/a/%s.json"):format(place, job.id))
      local paths, err = job:save(place .. "/a")
      assert.is_nil(paths) -- that is somebody else's now
      assert.equal("file_exists", err.code)
    end)

    it("saves under other names beside, and tells of them in the sidecar", function()
      local job = made({ prompt = "two cups", count = 2 })
      assert(job:save(place .. "/x-{n}.{ext}"))
      assert(job:save(place .. "/y-{n}.{ext}"))
      local list = job.id .. ".json x-1.png x-2.png y-1.png y-2.png"
      assert.equal(list, folder.list(place))
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal("y-1.png", sidecar.results[1].file)
    end)

    it("does not take another's files for its own", function()
      local job, box = made({ prompt = "two cups", count = 2 })
      assert(job:save(place))
      local other = assert(support.client(box):wait(job.id))
      local paths, err = other:save(place)
      assert.is_nil(paths)
      assert.equal("file_exists", err.code)
    end)

    it("replaces it with overwrite = true", function()
      local job = made()
      local path = ("%s/%s-1.png"):format(place, job.id)
      folder.write(path, "mine")
      folder.write(("%s/%s.json"):format(place, job.id), "mine")
      assert.same({ path }, assert(job:save(place, { overwrite = true })))
      assert.equal(PNG, folder.read(path):sub(1, 8))
      assert.equal(job.id .. "-1.png " .. job.id .. ".json", folder.list(place))
    end)

    it("never writes through a symbolic link", function()
      local job = made()
      local names = { job.id .. "-1.png", job.id .. ".json" }
      local outside = folder.new()
      for _, name in ipairs(names) do
        folder.write(outside .. "/" .. name, "mine")
        folder.link(outside .. "/" .. name, place .. "/" .. name)
      end
      local _, err = job:save(place)
      assert.equal("file_exists", err.code)
      assert(job:save(place, { overwrite = true }))
      for _, name in ipairs(names) do
        assert.equal("mine", folder.read(outside .. "/" .. name))
        assert.equal("regular file", folder.stat(place .. "/" .. name, "%F"))
      end
    end)

    it("never makes what a dangling link points to", function()
      local job = made()
      local outside = folder.new()
      local path = ("%s/%s-1.png"):format(place, job.id)
      folder.link(outside .. "/victim", path)
      local _, err = job:save(place)
      assert.equal("file_exists", err.code)
      assert.equal("", folder.list(outside))
      assert(job:save(place, { overwrite = true }))
      assert.equal("", folder.list(outside))
      assert.equal("regular file", folder.stat(path, "%F"))
    end)

    it("never replaces a folder", function()
      local job = made()
      local path = ("%s/%s-1.png"):format(place, job.id)
      folder.run("mkdir " .. path)
      for _, overwrite in ipairs({ false, true }) do
        local paths, err = job:save(place, { overwrite = overwrite })
        assert.is_nil(paths)
        assert.equal("io", err.kind)
      end
      assert.equal("directory", folder.stat(path, "%F"))
      assert.equal("", folder.list(place))
    end)
  end)

  describe("where it cannot be", function()
    it("says so when the folder is below a file", function()
      local job = made()
      folder.write(place .. "/file", "mine")
      local paths, err = job:save(place .. "/file/images/")
      assert.is_nil(paths)
      assert.equal("io", err.kind)
      assert.truthy(err.message:find(("the folder '%s/file/images'"):format(place), 1, true))
      assert.equal("file", folder.list(place))
      assert.equal("mine", folder.read(place .. "/file"))
    end)

    it("says so when the folder may not be written to", function()
      local locked = place .. "/locked"
      folder.run(("mkdir %s; chmod 555 %s; touch %s/mine"):format(locked, locked, locked))
      if folder.list(locked) ~= "" then
        locked = "/proc/self/fdinfo" -- root may write anywhere but there
      end
      local job = made()
      local paths, err = job:save(locked)
      assert.is_nil(paths)
      assert.equal("io", err.kind)
      assert.equal("succeeded", job.status)
    end)

    it("says so when the name is too long for a file", function()
      local job = made()
      local paths, err = job:save(("%s/%s.{ext}"):format(place, ("x"):rep(300)))
      assert.is_nil(paths)
      assert.equal("io", err.kind)
      assert.equal("", folder.list(place))
    end)

    it("leaves nothing behind when the disk has no room", function()
      -- A limit on the size of files stands in for a full disk: every write beyond it fails.
      local script = place .. "/child.lua"
      folder.write(
        script,
        [[
        local gptimage2 = require("gptimage2")
        local client = assert(gptimage2.new({ api_key = arg[1], base_url = arg[2] }))
        local job = assert(client:wait(arg[3]))
        local paths, err = job:save(arg[4])
        print(paths and "saved" or err.kind .. " " .. #err.paths .. " " .. job.status)
        ]]
      )
      local job, box = made(nil, nil, { image_bytes = 300000 })
      local lua = os.getenv("GPTIMAGE2_SPEC_LUA")
      local words = { lua, script, box.api_key, box.url, job.id, place .. "/images" }
      for i, word in ipairs(words) do
        words[i] = folder.quote(word)
      end
      local output = folder.run("ulimit -f 64; exec " .. table.concat(words, " "))
      assert.equal("io 0 succeeded", output)
      assert.equal("child.lua", folder.list(place))
    end)
  end)

  describe("what the service points to", function()
    --- A job whose only image is at `url`.
    local function job_with_url(url)
      local client, box = support.pair()
      answer(box, picture.at({ url }))
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
      answer(box, results)
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

  describe("to a relative place", function()
    local CODE = [[
      local _, url, key, inside, goes = ...
      local ok, lfs = pcall(require, "lfs")
      if not ok then print("no lfs") return end
      assert(lfs.chdir(inside))
      local options = { api_key = key, base_url = url, ledger = "r.db" }
      options.poll = { first = 0.02, interval = 0.02, max = 0.02 }
      local gptimage2 = require("gptimage2")
      local client = assert(gptimage2.new(options))
      local job = assert(client:submit({ prompt = "a cup" }, { save = "out/{n}.{ext}" }))
      assert(lfs.mkdir("b"))
      if goes == "away" then assert(lfs.chdir("b")) end
      while gptimage2.pending() > 0 do gptimage2.step(0.01) end
      print(job.files and job.files[1] or job.save_error, job.id)
      local file = job.files and io.open(job.files[1])
      local recorded
      for _ = 1, 1000 do -- it is written soon after
        recorded = recorded or client:history()[1].files[1]
        gptimage2.step(recorded and 0 or 0.01)
      end
      print(file and "there", recorded)
    ]]

    local function run(goes)
      local box = support.sandbox()
      local result = child.run(CODE, { box.url, box.api_key, place, goes })
      return result.output, result.errors
    end

    it("is in the folder that the program was in when it asked", function()
      local output, errors = run("away")
      if output == "no lfs\n" then
        pending("lua-filesystem is not here")
        return
      end
      local path, id, there, recorded = output:match("^(%S+)%s+(%S+)%s+(%S+)%s+(%S+)\n$")
      assert.equal(place .. "/out/1.png", path, output .. errors)
      assert.equal("there", there)
      assert.equal(path, recorded)
      local files = " " .. folder.list(place) .. " " -- an id may come before "1"
      for _, name in ipairs({ "out/1.png", "out/" .. id .. ".json", "r.db" }) do
        assert.truthy(files:find(" " .. name .. " ", 1, true), files)
      end
      assert.is_nil(files:find(" b/", 1, true), files)
    end)

    it("is told as it was asked for while the program stays there", function()
      local output, errors = run("nowhere")
      if output == "no lfs\n" then
        pending("lua-filesystem is not here")
        return
      end
      local path, _, there, recorded = output:match("^(%S+)%s+(%S+)%s+(%S+)%s+(%S+)\n$")
      assert.equal("out/1.png", path, output .. errors)
      assert.equal("there", there)
      assert.equal(place .. "/out/1.png", recorded)
    end)
  end)

  describe("several images", function()
    it("goes on side by side", function()
      local client, box = support.pair()
      local job = assert(client:generate({ prompt = "cups", count = 4 }))
      box:fault({ on = "image", action = "hang", times = 3 })
      local saving = gptimage2.spawn(function()
        return job:save(place)
      end)
      support.step_until(function()
        return box:ledger().requests.image == 4
      end)
      support.step_until(function()
        return folder.list(place):find("%-%d%.png")
      end)
      assert.is_false(saving:done())
      client:close()
      local _, err = saving:wait()
      assert.equal("closed", err.kind)
      assert.equal(1, #err.paths)
    end)

    it("names the images that were saved when one was not", function()
      local job, box = made({ prompt = "cups", count = 3 })
      box:fault({ on = "image", action = "status", status = 410 })
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("image_refused", err.code)
      assert.equal(2, #err.paths)
      for _, path in ipairs(err.paths) do
        assert.equal(PNG, folder.read(path):sub(1, 8))
      end
      assert.equal(2, select(2, folder.list(place):gsub("%.png", "")))
      assert.is_nil(folder.list(place):find("json", 1, true))
    end)

    it("of several jobs may go into one folder at once", function()
      local client = support.pair()
      local jobs = {}
      for i = 1, 5 do
        jobs[i] = assert(client:submit({ prompt = "cups", count = 2 }))
      end
      local saved = 0
      for _, job in ipairs(jobs) do
        support.finish(job)
        gptimage2.spawn(function()
          local paths = assert(job:save(place))
          saved = saved + #paths
        end)
      end
      gptimage2.run()
      assert.equal(10, saved)
      assert.equal(10, select(2, folder.list(place):gsub("%.png", "")))
      assert.equal(5, select(2, folder.list(place):gsub("%.json", "")))
    end)
  end)

  describe("that is not finished", function()
    --- Lets a download write its first bytes and wait for its next attempt.
    local function begin()
      local client, box = support.pair(nil, { image_bytes = 200000 })
      local job = assert(client:generate(CUP))
      box:fault({ on = "image", action = "truncate", bytes = 50000 })
      box:fault({ on = "image", action = "hang", times = math.huge })
      local saving = gptimage2.spawn(function()
        return job:save(place)
      end)
      support.step_until(function()
        return box:ledger().requests.image == 2
      end)
      return client, saving
    end

    it("is a hidden file that nobody else can read", function()
      begin()
      local name = folder.list(place)
      assert.truthy(name:find("^%.gptimage2%-%x+%.part$"), name)
      assert.equal("600 regular file", folder.stat(place .. "/" .. name, "%a %F"))
    end)

    it("ends when the client is closed, and leaves nothing behind", function()
      local client, saving = begin()
      client:close()
      local paths, err = saving:wait()
      assert.is_nil(paths)
      assert.equal("closed", err.kind)
      assert.equal("client_closed", err.code)
      assert.same({}, err.paths)
      assert.equal(0, gptimage2.pending())
      assert.equal("", folder.list(place))
    end)
  end)

  describe("a job that has no images", function()
    it("is refused", function()
      local client, box = support.pair()
      box:fault({ on = "job", action = "fail" })
      local job = support.finish(assert(client:submit(CUP)))
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("validation", err.kind)
      assert.equal("not_succeeded", err.code)
      assert.equal(job.id, err.job_id)
      assert.equal("", folder.list(place))
    end)

    it("is refused after the client was closed, with kind closed", function()
      local client = support.pair()
      local job = assert(client:generate(CUP))
      client:close()
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal("closed", err.kind)
    end)
  end)

  it("raises for arguments of the wrong type", function()
    local job = made()
    for _, call in ipairs({
      { nil },
      { 5 },
      { {} },
      { place, 5 },
      { place, { overwrite = 1 } },
      { place, { override = true } },
    }) do
      assert.has_error(function()
        job:save(call[1], call[2])
      end)
    end
    local _, message = pcall(job.save, job, place, { overwrit = true })
    assert.truthy(tostring(message):find("did you mean 'overwrite'?", 1, true))
  end)

  describe("asked for with options.save", function()
    it("is done when generate comes back", function()
      local client = support.pair()
      local job = assert(client:generate(CUP, { save = place }))
      assert.same({ ("%s/%s-1.png"):format(place, job.id) }, job.files)
      assert.equal(job.id .. "-1.png " .. job.id .. ".json", folder.list(place))
    end)

    it("takes the options of job:save", function()
      local client = support.pair()
      local where = place .. "/cup.{ext}"
      folder.write(place .. "/cup.png", "mine")
      local options = { save = { where, overwrite = true, sidecar = false } }
      local job = assert(client:generate(CUP, options))
      assert.same({ place .. "/cup.png" }, job.files)
      assert.equal("cup.png", folder.list(place))
      assert.equal(PNG, folder.read(place .. "/cup.png"):sub(1, 8))
    end)

    it("follows submit by itself, and a saved event tells the paths", function()
      local events, on_event = support.recorder()
      local client = support.pair({ on_event = on_event })
      local job = assert(client:submit(CUP, { save = place, metadata = { shelf = "b" } }))
      support.step_until(function()
        return job.files
      end)
      local last = events[#events]
      assert.equal("saved", last.type)
      assert.equal(job, last.job)
      assert.equal(job.id, last.id)
      assert.same(job.files, last.paths)
      assert.same({ shelf = "b" }, last.metadata)
      assert.equal("number", type(last.time))
      assert.truthy(folder.read(job.files[1]))
    end)

    it("is waited for by a save of the same job, which gives the same files", function()
      local client, box = support.pair()
      for _, where in ipairs({ place, place .. "/.", place .. "/x-{n}.{ext}" }) do
        local job = assert(client:submit(CUP, { save = where }))
        assert(job:wait())
        local before = box:ledger().requests.image
        local paths = assert(job:save(where))
        assert.same(paths, job.files)
        assert.is_nil(job.save_error)
        assert.is_true(box:ledger().requests.image <= before + 1)
      end
      assert.equal(3, box:ledger().requests.image)
    end)

    it("does not hold generate up for longer than the job's timeout, and goes on", function()
      local client, box = support.pair()
      box:fault({ on = "image", action = "hang" })
      local timeout = support.seconds(0.3)
      local function expect_timeout(job)
        assert.equal("succeeded", job.status)
        assert.is_nil(job.files)
        assert.equal("timeout", job.save_error.kind)
        assert.equal("wait_timeout", job.save_error.code)
        assert.equal(job.id, job.save_error.job_id)
        assert.equal(1, gptimage2.pending())
      end
      local start = gptimage2.now()
      expect_timeout(assert(client:generate(CUP, { timeout = timeout, save = place })))
      assert.is_true(gptimage2.now() - start >= timeout)
      client:close()
      client = support.client(box)
      box:fault({ on = "image", action = "delay", seconds = 3 * timeout })
      local job
      support.finish(gptimage2.spawn(function()
        job = assert(client:generate(CUP, { timeout = timeout, save = place }))
      end))
      expect_timeout(job)
      support.step_until(function()
        return job.files
      end)
      assert.is_nil(job.save_error)
      assert.equal(PNG, folder.read(job.files[1]):sub(1, 8))
    end)

    it("that fails does not fail the job", function()
      local events, on_event = support.recorder()
      local client, box = support.pair({ on_event = on_event })
      box:fault({ on = "image", action = "status", status = 410, times = math.huge })
      local job = assert(client:generate(CUP, { save = place }))
      assert.equal("succeeded", job.status)
      assert.is_nil(job.error)
      assert.is_nil(job.files)
      assert.equal("image_refused", job.save_error.code)
      assert.is_nil(support.types(events):find("saved", 1, true))
    end)

    it("is not tried when the job fails", function()
      local client, box = support.pair()
      box:fault({ on = "job", action = "fail" })
      local job, err = client:generate(CUP, { save = place })
      assert.is_nil(job)
      assert.equal("job_failed", err.kind)
      assert.equal("", folder.list(place))
    end)

    it("is refused before anything is spent when it cannot be done", function()
      local client, box = support.pair()
      for where, code in pairs({
        [""] = "where_empty",
        [place .. "/{name}.png"] = "unknown_placeholder",
        [place .. "/cup.png"] = "pattern_needs_n",
        [place .. "/a\0b"] = "nul_byte",
      }) do
        local job, err = client:generate({ prompt = "cups", count = 2 }, { save = where })
        assert.is_nil(job)
        assert.equal("validation", err.kind)
        assert.equal(code, err.code)
      end
      assert.equal(0, box:ledger().connections)
      assert.equal(0, client.spent)
    end)

    it("is refused before anything is spent when the disk says no", function()
      local client, box = support.pair()
      local locked = place .. "/locked"
      folder.run(("mkdir %s; chmod 555 %s; touch %s/mine"):format(locked, locked, locked))
      if folder.list(locked) ~= "" then
        locked = "/proc/self/fdinfo" -- root may write anywhere but there
      end
      folder.write(place .. "/cup.png", "mine")
      folder.write(place .. "/cup2.png", "mine")
      folder.run("mkdir " .. place .. "/1.png")
      folder.link("nowhere", place .. "/link")
      local before = folder.list(place)
      local long = ("x"):rep(300)
      for _, case in ipairs({
        { place .. "/cup.png", "file_exists" },
        { place .. "/cup{n}.png", "file_exists" }, -- the second of two
        { { place .. "/{n}.png", overwrite = true }, "bad_place" }, -- a folder
        { place .. "/cup.png/below/", "bad_place" },
        { place .. "/cup.png/{id}-{n}.png", "bad_place" },
        { place .. "/link/{n}.png", "file_failed" },
        { ("%s/%s{n}.png"):format(place, long), "path_too_long" },
        { ("%s/{id}%s/{n}.png"):format(place, long), "path_too_long" },
        { ("%s/%s/"):format(place, long), "path_too_long" },
        { locked, nil },
        { locked .. "/a/{n}.png", nil },
      }) do
        local where, code = case[1], case[2]
        local count = where == place .. "/cup.png" and 1 or 2
        for _, call in ipairs({ client.generate, client.submit }) do
          local job, err = call(client, { prompt = "cups", count = count }, { save = where })
          assert.is_nil(job, tostring(where))
          assert.equal("io", err.kind)
          assert.equal(code or err.code, err.code, err.message)
          assert.equal("no", err.sent)
          assert.equal("no", err.charged)
        end
      end
      assert.equal(0, box:ledger().connections)
      assert.equal(0, client.spent)
      assert.equal(before, folder.list(place))
    end)

    it("is not refused for what may turn out well", function()
      local client = support.pair()
      folder.write(place .. "/cup.png", "mine")
      local options = { save = { place .. "/cup.png", overwrite = true, sidecar = false } }
      assert(client:generate(CUP, options).files)
      assert(client:generate(CUP, { save = place .. "/a/b/{date}/cup.png" }).files)
      local job = assert(client:generate(CUP, { save = place .. "/cup.{ext}" })) -- a PNG again
      assert.equal("file_exists", job.save_error.code)
    end)
  end)

  it("of a 64 MiB image works", function()
    if SLOW then
      return pending("it says nothing that smaller images do not, and takes long here")
    end
    local job = made(nil, nil, { image_bytes = 64 * 1024 * 1024 })
    local paths = assert(job:save(place))
    assert.equal(tostring(64 * 1024 * 1024), folder.stat(paths[1], "%s"))
  end)
end)
