--- kill -9 of a build at any moment, and the same call once more: nothing is paid twice, and
--- nothing that was paid is lost.

local assets = require("gptimage2.assets")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

--- For each service; spec/faults/moments_run has more of both.
local MOMENTS = tonumber(os.getenv("GPTIMAGE2_SPEC_MOMENTS")) or support.slow and 2 or 6
local COUNT = tonumber(os.getenv("GPTIMAGE2_SPEC_PICTURES")) or 5

local CODE = [[
local gptimage2 = require("gptimage2")
local assets = require("gptimage2.assets")
local number, manifest, url, key, retry = ...
print(number)
local client = assert(gptimage2.new({
  base_url = url, api_key = key, ledger = assert(assets.ledger(manifest)), retry = retry,
  poll = { first = 0.02, interval = 0.02, max = 0.02 }, max_active = 3,
}))
io.stdout:flush()
assert(assets.build(manifest, { client = client }))
]]

local function entries(moment)
  local all = {}
  for i = 1, COUNT do
    all[("p%d.png"):format(i)] = ("subject = 'moment %s, picture %d'"):format(moment, i)
  end
  return all
end

--- A build in a process of its own, ended some seconds after it began. Gives how long it took.
local function live(art, box, retry, seconds)
  local process = child.start(CODE, { art.manifest, box.url, box.api_key, retry })
  local number = assert(tonumber((process:line())))
  local began = gptimage2.now()
  if seconds then
    gptimage2.sleep(seconds)
    folder.run(("kill -9 %d"):format(number))
  end
  local ended = process:finish()
  assert.is_truthy(seconds or ended.exit == 0, ended.errors)
  return gptimage2.now() - began
end

--- What the service was paid for of one moment: jobs, and credits that were not given back.
local function paid(box, moment)
  local count = 0
  for _, job in ipairs(box:ledger().jobs) do
    if job.prompt:find(("moment %s,"):format(moment), 1, true) and not job.refunded then
      count = count + 1
    end
  end
  return count
end

--- Kills at that many moments, all through a life, and finishes each; `judge` looks at what came.
local function kill_all(box, retry, judge)
  local whole = pictures.new(entries("whole"))
  local lasts = live(whole, box, retry)
  for i = 1, MOMENTS do
    local art = pictures.new(entries(i))
    live(art, box, retry, lasts * (i - math.random()) / MOMENTS)
    art:connect(box, { retry = retry })
    judge(art, assert(art:build()), paid(box, i), whole)
  end
end

describe("a build that is killed", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("is finished by the same call where keys are honoured", function()
    local box = support.sandbox({ duration = 0.1, credits = 100000 })
    kill_all(box, "idempotent", function(art, report, count, whole)
      assert.is_true(report.ok)
      assert.equal(COUNT, count)
      assert.is_true(assert(assets.check(art.manifest, { base_url = box.url })).ok)
      local function without_hashes(text)
        return (text:gsub('"hash":"%x+"', ""))
      end
      assert.equal(without_hashes(whole:lock()), without_hashes(art:lock()))
      assert.equal(0, assert(art:build()).made)
    end)
  end)

  it("tells what may have been paid where keys are ignored, and makes the rest", function()
    local box = support.sandbox({ duration = 0.1, credits = 100000, idempotency = false })
    kill_all(box, "documented", function(art, report, count)
      assert.is_true(count <= COUNT)
      local there = 0
      for _, line in ipairs(report.plan.lines) do
        assert.is_truthy(line.state == "fresh" or line.state == "unknown", line.state)
        there = there + (line.state == "fresh" and 1 or 0)
        assert.equal(line.state == "fresh", art:read(line.path) ~= nil)
      end
      assert.equal(COUNT - there, #report.unknown)
      assert.is_true(count >= there)
    end)
  end)
end)
