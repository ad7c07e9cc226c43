--- `gptimage2 accept`, `reject`, `again`, `pin` and `unpin`; and where the key may come from.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local program = require("spec.helpers.program")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT

local ENTRIES = {
  ["a.png"] = "subject = 'a', candidates = 2",
  ["b.png"] = "subject = 'b', candidates = 2",
  ["c.png"] = "subject = 'c'",
}

describe("a decision", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function built()
    local box = support.sandbox()
    local art = pictures.new(ENTRIES)
    local options = { box = box, here = art.base }
    assert.equal(0, commands.run("build -y" .. UNIT, options).status)
    return art, options, box
  end

  local function states(options)
    local parts = {}
    for i, object in ipairs(commands.json("plan", options).objects) do
      parts[i] = object.state
    end
    return table.concat(parts, " ")
  end

  it("is one about a candidate", function()
    local art, options, box = built()
    assert.equal("unreviewed unreviewed fresh", states(options))
    local said = commands.run("accept a.png", options)
    assert.equal(2, said.status)
    assert.matches("2 candidates wait: say which one", said.err)
    said = commands.run("accept a.png 2", options)
    assert.same({ out = "accepted: a.png (candidate 2)\n", err = "", status = 0 }, said)
    assert.matches("^\137PNG", art:read("a.png"))
    assert.equal(2, commands.json("accept a.png 3", options).status)
    assert.equal("accepted", commands.json("accept a.png 1", options).last.type)
    assert.equal(0, commands.run("reject b.png", options).status)
    assert.equal("fresh rejected fresh", states(options))
    assert.equal(0, commands.run("again b.png", options).status)
    assert.equal(0, commands.run("build -y" .. UNIT, options).status)
    assert.equal(60, pictures.paid(box))
    assert.equal(0, commands.run("reject b.png 3", options).status)
    assert.equal("fresh rejected fresh", states(options))
  end)

  it("pins, and takes what is there", function()
    local art, options = built()
    assert.equal(0, commands.run("pin a.png", options).status)
    assert.equal("pinned unreviewed fresh", states(options))
    assert.equal(0, commands.run("unpin a.png", options).status)
    folder.write(art.base .. "c.png", "mine")
    assert.equal("unreviewed unreviewed edited", states(options))
    assert.equal(0, commands.run("accept c.png --edited", options).status)
    assert.equal("unreviewed unreviewed fresh", states(options))
    art:write({ ["c.png"] = "subject = 'another'" })
    assert.matches("stale", states(options))
    assert.equal(0, commands.run("accept c.png --keep", options).status)
    assert.matches("fresh", states(options))
    assert.equal(2, commands.run("accept c.png --keep --edited", options).status)
    assert.equal(2, commands.run("accept c.png 1 --keep", options).status)
  end)

  it("is none where nothing would be rejected", function()
    local _, options = built()
    local said = commands.json("reject c.png", options)
    assert.same({ 2, "not_decidable" }, { said.status, said.last.code })
    assert.matches("fresh", states(options))
    assert.equal(0, commands.run("reject c.png 1", options).status)
    assert.matches("rejected", states(options))
  end)

  it("may come from a page, and is refused where the request is another", function()
    local art, options = built()
    local file = art.base .. "decisions.json"
    folder.write(
      file,
      '{"version":1,"accept":{"a.png":2},"reject":{"b.png":[1,2]},"marks":{"a.png":{"1":4}}}'
    )
    local said = commands.json("accept decisions.json", options)
    assert.equal(0, said.status)
    assert.equal(3, #said.objects)
    assert.equal("fresh rejected fresh", states(options))
    folder.write(file, '{"version":1,"accept":{"a.png":1,"x.png":1},"hashes":{"a.png":"00"}}')
    said = commands.json("accept decisions.json", options)
    assert.equal(1, said.status)
    assert.matches("its request changed", said.objects[1].message)
    assert.equal("x.png", said.last.path)
    for _, text in ipairs({
      "",
      "[]",
      '{"version":2}',
      '{"version":1,"accept":{"a.png":"x"}}',
      '{"version":1,"accept":{"a.png":[1,2]}}',
      '{"version":1,"reject":{"a.png":[0]}}',
    }) do
      folder.write(file, text)
      said = commands.json("accept decisions.json", options)
      assert.equal(2, said.status, text)
      assert.equal("error", said.last.type)
    end
    assert.equal(2, commands.run("accept nowhere.json", options).status)
  end)
end)

describe("the key", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function with_file(mode, text)
    local box = support.sandbox()
    local art = pictures.new()
    folder.write(art.base .. "key", text or box.api_key .. "\n")
    folder.run(("chmod %s %skey"):format(mode, art.base))
    return { box = box, here = art.base, env = { GPTIMAGE2_API_KEY = "sk-wrong" } }
  end

  it("may be in a file that nobody else may read", function()
    local options = with_file("600")
    local said = commands.run("build -y --key-file key" .. UNIT, options)
    assert.equal(0, said.status, said.err)
  end)

  it("is refused in one that others may read, and never shown", function()
    for _, mode in ipairs({ "644", "640", "604" }) do
      local options = with_file(mode)
      local said = commands.json("build -y --key-file key", options)
      assert.equal(4, said.status)
      assert.matches("chmod 600", said.last.message)
      assert.is_nil((said.err .. said.last.message):find(support.KEY, 1, true))
    end
    local options = with_file("600", "\n")
    assert.matches("it is empty", commands.run("build -y --key-file key", options).err)
    options = with_file("600", ("x"):rep(9000))
    assert.equal(4, commands.run("build -y --key-file key", options).status)
    assert.equal(4, commands.run("build -y --key-file .", options).status)
    assert.equal(4, commands.run("build -y --key-file nowhere", options).status)
  end)

  it("may come from standard input, and not from an argument", function()
    local options = with_file("600")
    options.input = options.box.api_key .. "\n"
    local said = commands.run("build -y --key-stdin" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    options = with_file("600")
    assert.equal(4, commands.run("build -y --key-stdin", options).status)
    assert.equal(2, commands.run("build -y --key-stdin --key-file key", options).status)
    assert.equal(2, commands.run("build -y --api-key x", options).status)
  end)

  it("is the first line of standard input, which nobody has to close", function()
    local options = with_file("600")
    local line = folder.quote(commands.line("build -y --key-stdin" .. UNIT, options))
    local held = "mkfifo %skeys && exec 3<>%skeys && echo %s >&3 && sh -c %s <&3; echo =$?"
    local here = options.here
    local said = folder.run(held:format(here, here, options.box.api_key, line))
    assert.matches("made 1 picture for 10 credits\n=0$", said)
  end)

  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")(
    "is not typed where all can see it",
    function()
      local options = with_file("600")
      local said = commands.terminal("build -y --key-stdin", options)
      assert.equal(4, said.status)
      assert.matches("not what everybody can see", said.out)
    end
  )
end)
