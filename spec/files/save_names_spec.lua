--- Where job:save puts its files: patterns of names, relative places, and those that cannot be.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local IMAGES = picture.IMAGES
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
      picture.answer_all(box, { result, result })
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
end)
