--- What functions of the program's own do to a build: one that raises ends it once, and its errors
--- go where they belong.

local assets = require("gptimage2.assets")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

describe("a function that is given to a build", function()
  local box, made

  before_each(function()
    box = support.sandbox({ duration = 0.02 })
    local entries = {}
    for _, name in ipairs({ "a", "b", "c", "d" }) do
      entries[name .. ".png"] = ("subject = '%s'"):format(name)
    end
    made = pictures.new(entries)
  end)

  after_each(function()
    gptimage2.on_error = nil
    support.clean()
    folder.clean()
  end)

  local function steps_raise_nothing()
    for _ = 1, 10 do
      gptimage2.step(0.01)
    end
  end

  it("raises once, and is asked no more, as `stop`", function()
    made:connect(box)
    local asked = 0
    local options = {
      stop = function()
        asked = asked + 1
        error("no more of this")
      end,
    }
    local function build()
      made:build(options)
    end
    local ways = {
      build,
      function()
        gptimage2.run(build)
      end,
    }
    for i, way in ipairs(ways) do
      local ok, err = pcall(way)
      assert.is_false(ok)
      assert.matches("no more of this", tostring(err))
      assert.equal(i, asked)
      steps_raise_nothing()
    end
    assert.equal(0, #box:ledger().jobs)
    core.disk.lock(made.base .. ".gptimage2/lock"):release()
    assert.is_true(assert(made:build()).ok)
  end)

  it("begins nothing more when it raises in the middle, as `stop`", function()
    made:connect(box, { max_active = 1 })
    local asked = 0
    local ok = pcall(made.build, made, {
      stop = function()
        asked = asked + 1
        return asked == 2 and error("no more of this") or false
      end,
    })
    assert.is_false(ok)
    assert.equal(2, asked)
    steps_raise_nothing()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    assert.is_true(#box:ledger().jobs <= 1)
  end)

  --- Where the errors of handlers go: with the client's own on_error, and with the module's.
  local function kept_by(own)
    local kept = {}
    local function on_error(err, what)
      kept[#kept + 1] = what .. ": " .. tostring(err):gsub("^.*: ", "")
    end
    made:connect(box, own and { on_error = on_error } or {})
    gptimage2.on_error = not own and on_error or nil
    return kept
  end

  for name, own in pairs({ ["the client's"] = true, ["the module's"] = false }) do
    it("has its errors given to " .. name .. " on_error", function()
      local kept = kept_by(own)
      local report = assert(made:build({
        only = "a.png",
        on_progress = function()
          error("mine")
        end,
      }))
      assert.is_true(report.ok)
      steps_raise_nothing()
      assert.same({ "on_progress: mine" }, kept)
      local function hook()
        error("mine")
      end
      local art = assert(assets.open(made.manifest, {
        client = made.client,
        budget = 10,
        on_change = hook,
        on_error = hook,
      }))
      art:path("b.png")
      support.step_until(function()
        return #kept == 2
      end)
      art:path("c.png") -- over the budget
      support.step_until(function()
        return #kept == 3
      end)
      assert.same({ "on_progress: mine", "on_change: mine", "on_error: mine" }, kept)
      art:close()
    end)
  end
end)
