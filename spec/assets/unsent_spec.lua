--- Candidates that are in the ledger and were never sent: a build sends them, so they cost what
--- they cost, in the plan, against every budget, and in its sums.

local assets = require("gptimage2.assets")
local cjson = require("cjson")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local interrupted = pictures.interrupted

describe("what was recorded and never sent", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local box
  before_each(function()
    box = support.sandbox({ duration = 0.3 })
  end)

  it("costs its price in the plan, and is reserved once", function()
    local art, report = interrupted(box, "budget = 40")
    assert.equal(10, report.credits) -- what is paid, though it is not here yet
    local plan =
      assert(assets.plan(art.manifest, { client = art.client, out = art.base .. "plan" }))
    assert.equal(30, plan.cost)
    assert.equal(10, plan.spent)
    assert.same({ in_flight = 1, new = 3 }, plan.counts)
    local unsent = 0
    for _, line in ipairs(plan.lines) do
      unsent = unsent + (line.reason:find("recorded, and never sent", 1, true) and 1 or 0)
    end
    assert.equal(3, unsent)
    assert.equal(30, cjson.decode(art:read("plan"):match("^[^\n]+")).cost)
    report = assert(art:build()) -- all of it is within the manifest's 40
    assert.is_true(report.ok)
    assert.equal(4, report.made)
    assert.equal(30, report.credits)
    assert.equal(40, report.plan.spent)
    assert.equal(40, pictures.paid(box))
    assert.equal(4, #box:ledger().jobs)
  end)

  it("is not sent over a budget, of the build or of the manifest", function()
    local art = interrupted(box, "budget = 20")
    for _, budget in ipairs({ 0, 29, math.huge }) do
      local report, err = art:build({ budget = budget })
      assert.is_nil(report)
      assert.equal("budget_exceeded", err.code)
    end
    assert.equal(10, pictures.paid(box))
    local report = assert(art:build({ cutoff = "soft", budget = 0 }))
    assert.is_true(report.over)
    assert.same({ 1, 0 }, { report.made, report.credits }) -- the one that was under way
    report = assert(art:build({ cutoff = "soft" }))
    assert.same({ 1, 10 }, { report.made, report.credits })
    assert.equal(20, pictures.paid(box))
  end)

  it("is not sent over the cost of a plan", function()
    local art = interrupted(box)
    local out = art.base .. "plan"
    assert(assets.plan(art.manifest, { client = art.client, out = out }))
    folder.write(out, (folder.read(out):gsub('"cost":%d+', '"cost":0', 1)))
    local report, err = art:build({ plan = out })
    assert.is_nil(report)
    assert.equal("budget_exceeded", err.code)
    assert.equal(10, pictures.paid(box))
  end)

  it("is not sent for another selection", function()
    local art = interrupted(box)
    for _, line in ipairs(assert(assets.plan(art.manifest, { client = art.client })).lines) do
      if line.state == "in_flight" then
        assert.equal(0, assert(art:build({ only = line.path })).credits)
      end
    end
    assert.equal(10, pictures.paid(box))
  end)

  it("is known by another salt, and leaves nothing for anybody to send", function()
    local art = interrupted(box)
    os.remove(art.base .. "pictures.lock")
    local plan = assert(assets.plan(art.manifest, { client = art.client }))
    assert.same({ 30, 10 }, { plan.cost, plan.spent })
    assert.equal(30, assert(art:build()).credits)
    assert.equal(0, #assert(art.client:recover()))
    assert.equal(40, pictures.paid(box))
  end)

  --- A game that may spend ten credits, and what it is told of its pictures.
  local function game_of(art)
    local told = {}
    local game = assert(assets.open(art.manifest, {
      client = art.client,
      budget = 10,
      on_change = function(path)
        told[path] = "made"
      end,
      on_error = function(path, err)
        told[path] = err.code
      end,
    }))
    return game, told
  end

  local function wait_for(told, count)
    support.step_until(function()
      local known = 0
      for _ in pairs(told) do
        known = known + 1
      end
      return known == count
    end)
  end

  it("is within the budget of a game", function()
    local art = interrupted(box)
    local game, told = game_of(art)
    for i = 1, 4 do
      game:path(("p%d.png"):format(i))
    end
    wait_for(told, 4)
    game:close()
    local refused = 0
    for _, what in pairs(told) do
      refused = refused + (what == "budget_exceeded" and 1 or 0)
    end
    assert.equal(2, refused)
    assert.equal(20, pictures.paid(box))
  end)

  it("is given back to a game where it came to nothing", function()
    local art = interrupted(box)
    local game, told = game_of(art)
    local function ask(i)
      game:path(("p%d.png"):format(i))
      wait_for(told, i)
    end
    ask(1)
    box:fault({ on = "job", action = "fail", times = 1 })
    for i = 2, 4 do
      ask(i)
    end
    game:close()
    local failed = told["p2.png"]
    assert.truthy(failed ~= "made" and failed ~= "budget_exceeded", failed)
    assert.same({ "made", "budget_exceeded" }, { told["p3.png"], told["p4.png"] })
    assert.equal(20, pictures.paid(box))
  end)
end)
