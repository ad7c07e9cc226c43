local gptimage2 = require("gptimage2")
local loop_cases = require("spec.helpers.loop_cases")
local loops = require("spec.helpers.loops")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

describe("the loop of copas", function()
  local host, why
  before_each(function()
    host, why = loops.open("copas")
  end)
  after_each(support.clean)

  for _, case in ipairs(loop_cases.list) do
    it(case[1], function()
      if not host then
        return pending(why)
      end
      case[2](host)
    end)
  end

  it("is recognised by itself, inside of its loop only", function()
    if not host then
      return pending(why)
    end
    gptimage2.use("auto")
    local client, suspends, job = support.pair(), 0, nil
    local suspend = gptimage2.loops.copas.suspend
    host.begin(function()
      gptimage2.loops.copas.suspend = function(...)
        suspends = suspends + 1
        return suspend(...)
      end
      job = assert(client:generate(REQUEST))
      gptimage2.loops.copas.suspend = suspend
    end)
    host.run()
    assert(client:generate(REQUEST)) -- outside of it: blocks
    assert.same({ "succeeded", 1 }, { job.status, suspends })
  end)
end)
