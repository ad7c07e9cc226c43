--- `gptimage2 plan`, `build` and `check`: in a terminal, through a pipe, and as JSON.

local commands = require("spec.helpers.commands")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local program = require("spec.helpers.program")
local support = require("spec.support")
local turn = require("gptimage2.command.parts.turn")

local UNIT = " " .. commands.UNIT
local it_in_terminal =
  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")

--- So many pictures.
local function many(count)
  local entries = {}
  for i = 1, count do
    entries[("p%02d.png"):format(i)] = ("subject = 'picture %d'"):format(i)
  end
  return entries
end

local function new(box, entries, common)
  local art = pictures.new(entries, common)
  return art, { box = box, here = art.base }
end

describe("gptimage2 plan", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("tells each picture with its cost and the reason, and sends nothing", function()
    local box = support.sandbox()
    local _, options = new(box, {
      ["a.png"] = "subject = 'a fox', candidates = 3",
      ["b.png"] = "subject = 'b', pin = true",
    }, "budget = 40")
    options.env = { GPTIMAGE2_API_KEY = "" }
    local said = commands.run("plan", options)
    assert.equal(2, said.status)
    assert.equal(
      "new         a.png     30  3 candidates\n"
        .. "pinned      b.png         pinned, never made\n"
        .. "30 credits of 40 left; 1 new, 1 pinned\n",
      said.out
    )
    said = commands.json("plan --only 'b*'", options)
    assert.equal(0, said.status)
    assert.equal("pinned", said.objects[1].state)
    assert.same({
      type = "plan",
      cost = 0,
      clean = true,
      spent = 0,
      budget = 40,
      counts = {
        pinned = 1,
      },
    }, said.last)
    assert.equal(0, #box:ledger().log)
  end)

  local WRONG = {
    ["return {"] = "manifest.lua:1: ",
    ["return {\n pictures = {\n  ['a.png'] = { subjct = 'x' } } }"] = "manifest.lua:3: unknown "
      .. "field 'subjct', did you mean 'subject'? (pictures[\"a.png\"].subjct)",
    ["while true do end"] = "it does not come to an end",
  }
  for text, message in pairs(WRONG) do
    it("says where the manifest is wrong: " .. text:gsub("%s+", " "), function()
      local place = folder.new()
      folder.write(place .. "/manifest.lua", text)
      for _, name in ipairs({ "plan", "check", "build", "pin a.png" }) do
        local said = commands.run(name .. " -f manifest.lua", { here = place })
        assert.equal(2, said.status)
        assert.is_truthy(said.err:find(message, 1, true), said.err)
        assert.equal("", said.out)
        said = commands.json(name .. " -f manifest.lua", { here = place })
        assert.equal("manifest_error", (said.last.code:gsub("unknown_field", "manifest_error")))
      end
    end)
  end
end)

describe("gptimage2 build", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("makes nothing without --yes where nobody can be asked", function()
    local box = support.sandbox()
    local _, options = new(box)
    local said = commands.run("build", options)
    assert.equal(2, said.status)
    assert.matches("new +a.png +10 +1 candidate\n10 credits; 1 new\n$", said.out)
    assert.matches("%-%-yes", said.err)
    said = commands.json("build", options)
    assert.equal(2, said.status)
    assert.equal("plan", said.last.type)
    assert.equal(0, pictures.paid(box))
  end)

  it("makes what is missing, once, and tells it", function()
    local box = support.sandbox()
    local art, options = new(box, {
      ["a b.png"] = "subject = 'a fox'",
      ["c.png"] = "subject = 'c', candidates = 2",
    })
    local said = commands.run("build --yes --depfile deps" .. UNIT, options)
    assert.equal(0, said.status)
    assert.equal("", said.err)
    assert.matches("made +a b.png +%d/3\n", said.out)
    assert.matches("made +c.png %(candidate 2%) +%d/3\n", said.out)
    assert.matches("made 3 pictures for 30 credits, 1 to be reviewed\n$", said.out)
    assert.matches("^\137PNG", art:read("a b.png"))
    local outputs = "pictures.lock \\\n  a\\ b.png \\\n  c.png: pictures.lua\n"
    assert.equal(outputs, art:read("deps"))
    said = commands.json("build --yes", { here = art.base }) -- nothing is sent: no key
    assert.equal(0, said.status)
    assert.equal("build", said.last.type)
    assert.equal(30, pictures.paid(box))
    assert.equal(1, commands.run("check", options).status)
    assert.equal(0, commands.run("accept c.png 1", options).status)
    assert.matches("all is as it should be", commands.run("check", options).out)
    said = commands.run("build", options)
    assert.equal(0, said.status)
    assert.matches("nothing to do\n$", said.out)
  end)

  it("names the way out where a job id was mistaken", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "reset", times = 1, work = true })
    local _, options = new(box)
    local key = commands.json("build -y" .. UNIT, options).objects[2].key
    commands.run(("resolve %s not-the-job%s"):format(key, UNIT), options)
    local said = commands.run("build -y" .. UNIT, options)
    assert.equal(1, said.status)
    local way_out = "gptimage2 resolve " .. key .. " abandon"
    assert.is_truthy(said.out:find(way_out, 1, true), said.out)
    assert.equal(0, commands.run(way_out:gsub("gptimage2 ", ""), options).status)
    said = commands.run("build -y", options)
    assert.matches("an attempt ended as [%w_]+, and may have been paid", said.out)
    assert.equal(0, commands.run("again a.png", options).status)
    assert.equal(0, commands.run("build -y" .. UNIT, options).status)
  end)

  it("selects something, or is a mistake", function()
    local _, options = new(support.sandbox(), many(2))
    for _, name in ipairs({ "plan", "build -y", "check" }) do
      local said = commands.json(name .. " --only 'q01*'", options)
      assert.same({ 2, "nothing_matches" }, { said.status, said.last.code })
      assert.matches("did you mean 'p01%*'", said.last.message)
    end
  end)

  it("waits for another one in its folder", function()
    local box = support.sandbox()
    local art, options = new(box)
    art:connect(box) -- that has the ledger, as the first one has
    local held = assert(core.disk.lock(art.base .. ".gptimage2/lock"))
    local second = commands.start("build -y --json" .. UNIT, options)
    second:await('"waiting"')
    art.client:close()
    gptimage2.sleep(0.5)
    held:release()
    local said = second:finish()
    assert.equal(0, said.status, said.err)
    assert.matches("another build is at work here, process %d+ on ", said.err)
    local objects = commands.objects(said.out)
    assert.matches("^process %d+ on ", objects[1].holder)
    assert.same({ "build", 1 }, { objects[#objects].type, objects[#objects].made })
    assert.equal(10, pictures.paid(box))
  end)

  it("waits for no longer than it has patience", function()
    local told = {}
    local out = {
      note = function(_, words)
        told[#told + 1] = words
      end,
      object = function() end,
    }
    local function locked()
      return nil, { kind = "ledger", code = "ledger_locked", message = "it is locked" }
    end
    local found, err, status = turn.await(locked, out, folder.new() .. "/lock", 0.3)
    assert.same({ 6, "ledger_locked", 1 }, { status, err.code, #told })
    assert.is_nil(found)
  end)

  it("writes its depfile over nothing else", function()
    local box = support.sandbox()
    local art, options = new(box)
    folder.write(art.base .. "notes", "mine")
    folder.link("notes", art.base .. "link")
    folder.run(("mkfifo %spipe"):format(art.base))
    for _, name in ipairs({ "pictures.lua", "notes", "link", "pipe", ".", "no/deps" }) do
      local said = commands.json("build -y --depfile " .. name, options)
      assert.same({ 2, "build" }, { said.status, said.last.kind })
    end
    assert.equal(0, pictures.paid(box))
    assert.equal("mine", art:read("notes"))
    local said = commands.json("build -y --depfile a.png" .. UNIT, options)
    assert.equal(1, said.status) -- there is a picture now
    assert.equal("file_exists", said.objects[#said.objects].code)
    assert.matches("^\137PNG", art:read("a.png"))
    for _, name in ipairs({ "deps", "deps", "pictures.lock" }) do
      local status = commands.run("build -y --depfile " .. name, options).status
      assert.equal(name == "deps" and 0 or 2, status)
    end
    assert.matches("^pictures.lock ", art:read("deps"))
    assert.matches('^{"gptimage2.lock"', art:read("pictures.lock"))
  end)

  it("says so where nothing is left for it but a person", function()
    local box = support.sandbox()
    local art, options = new(box)
    folder.write(art.base .. "a.png", "mine")
    local said = commands.json("build -y", options)
    assert.equal(1, said.status)
    assert.is_false(said.last.ok)
    assert.matches("nothing that a build could do\n$", commands.run("build", options).out)
    assert.equal("mine", art:read("a.png"))
    assert.equal(0, pictures.paid(box))
  end)

  it("tells the same as objects", function()
    local _, options = new(support.sandbox(), many(3))
    local said = commands.json("build -y" .. UNIT, options)
    assert.equal(0, said.status)
    assert.equal(4, #said.objects)
    assert.equal("made", said.objects[3].type)
    assert.equal(3, said.objects[3].done)
    assert.equal(30, said.last.credits)
    assert.is_true(said.last.ok)
  end)

  it_in_terminal("asks once on a terminal, and takes nothing for no", function()
    local box = support.sandbox()
    local _, options = new(box)
    for _, case in ipairs({ { "\\n", 2 }, { "n\\n", 2 }, { "yes\\n", 0 } }) do
      options.type = case[1]
      local said = commands.terminal("build" .. UNIT, options)
      assert.equal(case[2], said.status)
      assert.matches("Spend 10 credits%? %[y/N%]", said.out)
      assert.equal(case[2] == 0 and 10 or 0, pictures.paid(box))
    end
  end)

  it("does what a plan in a file says, without being asked", function()
    local box = support.sandbox()
    local art, options = new(box, many(3))
    assert.equal(2, commands.run("plan --only 'p01*' -o plan", options).status)
    assert.equal(2, commands.run("build plan --stale make", options).status)
    local said = commands.run("build plan" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    assert.equal(10, pictures.paid(box))
    assert.equal(0, commands.json("build plan", options).status) -- it is done
    assert.equal(0, commands.run("pin p01.png", options).status)
    said = commands.json("build plan", options)
    assert.equal(2, said.status)
    assert.equal("plan_stale", said.last.code)
    commands.run("plan -o plan", options)
    art:write(many(4))
    assert.equal("plan_stale", commands.json("build plan", options).last.code)
    assert.equal(10, pictures.paid(box))
  end)

  it("keeps to the budget, hard and soft", function()
    local box = support.sandbox()
    local _, options = new(box, many(3), "budget = 25")
    local said = commands.json("build -y", options)
    assert.equal(3, said.status)
    assert.equal("budget_exceeded", said.last.code)
    assert.equal(0, pictures.paid(box))
    said = commands.json("build -y --cutoff soft" .. UNIT, options)
    assert.equal(3, said.status)
    assert.is_true(said.last.over)
    assert.equal(20, pictures.paid(box))
    assert.equal(2, commands.run("build -y --budget -1", options).status)
    assert.equal(2, commands.run("build -y --budget x", options).status)
  end)

  it("has an exit code for each trouble", function()
    local box = support.sandbox({ credits = 10 })
    local art, options = new(box, many(2))
    options.env = { GPTIMAGE2_API_KEY = "sk-wrong" }
    local said = commands.json("build -y" .. UNIT, options)
    assert.equal(4, said.status)
    assert.equal("failed", said.objects[1].type)
    assert.equal("unauthorized", said.objects[1].error.code)
    options.env = { GPTIMAGE2_API_KEY = "" }
    assert.equal(4, commands.json("build -y", options).status)
    options.env = { GPTIMAGE2_BASE_URL = (support.nowhere()) }
    said = commands.json("build -y --timeout 2" .. UNIT, options)
    assert.equal(5, said.status)
    options.env = nil
    said = commands.run("build -y" .. UNIT, options)
    assert.equal(1, said.status) -- one is made, the other too much
    assert.matches("failed +p%d+.png: .*enough credits", said.out)
    folder.write(art.base .. "pictures.lock", "<<<<<<< ours\n")
    said = commands.run("build -y", options)
    assert.equal(2, said.status)
    assert.matches("pictures.lock:1: a merge was left unfinished", said.err)
  end)

  it("tells a lock that cannot be written at the end", function()
    local box = support.sandbox()
    for _, args in ipairs({ "build -y", "build -y --json" }) do
      local art, options = new(box, {
        ["a.png"] = [[subject = 'a', derive = { 'sh', '-c',
          'echo "<<<<<<< ours" >pictures.lock; cp "$0" "$1"', '{in}', '{out}' }]],
      })
      local said = commands.run(args .. UNIT, options)
      assert.equal(1, said.status)
      local words = "pictures.lock:1: the lock could not be written %(a merge was left unfinished"
      assert.matches(words, said.err)
      local objects = args:find("json") and commands.objects(said.out) or {}
      local told = objects[#objects - 1]
      if told then
        assert.same(
          { "error", "lock_conflict", 1, "build", false },
          { told.type, told.code, told.line, objects[#objects].type, objects[#objects].ok }
        )
      end
      assert.equal("<<<<<<< ours\n", art:read("pictures.lock"))
    end
  end)

  it("names the key of each candidate that may have been paid", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "reset", times = 2, work = true })
    local _, options = new(box, { ["a.png"] = "subject = 'a fox', candidates = 2" })
    local said = commands.json("build -y" .. UNIT, options)
    local keys, reasons = {}, {}
    for _, one in ipairs(said.objects) do
      if one.type == "unknown" and one.reason then
        keys[one.n], reasons[one.n] = one.key, one.reason
      end
    end
    assert.is_true(#keys == 2 and keys[1] ~= keys[2])
    local out = commands.run("plan", options).out
    for n, key in ipairs(keys) do
      local command = ("gptimage2 resolve %s resend"):format(key)
      assert.is_truthy(reasons[n]:find(command, 1, true))
      assert.is_nil(reasons[n]:find(keys[3 - n], 1, true))
      assert.is_truthy(out:find(command, 1, true))
    end
  end)

  it("lists what may have been paid, and makes the rest", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "reset", times = 1, work = true })
    local _, options = new(box, many(3))
    local said = commands.json("build -y" .. UNIT, options)
    assert.equal(1, said.status)
    assert.equal(2, said.last.made)
    local unknown = said.objects[#said.objects - 1]
    assert.equal("unknown", unknown.type)
    assert.is_string(unknown.key)
    local command = "gptimage2 resolve " .. unknown.key
    assert.is_truthy(unknown.reason:find(command .. " resend | abandon | its job id", 1, true))
    assert.is_truthy(commands.run("plan", options).out:find(command, 1, true))
    said = commands.json("build -y --retry idempotent" .. UNIT, options)
    assert.equal(0, said.status)
    assert.equal(30, pictures.paid(box))
  end)
end)
