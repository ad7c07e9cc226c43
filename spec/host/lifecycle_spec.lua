--- The end of a Lua state or a process in each state of a job, and several states in one process.

local child = require("spec.helpers.child")
local gptimage2 = require("gptimage2")
local host = require("spec.host")
local patience = require("spec.helpers.patience")
local states = require("spec.helpers.states")
local support = require("spec.support")

local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW") ~= nil
local VARIANT = os.getenv("GPTIMAGE2_SPEC_VARIANT")
local wait_until = patience.wait_until

-- Seconds that closing a state may take: 0.05 are promised and are measured by the benches. This
-- is for telling "at once" from "after some timeout", on a machine that does other things too.
local CLOSE_LIMIT = SLOW and 8 or 4

local function is_reached(state, inner, box)
  if not state.blind then
    inner:run("gptimage2.step()")
  end
  if state.seen and not inner:run(("return %s and 'yes'"):format(state.seen)) then
    return false
  end
  return not state.ledger or state.ledger(box:ledger())
end

local function new_box()
  return support.sandbox({ credits = 100000 })
end

-- A Lua state of its own in which a job is in that state.
local function inner_in(state, box)
  local inner = host.state()
  if state.fault then
    box:fault(state.fault)
  end
  inner:run(states.prelude(box) .. state.start)
  wait_until(function()
    return is_reached(state, inner, box)
  end)
  return inner
end

