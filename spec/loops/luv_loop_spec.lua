local loop_cases = require("spec.helpers.loop_cases")
local loops = require("spec.helpers.loops")
local support = require("spec.support")

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
end)
