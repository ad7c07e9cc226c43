--- job:save: the images, the sidecar and nothing else land in the folder, whole and at once.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP, PNG = picture.CUP, picture.PNG
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
      picture.answer_all(box, { { imageUrl = url, seed = words, finalPrompt = words } })
      local job = assert(client:generate(CUP))
      assert(job:save(place))
      local sidecar = cjson.decode(folder.read(("%s/%s.json"):format(place, job.id)))
      assert.equal('"},\n\\x1B[31m\\x00 \\" ]', sidecar.results[1].final_prompt)
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

  it("of a 64 MiB image works", function()
    if SLOW then
      return pending("it says nothing that smaller images do not, and takes long here")
    end
    local job = made(nil, nil, { image_bytes = 64 * 1024 * 1024 })
    local paths = assert(job:save(place))
    assert.equal(tostring(64 * 1024 * 1024), folder.stat(paths[1], "%s"))
  end)
end)
