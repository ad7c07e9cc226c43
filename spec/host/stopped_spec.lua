-- A process that is stopped (Ctrl-Z, a paused container, a debugger) for longer than its limits of
-- time, while the answer comes: it reads the answer first.

local child = require("spec.helpers.child")
local host = require("spec.host")
local states = require("spec.helpers.states")
local support = require("spec.support")

--- Seconds: the limit of the program, and how long it stands still.
local LIMIT = support.seconds(2)
local STOPPED = LIMIT * 1.25

--- What to answer late, and what the program does meanwhile.
local CASES = {
  {
    name = "a create",
    late = "create",
    options = "{ request_timeout = LIMIT }",
    code = "answer(client:generate(request))",
  },
  {
    name = "a poll",
    late = "poll",
    options = "{ request_timeout = LIMIT }",
    code = "job = answer(client:generate(request)) print(job.polls)",
    more = "1",
  },
  {
    name = "a poll, up to the job's deadline",
    late = "poll",
    options = "{ timeout = LIMIT }",
    code = "answer(client:generate(request))",
  },
  {
    name = "a download",
    late = "image",
    options = "{ request_timeout = LIMIT }",
    code = "job = assert(client:generate(request)) assert(job:data(1)) answer(job)",
  },
}

local function kill(signal, pid)
  local ok = os.execute(("kill -%s %d"):format(signal, pid))
  assert(ok == true or ok == 0)
end

local function start(case, box)
  return child.start(states.prelude(box) .. ([[
    io.stdout:setvbuf("no")
    local LIMIT = %g
    print((...))
    function answer(job, err)
      print(job and job.status or err.kind .. "/" .. err.code)
      return job
    end
    client = client_of(%s)
    %s
  ]]):format(LIMIT, case.options, case.code))
end

--- Starts the program of a case and stops it when its request has arrived.
local function stop_in_time(case)
  local box = support.sandbox()
  box:fault({ on = case.late, action = "delay", seconds = LIMIT / 4 })
  local process = start(case, box)
  local pid = assert(tonumber(process:line()))
  while box:ledger().requests[case.late] < 1 do
    host.pause(0.002)
  end
  kill("STOP", pid)
  return { box = box, process = process, pid = pid }
end

--- All cases side by side, as each stands still for a while.
local function run_all()
  local runs, results = {}, {}
  for i, case in ipairs(CASES) do
    runs[i] = stop_in_time(case)
  end
  host.pause(STOPPED)
  for i, case in ipairs(CASES) do
    kill("CONT", runs[i].pid)
    local result = runs[i].process:finish()
    results[case.name] = { text = result.output .. result.errors, books = runs[i].box:ledger() }
  end
  return results
end

describe("a process that was stopped for longer than its limits", function()
  local results
  after_each(support.clean)

  for _, case in ipairs(CASES) do
    it("reads the answer to " .. case.name, function()
      results = results or run_all()
      local result = results[case.name]
      local expected = "succeeded" .. (case.more and "\n" .. case.more or "")
      assert.equal(expected, (result.text:gsub("%s+$", "")))
      assert.equal(1, result.books.requests.create)
      assert.equal(1, result.books.requests[case.late])
    end)
  end
end)
