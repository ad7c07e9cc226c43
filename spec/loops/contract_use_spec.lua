local gptimage2 = require("gptimage2")
local support = require("spec.support")
local toy_loop = require("spec.helpers.toy_loop")

local REQUEST = { prompt = "a cup" }

local function nothing() end

describe("use with a loop", function()
  after_each(support.clean)

  it("refuses what is none, says why, and keeps what was used", function()
    local wrong = {
      [{ start = nothing, stop = nothing }] = "has no 'stop'",
      [{ start = nothing, 1 }] = "has no '1'",
      [{ start = nothing, wait = nothing }] = "does not go with 'start'",
      [{ suspend = nothing, resume = nothing, wait = nothing }] = "does not go with",
      [{ start = nothing, suspend = nothing }] = "'suspend' and 'resume' go together",
      [{ start = nothing, resume = nothing }] = "'suspend' and 'resume' go together",
      [{ turn = nothing }] = "needs a function 'start'",
      [{ start = nothing, turn = true }] = "'turn' must be a function",
    }
    local toy = toy_loop.new()
    gptimage2.use(toy.loop)
    for given, why in pairs(wrong) do
      local ok, err = pcall(gptimage2.use, given)
      assert.is_false(ok)
      assert.matches("bad argument #1 to 'use'", err, 1, true)
      assert.matches(why, err, 1, true)
    end
    toy:begin(function()
      assert(gptimage2.sleep(0.001))
    end)
    toy:run()
    assert.equal(1, toy.starts)
  end)

  it("knows loops by name, and suggests one", function()
    local ok, err = pcall(gptimage2.use, "cqueue")
    assert.is_false(ok)
    assert.matches("did you mean 'cqueues'", err, 1, true)
    assert.is_nil(gptimage2.loops.cqueue)
  end)

  it("says what is missing for a loop that cannot be had here", function()
    for name in pairs({ nginx = true, nmap = true }) do
      local ok, err = pcall(gptimage2.use, name)
      assert.is_false(ok)
      assert.is_string(err)
    end
    assert(gptimage2.sleep(0.001)) -- as before
  end)

  it("is nothing for the same one; another one raises while somebody waits", function()
    local one, other = toy_loop.new(), toy_loop.new()
    gptimage2.use(one.loop)
    local done = 0
    local function nap()
      assert(gptimage2.sleep(0.01))
      done = done + 1
    end
    one:begin(nap)
    gptimage2.use(one.loop)
    local ok, err = pcall(gptimage2.use, other.loop)
    assert.is_false(ok)
    assert.matches("somebody waits in another loop", err, 1, true)
    one:begin(nap) -- in the same still
    one:run()
    gptimage2.use(other.loop)
    other:begin(nap)
    other:run()
    assert.same({ 3, 1, 1, 1, 1 }, { done, one.starts, one.stops, other.starts, other.stops })
  end)

  it("raises for another one while a task is alive", function()
    local one, other = toy_loop.new(), toy_loop.new()
    gptimage2.use(one.loop)
    gptimage2.spawn(function()
      assert(gptimage2.sleep(0.01))
    end)
    assert.is_false(pcall(gptimage2.use, other.loop))
    one:run()
    gptimage2.use(other.loop)
  end)

  it("leaves theirs to those who wait when 'block', 'auto' or a wait comes", function()
    local toy = toy_loop.new()
    local asked, done = 0, 0
    local words = {
      "block",
      "auto",
      "yield",
      {
        wait = function()
          asked = asked + 1
        end,
      },
    }
    for _, word in ipairs(words) do
      gptimage2.use(toy.loop)
      toy:begin(function()
        assert(gptimage2.sleep(0.01))
        done = done + 1
      end)
      gptimage2.use(word)
      toy:run()
    end
    assert.same({ 4, 4, 4, 4, 0 }, { done, toy.starts, toy.stops, #toy.resumes, asked })
  end)

  it("lets who blocks meanwhile wake those who wait in it", function()
    local toy = toy_loop.new()
    gptimage2.use(toy.loop)
    local client, job = support.pair(), nil
    toy:begin(function()
      job = assert(client:generate(REQUEST))
    end)
    gptimage2.use("block")
    local last = assert(client:generate(REQUEST))
    support.step_until(function()
      return #toy.resumes == 1
    end)
    toy:run()
    assert.equal("succeeded", job.status)
    assert.equal("succeeded", last.status)
    assert.same({ 1, 1 }, { toy.starts, toy.stops })
  end)
end)

describe("a step inside of a loop's step", function()
  after_each(support.clean)

  it("stops no loop, and starts none twice", function()
    local toy = toy_loop.new()
    gptimage2.use(toy.loop)
    local nested, stops = 0, {}
    local client = support.pair({
      on_event = function()
        nested = nested + 1
        gptimage2.step()
        toy.step() -- the loop's own
        stops[#stops + 1] = toy.stops
      end,
    })
    local well = 0
    for _ = 1, 3 do
      toy:begin(function()
        assert(client:generate(REQUEST))
        well = well + 1
      end)
    end
    toy:run()
    assert.equal(3, well)
    assert.is_true(nested >= 9)
    for _, count in ipairs(stops) do
      assert.equal(0, count)
    end
    assert.same({ 1, 1, 3 }, { toy.starts, toy.stops, #toy.resumes })
  end)

  it("may be a wait: others go on in it", function()
    local toy = toy_loop.new()
    gptimage2.use(toy.loop)
    local slept = 0
    local client = support.pair({
      on_event = function(event)
        if event.type == "created" then
          assert(gptimage2.sleep(0.01))
          slept = slept + 1
        end
      end,
    })
    local well = 0
    for _ = 1, 3 do
      toy:begin(function()
        assert(client:generate(REQUEST))
        well = well + 1
      end)
    end
    toy:run()
    assert.same({ 3, 3, 1, 1 }, { well, slept, toy.starts, toy.stops })
  end)

  it("recognises nothing where the host has taken package away", function()
    local kept = package
    rawset(_G, "package", nil)
    local ok, err = pcall(function()
      assert(gptimage2.sleep(0.001))
    end)
    rawset(_G, "package", kept)
    assert.is_true(ok, err)
  end)
end)
