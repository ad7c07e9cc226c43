--- What is asked for besides, and once more: `again` before anything is made, a request behind a
--- picture that was kept, one that was made before. Each is paid once, and is there to be chosen.

local assets = require("gptimage2.assets")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local BRICK = { ["a.png"] = "subject = 'brick'" }
local MOSSY = { ["a.png"] = "subject = 'mossy'" }
local WOODEN = { ["a.png"] = "subject = 'wooden'" }

describe("a picture", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local box, where
  before_each(function()
    box = support.sandbox()
    where = { base_url = box.url }
  end)

  --- Which of its candidates lies at the path.
  local function candidate_at(art)
    local hash = art:read("pictures.lock"):match('"hash":"(%x+)"')
    for n = 1, 3 do
      local record = art:read((".gptimage2/requests/%s/%d.json"):format(hash, n)) or ""
      local object = record:match('"object": "(%x+)"')
      if object and art:read(".gptimage2/objects/" .. object) == art:read("a.png") then
        return n
      end
    end
  end

  describe("that was kept or edited", function()
    local KEEP = {
      keep = function() end,
      edited = function(art)
        folder.write(art.base .. "a.png", "edited")
      end,
    }
    for what, prepare in pairs(KEEP) do
      it(("gives way to a new request: %s"):format(what), function()
        local art = pictures.new(BRICK):connect(box)
        assert(art:build())
        art:write(MOSSY)
        prepare(art)
        assert(assets.accept(art.manifest, "a.png", what, where))
        art:write(WOODEN)
        assert.equal(1, assert(art:build({ stale = "make" })).made)
        assert.equal("a.png fresh", art:states())
        assert.equal(1, candidate_at(art))
        assert.equal(20, pictures.paid(box))
      end)
    end

    it("gives way to the one of several that is chosen", function()
      local art = pictures.new(BRICK):connect(box)
      assert(art:build())
      art:write(MOSSY)
      assert(assets.accept(art.manifest, "a.png", "keep", where))
      art:write({ ["a.png"] = "subject = 'wooden', candidates = 3" })
      local kept = art:read("a.png")
      assert(art:build({ stale = "make" }))
      assert.equal(kept, art:read("a.png"))
      assert.equal("a.png unreviewed", art:states())
      assert(assets.accept(art.manifest, "a.png", 2, where))
      assert.equal(2, candidate_at(art))
      assert.equal(40, pictures.paid(box))
    end)

    it("gets one more, and no other besides", function()
      local art = pictures.new(BRICK):connect(box)
      assert(art:build())
      art:write(MOSSY)
      assert(assets.accept(art.manifest, "a.png", "keep", where))
      assert(assets.again(art.manifest, "a.png", where))
      assert.equal(10, assert(art:build()).credits)
      assert.equal("a.png unreviewed", art:states())
      assert(assets.accept(art.manifest, "a.png", 1, where))
      assert.equal(1, candidate_at(art))
    end)
  end)

  describe("that is asked for again before it is there", function()
    for late = 0, 1 do
      it(("waits with both, whichever comes first: %d"):format(late), function()
        local art = pictures.new(BRICK):connect(box)
        assert(assets.again(art.manifest, "a.png", where))
        box:fault({ on = "create", action = "delay", seconds = 1, after = late, times = 1 })
        assert.equal(20, assert(art:build()).credits)
        assert.is_nil(art:read("a.png"))
        assert.equal("a.png unreviewed", art:states())
        assert(assets.accept(art.manifest, "a.png", 2, where))
        assert.equal(2, candidate_at(art))
        assert.equal("a.png fresh", art:states())
      end)
    end

    it("is made bit by bit, as the budget allows", function()
      local art = pictures.new(BRICK):connect(box)
      assert(assets.again(art.manifest, "a.png", where))
      local some = { budget = 10, cutoff = "soft" }
      assert.is_true(assert(art:build(some)).over)
      assert.equal("a.png new", art:states())
      assert.is_nil(art:read("a.png"))
      assert.equal(1, assert(art:build(some)).made)
      assert.equal("a.png unreviewed", art:states())
      assert.equal(20, pictures.paid(box))
    end)

    it("keeps the wish when the first is accepted", function()
      local art = pictures.new(BRICK):connect(box)
      assert(assets.again(art.manifest, "a.png", where))
      assert(art:build({ budget = 10, cutoff = "soft" }))
      assert(assets.accept(art.manifest, "a.png", 1, where))
      assert.equal("a.png new", art:states())
      assert(art:build())
      assert(assets.accept(art.manifest, "a.png", 2, where))
      assert.equal(2, candidate_at(art))
    end)
  end)

  it("is known where a build put it that was killed before the lock said so", function()
    local art = pictures.new(BRICK):connect(box)
    assert(art:build())
    local lock = art:read("pictures.lock")
    local head, hash = lock:match("^[^\n]+\n"), lock:match('"hash":"(%x+)"')
    folder.write(art.base .. "pictures.lock", head)
    art:write({ ["a.png"] = "subject = 'brick', candidates = 2" })
    assert.equal(1, assert(art:build()).made)
    assert.equal("a.png unreviewed", art:states())
    assert(assets.accept(art.manifest, "a.png", 2, where))
    assert.equal(2, candidate_at(art))
    assert.matches(hash, art:read("pictures.lock"))
  end)

  describe("whose request was made before", function()
    --- Brick, then mossy, then brick again.
    local function back(fields)
      local art = pictures.new({ ["a.png"] = BRICK["a.png"] .. fields }):connect(box)
      assert(art:build())
      if fields ~= "" then
        assert(assets.accept(art.manifest, "a.png", 1, where))
      end
      art:write(MOSSY)
      assert(art:build({ stale = "make" }))
      art:write({ ["a.png"] = BRICK["a.png"] .. fields })
      return art
    end

    it("is taken from the store, when it is asked for", function()
      local art = back("")
      local mossy = art:read("a.png")
      assert(art:build())
      assert.equal(mossy, art:read("a.png"))
      local all = { client = art.client, stale = "make" }
      local plan = assert(assets.plan(art.manifest, all))
      assert.same({ 0, true, 1 }, { plan.cost, plan.work, plan.counts.stale })
      assert.matches("a store has it$", plan.lines[1].reason)
      local report = assert(art:build(all))
      assert.same({ true, 0, 1 }, { report.ok, report.made, report.restored })
      assert.equal(1, candidate_at(art))
      assert.not_equal(mossy, art:read("a.png"))
      assert.is_false(assert(assets.plan(art.manifest, all)).work)
      assert.equal(20, pictures.paid(box))
    end)

    it("waits with several", function()
      local art = back(", candidates = 2")
      assert(art:build({ stale = "make" }))
      assert.equal("a.png unreviewed", art:states())
      assert(assets.accept(art.manifest, "a.png", 2, where))
      assert.equal(2, candidate_at(art))
      assert.equal(30, pictures.paid(box))
    end)

    it("can be decided about at once where the other was never chosen", function()
      local art = pictures.new({ ["a.png"] = "subject = 'brick', candidates = 2" }):connect(box)
      assert(art:build())
      assert(assets.accept(art.manifest, "a.png", 2, where))
      art:write({ ["a.png"] = "subject = 'mossy', candidates = 2" })
      assert(art:build({ stale = "make" }))
      art:write({ ["a.png"] = "subject = 'brick', candidates = 2" })
      assert.equal("a.png unreviewed", art:states())
      assert(assets.accept(art.manifest, "a.png", 1, where))
      assert.equal(1, candidate_at(art))
      assert.equal(40, pictures.paid(box))
    end)
  end)

  it("counts as restored wherever it comes from", function()
    local art = pictures.new(BRICK):connect(box)
    assert(art:build())
    os.remove(art.base .. "a.png")
    os.remove(art.base .. "pictures.lock")
    local told = 0
    local report = assert(art:build({
      on_progress = function(event)
        told = told + (event.type == "restored" and 1 or 0)
      end,
    }))
    assert.same({ 1, 1, 0 }, { told, report.restored, report.made })
    assert.matches("^\137PNG", art:read("a.png"))
  end)
end)
