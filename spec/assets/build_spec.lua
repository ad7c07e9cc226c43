--- Builds: each picture is made once, whatever ends the program, and nothing of anybody else's is
--- written over.

local assets = require("gptimage2.assets")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

describe("a build", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("makes what is not there, once", function()
    local box = support.sandbox()
    local art = pictures
      .new({
        ["a.png"] = "subject = 'a fox'",
        ["b/{n}.png"] = "each = { n = { 1, 2 } }, subject = 'number {n}'",
        ["c.png"] = "subject = 'three', candidates = 3",
      })
      :connect(box)
    assert.equal("a.png new, b/1.png new, b/2.png new, c.png new", art:states())
    local events = {}
    local report = assert(art:build({
      on_progress = function(event)
        events[#events + 1] = event
      end,
    }))
    assert.is_true(report.ok)
    assert.equal(6, report.made)
    assert.equal(60, report.credits)
    assert.equal(60, pictures.paid(box))
    assert.equal(
      "a.png fresh, b/1.png fresh, b/2.png fresh, c.png unreviewed",
      art:states(report.plan)
    )
    assert.equal(6, #events)
    assert.equal(6, events[6].done)
    assert.equal(6, events[6].total)
    assert.equal(60, events[6].credits)
    assert.matches("^\137PNG", art:read("b/2.png"))
    assert.is_nil(art:read("c.png"))
    local lock = art:read("pictures.lock")
    report = assert(art:build())
    assert.is_true(report.ok)
    assert.equal(0, report.made)
    assert.equal(6, #box:ledger().jobs)
    assert.equal(lock, art:read("pictures.lock"))
    assert.equal("", folder.list(art.base .. ".gptimage2/incoming"))
  end)

  it("does not let on_progress wait for its own folder", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    local codes = {}
    local function on_progress()
      local _, err = assets.pin(art.manifest, "a.png", { client = art.client })
      codes[#codes + 1] = err and err.code
      _, err = assets.build("/." .. art.manifest, { client = art.client })
      codes[#codes + 1] = err and err.code
    end
    local report = assert(art:build({ on_progress = on_progress }))
    assert.is_true(report.ok)
    assert.equal(2 * report.made, #codes)
    for _, code in ipairs(codes) do
      assert.equal("cannot_wait_here", code)
    end
    assert(assets.pin(art.manifest, "a.png", { client = art.client }))
  end)

  it("costs nothing on another machine with the same store", function()
    local box, shared = support.sandbox(), folder.new()
    local here = pictures.new():connect(box)
    assert(here:build({ store = shared }))
    local there = pictures.new():connect(box)
    folder.write(there.base .. "pictures.lock", here:read("pictures.lock"))
    local report = assert(there:build({ store = shared }))
    assert.is_true(report.ok)
    assert.equal(1, report.restored)
    assert.equal(here:read("a.png"), there:read("a.png"))
    local third = pictures.new():connect(box) -- not even a lock
    report = assert(third:build({ store = shared }))
    assert.is_true(report.ok)
    assert.equal("a.png fresh", third:states())
    assert.equal(10, pictures.paid(box))
  end)

  it("pays once for two machines where the service honours keys", function()
    local box = support.sandbox({ duration = 0.2 })
    local here, there = pictures.new(), pictures.new()
    local salt = '{"gptimage2.lock":1,"salt":"000102030405060708090a0b0c0d0e0f"}\n'
    local reports = {}
    for i, art in ipairs({ here, there }) do
      folder.write(art.base .. "pictures.lock", salt)
      art:connect(box)
      gptimage2.spawn(function()
        reports[i] = assert(art:build())
      end)
    end
    gptimage2.run()
    assert.is_true(reports[1].ok and reports[2].ok)
    assert.equal(10, pictures.paid(box))
    assert.equal(here:read("a.png"), there:read("a.png"))
  end)

  it("does nothing for another order, comments or spaces", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    assert(art:build())
    folder.write(
      art.manifest,
      "-- new\nlocal what = 'a' .. ' fox'\nreturn {\n  pictures = "
        .. "{ ['a.png'] = { subject = { what, '' } } } }"
    )
    assert.equal("a.png fresh", art:states())
  end)

  it("makes a changed picture only when that is asked for", function()
    local box = support.sandbox()
    local art = pictures.new({ ["a.png"] = "subject = 'a red fox'", ["b.png"] = "subject = 'b'" })
    art:connect(box)
    assert(art:build())
    local before = art:read("a.png")
    art:write({ ["a.png"] = "subject = 'a blue fox'", ["b.png"] = "subject = 'b'" })
    local plan = assert(assets.plan(art.manifest, { client = art.client }))
    assert.equal("a.png stale, b.png fresh", art:states(plan))
    assert.equal("the request changed: prompt -red +blue", plan.lines[1].reason)
    assert.same({ "prompt -red +blue" }, plan.lines[1].words)
    assert.is_false(plan.clean)
    assert(art:build())
    assert.equal(before, art:read("a.png"))
    assert.equal(20, pictures.paid(box))
    local report = assert(art:build({ stale = "make" }))
    assert.equal(1, report.made)
    assert.not_equal(before, art:read("a.png"))
    assert.equal("a.png fresh, b.png fresh", art:states())
    art:write({ ["a.png"] = "subject = 'a red fox'", ["b.png"] = "subject = 'b'" })
    report = assert(art:build({ stale = "make" })) -- the store still has it
    assert.is_true(report.ok)
    assert.equal(before, art:read("a.png"))
    assert.equal(30, pictures.paid(box))
  end)

  it("writes over nothing that it did not make", function()
    local box = support.sandbox()
    local art =
      pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" }):connect(box)
    folder.write(art.base .. "a.png", "by hand")
    local report = assert(art:build())
    assert.is_false(report.ok)
    assert.equal("a.png taken, b.png fresh", art:states(report.plan))
    assert.equal("by hand", art:read("a.png"))
    folder.write(art.base .. "b.png", "edited")
    assert.is_true(os.remove(art.base .. "a.png"))
    report = assert(art:build())
    assert.equal("a.png fresh, b.png edited", art:states(report.plan))
    assert.equal("edited", art:read("b.png"))
    art:write({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'c'" })
    assert(art:build({ stale = "make" }))
    assert.equal("edited", art:read("b.png"))
    assert.equal("a.png fresh, b.png edited", art:states())
    assert.equal(20, pictures.paid(box))
  end)

  it("writes over nothing that came while it was at work", function()
    local box = support.sandbox({ duration = 0.3 })
    local art = pictures.new():connect(box)
    local task = gptimage2.spawn(function()
      return art:build()
    end)
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    folder.write(art.base .. "a.png", "by hand")
    local report = assert(task:wait())
    assert.is_false(report.ok)
    assert.equal("store_failed", report.failed[1].error.code)
    assert.equal("by hand", art:read("a.png"))
    assert.equal("a.png taken", art:states())
    os.remove(art.base .. "a.png")
    assert.is_true(assert(art:build()).ok)
    assert.equal(10, pictures.paid(box))
  end)

  it("restores a lost file: from the store, by its job, or says that it is gone", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    assert(art:build())
    local bytes = art:read("a.png")
    os.remove(art.base .. "a.png")
    assert.equal("a.png lost", art:states())
    assert.equal(1, assert(art:build()).restored)
    assert.equal(bytes, art:read("a.png"))
    os.remove(art.base .. "a.png")
    folder.run("rm -rf " .. art.base .. ".gptimage2/objects")
    assert.equal(1, assert(art:build()).restored)
    assert.equal(bytes, art:read("a.png"))
    os.remove(art.base .. "a.png")
    folder.run("rm -rf " .. art.base .. ".gptimage2/objects")
    local lock = art:read("pictures.lock"):gsub('"job":"[^"]*",', "")
    folder.write(art.base .. "pictures.lock", lock)
    assert.equal("a.png lost", art:states()) -- the ledger knows the job
    art.client:close()
    folder.run("rm -f " .. art.base .. ".gptimage2/ledger*")
    art:connect(box)
    local report = assert(art:build())
    assert.equal("a.png gone", art:states(report.plan))
    assert.equal(10, pictures.paid(box))
    report = assert(art:build({ stale = "make" }))
    assert.is_true(report.ok)
    assert.equal("a.png fresh", art:states(report.plan))
    assert.equal(20, pictures.paid(box))
  end)

  it("tries what failed once more in each build, under a new key", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    box:fault({ on = "job", action = "fail", times = 2 })
    for _ = 1, 2 do
      local report = assert(art:build())
      assert.is_false(report.ok)
      assert.equal("job_failed", report.failed[1].error.kind)
      assert.equal("a.png failed", art:states(report.plan))
    end
    assert.matches('"failed":{"1":2}', art:lock())
    local report = assert(art:build())
    assert.is_true(report.ok)
    local keys = {}
    for _, job in ipairs(box:ledger().jobs) do
      keys[job.key] = true
    end
    assert.equal(3, #box:ledger().jobs)
    local count = 0
    for _ in pairs(keys) do
      count = count + 1
    end
    assert.equal(3, count)
    assert.equal(10, pictures.paid(box))
  end)

  it("makes nothing again that may have been paid, and names the call that settles it", function()
    local box = support.sandbox({ idempotency = false })
    local art =
      pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" }):connect(box)
    box:fault({ on = "create", action = "close", times = 1, work = true })
    local report = assert(art:build())
    assert.is_false(report.ok)
    assert.equal(1, report.made)
    assert.equal(1, #report.unknown)
    local err = report.unknown[1].error
    assert.equal("lost", err.kind)
    local path = report.unknown[1].path
    for _ = 1, 2 do
      report = assert(art:build())
      assert.equal(0, report.made)
      assert.is_false(report.ok)
      for _, line in ipairs(report.plan.lines) do
        if line.path == path then
          assert.equal("unknown", line.state)
          assert.is_truthy(line.reason:find(err.idempotency_key, 1, true))
        end
      end
    end
    assert.equal(2, #box:ledger().jobs)
    local id = box:ledger().jobs[1].id
    for _, job in ipairs(box:ledger().jobs) do
      id = job.key == err.idempotency_key and job.id or id
    end
    local job = assert(art.client:resolve(err.idempotency_key, id))
    assert(job:wait())
    report = assert(art:build())
    assert.is_true(report.ok)
    assert.equal("a.png fresh, b.png fresh", art:states(report.plan))
    assert.equal(20, pictures.paid(box))
  end)

  it("makes again what was given up by hand only where somebody asks for it", function()
    local box = support.sandbox({ idempotency = false })
    local art = pictures.new():connect(box)
    box:fault({ on = "create", action = "close", times = 1, work = false })
    local report = assert(art:build())
    assert(art.client:resolve(report.unknown[1].error.idempotency_key, "abandon"))
    report = assert(art:build())
    assert.same({ 0, 10 }, { report.made, report.plan.spent }) -- it may have been paid
    assert.equal(0, #box:ledger().jobs)
    assert(assets.again(art.manifest, report.plan.lines[1].path, { client = art.client }))
    report = assert(art:build())
    assert.same({ 1, 20 }, { report.made, report.plan.spent })
    assert.equal(1, #box:ledger().jobs)
  end)

  it("keeps to its budget, over all builds of the lock, and to that of this one", function()
    local box = support.sandbox()
    local entries =
      { ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'", ["c.png"] = "subject = 'c'" }
    local art = pictures.new(entries, "budget = 20"):connect(box)
    local report, err = art:build()
    assert.is_nil(report)
    assert.equal("budget", err.kind)
    assert.matches("costs 30 credits, and 20 are left", err.message)
    assert.equal(0, #box:ledger().jobs)
    report = assert(art:build({ budget = 10, cutoff = "soft" }))
    assert.is_true(report.over)
    assert.is_false(report.ok)
    assert.equal("a.png fresh, b.png new, c.png new", art:states(report.plan))
    report = assert(art:build({ cutoff = "soft" }))
    assert.equal("a.png fresh, b.png fresh, c.png new", art:states(report.plan))
    assert.equal(20, report.plan.spent)
    assert.equal(20, report.plan.budget)
    report, err = art:build()
    assert.is_nil(report)
    assert.matches("costs 10 credits, and 0 are left", err.message)
    art:write(entries)
    assert.is_true(assert(art:build()).ok)
    assert.equal(30, pictures.paid(box))
  end)

  it("ends when there are no credits, and goes on later", function()
    local box = support.sandbox({ credits = 10 })
    local art = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
    art:connect(box, { max_active = 1 })
    local report = assert(art:build())
    assert.equal(1, report.made)
    assert.equal("insufficient_credits", report.failed[1].error.code)
    assert.is_false(report.ok)
  end)

  it("is about those that it is asked for", function()
    local box = support.sandbox()
    local art =
      pictures.new({ ["i/a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" }):connect(box)
    local report = assert(art:build({ only = "i/*" }))
    assert.is_true(report.ok)
    assert.equal("b.png new, i/a.png fresh", art:states())
  end)

  it("warns of a picture of another kind, which check refuses", function()
    local box = support.sandbox()
    local art = pictures.new({ ["a.jpg"] = "subject = 'a'" }):connect(box)
    local report = assert(art:build())
    assert.same(
      { { path = "a.jpg", reason = "it is png, and its name says jpg" } },
      report.warnings
    )
    local found = assert(assets.check(art.manifest, { base_url = box.url }))
    assert.is_false(found.ok)
    assert.equal("wrong_type", found.problems[1].state)
  end)

  it("finishes what was asked for before the manifest changed", function()
    local box = support.sandbox({ duration = 0.3 })
    local art = pictures.new():connect(box)
    local task = gptimage2.spawn(function()
      return art:build()
    end)
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    art.client:close()
    task:wait()
    art:connect(box)
    art:write({ ["b.png"] = "subject = 'b'" })
    assert.is_true(assert(art:build()).ok)
    assert.equal("b.png fresh", art:states())
    assert.equal(20, pictures.paid(box))
    art:write({ ["a.png"] = "subject = 'a fox'" })
    assert.equal("a.png cached, b.png orphan", art:states())
    assert.is_true(assert(art:build()).ok)
    assert.equal(20, pictures.paid(box))
  end)

  it("goes on where a client was closed, and leaves nothing for anybody to send", function()
    local box = support.sandbox({ duration = 0.3 })
    local entries = {}
    for i = 1, 4 do
      entries[("p%d.png"):format(i)] = ("subject = 'number %d'"):format(i)
    end
    local art = pictures.new(entries):connect(box, { max_active = 1 })
    local task = gptimage2.spawn(function()
      return art:build()
    end)
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    art.client:close()
    assert.is_false(assert(task:wait()).ok)
    entries["p4.png"] = nil -- begun, perhaps, and not wanted any more
    art:write(entries)
    art:connect(box)
    assert.is_true(assert(art:build()).ok)
    assert.equal(0, #assert(art.client:recover()))
    assert.equal(30, pictures.paid(box))
  end)

  it("makes one picture for two that ask for the very same", function()
    local box = support.sandbox()
    local art =
      pictures.new({ ["a.png"] = "subject = 'x'", ["b.png"] = "subject = 'x'" }):connect(box)
    local plan = assert(assets.plan(art.manifest, { client = art.client }))
    assert.equal(10, plan.cost)
    assert.matches("the same request as a.png", plan.lines[2].reason)
    assert.is_true(assert(art:build()).ok)
    assert.equal("a.png fresh, b.png fresh", art:states())
    assert.equal(art:read("a.png"), art:read("b.png"))
    assert.equal(10, pictures.paid(box))
  end)

  it("needs a client with a ledger", function()
    local box = support.sandbox()
    local art = pictures.new()
    local report, err = assets.build(art.manifest, { client = support.client(box) })
    assert.is_nil(report)
    assert.equal("no_ledger", err.code)
    assert.has_error(function()
      assets.build(art.manifest, {})
    end)
    art:connect(box)
    assert.has_error(
      function()
        art:build({ cutoff = "sof" })
      end,
      "bad argument #2 to 'build' (option 'cutoff' must be 'hard' or 'soft', did you mean 'soft'?)"
    )
    assert.has_error(
      function()
        art:build({ stale = "maek" })
      end,
      "bad argument #2 to 'build' (option 'stale' must be 'keep' or 'make', did you mean 'make'?)"
    )
  end)
end)
