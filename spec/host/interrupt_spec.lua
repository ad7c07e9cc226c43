local child = require("spec.helpers.child")
local host = require("spec.host")
local states = require("spec.helpers.states")
local support = require("spec.support")

-- Seconds between the signal and the end of the process. 0.2 are promised and are measured by
-- whoever asks for figures; this is for telling "at once" from "when the time was over", on a
-- machine that does other things too.
local LIMIT = 25

-- Each blocks for longer than that; a signal that is lost fails the spec instead of holding it up.
local BLOCKING = {
  { "generate", "client:generate(request)" },
  { "create", "client:create(request)" },
  { "wait", "job = client:submit(request) ready() job:wait()" },
  { "wait with a timeout", "job = client:submit(request) ready() job:wait(50)" },
  { "sleep", "ready() gptimage2.sleep(50)" },
  { "step", "ready() gptimage2.step(50)" },
  { "a loop of steps", "ready() while true do gptimage2.step(50) end" },
  { "run", "gptimage2.run(function() ready() gptimage2.sleep(50) end)" },
  { "a task's wait", "gptimage2.spawn(function() ready() gptimage2.sleep(50) end):wait()" },
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
          timeout = 50,
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

  it("ends a step when it comes just before the core stands still", function()
    local result = child.run([[
      local core = require("gptimage2.core")
      local host = require("spec.host")
      local gptimage2 = require("gptimage2")
      core.step = host.interrupting(core.step)
      local start = host.now()
      local ok, err = pcall(gptimage2.step, 50)
      print(ok, err:match("interrupted!"), host.now() - start < 25)
    ]])
    assert.same({ output = "false\tinterrupted!\ttrue\n", errors = "", exit = 0 }, result)
  end)

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
