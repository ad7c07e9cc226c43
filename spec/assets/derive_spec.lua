--- Post-steps: commands that make the file of the picture; and the files of orphans.

local assets = require("gptimage2.assets")
local child = require("spec.helpers.child")
local commands = require("spec.helpers.commands")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

-- Valgrind makes a fork of what would tell why a program cannot be started.
local NOT_STARTED = os.getenv("GPTIMAGE2_SPEC_VARIANT") == "valgrind" and "ended with 127"
  or "cannot be started: No such file"

--- An entry with a script of a shell for its `derive`, which gets {in} and {out} as $1 and $2.
local function entry(subject, script)
  return ("subject = '%s', derive = { 'sh', '-c', [[%s]], 'sh', '{in}', '{out}' }"):format(
    subject,
    script
  )
end

local COPY = "{ echo small; cat $1; } >$2"

describe("a post-step", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("makes the file of the picture, in the manifest's folder", function()
    local art = pictures
      .new({
        ["a.png"] = entry("a", COPY .. "; pwd >here; cat >input"),
        ["i/{x}.txt"] = "each = { x = { 1 } }, subject = 'x', derive = { 'cp', '{in}', '{out}' }",
      })
      :connect(support.sandbox())
    local plan = assert(assets.plan(art.manifest, { client = art.client }))
    assert.same({ "cp", "{in}", "{out}" }, plan.lines[2].derive)
    local report = assert(art:build())
    assert.is_true(report.ok)
    assert.matches("^small\n\137PNG", art:read("a.png"))
    assert.matches("^\137PNG", art:read("i/1.txt"))
    assert.equal(art.base, art:read("here"):gsub("\n", "/"))
    assert.equal("", art:read("input"))
    assert.equal("a.png fresh, i/1.txt fresh", art:states())
    assert.is_true(assert(assets.check(art.manifest, { client = art.client })).ok)
    assert.equal("", folder.list(art.base .. ".gptimage2/incoming"))
  end)

  it("that writes nothing has failed", function()
    local art = pictures.new({ ["a.png"] = entry("a", ": >$2") }):connect(support.sandbox())
    local report = assert(art:build())
    assert.equal("derive_failed", report.failed[1].error.code)
    assert.matches("it wrote an empty {out}", report.failed[1].error.message)
    assert.is_nil(art:read("a.png"))
  end)

  it("that fails leaves the original, paid once, for the next build", function()
    local box = support.sandbox()
    local art = pictures.new({ ["a.png"] = entry("a", "test -e ready && " .. COPY) }):connect(box)
    local report = assert(art:build())
    assert.is_false(report.ok)
    assert.equal("derive_failed", report.failed[1].error.code)
    assert.matches("'a.png': sh: it ended with 1", report.failed[1].error.message)
    assert.is_nil(art:read("a.png"))
    assert.equal("a.png cached", art:states())
    folder.write(art.base .. "ready", "")
    assert.is_true(assert(art:build()).ok)
    assert.matches("^small", art:read("a.png"))
    assert.equal(10, pictures.paid(box))
  end)

  it("that is another one derives anew, and touches only what changes", function()
    local box = support.sandbox()
    local art = pictures.new({ ["a.png"] = entry("a", COPY) }):connect(box)
    assert(art:build())
    local before = core.file_id(art.base .. "a.png")
    art:write({ ["a.png"] = entry("a", COPY .. "; true") })
    local plan = assert(assets.plan(art.manifest, { client = art.client }))
    assert.is_true(plan.lines[1].derives)
    assert.is_true(plan.clean)
    assert.equal("fresh", plan.lines[1].state)
    assert.is_true(assert(art:build()).ok)
    assert.equal(before, core.file_id(art.base .. "a.png"))
    art:write({ ["a.png"] = entry("a", "{ echo tiny; cat $1; } >$2") })
    assert(art:build())
    assert.matches("^tiny", art:read("a.png"))
    assert.is_nil(assert(assets.plan(art.manifest, { client = art.client })).lines[1].derives)
    art:write({ ["a.png"] = "subject = 'a'" })
    assert(art:build())
    assert.matches("^\137PNG", art:read("a.png"))
    assert.equal(10, pictures.paid(box))
  end)

  it("makes a lost file again, from the store", function()
    local box, shared = support.sandbox(), folder.new()
    local art = pictures.new({ ["a.png"] = entry("a", COPY) }):connect(box)
    assert(art:build({ store = shared }))
    os.remove(art.base .. "a.png")
    assert(art:build({ store = shared }))
    assert.matches("^small", art:read("a.png"))
    os.remove(art.base .. "a.png")
    local derived = art:read("pictures.lock"):match('"file":"(%x+)"')
    folder.run(
      ("rm %s.gptimage2/objects/%s %s/objects/%s"):format(art.base, derived, shared, derived)
    )
    assert.is_true(assert(art:build({ store = shared })).ok)
    assert.matches("^small", art:read("a.png"))
    assert.equal(10, pictures.paid(box))
  end)

  it("is run again by derive, but for what somebody edited", function()
    local art = pictures
      .new({ ["a.png"] = entry("a", "cat count $1 >$2"), ["b.png"] = entry("b", COPY) })
      :connect(support.sandbox())
    folder.write(art.base .. "count", "1")
    assert(art:build())
    folder.write(art.base .. "count", "2")
    local where = { client = art.client }
    local report = assert(assets.derive(art.manifest, where))
    assert.same({ ok = true, changed = { "a.png" }, same = { "b.png" }, failed = {} }, report)
    assert.equal("a.png fresh, b.png fresh", art:states())
    folder.write(art.base .. "a.png", "mine")
    local said = commands.json("derive", { here = art.base, box = { url = "http://127.0.0.1:1" } })
    assert.equal(1, said.status)
    assert.equal("derive_failed", said.objects[1].error.code)
    assert.equal("mine", art:read("a.png"))
  end)

  it("must be a list with {in} and {out}", function()
    for _, derive in ipairs({
      "{}",
      "{ 'cp', '{in}' }",
      "{ '{in}', '{out}' }",
      "{ 'cp', '{in}', '{out}', 1 }",
      "'cp {in} {out}'",
      "{ a = 'cp' }",
    }) do
      local art = pictures.new({ ["a.png"] = "subject = 'a', derive = " .. derive })
      local _, err = assets.plan(art.manifest, { base_url = "http://127.0.0.1:1" })
      assert.equal("manifest_error", err.code, derive)
      assert.matches("derive$", err.field)
    end
    local art = pictures.new({
      ["{out}.png"] = "subject = 'a', each = { out = { 1 } }, derive = { 'cp', '{in}', '{out}' }",
    })
    local _, err = assets.plan(art.manifest, { base_url = "http://127.0.0.1:1" })
    assert.matches("an axis cannot be called 'out'", err.message)
  end)
end)

