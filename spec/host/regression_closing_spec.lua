-- What once went wrong when a Lua state ended, beside lifecycle_spec.lua.

local child = require("spec.helpers.child")

describe("a Lua state that ends right after", function()
  -- Freed memory is overwritten, so that its use shows without a sanitizer, too.
  local ENVIRONMENT = "MALLOC_PERTURB_=165"

  local CODE = [[
    local gptimage2 = require("gptimage2")
    local options = { api_key = "k", base_url = "http://127.0.0.1:9", verify_references = false }
    local client = assert(gptimage2.new(options))
    local jobs = {}
    for i = 1, 3 do
      jobs[i] = assert(client:submit({ prompt = "a cup" }))
    end
  ]]

  local ENDINGS = {
    ["its client was closed"] = "client:close()",
    ["its jobs were cancelled"] = "for i = 1, 3 do jobs[i]:cancel() end",
    ["they were cancelled and the client was closed"] = "jobs[2]:cancel() client:close()",
  }

  for name, ending in pairs(ENDINGS) do
    it(name .. " ends well", function()
      for _ = 1, 3 do -- the commands must meet a thread that has seen the end first
        local result = child.run(CODE .. ending, nil, ENVIRONMENT)
        assert.same({ output = "", errors = "", exit = 0 }, result)
      end
    end)
  end
end)
