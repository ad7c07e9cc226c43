--- The end of a build that somebody asks for, and a reader who goes.

local assets = require("gptimage2.assets")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local program = require("spec.helpers.program")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT
local COUNT = support.slow and 24 or 30 -- eight at once: more than two times that
local it_in_terminal =
  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")

local function new(box)
  local entries = {}
  for i = 1, COUNT do
    entries[("p%02d.png"):format(i)] = ("subject = 'picture %d'"):format(i)
  end
  local art = pictures.new(entries)
  return art, { box = box, here = art.base }
end

--- What is left is made by the same command, and nothing was paid twice.
local function finish(box, art, options)
  local paid = pictures.paid(box)
  local said = commands.json("build -y" .. UNIT, options)
  assert.equal(0, said.status, said.err)
  assert.equal(COUNT * 10, pictures.paid(box))
  assert.equal(COUNT * 10 - paid, said.last.credits)
  assert.is_true(assert(assets.check(art.manifest, { base_url = box.url })).ok)
end

--- What is left costs what it costs, though some of it is in the ledger, and is asked for.
local function costs_the_rest(box, options)
  local paid = pictures.paid(box)
  assert.equal(COUNT * 10 - paid, commands.json("plan", options).last.cost)
  assert.equal(2, commands.run("build" .. UNIT, options).status)
  assert.equal(3, commands.run("build --yes --budget 0" .. UNIT, options).status)
  assert.equal(paid, pictures.paid(box))
end