describe("a program that is run", function()
  local function run(argv, timeout)
    return core.run_program(argv, timeout or 60)
  end

  it("gives how it ended", function()
    assert.is_true(run({ "true" }))
    assert.same({ nil, "it ended with 3" }, { run({ "sh", "-c", "exit 3" }) })
    assert.same({ nil, "it was ended by signal 15" }, { run({ "sh", "-c", "kill $$" }) })
    assert.matches(NOT_STARTED, (select(2, run({ "no-such-program" }))))
    assert.error(function()
      run({})
    end)
    assert.error(function()
      run({ "true", 1 })
    end)
  end)

  it("ends when its time is over, with all that it began", function()
    local place = folder.new()
    local script = ("sleep 1000 & echo $! >%s/pid; sleep 1000"):format(place)
    assert.matches("too long", select(2, run({ "sh", "-c", script }, support.seconds(1))))
    local pid = folder.read(place .. "/pid"):match("%d+")
    support.step_until(function()
      return folder.run("ps -o stat= -p " .. pid):find("^%s*[^Z%s]") == nil
    end)
    assert.is_true(run({ "sh", "-c", ("sleep 1000 & echo $! >%s/pid"):format(place) }))
    pid = folder.read(place .. "/pid"):match("%d+")
    support.step_until(function()
      return folder.run("ps -o stat= -p " .. pid):find("^%s*[^Z%s]") == nil
    end)
    folder.clean()
  end)

  it("does not see the key, nor the host's standard output", function()
    local result = child.run(
      [[
        local core = require("gptimage2.core")
        print(core.run_program({ "sh", "-c", "env | grep '^GPTIMAGE2_API'; echo $OTHER" }, 60))
      ]],
      nil,
      "GPTIMAGE2_API_KEY=sk-secret GPTIMAGE2_API_KEYS=x OTHER=there"
    )
    assert.equal("true\n", result.output)
    assert.equal("GPTIMAGE2_API_KEYS=x\nthere\n", result.errors)
  end)

  -- Those of libraries too, which may be connections. POSIX has no way to close them all.
  local alone = os.getenv("GPTIMAGE2_SPEC_POSIX") and pending or it
  alone("has no descriptors of the host's", function()
    local result = child.run(
      [[
        local core = require("gptimage2.core")
        local script = "test -e /proc/self/fd/7 || exit 3"
        print(core.run_program({ "sh", "-c", script }, 60))
        print(io.open("/proc/self/fd/7") ~= nil)
      ]],
      nil,
      "sh -c 'exec 7</dev/null; exec \"$@\"' sh"
    )
    assert.equal("nil\tit ended with 3\ntrue\n", result.output)
  end)

  it("is told apart where the host ignores SIGCHLD", function()
    local result = child.run(
      [[
      local core = require("gptimage2.core")
      print(core.run_program({ "sh", "-c", "exit 3" }, 60))
      print(core.run_program({ "true" }, 60))
    ]],
      nil,
      "--ignore-signal=CHLD"
    )
    assert.equal("nil\tit ended with 3\ntrue\n", result.output)
  end)
end)

