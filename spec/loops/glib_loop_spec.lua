local gptimage2 = require("gptimage2")
local loop_cases = require("spec.helpers.loop_cases")
local loops = require("spec.helpers.loops")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

describe("the loop of glib", function()
  local host, why
  before_each(function()
    host, why = loops.open("glib")
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

  it("goes on inside of a callback that waits", function()
    if not host then
      return pending(why)
    end
    local GLib = require("lgi").GLib
    local client, ticks, job = support.pair(), 0, nil
    local stop = host.ticker(5, function()
      ticks = ticks + 1
    end)
    GLib.timeout_add(GLib.PRIORITY_DEFAULT, 1, function()
      job = assert(client:generate(REQUEST))
      assert(gptimage2.sleep(0.05))
      stop()
      return false
    end)
    host.run()
    assert.equal("succeeded", job.status)
    assert.is_true(ticks > 2)
  end)
end)
