--- kill -9 of a batch at any moment, and the same command once more: nothing is paid twice, and
--- nothing that was paid is lost.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

--- For each service; spec/faults/moments_run has more of both.
local MOMENTS = tonumber(os.getenv("GPTIMAGE2_SPEC_MOMENTS")) or support.slow and 2 or 4
local COUNT = tonumber(os.getenv("GPTIMAGE2_SPEC_PICTURES")) or 12

local LINE = "batch rows.jsonl -o out -y --json --concurrency 3 --retry %s " .. commands.UNIT

--- Rows that nobody else has.
local function new(box, moment)
  local here, rows = folder.new(), {}
  for i = 1, COUNT do
    rows[i] = ('{"prompt":"moment %s, picture %d","file":"p%d.png"}\n'):format(moment, i, i)
  end
  folder.write(here .. "/rows.jsonl", table.concat(rows))
  return { box = box, here = here }
end

--- What the service was paid for since.
local function paid(box, before)
  return pictures.paid(box) / 10 - before
end

local function there(options)
  local _, count = folder.list(options.here .. "/out"):gsub("p%d+%.png", "")
  return count
end

--- Kills at moments all through a life, which is as long as one that nobody kills; `judge` looks at
--- what the same command makes of each.
local function kill_all(box, retry, judge)
  local line = LINE:format(retry)
  local began = gptimage2.now()
  assert(commands.json(line, new(box, "whole")).status == 0)
  local lasts = gptimage2.now() - began
  for i = 1, MOMENTS do
    local options, before = new(box, i), pictures.paid(box) / 10
    local process = commands.start(line, options)
    gptimage2.sleep(lasts * (i + 1) / (MOMENTS + 2))
    process:kill("KILL")
    process:finish()
    judge(commands.json(line, options), paid(box, before), options)
  end
end

describe("a batch that is killed", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is finished by the same command where keys are honoured", function()
    local box = support.sandbox({ duration = 0.1, credits = 100000 })
    kill_all(box, "idempotent", function(said, count, options)
      assert.equal(0, said.status, said.err)
      assert.equal(COUNT, said.last.made + said.last.kept + said.last.fetched)
      assert.same({ COUNT, COUNT }, { count, there(options) })
    end)
  end)

  it("tells what may have been paid where keys are ignored, and makes the rest", function()
    local box = support.sandbox({ duration = 0.1, credits = 100000, idempotency = false })
    kill_all(box, "documented", function(said, count, options)
      local unknown = said.last.unknown
      assert.is_true(said.status == (unknown > 0 and 1 or 0), said.err)
      assert.is_true(count <= COUNT)
      assert.equal(COUNT - unknown, there(options))
      assert.is_true(count >= COUNT - unknown)
    end)
  end)
end)