describe("gc", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("deletes orphans whose bytes are the lock's, and nothing of a store", function()
    local box, shared = support.sandbox(), folder.new()
    local art = pictures
      .new({
        ["a.png"] = "subject = 'a'",
        ["b.png"] = "subject = 'b'",
        ["c.png"] = "subject = 'c'",
      })
      :connect(box)
    assert(art:build({ store = shared }))
    local function objects()
      local own = art.base .. ".gptimage2/objects"
      return folder.list(shared .. "/objects") .. folder.list(own)
    end
    local before = objects()
    art:write({ ["c.png"] = "subject = 'c'" })
    folder.write(art.base .. "b.png", "mine")
    local options = { box = box, here = art.base }
    local said = commands.json("gc", options)
    assert.equal(2, said.status)
    assert.equal("orphan", said.objects[1].type)
    assert.equal("kept", said.objects[2].type)
    assert.is_truthy(art:read("a.png"))
    said = commands.run("gc --yes", options)
    assert.equal(0, said.status)
    assert.equal("deleted: a.png\nkept: b.png: it is not what was accepted\n", said.out)
    assert.is_nil(art:read("a.png"))
    assert.equal("mine", art:read("b.png"))
    assert.is_nil(art:read("pictures.lock"):find("a.png", 1, true))
    assert.equal(before, objects())
    art:write({ ["a.png"] = "subject = 'a'", ["c.png"] = "subject = 'c'" })
    assert.equal("a.png cached, b.png orphan, c.png fresh", art:states())
  end)

  it("follows no link", function()
    local art = pictures.new({ ["d/a.png"] = "subject = 'a'" }):connect(support.sandbox())
    assert(art:build())
    art:write({})
    local other = folder.new()
    folder.write(other .. "/a.png", art:read("d/a.png"))
    folder.run(("rm -r %sd"):format(art.base))
    folder.link(other, art.base .. "d")
    local report = assert(assets.gc(art.manifest, { client = art.client }))
    assert.equal("its folder is a link", report.kept[1].reason)
    assert.is_truthy(folder.read(other .. "/a.png"))
  end)
end)
