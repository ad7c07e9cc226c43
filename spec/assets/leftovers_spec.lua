--- What a build that was ended has left in the ledger, and nobody waits for any more: it is never
--- paid, by a build or by `recover`, and what is paid comes into the store.

local assets = require("gptimage2.assets")
local audit = require("gptimage2.ledger.audit")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

--- How many rows of a folder's ledger have a state.
local function rows(art, state)
  return #assert(art.client:history({ state = state }))
end

local function audit_of(art)
  return assert(audit.of({ ledger = art.base .. ".gptimage2/ledger.db" }, {}, function() end))
end

describe("what nobody waits for any more", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local box, shared
  before_each(function()
    box = support.sandbox({ duration = 0.3 })
    shared = folder.new() .. "/shared"
  end)

  --- Another machine with the same lock makes all, into the store that both have.
  local function make_elsewhere(art)
    local other = pictures.new()
    for _, name in ipairs({ "pictures.lua", "pictures.lock" }) do
      folder.write(other.base .. name, art:read(name))
    end
    assert(other:connect(box):build({ store = shared }))
  end

  it("is given up where another machine has made it", function()
    local art = pictures.interrupted(box)
    assert.equal(3, rows(art, "intent"))
    make_elsewhere(art)
    local paid = #box:ledger().jobs
    local report = assert(art:build({ store = shared }))
    assert.same({ true, 4 }, { report.ok, report.restored })
    assert.is_false(report.plan.work)
    assert.same({ 0, 3 }, { rows(art, "intent"), rows(art, "abandoned") })
    for _, row in ipairs(art.client:history({ state = "abandoned" })) do
      assert.equal("no", row.charged)
    end
    for _, job in ipairs(assert(art.client:recover())) do
      job:wait()
    end
    assert.equal(paid, #box:ledger().jobs)
  end)

  it("is work for a build that has no other", function()
    local art = pictures.interrupted(box)
    make_elsewhere(art)
    local where = { client = art.client, store = shared }
    local lock = art:read("pictures.lock")
    -- As an older version left it: all is there, and the rows are, too.
    local other = pictures.new()
    for _, name in ipairs({ "pictures.lua", "pictures.lock" }) do
      folder.write(other.base .. name, art:read(name))
    end
    other:connect(box)
    assert(other:build({ store = shared }))
    for i = 1, 4 do
      local name = ("p%d.png"):format(i)
      folder.write(art.base .. name, other:read(name))
    end
    folder.write(art.base .. "pictures.lock", other:read("pictures.lock"))
    assert.not_equal(lock, art:read("pictures.lock"))
    local plan = assert(assets.plan(art.manifest, where))
    assert.is_true(plan.work)
    assert(art:build({ store = shared }))
    assert.equal(0, rows(art, "intent"))
    assert.is_false(assert(assets.plan(art.manifest, where)).work)
  end)

  it("is given up where the request is another one by now", function()
    local art = pictures.interrupted(box)
    art:write({ ["p1.png"] = "subject = 'something else'" })
    assert(art:build())
    assert.equal(0, rows(art, "intent"))
    assert.equal(0, #assert(art.client:recover()))
    assert.equal(20, pictures.paid(box))
  end)

  it("is left alone where it may be another manifest's", function()
    local art = pictures.interrupted(box)
    local second = setmetatable({ manifest = art.base .. "other.lua" }, { __index = art })
    second:write({ ["q.png"] = "subject = 'number 1'", ["r.png"] = "subject = 'number 2'" })
    assert(assets.build(second.manifest, { client = art.client }))
    assert.is_true(rows(art, "intent") > 0)
    assert.is_true(assert(art:build()).ok)
    assert.equal(0, rows(art, "intent"))
  end)

  it("comes into the store where fewer are asked for", function()
    local art = pictures.new({ ["a.png"] = "subject = 'a', candidates = 2" }):connect(box)
    local task = gptimage2.spawn(function()
      return art:build()
    end)
    support.step_until(function()
      return #box:ledger().jobs == 2
    end)
    art.client:close()
    task:wait()
    art:write({ ["a.png"] = "subject = 'a'" })
    art:connect(box)
    assert.is_true(assert(art:build()).ok)
    assert.equal("a.png fresh", art:states())
    art:write({ ["a.png"] = "subject = 'a', candidates = 2" })
    assert.equal(0, assert(art:build()).credits)
    assert.equal("a.png unreviewed", art:states())
    assert.equal(20, pictures.paid(box))
  end)

  it("counts as saved where a store has the picture", function()
    local art = pictures.interrupted(box)
    make_elsewhere(art)
    for _, job in ipairs(assert(art.client:recover())) do
      job:wait()
    end
    local all = rows(art, "succeeded")
    assert.equal(all, audit_of(art).unsaved)
    folder.run(("cp -r '%s/.' '%s.gptimage2/'"):format(shared, art.base))
    assert.equal(0, audit_of(art).unsaved)
  end)
end)
