local gptimage2 = require("gptimage2")
local loop_cases = require("spec.helpers.loop_cases")
local loops = require("spec.helpers.loops")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

describe("the loop of luv", function()
  local host, why
  before_each(function()
    host, why = loops.open("luv")
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

  it("has no handle of ours that is active in the end", function()
    if not host then
      return pending(why)
    end
    host.begin(function()
      assert(gptimage2.sleep(0.01))
    end)
    assert(gptimage2.sleep(0.02))
    host.run()
    assert.is_false(require("luv").loop_alive() or false)
  end)

  it("goes on when the host has closed every handle that there is", function()
    if not host then
      return pending(why)
    end
    local uv = require("luv")
    for _ = 1, 2 do
      local woken = false
      host.begin(function()
        woken = gptimage2.sleep(0.005)
      end)
      host.run()
      assert.is_true(woken)
      assert(gptimage2.sleep(0.005)) -- by turns
      uv.walk(function(handle)
        if not handle:is_closing() then
          handle:close()
        end
      end)
      uv.run()
    end
  end)

  it("goes on inside of a callback that waits", function()
    if not host then
      return pending(why)
    end
    local client, ticks, job = support.pair(), 0, nil
    local stop = host.ticker(5, function()
      ticks = ticks + 1
    end)
    local timer = require("luv").new_timer()
    timer:start(1, 0, function()
      job = assert(client:generate(REQUEST))
      assert(gptimage2.sleep(0.05))
      stop()
    end)
    host.run()
    assert.equal("succeeded", job.status)
    assert.is_true(ticks > 2)
  end)
end)
