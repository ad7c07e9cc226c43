--- What progress looks like, for a state and a size; and in a terminal.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local plan_view = require("gptimage2.command.parts.plan_view")
local program = require("spec.helpers.program")
local progress = require("gptimage2.command.parts.progress")
local support = require("spec.support")
local text = require("gptimage2.command.parts.text")

local function state(count)
  local jobs = {}
  for i = 1, count or 2 do
    jobs[i] = { name = ("icons/%d.png"):format(i), status = "running", elapsed = 5 * i, eta = 65 }
  end
  jobs[1] = { name = "a/long/path/brick.png", status = "creating", elapsed = 0.4 }
  return {
    jobs = jobs,
    done = 3,
    failed = 1,
    total = 40,
    spent = 30,
    left = 370,
    elapsed = 65,
    remaining = 3700,
  }
end

describe("progress", function()
  local CASES = {
    {
      120,
      24,
      {
        "a/long/path/brick.png  creating  0 s",
        "icons/2.png            running   10 s, about 1 min 05 s left",
        "3 of 40 done, 2 running, 1 failed; 30 credits, 370 left; 1 min 05 s, "
          .. "about 1 h 01 min left",
      },
    },
    {
      80,
      24,
      {
        "a/long/path/brick.png  creating  0 s",
        "icons/2.png            running   10 s, about 1 min 05 s left",
        "3 of 40 done, 2 running, 1 failed; 30 credits, 370 left; 1 min 05 s",
      },
    },
    {
      50,
      24,
      {
        "a/long/path/brick.png  creating  0 s",
        "icons/2.p…  running   10 s, about 1 min 05 s left",
        "3/40, 1 failed; 30 credits, 370 left; 1 min 05 s",
      },
    },
    { 30, 24, { "a/long/path/b…  creating  0 s", "icons/2.png", "3/40, 1 failed; 1 min 05 s" } },
    { 12, 24, { "a/long/pat…", "icons/2.png", "3/40" } },
    { 4, 24, { "a/…", "ic…", "3/…" } },
    { 1, 1, { "…" } },
    { 80, 3, { "3 of 40 done, 2 running, 1 failed; 30 credits, 370 left; 1 min 05 s" } },
  }
  for _, case in ipairs(CASES) do
    it(("fits into %d columns and %d rows"):format(case[1], case[2]), function()
      assert.same(case[3], progress.lines(state(), case[1], case[2]))
    end)
  end

  it("tells a budget that is not whole, and a very large one", function()
    local odd = state(1)
    for left, shown in pairs({ [5.5] = "5.5 left", [1e300] = "1e+300 left" }) do
      odd.left = left
      assert.matches(shown, progress.lines(odd, 120, 24)[2], 1, true)
      local plan = { cost = 10, budget = left, spent = 0, counts = { new = 1 } }
      assert.matches(shown, plan_view.total(plan), 1, true)
    end
  end)

  it("is never wider or higher than the terminal", function()
    for columns = 1, 130, 3 do
      for rows = 1, 30, 4 do
        local lines = progress.lines(state(20), columns, rows)
        assert.is_true(#lines <= math.max(rows - 1, 1))
        for _, line in ipairs(lines) do
          assert.is_true(text.width(line) <= math.max(columns - 1, 1), line)
        end
      end
    end
    local lines = progress.lines(state(20), 80, 8)
    assert.equal("and 16 more", lines[5])
    assert.equal(6, #lines)
  end)

  it("shows what a server says, and obeys nothing", function()
    local bad = state(1)
    bad.jobs[1].name = "\27[2Jx\r\n\226\128\174y"
    local line = progress.lines(bad, 80, 24)[1]
    assert.is_nil(line:find("[%c]"))
    assert.is_nil(line:find("\226\128\174", 1, true))
  end)

  it("counts wide letters as two columns, and marks as none", function()
    assert.equal(5, text.width("aä漢e\204\129"))
    assert.equal("漢…", text.cut("漢字漢字", 4))
    assert.equal("漢字…", text.cut("漢字漢字", 5))
    assert.equal(3, progress.rows({ "漢字漢字", "a" }, 5))
    assert.equal(4, progress.rows({ ("x"):rep(79), "" }, 30))
  end)

  it("tells what remains only when that is known", function()
    local known = state(2)
    known.total = nil
    assert.equal(65, progress.remaining(known, 8, nil))
    known.total = 22 -- 16 wait
    assert.is_nil(progress.remaining(known, 8, nil))
    assert.equal(65 + 2 * 10, progress.remaining(known, 8, 10))
    known.jobs = {}
    known.total = 4
    assert.is_nil(progress.remaining(known, 8, 10))
  end)

  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")(
    "is drawn in place, and leaves nothing behind",
    function()
      local box = support.sandbox({ duration = 0.6 })
      local art = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
      local options = { box = box, here = art.base, columns = 60, env = { TERM = "xterm" } }
      local said = commands.terminal("build -y " .. commands.UNIT, options)
      assert.equal(0, said.status)
      assert.matches("a.png  %l+ +%d+ s", said.out)
      assert.matches("\27%[2A\r\27%[J", said.out)
      for _, name in ipairs({ "a", "b" }) do -- with a frame in between, or none
        assert.matches("made +" .. name .. "%.png  %d/2\r?\n", said.out)
      end
      assert.matches("\27%[Jmade ", said.out) -- in the place of a frame
      local last = said.out:match(".*\27%[J(.*)$") -- as the terminal is left
      assert.matches("made 2 pictures for 20 credits\r?\n$", last)
      art = pictures.new()
      options.here, options.env = art.base, { TERM = "dumb" }
      said = commands.terminal("build -y " .. commands.UNIT, options)
      assert.is_nil(said.out:find("\27", 1, true))
      support.clean()
      folder.clean()
    end
  )
end)