describe("Ctrl-C", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  for _, signal in ipairs({ "INT", "TERM", "HUP" }) do
    it("once lets what is under way end, and lists it: SIG" .. signal, function()
      local box = support.sandbox({ duration = support.slow and 4 or 0.3 })
      local art, options = new(box)
      local process = commands.start("build -y --json" .. UNIT, options)
      process:await('"made"', 3)
      process:kill(signal)
      local said = process:finish()
      assert.equal(130, said.status)
      assert.matches("ending: what is under way is finished", said.err)
      local objects, in_flight = commands.objects(said.out), 0
      for _, object in ipairs(objects) do
        in_flight = in_flight + (object.type == "in_flight" and 1 or 0)
        assert.not_equal("unknown", object.type)
        assert.not_equal("failed", object.type)
      end
      local last = objects[#objects]
      assert.equal(130, last.exit)
      assert.equal((last.made + in_flight) * 10, pictures.paid(box))
      assert.is_true(last.made + in_flight < COUNT)
      local counts = assert(assets.plan(art.manifest, { base_url = box.url })).counts
      assert.equal(last.made, counts.fresh)
      assert.is_nil(counts.failed)
      assert.equal(pictures.paid(box), last.credits)
      costs_the_rest(box, options)
      assert.equal("", folder.list(art.base .. ".gptimage2/incoming"))
      finish(box, art, options)
    end)
  end

  it("twice ends at once", function()
    local box = support.sandbox()
    local art, options = new(box)
    box:fault({ on = "create", action = "hang", after = 3, times = math.huge })
    local process = commands.start("build -y" .. UNIT, options)
    process:await("made", 3)
    process:kill("INT")
    support.step_until(function()
      return (folder.read(process.place .. "/err") or ""):find("ending")
    end)
    process:kill("INT")
    assert.equal(130, process:finish().status)
    assert.is_nil(art:read(("p%02d.png"):format(COUNT)))
  end)

  --- A build that runs the first of two commands, which ends once there is a file.
  local function deriving(box)
    local script = "echo $$ >>pids; i=0; until test -e go; do sleep 0.1; i=$((i+1)); "
      .. "test $i -lt 600 || exit 1; done; cp $0 $1"
    local derive = (", derive = { 'sh', '-c', '%s', '{in}', '{out}' }"):format(script)
    local art = pictures.new({
      ["a.png"] = "subject = 'a'" .. derive,
      ["b.png"] = "subject = 'b'" .. derive,
    })
    local options = { box = box, here = art.base }
    local process = commands.start("build -y --json" .. UNIT, options)
    support.step_until(function()
      return (art:read("pids") or ""):find("\n")
    end)
    return art, options, process
  end

  it("is heard while a picture's command runs, after which no other begins", function()
    local box = support.sandbox()
    local art, options, process = deriving(box)
    process:kill("INT")
    support.step_until(function()
      return (folder.read(process.place .. "/err") or ""):find("ending")
    end)
    folder.write(art.base .. "go", "")
    local said = process:finish()
    assert.equal(130, said.status)
    assert.equal(1, select(2, said.err:gsub("ending", "")))
    assert.is_nil(said.out:find('"failed"'))
    assert.matches("^%d+\n$", art:read("pids"))
    said = commands.json("build -y" .. UNIT, options)
    assert.same({ 0, true }, { said.status, said.last.ok })
    assert.equal(20, pictures.paid(box))
  end)

  for signals, status in pairs({ ["INT INT"] = 130, ["TERM HUP"] = 130, QUIT = 131 }) do
    it("ends a picture's command with the program: " .. signals, function()
      local art, _, process = deriving(support.sandbox())
      local pid = art:read("pids"):match("%d+")
      for signal in signals:gmatch("%a+") do
        process:kill(signal)
        support.step_until(function()
          local told = (folder.read(process.place .. "/err") or ""):find("ending")
          return told or folder.read(process.place .. "/status")
        end)
      end
      assert.equal(status, process:finish().status)
      support.step_until(function()
        return folder.run("ps -o stat= -p " .. pid):find("^%s*[^Z%s]") == nil
      end)
    end)
  end

  it("ends a wait for another build's ledger at once", function()
    local box = support.sandbox()
    local art, options = new(box)
    art:connect(box)
    local process = commands.start("build -y --json", options)
    process:await('"waiting"')
    process:kill("INT")
    assert.equal(130, process:finish().status)
    assert.equal(0, pictures.paid(box))
  end)

  it("ends a wait for another build at once", function()
    local box = support.sandbox()
    local art, options = new(box)
    assert(assets.ledger(art.manifest))
    local core = require("gptimage2.core")
    local held = assert(core.disk.lock(art.base .. ".gptimage2/lock"))
    local process = commands.start("build -y --json", options)
    process:await('"waiting"')
    local began = gptimage2.now()
    process:kill("INT")
    assert.equal(130, process:finish().status)
    assert.is_true(gptimage2.now() - began < 45) -- and not when its patience of 60 s is over
    held:release()
  end)

  it_in_terminal("is heard from the keyboard", function()
    local box = support.sandbox({ duration = 30 })
    local _, options = new(box)
    options.type, options.typing = "\\003", "1"
    options.before = "until grep -q p01 .gptimage2/ledger.db-wal 2>/dev/null; do sleep 0.1; done; "
      .. "sleep 0.5"
    local said = commands.terminal("build -y" .. UNIT, options)
    assert.equal(130, said.status)
    assert.matches("in flight", said.out)
  end)
end)

describe("a reader who goes", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("ends nothing", function()
    local box = support.sandbox()
    local art, options = new(box)
    for _, args in ipairs({ "build -y" .. UNIT, "plan", "check --json" }) do
      local line = folder.quote(commands.line(args, options))
      local said = folder.run(("{ sh -c %s; echo =$? >&2; } | head -c 1 >/dev/null"):format(line))
      assert.equal("=0", said)
    end
    assert.equal(COUNT * 10, pictures.paid(box))
    assert.is_true(assert(assets.check(art.manifest, { base_url = box.url })).ok)
  end)

  it("is no disk that is full", function()
    local _, options = new(support.sandbox())
    options.out = "/dev/full"
    local said = commands.run("plan", options)
    assert.equal(2, said.status)
    assert.matches("standard output cannot be written", said.err)
    options.out = nil
    folder.link("/dev/full", options.here .. "full") -- the link, so that nobody ever replaces it
    said = commands.json("plan -o full", options)
    assert.same({ 2, "file_exists" }, { said.status, said.last.code })
    assert.equal("l", folder.stat(options.here .. "full", "%A"):sub(1, 1))
  end)
end)
