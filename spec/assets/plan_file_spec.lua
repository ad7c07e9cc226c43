--- Plans in files: a build that is given one does that and nothing else; and `stop`, `retry`.

local assets = require("gptimage2.assets")
local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local SALT = ("0"):rep(32)

describe("a plan in a file", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function planned(box, entries, options)
    local art = pictures.new(entries):connect(box)
    local all = { client = art.client, out = art.base .. "plan" }
    for name, value in pairs(options or {}) do
      all[name] = value
    end
    return art, all.out, assert(assets.plan(art.manifest, all))
  end

  it("holds the requests, the digests and the cost", function()
    local art, out = planned(support.sandbox(), nil, { only = "*.png" })
    local lines = {}
    for line in folder.read(out):gmatch("[^\n]+") do
      lines[#lines + 1] = cjson.decode(line)
    end
    assert.equal(2, #lines)
    assert.equal(10, lines[1].cost)
    assert.equal("none", lines[1].lock)
    assert.same({ "*.png" }, lines[1].only)
    local digest = folder.run("sha256sum <" .. art.manifest):match("%x+")
    assert.equal(digest, lines[1].manifest)
    assert.equal("a fox", lines[2].request.prompt)
    assert.equal(10, lines[2].cost)
  end)

  it("takes no place but a plan's", function()
    local art = pictures.new()
    folder.write(art.base .. "pictures.lock", '{"gptimage2.lock":1,"salt":"' .. SALT .. '"}\n')
    folder.write(art.base .. "a.png", "a picture")
    folder.write(art.base .. "empty", "")
    folder.link("nothing", art.base .. "link")
    folder.run(("mkfifo %spipe"):format(art.base))
    local before = folder.run(("cd %s && md5sum *.lua *.lock *.png"):format(art.base))
    for name, code in pairs({
      ["pictures.lua"] = "file_exists",
      ["pictures.lock"] = "file_exists",
      ["a.png"] = "file_exists",
      ["link"] = "file_exists",
      ["pipe"] = "file_exists",
      [""] = "file_exists",
      ["new/plan"] = "no_folder",
    }) do
      local options = { base_url = "http://127.0.0.1:1", out = art.base .. name }
      local plan, err = assets.plan(art.manifest, options)
      assert.is_nil(plan)
      assert.same({ "build", code, options.out }, { err.kind, err.code, err.file })
    end
    assert.equal(before, folder.run(("cd %s && md5sum *.lua *.lock *.png"):format(art.base)))
    assert.is_nil(art:read("nothing"))
    for _ = 1, 2 do -- a second one replaces the first
      for _, name in ipairs({ "empty", "plan" }) do
        local options = { base_url = "http://127.0.0.1:1", out = art.base .. name }
        assert(assets.plan(art.manifest, options))
        assert.matches('^{"gptimage2.plan":1', art:read(name))
      end
    end
  end)

  it("is built, and no more than it says", function()
    local box = support.sandbox()
    local art, out = planned(box, {
      ["a.png"] = "subject = 'a'",
      ["b.png"] = "subject = 'b'",
    }, { only = "a*" })
    local report = assert(art:build({ plan = out }))
    assert.equal(1, report.made)
    assert.is_nil(art:read("b.png"))
    assert.equal(10, pictures.paid(box))
    report = assert(art:build({ plan = out })) -- the lock is another by this plan's own doing
    assert.same({ 0, 0 }, { report.made, report.credits })
    assert(assets.again(art.manifest, "a.png", { client = art.client }))
    local _, err = art:build({ plan = out }) -- and now by somebody else's
    assert.equal("plan_stale", err.code)
    assert.matches("another state of the lock", err.message)
  end)

  it("is finished by the same call, whatever ended it, for no more than it says", function()
    local box = support.sandbox({ duration = 0.3 })
    local art, out = planned(box, {
      ["a.png"] = "subject = 'a'",
      ["b.png"] = "subject = 'b'",
      ["c.png"] = "subject = 'c'",
    })
    local nowhere = support.nowhere()
    art.client:close()
    art.client = gptimage2.new({
      api_key = support.KEY,
      base_url = nowhere,
      retry = "safe",
      timeout = 1,
      ledger = assert(assets.ledger(art.manifest)),
    })
    local report = assert(art:build({ plan = out })) -- nothing was sent
    assert.same({ 0, 0 }, { report.made, report.credits })
    art:connect(box, { max_active = 1 })
    local task = gptimage2.spawn(function()
      return art:build({ plan = out })
    end)
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    art.client:close()
    assert.equal(10, assert(task:wait()).credits)
    art:connect(box)
    local _, err = art:build({ plan = out, budget = 19 })
    assert.equal("budget", err.kind)
    report = assert(art:build({ plan = out }))
    assert.same({ true, 3, 20 }, { report.ok, report.made, report.credits })
    assert.equal(30, pictures.paid(box))
  end)

  it("spends what it says once, though its pictures are lost and its lock is back", function()
    local box = support.sandbox()
    local art, out = planned(box)
    assert(art:build({ plan = out }))
    os.remove(art.base .. "pictures.lock") -- as it was when the plan was made
    os.remove(art.base .. "a.png")
    folder.run(("rm -rf %s.gptimage2/objects %s.gptimage2/requests"):format(art.base, art.base))
    box:clear()
    assert(art:build({ plan = out }))
    assert.equal(10, pictures.paid(box))
  end)

  it("is refused where the manifest or the service is another", function()
    local box = support.sandbox()
    local art, out = planned(box)
    art:write({ ["a.png"] = "subject = 'a wolf'" })
    local _, err = art:build({ plan = out })
    assert.equal("plan_stale", err.code)
    assert.matches("another manifest", err.message)
    art = planned(box)
    folder.write(out, folder.read(out):gsub('"service":"loopback"', '"service":"other"'))
    _, err = art:build({ plan = out })
    assert.equal("plan_stale", err.code)
    for _, text in ipairs({ "", "{}\n", "x", '{"gptimage2.plan":2}', "[]" }) do
      folder.write(out, text)
      _, err = art:build({ plan = out })
      assert.equal("plan_stale", err.code)
    end
    _, err = art:build({ plan = art.base .. "nowhere" })
    assert.equal("plan_stale", err.code)
    assert.equal(0, pictures.paid(box))
  end)

  it("never costs more than it says, though a store has lost what it counted on", function()
    local box, shared = support.sandbox(), folder.new()
    local here = pictures.new():connect(box)
    assert(here:build({ store = shared }))
    local there, out, plan = planned(box, nil, { store = shared })
    assert.equal(0, plan.cost)
    folder.run("rm -rf " .. shared .. "/*")
    local _, err = there:build({ plan = out, store = shared })
    assert.equal("budget", err.kind)
    assert.equal(10, pictures.paid(box))
  end)
end)

describe("a build", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("begins nothing more once it is told to stop", function()
    local box = support.sandbox()
    local entries = {}
    for i = 1, 30 do
      entries[("p%02d.png"):format(i)] = ("subject = 'p %d'"):format(i)
    end
    local art, asked = pictures.new(entries):connect(box, { max_active = 1 }), 0
    local report = assert(art:build({
      stop = function()
        asked = asked + 1
        return asked > 3
      end,
    }))
    assert.is_false(report.ok)
    assert.equal(3, report.made)
    assert.equal(30, pictures.paid(box))
    assert.equal(3, report.plan.counts.fresh)
    assert.is_true(assert(art:build()).ok)
  end)

  it("takes the manifest's retry where there is no client", function()
    local art = pictures.new(nil, "retry = 'idempotent'")
    local options = { base_url = "http://127.0.0.1:1" }
    assert.equal("idempotent", assert(assets.plan(art.manifest, options)).retry)
    options.retry = "safe"
    assert.equal("safe", assert(assets.plan(art.manifest, options)).retry)
    art:write({ ["a.png"] = "subject = 'a fox'" })
    options.retry = nil
    assert.equal("documented", assert(assets.plan(art.manifest, options)).retry)
    art:write({ ["a.png"] = "subject = 'a fox'" }, "retry = 'documentd'")
    local _, err = assets.plan(art.manifest, options)
    assert.equal("manifest_error", err.code)
    assert.matches("did you mean 'documented'", err.message)
    options.retry = "saf"
    assert.error_matches(function()
      assets.plan(art.manifest, options)
    end, "did you mean 'safe'")
  end)
end)
