local child = require("spec.helpers.child")
local host = require("spec.host")
local states = require("spec.helpers.states")
local support = require("spec.support")

-- Seconds between the signal and the end of the process. 0.2 are promised; the rest is for the
-- end of the process itself on a machine that does other things too.
local LIMIT = os.getenv("GPTIMAGE2_SPEC_SLOW") and 20 or 2

-- Each blocks for longer than the spec may take.
local BLOCKING = {
  { "generate", "client:generate(request)" },
  { "create", "client:create(request)" },
  { "wait", "job = client:submit(request) ready() job:wait()" },
  { "wait with a timeout", "job = client:submit(request) ready() job:wait(100000)" },
  { "sleep", "ready() gptimage2.sleep(100000)" },
  { "step", "ready() gptimage2.step(100000)" },
  { "a loop of steps", "ready() while true do gptimage2.step(10) end" },
  { "run", "gptimage2.run(function() ready() gptimage2.sleep(100000) end)" },
  { "a task's wait", "gptimage2.spawn(function() ready() gptimage2.sleep(1e5) end):wait()" },
}

describe("Ctrl-C", function()
  after_each(support.clean)

  for _, case in ipairs(BLOCKING) do
    it(("ends %s with Lua's own message"):format(case[1]), function()
      local box = support.sandbox()
      box:fault({ on = "create", action = "hang" })
      local process = child.start(states.prelude(box) .. [[
        io.stdout:setvbuf("no")
        local pid = ...
        function ready()
          ready = function() end
          print(pid)
        end
        client = client_of({
          on_event = function()
            ready()
          end,
        })
      ]] .. case[2] .. " print('not interrupted')")
      local pid = assert(tonumber(process:line()))
      host.pause(0.02) -- so that it stands still in the call; without it the spec is true as well
      local start = host.now()
      assert.is_true(host.interrupt(pid))
      local result = process:finish()
      local took = host.now() - start
      assert.matches("interrupted!", result.errors)
      assert.equal("", result.output)
      assert.equal(1, result.exit)
      assert.is_true(took < LIMIT, ("it took %.3f s"):format(took))
      if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
        print(("%6.2f ms %s"):format(took * 1000, case[1]))
      end
    end)
  end

  it("leaves the module usable when the program catches it", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "hang" })
    local process = child.start(states.prelude(box) .. [[
      io.stdout:setvbuf("no")
      local pid = ...
      client = client_of({})
      job = client:submit(request)
      print(pid)
      local ok, err = pcall(job.wait, job)
      print(ok, err)
      print(assert(client:generate(request)).status, job.status)
    ]])
    local pid = assert(tonumber(process:line()))
    -- The hang is for the first create only.
    while box:ledger().requests.create == 0 do
      host.pause(0.001)
    end
    host.interrupt(pid)
    local result = process:finish()
    assert.matches("^false\t.*interrupted!\nsucceeded\tcreating\n$", result.output)
    assert.equal("", result.errors)
    assert.equal(0, result.exit)
  end)
end)
