--- Plans and checks: offline, exact, quick, and with a clear word about what cannot be read.

local assets = require("gptimage2.assets")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local seen = require("gptimage2.assets.plan.seen")
local support = require("spec.support")

--- CPU seconds of the best of three.
local function best_of_three(fn)
  local best = math.huge
  for _ = 1, 3 do
    collectgarbage()
    local began = os.clock()
    fn()
    best = math.min(best, os.clock() - began)
  end
  return best
end

local function many(count)
  local entries = {}
  for i = 1, count do
    entries[("p/%d.png"):format(i)] = ("subject = 'picture number %d'"):format(i)
  end
  return entries
end

describe("a plan", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("needs neither a key nor a store, and leaves nothing behind", function()
    local art =
      pictures.new({ ["a.png"] = "subject = 'a', candidates = 4", ["b.png"] = "subject = 'b'" })
    local plan = assert(assets.plan(art.manifest))
    assert.equal(50, plan.cost)
    assert.same({ new = 2 }, plan.counts)
    assert.is_false(plan.clean)
    assert.equal(0, plan.spent)
    assert.same({ 1, 2, 3, 4 }, plan.lines[1].make)
    assert.equal("pictures.lua", folder.list(art.base))
  end)

  it("is about the service that is meant", function()
    local art = pictures.new()
    local one = assert(assets.plan(art.manifest, { base_url = "https://a.example" }))
    local other = assert(assets.plan(art.manifest, { base_url = "HTTPS://A.example:443/" }))
    local third = assert(assets.plan(art.manifest, { base_url = "https://b.example" }))
    assert.equal(one.lines[1].hash, other.lines[1].hash)
    assert.not_equal(one.lines[1].hash, third.lines[1].hash)
    local plan, err = assets.plan(art.manifest, { base_url = "ftp://a" })
    assert.is_nil(plan)
    assert.equal("invalid_base_url", err.code)
  end)

  it("says what it cannot read", function()
    local art = pictures.new()
    local function refused(code, options)
      for _, name in ipairs({ "plan", "check" }) do
        local found, err = assets[name](art.manifest, options)
        assert.is_nil(found)
        assert.equal(code, err.code)
      end
    end
    folder.write(art.base .. "pictures.lock", "<<<<<<< HEAD\n")
    refused("lock_conflict")
    folder.write(art.base .. "pictures.lock", '{"gptimage2.lock":9}\n')
    refused("lock_newer")
    folder.write(art.manifest, "return {")
    refused("manifest_error")
    os.remove(art.base .. "pictures.lock")
    art:write({ ["a.png"] = "subject = 'a'" })
    folder.write(
      art.base .. "pictures.lock",
      '{"gptimage2.lock":1,"salt":"00000000000000000000000000000000"}\n'
    )
    folder.run(("mkdir %s/.gptimage2"):format(art.base))
    folder.write(art.base .. ".gptimage2/ledger.db", "no ledger")
    local plan, err = assets.plan(art.manifest)
    assert.is_nil(plan)
    assert.equal("ledger", err.kind)
    assert.is_false(assert(assets.check(art.manifest)).ok) -- which reads none
  end)

  it("refuses a selection of nothing, and says what was meant", function()
    local art = pictures.new({ ["icons/a.png"] = "subject = 'a'", ["b.jpg"] = "subject = 'b'" })
    local HINTS = {
      ["icon/*"] = "'icons/*'",
      ["icons/b.png"] = "'icons/a.png'",
      ["b.jpeg"] = "'b.jpg'",
      ["nothing at all"] = false,
    }
    for glob, hint in pairs(HINTS) do
      for _, only in ipairs({ glob, { "**", glob } }) do
        for _, name in ipairs({ "plan", "check", "review", "grid", "derive", "gc" }) do
          local found, err = assets[name](art.manifest, { only = only })
          assert.is_nil(found)
          assert.same({ "build", "nothing_matches" }, { err.kind, err.code })
          local words = "no picture matches '" .. glob .. "'"
          words = words .. (hint and ", did you mean " .. hint .. "?" or "")
          assert.is_truthy(err.message:find(words, 1, true), err.message)
        end
      end
    end
    assert(assets.plan(art.manifest, { only = { "**", "b*" } }))
    art:write({}) -- there is nothing to select
    assert(assets.plan(art.manifest, { only = "*" }))
  end)

  it("raises for wrong options", function()
    local art = pictures.new()
    assert.has_error(function()
      assets.plan(art.manifest, { onyl = "*" })
    end, "bad argument #2 to 'plan' (unknown option 'onyl', did you mean 'only'?)")
    assert.has_error(function()
      assets.check(art.manifest, { only = { 3 } })
    end)
    assert.has_error(function()
      assets.plan()
    end)
  end)

  it("remembers what was read of files, until they change", function()
    local dir = folder.new()
    local list, file = dir .. "/seen", dir .. "/a.png"
    folder.write(file, "bytes")
    local changed = tonumber(folder.stat(file, "%Z"))
    local digest = core.digest.sha256("bytes")
    local function look(now)
      local looked = seen.open(list)
      local found = looked:digest(file, now)
      looked:keep()
      return found
    end
    assert.equal(digest, look(changed + 1)) -- it may change again without a sign
    assert.equal("", folder.read(list) or "")
    assert.equal(digest, look(changed + 10))
    assert.matches(digest, folder.read(list))
    folder.write(list, (folder.read(list):gsub(digest, ("0"):rep(64)))) -- it is believed
    assert.equal(("0"):rep(64), look(changed + 10))
    folder.write(file, "other bytes")
    assert.equal(core.digest.sha256("other bytes"), look(changed + 10))
    os.remove(file)
    assert.is_nil(look(changed + 10))
    folder.link(list, file)
    assert.equal("link", look(changed + 10))
  end)

  it("of ten thousand takes ten times as long as of a thousand", function()
    local count = support.slow and 100 or 1000
    local function time(entries)
      local art = pictures.new(many(entries))
      return best_of_three(function()
        assert.equal(10 * entries, assert(assets.plan(art.manifest)).cost)
      end)
    end
    local short, long = time(count), time(10 * count)
    assert.is_true(long < 30 * short, ("%.3f s and %.3f s"):format(short, long))
    assert.is_true(support.slow or long < 3, ("%.3f s"):format(long)) -- under 1 on a quiet machine
  end)
end)
