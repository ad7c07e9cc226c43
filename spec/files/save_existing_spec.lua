--- job:save where something is already: what it leaves alone, goes on with or replaces.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local PNG = picture.PNG
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

    it("takes for its own what another handle of the job has saved", function()
      local job, box = made({ prompt = "two cups", count = 2 })
      local paths = assert(job:save(place))
      local beside = ("%s/%s.json"):format(place, job.id)
      local described = folder.read(beside)
      local other = assert(support.client(box):wait(job.id))
      assert.same(paths, assert(other:save(place)))
      assert.same(paths, other.files)
      -- The other knows no request: what the first has written is left.
      assert.equal(described, folder.read(beside))
      os.remove(beside) -- as if the first had been killed before that
      local third = assert(support.client(box):wait(job.id))
      assert.same(paths, assert(third:save(place)))
      assert.equal(paths[2]:match("[^/]*$"), cjson.decode(folder.read(beside)).results[2].file)
      assert.equal(
        job.id .. "-1.png " .. job.id .. "-2.png " .. job.id .. ".json",
        folder.list(place)
      )
    end)

    it("does not take another job's files for its own", function()
      local job = made()
      local path = assert(job:save(place .. "/cup.{ext}"))[1]
      local other = made({ prompt = "a jug" })
      local paths, err = other:save(place .. "/cup.{ext}")
      assert.is_nil(paths)
      assert.equal("file_exists", err.code)
      assert.is_true(job:data(1) == folder.read(path))
    end)

    it("leaves a sidecar alone that names other files of the job", function()
      local job, box = made()
      assert(job:save(place .. "/x.{ext}"))
      local other = assert(support.client(box):wait(job.id))
      local paths, err = other:save(place .. "/y.{ext}")
      assert.is_nil(paths)
      assert.equal("file_exists", err.code)
      assert.same({ place .. "/y.png" }, err.paths)
    end)

    it("records what is there already, as after a kill between the name and the row", function()
      local job = made({ prompt = "two cups", count = 2 }, { ledger = place .. "/l.db" })
      local path = ("%s/a/%s-1.png"):format(place, job.id)
      folder.run("mkdir " .. place .. "/a")
      folder.write(path, assert(job:data(1)))
      assert.same({}, assert(job.client:history())[1].files)
      local paths = assert(job:save(place .. "/a"))
      assert.equal(path, paths[1])
      assert.same(paths, assert(job.client:history())[1].files)
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
end)
