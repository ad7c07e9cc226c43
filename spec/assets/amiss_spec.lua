--- What is amiss in a folder, and is told in words that help: pictures that a store has lost,
--- candidates that two paths share, files and links in the way, a lock that cannot be written.

local assets = require("gptimage2.assets")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

--- The path of the object of a candidate.
local function object(art, n)
  local hash = art:read("pictures.lock"):match('"hash":"(%x+)"')
  local record = art:read((".gptimage2/requests/%s/%d.json"):format(hash, n))
  return art.base .. ".gptimage2/objects/" .. record:match('"object": "(%x+)"')
end

--- The ledger, and the ids of jobs, are another machine's.
local function forget_jobs(art, box)
  art.client:close()
  folder.run(("rm -f %s.gptimage2/ledger*"):format(art.base))
  folder.run(('sed -i \'s/"job": "[^"]*",//\' %s.gptimage2/requests/*/*'):format(art.base))
  return art:connect(box)
end

describe("amiss", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local box, where
  before_each(function()
    box = support.sandbox()
    where = { base_url = box.url }
  end)

  local function refused(code, words, ok, err)
    assert.is_nil(ok)
    assert.equal(code, err.code)
    assert.is_truthy(err.message:find(words, 1, true), err.message)
  end

  local function two()
    local art = pictures.new({ ["a.png"] = "subject = 'a', candidates = 2" }):connect(box)
    assert(art:build())
    return art
  end

  it("is a candidate without its bytes, which its job is asked for", function()
    for _, spoil in ipairs({ "rm -f %s", "chmod +w %s && echo x >> %s" }) do
      local art = two()
      local path = object(art, 2)
      local bytes, paid = folder.read(path), pictures.paid(box)
      assert.equal("", folder.run((spoil:gsub("%%s", path))))
      assert.equal("a.png in_flight", art:states())
      assert.is_false(assert(assets.check(art.manifest, where)).ok)
      refused("store_failed", "build first", assets.accept(art.manifest, "a.png", 2, where))
      local report = assert(art:build())
      assert.is_true(report.ok)
      assert.equal("a.png unreviewed", art:states(report.plan))
      assert.equal(bytes, folder.read(path))
      assert(assets.accept(art.manifest, "a.png", 2, where))
      assert.equal(bytes, art:read("a.png"))
      assert.equal(paid, pictures.paid(box))
    end
  end)

  it("is a candidate that cannot be had, in whose place another is made when asked for", function()
    local art = forget_jobs(two(), box)
    folder.run("rm -f " .. object(art, 1))
    local report = assert(art:build())
    assert.is_false(report.ok)
    assert.equal("a.png gone", art:states(report.plan))
    assert.matches("the picture of candidate 1: ", report.plan.lines[1].reason)
    assert.equal("gone", assert(assets.check(art.manifest, where)).problems[1].state)
    refused("store_failed", "stale = 'make'", assets.accept(art.manifest, "a.png", 1, where))
    assert.equal(20, pictures.paid(box))
    report = assert(art:build({ stale = "make" }))
    assert.is_true(report.ok)
    assert.equal(1, report.made)
    assert.equal(30, pictures.paid(box))
    assert.equal("a.png unreviewed", art:states())
    assert.matches('"made":3,"rejected":%[1%]', art:read("pictures.lock"))
    assert(assets.accept(art.manifest, "a.png", 3, where))
    assert.equal("a.png fresh", art:states())
  end)

  it("is no candidate that was rejected", function()
    local art = forget_jobs(two(), box)
    local path = object(art, 1)
    assert(assets.accept(art.manifest, "a.png", 2, where))
    folder.run("rm -f " .. path)
    assert.equal("a.png fresh", art:states())
    art = forget_jobs(two(), box)
    folder.run("rm -f " .. object(art, 1))
    assert(assets.reject(art.manifest, "a.png", 1, where))
    assert.equal("a.png unreviewed", art:states())
  end)

  it("is nothing where two paths ask for the same, one for more of it", function()
    for _, names in ipairs({ { "a.png", "b.png" }, { "b.png", "a.png" } }) do
      local one, more = names[1], names[2]
      local subject = "subject = 'of " .. one .. "'"
      local art = pictures.new({ [one] = subject, [more] = subject .. ", candidates = 3" })
      art:connect(box)
      local paid = pictures.paid(box)
      local plan = assert(assets.plan(art.manifest, { client = art.client }))
      assert.equal(30, plan.cost)
      assert.matches("the same request as a.png", plan.lines[2].reason)
      local report = assert(art:build())
      assert.is_true(report.ok)
      assert.equal(3, report.made)
      local states = art:states(report.plan)
      assert.is_truthy(states:find(one .. " fresh", 1, true), states)
      assert.is_truthy(states:find(more .. " unreviewed", 1, true), states)
      assert(assets.accept(art.manifest, more, 3, where))
      assert.equal("a.png fresh, b.png fresh", art:states())
      assert(assets.again(art.manifest, one, where)) -- that is number 2, which is there
      plan = assert(assets.plan(art.manifest, { client = art.client }))
      assert.equal(0, plan.cost)
      assert.equal(0, assert(art:build()).made)
      assert(assets.accept(art.manifest, one, nil, where))
      assert.equal("a.png fresh, b.png fresh", art:states())
      assert.equal(paid + 30, pictures.paid(box))
    end
  end)

  it("is a file that somebody edited, which no candidate is written over", function()
    local art = two()
    folder.write(art.base .. "a.png", "by hand")
    refused("not_decidable", "--edited", assets.accept(art.manifest, "a.png", 1, where))
    assert(assets.accept(art.manifest, "a.png", "edited", where))
    assert.equal("by hand", art:read("a.png"))
    assert.equal("a.png fresh", art:states())
  end)

  it("is a link at a picture's own path, which nothing goes through", function()
    local art, other = two(), folder.new() .. "/elsewhere.png"
    folder.write(other, "elsewhere")
    folder.link(other, art.base .. "a.png")
    local plan = assert(assets.plan(art.manifest, where))
    assert.equal("a.png taken", art:states(plan))
    assert.matches("a link lies there", plan.lines[1].reason)
    refused(
      "not_decidable",
      "a link lies at 'a.png'",
      assets.accept(art.manifest, "a.png", 1, where)
    )
    refused("not_decidable", "a link lies", assets.accept(art.manifest, "a.png", "edited", where))
    assert.is_false(assert(art:build()).ok)
    os.remove(art.base .. "a.png")
    folder.run("mkdir " .. art.base .. "a.png")
    refused("not_decidable", "a folder", assets.accept(art.manifest, "a.png", "edited", where))
    assert.equal("elsewhere", folder.read(other))
  end)

  it("is a lock that cannot be written: what was made is told all the same", function()
    local art = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
    art:connect(box)
    local lock, moved = art.base .. "pictures.lock", false
    local report = assert(art:build({
      on_progress = function() -- of the first: the second is not in the lock yet
        if not moved then
          moved = true
          folder.run(("mv %s %s.kept && mkdir %s"):format(lock, lock, lock))
        end
      end,
    }))
    assert.is_false(report.ok)
    assert.equal(2, report.made)
    assert.equal("store_failed", report.lock_error.code)
    assert.matches("the same build writes the lock and pays for nothing", report.lock_error.message)
    folder.run(("rmdir %s && mv %s.kept %s"):format(lock, lock, lock))
    report = assert(art:build())
    assert.is_true(report.ok)
    assert.equal(0, report.made)
    assert.equal("a.png fresh, b.png fresh", art:states())
    assert.equal(20, pictures.paid(box))
  end)
end)
