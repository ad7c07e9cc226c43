--- A lock that was lost, or whose first line a merge took from another: what this folder's ledger
--- has is still known, and nothing of it is paid again.

local assets = require("gptimage2.assets")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local OTHER = '{"gptimage2.lock":1,"salt":"000102030405060708090a0b0c0d0e0f"}\n'

--- What may become of a lock's salt.
local LOSSES = {
  ["lost"] = function(art)
    os.remove(art.base .. "pictures.lock")
  end,
  ["another"] = function(art)
    folder.write(art.base .. "pictures.lock", OTHER)
  end,
}

--- A folder whose picture is under way at the service.
local function under_way(box, options)
  local art = pictures.new():connect(box, options)
  local task = gptimage2.spawn(function()
    return art:build()
  end)
  support.step_until(function()
    return #box:ledger().jobs == 1
  end)
  art.client:close()
  task:wait()
  return art
end

--- One whose create came to no answer, though there is a job.
local function unknown(box, options)
  local art = pictures.new():connect(box, options)
  box:fault({ on = "create", action = "close", times = 1, work = true })
  local report = assert(art:build())
  box:clear()
  return art, report
end

describe("with a salt that is", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  for name, lose in pairs(LOSSES) do
    for _, retry in ipairs({ "safe", "documented", "idempotent" }) do
      it(name .. " a job under way is taken up: " .. retry, function()
        local box = support.sandbox({ duration = 0.3, idempotency = false })
        local art = under_way(box, { retry = retry })
        lose(art)
        art:connect(box, { retry = retry })
        local plan = assert(assets.plan(art.manifest, { client = art.client }))
        assert.same({ "a.png in_flight", 0, 10 }, { art:states(plan), plan.cost, plan.spent })
        local report = assert(art:build())
        assert.same({ true, 1, 0 }, { report.ok, report.made, report.credits })
        assert.equal("a.png fresh", art:states(report.plan))
        assert.equal(1, #box:ledger().jobs)
      end)

      it(name .. " what may have been paid is not made again: " .. retry, function()
        local box = support.sandbox({ idempotency = true })
        local art, before = unknown(box, { retry = retry == "idempotent" and "safe" or retry })
        lose(art)
        art:connect(box, { retry = retry })
        local report = assert(art:build())
        assert.equal(1, #box:ledger().jobs)
        if retry == "idempotent" then -- the same key is asked once more
          assert.is_true(report.ok)
          return
        end
        assert.equal("a.png unknown", art:states(report.plan))
        assert.equal(before.unknown[1].key, report.unknown[1].key)
        assert(art.client:resolve(report.unknown[1].key, box:ledger().jobs[1].id))
        assert.is_true(assert(art:build()).ok)
        assert.equal(1, #box:ledger().jobs)
      end)
    end

    it(name .. " what was given up is known", function()
      local box = support.sandbox()
      local art, before = unknown(box)
      assert(art.client:resolve(before.unknown[1].key, "abandon"))
      lose(art)
      local report = assert(art:build())
      assert.same({ 0, 10 }, { report.made, report.plan.spent })
      assert.equal(1, #box:ledger().jobs)
    end)
  end
end)

describe("a ledger of several folders", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function share(art, box, ledger)
    return art:connect(box, { ledger = ledger })
  end

  it("has the pictures of each apart", function()
    local box, ledger = support.sandbox(), folder.new() .. "/ledger.db"
    local here = share(pictures.new(), box, ledger)
    assert(here:build())
    here.client:close()
    local there =
      share(pictures.new({ ["b.png"] = "subject = 'a fox'" }, "budget = 10"), box, ledger)
    local report = assert(there:build())
    assert.same({ true, 10, 10 }, { report.ok, report.credits, report.plan.spent })
    assert.equal(20, pictures.paid(box))
  end)

  it("knows a picture by its path and request, whatever salt its lock has", function()
    local box, ledger = support.sandbox(), folder.new() .. "/ledger.db"
    local art = share(pictures.new(), box, ledger)
    box:fault({ on = "create", action = "close", times = 1, work = true })
    assert(art:build())
    os.remove(art.base .. "pictures.lock")
    local report = assert(art:build())
    assert.equal("a.png unknown", art:states(report.plan))
    assert.equal(1, #box:ledger().jobs)
  end)

  it("may hold anybody's metadata", function()
    local box, ledger = support.sandbox(), folder.new() .. "/ledger.db"
    local art = share(pictures.new(), box, ledger)
    local salt = ("0"):rep(32)
    for _, n in ipairs({ "1.5", "x", "1e99", "nan", "-0" }) do
      local metadata = { build = salt, path = "a.png", hash = ("a"):rep(64), n = n, t = "0" }
      assert(art.client:generate({ prompt = "x" }, { metadata = metadata }))
    end
    assert.equal(0, assert(assets.plan(art.manifest, { client = art.client })).spent)
  end)

  it("does not send what may have been paid for another path: it tells", function()
    local box, ledger = support.sandbox(), folder.new() .. "/ledger.db"
    local art = share(pictures.new(), box, ledger)
    box:fault({ on = "create", action = "close", times = 1, work = true })
    assert(art:build())
    art.client:close()
    local there = share(pictures.new({ ["b.png"] = "subject = 'a fox'" }), box, ledger)
    local report = assert(there:build())
    assert.same({ "b.png unknown", 0 }, { there:states(report.plan), report.plan.spent })
    assert.is_string(report.unknown[1].key)
    assert.equal(1, #box:ledger().jobs)
  end)
end)