describe("closing a Lua state", function()
  after_each(support.clean)

  for _, state in ipairs(states.LIST) do
    it(state.name .. " is over at once and leaves no thread and no descriptor", function()
      -- This state's own thread, a sanitizer's, and a descriptor are there from now on.
      gptimage2.sleep(0)
      host.silent_port()
      local threads, descriptors = host.threads(), host.descriptors()
      local box = new_box()
      local inner = inner_in(state, box)
      local took = inner:close()
      assert.is_true(took < CLOSE_LIMIT, ("closing took %.3f s"):format(took))
      if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
        print(("%6.2f ms %s"):format(took * 1000, state.name))
      end
      box:stop()
      wait_until(function()
        return host.threads() == threads and host.descriptors() <= descriptors
      end)
    end)
  end

  it("while the system's certificates are read is over at once", function()
    local box = support.sandbox({ tls = true })
    for moment = 0, 15 do
      local inner = host.state()
      inner:run(states.prelude(box) .. "client_of({}):submit(request)")
      host.pause(moment / 1000)
      local took = inner:close()
      assert.is_true(took < CLOSE_LIMIT, ("closing took %.3f s"):format(took))
    end
    assert.equal(0, #box:ledger().log)
  end)

  it("in the middle of a download leaves no half a file", function()
    local box = support.sandbox({ image_bytes = 64 * 1024 * 1024 })
    local folder = os.tmpname()
    os.remove(folder)
    local inner = host.state()
    inner:run(states.prelude(box) .. [[
      local folder = ...
      client = client_of({})
      job = client:submit(request)
      gptimage2.spawn(function()
        job:wait()
        job:save(folder, { sidecar = false })
      end)
    ]], folder)
    wait_until(function()
      inner:run("gptimage2.step()")
      return box:ledger().requests.image > 0
    end)
    assert.is_true(inner:close() < CLOSE_LIMIT)
    local pipe = io.popen(("ls -A %s 2>/dev/null; rm -rf %s"):format(folder, folder))
    local names = pipe:read("*a")
    pipe:close()
    assert.is_true(names == "" or names:match("^[%w_-]+%.png\n$") ~= nil, names)
  end)

  it("gives finalizers that come later an error, not a crash", function()
    local result = child.run([[
      local gptimage2, client
      local function late()
        local handled, err = gptimage2.step()
        print(handled, err.kind, err.code)
        print((select(2, gptimage2.sleep(0))).code, (select(2, gptimage2.fd())).code)
        local job, failed = client:submit({ prompt = "a cup" })
        print(job, failed.kind, gptimage2.pending())
        client:close()
      end
      if newproxy then
        guard = newproxy(true)
        getmetatable(guard).__gc = late
      else
        guard = setmetatable({}, { __gc = late })
      end
      gptimage2 = require("gptimage2")
      client = gptimage2.new({ api_key = "k", base_url = "http://127.0.0.1:1" })
      client:submit({ prompt = "a cup" })
    ]])
    assert.same({
      output = "nil\tclosed\tstate_closing\nstate_closing\tstate_closing\nnil\tclosed\t0\n",
      errors = "",
      exit = 0,
    }, result)
  end)
end)

describe("a process that ends", function()
  after_each(support.clean)

  local ENDINGS = { { "by itself", "" }, { "by os.exit", "os.exit(0)" } }
  if VARIANT ~= "5.1" then
    ENDINGS[3] = { "by os.exit that closes", "os.exit(0, true)" }
  end

  -- The process goes on until it has seen its state and the file `go` is there.
  local function code_for(state, box, go, ending)
    local code = states.prelude(box) .. state.start
    local wait = [[
      local host = require("spec.host")
      local function is_over()
        local file = %s and io.open(%q)
        return file and file:close()
      end
      while not is_over() do
        %s(0.01)
      end
    ]]
    local pause = state.blind and "host.pause" or "gptimage2.step"
    return ("%s\n%s\n%s"):format(code, wait:format(state.seen or "true", go, pause), ending)
  end

  local function run_to_end(state, ending)
    local box = new_box()
    if state.fault then
      box:fault(state.fault)
    end
    local go = os.tmpname()
    os.remove(go)
    local process = child.start(code_for(state, box, go, ending))
    wait_until(function()
      return not state.ledger or state.ledger(box:ledger())
    end)
    assert(io.open(go, "w")):close()
    local result = process:finish()
    os.remove(go)
    return result
  end

  for e, ending in ipairs(ENDINGS) do
    for s, state in ipairs(states.LIST) do
      -- Where a process is slow to start each state has one of the endings.
      local is_tried = not SLOW or s % #ENDINGS + 1 == e
      local try = is_tried and it or function() end
      try(("%s %s says nothing, and its code is 0"):format(ending[1], state.name), function()
        local result = run_to_end(state, ending[2])
        assert.same({ output = "", errors = "", exit = 0 }, result)
      end)
    end
  end
end)

describe("a name server that hangs", function()
  after_each(support.clean)

  local LIBRARY = os.getenv("GPTIMAGE2_SPEC_LUA"):gsub("lua/[^/]+/lua$", "tools/slow_dns.so")

  -- A job looks up a name, which takes until the FIFO is opened. The state is closed meanwhile,
  -- the look-up comes to its end in a process that lives on.
  local CODE = [[
    local host = require("spec.host")
    local _, fifo = ...
    local limit = host.now() + 60
    local function goes_on()
      return assert(host.now() < limit, "it did not happen")
    end
    local inner = host.state()
    inner:run([=[
      gptimage2 = require("gptimage2")
      client = gptimage2.new({ api_key = "key", base_url = "https://slow.invalid" })
      job = client:submit({ prompt = "a cup" })
    ]=])
    while goes_on() and host.threads() < 3 do
      inner:run("gptimage2.step(0.01)")
    end
    local took = inner:close()
    assert(host.threads() > 1) -- the look-up still hangs, in as many threads as libcurl likes
    io.open(fifo, "w"):close()
    while goes_on() and host.threads() > 1 do
      host.pause(0.001)
    end
    print(took < tonumber((select(3, ...))))
    if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
      io.stderr:write(("%.2f ms\n"):format(took * 1000))
    end
  ]]

  local function run_without_names(code, ...)
    local fifo = os.tmpname()
    os.remove(fifo)
    local made = os.execute("mkfifo " .. fifo)
    assert.is_true(made == true or made == 0)
    local environment = ("SLOW_DNS_FIFO=%s LD_PRELOAD=%s"):format(fifo, LIBRARY)
    local result = child.run(code, { fifo, ... }, environment)
    os.remove(fifo)
    return result
  end

  -- A sanitizer's launcher has the last word on LD_PRELOAD.
  if VARIANT ~= "asan" and VARIANT ~= "tsan" then
    it("does not hold up the end of a state, nor does its late answer crash", function()
      local result = run_without_names(CODE, CLOSE_LIMIT)
      assert.equal("true\n", result.output, result.errors)
      assert.equal(0, result.exit)
      if os.getenv("GPTIMAGE2_SPEC_FIGURES") then
        print(result.errors)
      end
    end)

    it("does not hold up the end of a process", function()
      local result = run_without_names([[
        local gptimage2 = require("gptimage2")
        local client = gptimage2.new({ api_key = "key", base_url = "https://slow.invalid" })
        local job = client:submit({ prompt = "a cup" })
        while not job:done() and require("spec.host").threads() < 3 do
          gptimage2.step(0.01)
        end
        assert(not job:done())
      ]])
      assert.same({ output = "", errors = "", exit = 0 }, result)
    end)
  end
end)

describe("two Lua states in one process", function()
  after_each(support.clean)

  it("have nothing to do with each other", function()
    local box = support.sandbox()
    local one, two = host.state(), host.state()
    local code = states.prelude(box) .. "client = client_of({}) job = client:submit(request)"
    one:run(code)
    two:run(code)
    assert.equal(0, gptimage2.pending())
    one:close()
    two:run("assert(job:wait())")
    assert.equal("succeeded 0", two:run("return job.status .. ' ' .. gptimage2.pending()"))
    two:close()
  end)

  -- In a process of their own, where no thread of anything else comes or goes.
  it("have a thread each, and only once there is work", function()
    local result = child.run([[
      local host = require("spec.host")
      require("gptimage2").sleep(0) -- this state's own thread, and a sanitizer's
      local before = host.threads()
      local function print_more()
        print(host.threads() - before)
      end
      local one, two = host.state(), host.state()
      for _, inner in ipairs({ one, two }) do
        inner:run([=[
          gptimage2 = require("gptimage2")
          client = assert(gptimage2.new({ api_key = "key", base_url = "http://127.0.0.1:1" }))
        ]=])
      end
      print_more()
      one:run("task = gptimage2.spawn(gptimage2.sleep, 1000)")
      print_more()
      two:run("task = gptimage2.spawn(gptimage2.sleep, 1000)")
      two:run("gptimage2.spawn(gptimage2.sleep, 1000)")
      print_more()
      one:close()
      two:close()
      local limit = host.now() + 60
      while host.threads() > before and host.now() < limit do
        host.pause(0.001)
      end
      print_more()
    ]])
    assert.same({ output = "0\n1\n2\n0\n", errors = "", exit = 0 }, result)
  end)

  it("can come and go many times", function()
    local box = support.sandbox()
    local descriptors
    for i = 1, 10 do
      local inner = host.state()
      inner:run(states.prelude(box) .. "assert(client_of({}):generate(request))")
      inner:close()
      if i == 1 then
        descriptors = host.descriptors()
      end
    end
    wait_until(function() -- the sandbox lets go of its ends a little later
      return host.descriptors() <= descriptors + 1
    end)
  end)
end)
