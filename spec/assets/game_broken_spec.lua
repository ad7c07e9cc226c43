--- A game that breaks its art off: it closes it in any frame, or a hook of its own raises in the
--- middle of a step. The folder is free, and each picture is told of and paid once.

local assets = require("gptimage2.assets")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local jit = rawget(_G, "jit")

describe("an art that is broken off", function()
  after_each(function()
    debug.sethook()
    collectgarbage("restart")
    support.clean()
    folder.clean()
  end)

  local function expect_free(made)
    local held = core.disk.lock(made.base .. ".gptimage2/lock")
    assert.truthy(held, "the folder is still locked")
    held:release()
  end

  it("leaves the folder when it is closed, in any frame", function()
    local box = support.sandbox({ duration = 0.02 })
    collectgarbage("stop") -- no chance lets a lock go
    for frames = 0, support.slow and 12 or 40 do
      local made = pictures.new():connect(box)
      local art = assert(assets.open(made.manifest, { client = made.client, budget = 100 }))
      art:path("a.png")
      for _ = 1, frames do
        gptimage2.step()
      end
      assert.is_true(art:close())
      expect_free(made)
      support.step_until(function()
        return gptimage2.busy() == 0
      end)
      expect_free(made)
      made.client:close()
    end
  end)

  --- A step in which an error comes after so many instructions.
  local function broken_step(count)
    local ok, err = pcall(function()
      debug.sethook(function()
        debug.sethook()
        error("mine", 0)
      end, "", count)
      gptimage2.step(0.01)
      debug.sethook()
    end)
    return ok or tostring(err):find("mine", 1, true) ~= nil
  end

  --- Asks for two pictures; each of some steps is broken off. Gives how often each was told of.
  local function play(made, seed)
    local told, errors = { ["a.png"] = 0, ["b.png"] = 0 }, {}
    math.randomseed(seed)
    local art = assert(assets.open(made.manifest, {
      client = made.client,
      budget = 20,
      on_change = function(path)
        told[path] = told[path] + 1
      end,
      on_error = function(path, err)
        errors[#errors + 1] = path .. ": " .. tostring(err)
      end,
    }))
    art:path("a.png")
    art:path("b.png")
    for _ = 1, 15 do
      assert.is_true(broken_step(math.random(20, 4000)))
    end
    local limit = gptimage2.now() + 30
    while gptimage2.busy() > 0 and not errors[1] and gptimage2.now() < limit do
      pcall(gptimage2.step, 0.01)
    end
    assert.same({}, errors)
    assert.is_true(told["a.png"] > 0 and told["b.png"] > 0, "it was not told")
    assert.is_true(art:close())
    expect_free(made)
  end

  -- Elsewhere a hook is one coroutine's alone.
  (jit and it or pending)("goes on after errors of the program's own, and pays once", function()
    for seed = 1, support.slow and 3 or 12 do
      local box = support.sandbox({ duration = 0.05 })
      local made = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
      made:connect(box)
      play(made, seed)
      assert.equal(20, pictures.paid(box))
      assert.equal("a.png fresh, b.png fresh", made:states())
      made.client:close()
    end
  end)

  it("goes on after a task of its own has died", function()
    local box = support.sandbox({ duration = 0.05 })
    local made = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
    made:connect(box)
    local told = {}
    local art = assert(assets.open(made.manifest, {
      client = made.client,
      budget = 20,
      on_change = function(path)
        told[path] = true
      end,
    }))
    local real, count = core.disk.image_kind, 0
    core.disk.image_kind = function(...)
      count = count + 1
      if count <= 2 then
        error("mine", 0)
      end
      return real(...)
    end
    art:path("a.png")
    art:path("b.png")
    local raised, limit = 0, gptimage2.now() + 30
    while not (told["a.png"] and told["b.png"]) and gptimage2.now() < limit do
      local ok = pcall(gptimage2.step, 0.01)
      raised = raised + (ok and 0 or 1)
    end
    core.disk.image_kind = real
    assert.same({ ["a.png"] = true, ["b.png"] = true }, told)
    assert.equal(2, raised)
    assert.is_true(art:close())
    expect_free(made)
    assert.equal(20, pictures.paid(box))
    assert.equal("a.png fresh, b.png fresh", made:states())
  end)

  it("gives up what is broken off again and again, and says so", function()
    local box = support.sandbox({ duration = 0.02 })
    local made = pictures.new():connect(box)
    local told
    local art = assert(assets.open(made.manifest, {
      client = made.client,
      budget = 20,
      on_error = function(_, err)
        told = err
      end,
    }))
    local real = core.disk.rename_new
    core.disk.rename_new = function()
      error("mine", 0)
    end
    art:path("a.png")
    local limit = gptimage2.now() + 30
    while not told and gptimage2.now() < limit do
      pcall(gptimage2.step, 0.01)
    end
    core.disk.rename_new = real
    assert.equal("interrupted", told.code)
    expect_free(made)
    assert.is_true(art:close())
    assert.equal(10, pictures.paid(box))
  end)
end)
