--- options.save: a job that is saved by itself, and a place that is refused before it is paid.

local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP, PNG = picture.CUP, picture.PNG

describe("saving", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
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
end)
