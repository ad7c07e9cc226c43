--- Who gets the errors of the host's own functions.

local child = require("spec.helpers.child")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

describe("on_error", function()
  local told, note

  before_each(function()
    told = {}
    function note(err, what)
      told[#told + 1] = { what, err }
    end
  end)

  after_each(function()
    gptimage2.on_error = nil
    support.clean()
  end)

  local function what_was_told()
    local words = {}
    for i, pair in ipairs(told) do
      words[i] = pair[1]
    end
    table.sort(words)
    return table.concat(words, " ")
  end

  it("gets the errors of tasks, coroutines and handlers, and step raises none", function()
    gptimage2.on_error = note
    local client = support.pair({
      on_event = function(event)
        if event.type == "succeeded" then
          error({ name = "event" })
        end
      end,
    })
    gptimage2.spawn(error, "task")
    coroutine.wrap(function()
      gptimage2.sleep(0)
      error("coroutine")
    end)()
    local job = client:submit(REQUEST)
    job:on_done(function()
      error("done")
    end)
    support.step_until(function()
      return #told == 4
    end)
    assert.equal("coroutine on_done on_event task", what_was_told())
    for _, pair in ipairs(told) do
      local text = type(pair[2]) == "table" and pair[2].name or pair[2]
      assert.matches(pair[1]:gsub("^on_", ""), text)
    end
  end)

  it("of a client gets those of its own handlers, and no others", function()
    local own = {}
    gptimage2.on_error = note
    local function fail()
      error("no")
    end
    local client, box = support.pair({
      on_event = fail,
      on_error = function(_, what)
        own[#own + 1] = what
      end,
    })
    local other = support.client(box, { on_event = fail })
    local job = client:submit(REQUEST)
    support.finish(job)
    gptimage2.step()
    assert.is_true(#own > 1)
    assert.same({}, told)
    job:on_done(fail)
    support.step_until(function()
      return own[#own] == "on_done"
    end)
    local count = #own
    support.finish(other:submit(REQUEST))
    gptimage2.step()
    assert.equal(count, #own)
    assert.is_true(#told > 1)
  end)

  it("may raise itself, which ends nothing and is written to standard error", function()
    local box = support.sandbox()
    local result = child.run(([[
      local gptimage2 = require("gptimage2")
      gptimage2.on_error = function()
        error("worse")
      end
      local client = gptimage2.new({
        api_key = %q,
        base_url = %q,
        poll = { first = 0.01, interval = 0.01 },
        on_event = function()
          error("bad")
        end,
      })
      print(assert(client:generate({ prompt = "a cup" })).status)
    ]]):format(box.api_key, box.url))
    assert.equal("succeeded\n", result.output)
    assert.matches("^gptimage2: an error in on_error: .-worse", result.errors)
    assert.equal(0, result.exit)
  end)

  it("leaves run to raise what its function raised", function()
    gptimage2.on_error = note
    local ok, err = pcall(gptimage2.run, function()
      error("mine")
    end)
    assert.is_false(ok)
    assert.matches("mine", err)
  end)

  it("is not needed by a wait: it raises what on_event raises about its own job", function()
    local client = support.pair({
      on_event = function(event)
        if event.type == "created" then
          error("own")
        end
      end,
    })
    local ok, err = pcall(client.generate, client, REQUEST)
    assert.is_false(ok)
    assert.matches("own", err)
    support.finish(client:jobs()[1])
  end)

  it("is not needed by a wait: it raises nobody else's errors, which the next step does", function()
    local client = support.pair()
    gptimage2.spawn(function()
      gptimage2.sleep(0)
      error("another's")
    end)
    local other = support.client(support.sandbox(), {
      on_event = function()
        error("another's, too")
      end,
    })
    other:submit(REQUEST)
    assert.equal("succeeded", assert(client:generate(REQUEST)).status)
    local raised = 0
    local limit = gptimage2.now() + support.seconds(20)
    while (raised < 2 or gptimage2.busy() > 0) and gptimage2.now() < limit do
      local ok, err = pcall(gptimage2.step, 0.01)
      if not ok then
        assert.matches("another's", err)
        raised = raised + 1
      end
    end
    assert.is_true(raised >= 2)
  end)

  it("does not make a wait spin while an error is kept", function()
    local client = support.pair(nil, { duration = 0.3 })
    gptimage2.spawn(error, "kept")
    local before = os.clock()
    assert(client:generate(REQUEST))
    assert.is_true(os.clock() - before < 0.15)
    assert.is_false(pcall(gptimage2.step))
  end)

  it("gets what its own doings bring about, too, and step raises nothing", function()
    local count = 0
    gptimage2.on_error = function(err, what)
      if not tostring(err):find("in a chain", 1, true) then
        return -- another case's
      end
      count = count + 1
      note(err, what)
      if count < 5 then
        gptimage2.spawn(error, "in a chain")
      end
    end
    gptimage2.spawn(error, "in a chain")
    for _ = 1, 10 do
      gptimage2.step()
    end
    assert.equal("task task task task task", what_was_told())
  end)

  it("must be a function in the options", function()
    local box = support.sandbox()
    local ok, err =
      pcall(gptimage2.new, { api_key = box.api_key, base_url = box.url, on_error = "print" })
    assert.is_false(ok)
    assert.matches("on_error", err)
  end)

  it("is not needed where the host has no standard error: a loop's step goes on", function()
    local result = child.run([[
      local gptimage2 = require("gptimage2")
      local step
      gptimage2.use({ start = function(given) step = given end })
      local kept = io
      gptimage2.spawn(error, "one")
      io = nil
      step()
      io = kept
      step()
      print(pcall(gptimage2.step))
    ]])
    assert.same({ output = "true\t0\n", errors = "", exit = 0 }, result)
  end)

  it("that nobody takes are kept, but not without end", function()
    local failures = require("gptimage2.waiting.failures")
    for _ = 1, 2000 do
      failures.keep("kept", "task")
    end
    local raised = 0
    while not pcall(gptimage2.step) do
      raised = raised + 1
    end
    assert.equal(1001, raised)
  end)
end)
