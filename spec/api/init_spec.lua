--- The module's own small duties: what it holds, and what it says to those who begin.

local gptimage2 = require("gptimage2")
local waiters = require("gptimage2.waiting.waiters")

local function message_of(fn, ...)
  local ok, message = pcall(fn, ...)
  assert.is_false(ok)
  return message
end

describe("gptimage2", function()
  it("holds the prompt builder and migrate, the very modules", function()
    assert.equal(require("gptimage2.prompt"), gptimage2.prompt)
    assert.equal(require("gptimage2.migrate"), gptimage2.migrate)
  end)

  it("counts as pending what a step had no time to tell", function()
    local told = {}
    local function thing(name, seconds)
      local object = {}
      function object.done()
        return false
      end
      waiters.on_done(object, function()
        local stop = gptimage2.now() + seconds
        repeat
        until gptimage2.now() >= stop
        told[#told + 1] = name
      end)
      waiters.finished(object)
    end
    thing("slow", 0.01) -- longer than a step takes for such things
    thing("late", 0)
    gptimage2.step()
    assert.same({ "slow" }, told)
    assert.equal(1, gptimage2.pending())
    gptimage2.step()
    assert.same({ "slow", "late" }, told)
    assert.equal(0, gptimage2.pending())
  end)

  it("says how to call new, when it is called with a colon", function()
    local message = message_of(function()
      gptimage2:new()
    end)
    assert.is_truthy(message:find("call it as gptimage2.new{}", 1, true), message)
    assert.is_truthy(message:find("init_spec.lua:%d+:"), message)
  end)

  it("says how to write a request, when it is given a string", function()
    local client = assert(gptimage2.new({ api_key = "k" }))
    local message = message_of(client.generate, client, "a cat")
    assert.is_truthy(message:find("use { prompt = ... }", 1, true), message)
    client:close()
  end)

  it("names a sandbox that can be required, when there is no key", function()
    local client, err = gptimage2.new({ api_key = "" })
    assert.is_nil(client)
    assert.equal("api_key_missing", err.code)
    local call = err.message:match('require%("([%w.]+)"%)')
    assert.is_table(require(call))
  end)
end)
