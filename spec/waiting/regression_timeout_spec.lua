-- Times that once were not kept: of exchanges that wait for the connection of another.

local host = require("spec.host")
local support = require("spec.support")

describe("a job that waits for the connection of another", function()
  after_each(support.clean)

  it("keeps its own time", function()
    local events, on_event = support.recorder()
    local url = ("https://127.0.0.1:%d"):format(host.silent_port())
    local client = support.client({ url = url, api_key = support.KEY }, {
      connect_timeout = support.seconds(2),
      max_attempts = 1,
      on_event = on_event,
    })
    local first = assert(client:submit({ prompt = "first" }))
    support.step_until(function()
      return first.status == "creating"
    end)
    local options = { timeout = support.seconds(0.3) }
    local second = support.finish(assert(client:submit({ prompt = "second" }, options)))
    assert.equal("failed", support.types(events, second):match("%a+$"))
    assert.is_false(first:done())
    assert.equal("network", second.error.kind)
    assert.equal("connect_timeout", second.error.code)
    assert.equal("no", second.error.sent)
    assert.equal("no", second.error.charged)
    assert.equal(10, client.spent)
  end)
end)
