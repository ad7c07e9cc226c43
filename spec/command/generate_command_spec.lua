--- `gptimage2 generate`, `wait`, `poll`, `cost` and `prompt`, and pictures in the terminal.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local preview = require("gptimage2.command.parts.preview")
local program = require("spec.helpers.program")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT
local it_in_terminal =
  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")

local function clean()
  support.clean()
  folder.clean()
end

describe("gptimage2 generate", function()
  after_each(clean)

  local function new(options)
    local box = support.sandbox(options)
    return box, { box = box, here = folder.new() }
  end

  it("advises nothing that it cannot do where the service is not https", function()
    local options = { env = { GPTIMAGE2_API_KEY = "k", GPTIMAGE2_BASE_URL = "http://192.0.2.1" } }
    local said = commands.run("generate x", options)
    assert.equal(2, said.status)
    assert.matches("use https:// %(base_url%)\n$", said.err)
  end)

  it("saves the pictures, and tells where", function()
    local box, options = new()
    local said = commands.run("generate 'a cup' --ratio 16:9 -o out" .. UNIT, options)
    assert.equal(0, said.status)
    local path = said.out:match("^saved: (out/[%w-]+%.png)\n$")
    assert.matches("^\137PNG", folder.read(options.here .. "/" .. path))
    said = commands.json("generate 'a cup' --count 2 -o '{n}.{ext}'" .. UNIT, options)
    assert.equal(0, said.status)
    assert.equal(3, #said.objects)
    assert.equal("2.png", said.objects[2].path:gsub("^%./", ""))
    assert.equal("a cup", said.objects[1].final_prompt)
    assert.equal(20, said.last.cost)
    assert.equal(2, #box:ledger().jobs)
  end)

  it("puts pieces and references together", function()
    local _, options = new()
    local pieces = "--text hi --style woodcut --subject 'a cup' --ref palette=https://e.com/x.png"
    local said = commands.json("prompt " .. pieces, options)
    assert.equal(0, said.status)
    local text = 'a cup, woodcut, with the text "hi". Use the color palette from ref 1.'
    assert.equal(text, said.last.prompt)
    assert.same({ "https://e.com/x.png" }, said.last.image_urls)
    assert.equal(text .. "\n", commands.run("prompt " .. pieces).out)
    assert.equal("40 credits\n", commands.run("cost x --count 4").out)
    assert.equal(40, commands.json("cost x --count 4").last.cost)
  end)

  local WRONG = {
    ["generate"] = "a prompt is needed, or --subject",
    ["generate x --subject y"] = "a prompt and --subject together",
    ["generate x --count 5"] = "from 1 to 4, not '5'",
    ["generate x --ratio 5:4"] = "the nearest is '4:3'",
    ["generate x --ratoi 1:1"] = "unknown option '--ratoi', did you mean '--ratio'?",
    ["generate x --ref palete=https://e.com/a.png"] = "'palete' is no purpose",
    ["generate x --ref subject=https://e.com/a.png --ref https://e.com/b.png"] = "all need one",
    ["generate x --ref ftp://e.com/a.png"] = "image_urls",
    ["generate x --poll-unit 5"] = "--poll-unit must be a number from 0.001 to 1",
    ["generate x --timeout 0"] = "--timeout must be a number of seconds above 0",
    ["generate x y"] = "too many arguments",
  }
  for args, message in pairs(WRONG) do
    it("refuses before a credit is spent: " .. args, function()
      local box, options = new()
      local said = commands.run(args, options)
      assert.equal(2, said.status)
      assert.is_truthy(said.err:find(message, 1, true), said.err)
      assert.equal(2, commands.json(args, options).status)
      assert.equal(0, #box:ledger().log)
    end)
  end

  it("has an exit code for each trouble", function()
    local box, options = new({ credits = 10 })
    box:fault({ on = "job", action = "fail" })
    local said = commands.json("generate x" .. UNIT, options)
    assert.equal(1, said.status)
    assert.equal("job_failed", said.last.kind)
    assert.equal(3, commands.json("generate x --count 4" .. UNIT, options).status)
    box:fault({ on = "create", action = "reset" })
    said = commands.json("generate x" .. UNIT, options)
    assert.equal(5, said.status)
    assert.equal("unknown", said.last.charged)
    assert.is_truthy(said.err:find(said.last.idempotency_key, 1, true))
    options.env = { GPTIMAGE2_API_KEY = "sk-wrong" }
    assert.equal(4, commands.json("generate x", options).status)
    options.env = { GPTIMAGE2_BASE_URL = (support.nowhere()) }
    assert.equal(5, commands.json("generate x --timeout 1" .. UNIT, options).status)
    options.env = { GPTIMAGE2_BASE_URL = box.url .. "/v9" }
    assert.equal(5, commands.json("generate x" .. UNIT, options).status)
    options.env = nil
    assert.equal(1, commands.json("wait no-such-job" .. UNIT, options).status)
    folder.write(options.here .. "/file", "")
    assert.equal(1, commands.json("generate x -o file/x.png", options).status)
  end)

  it("names what fetches a paid picture that could not be had", function()
    local box, options = new()
    box:fault({ on = "image", action = "status", status = 404, times = math.huge })
    local said = commands.json("generate x -o out" .. UNIT, options)
    assert.equal(5, said.status)
    local id = box:ledger().jobs[1].id
    assert.is_truthy(said.err:find("job " .. id .. " is paid: gptimage2 wait " .. id, 1, true))
    box:clear()
    assert.equal(0, commands.run("wait " .. id .. " -o got" .. UNIT, options).status)
    assert.equal(1, #box:ledger().jobs)
  end)

  it("leaves what goes on at the service to wait", function()
    local box, options = new({ duration = 2 })
    local process = commands.start("generate x -o out" .. UNIT, options)
    support.step_until(function()
      return box:ledger().jobs[1]
    end)
    process:kill("INT")
    local said = process:finish()
    assert.equal(130, said.status)
    local id = box:ledger().jobs[1].id
    assert.is_truthy(said.out:find("in flight: job " .. id .. "; gptimage2 wait", 1, true))
    local polled = commands.json("poll " .. id, options)
    assert.equal(0, polled.status)
    assert.equal(id, polled.last.job)
    local line = "wait %s no-such-job -o out"
    said = commands.json(line:format(id) .. UNIT, options)
    assert.equal(1, said.status)
    assert.equal("succeeded", said.objects[2].status)
    assert.equal("no-such-job", said.last.job)
    assert.is_truthy(folder.read(options.here .. "/" .. said.objects[1].path))
    assert.equal(1, #box:ledger().jobs)
    assert.equal(1, commands.json("wait no-such-job" .. UNIT, options).status)
    assert.equal(2, commands.json("wait", options).status)
    assert.equal(2, commands.json("poll ..", options).status)
  end)

  it("finishes a file that comes in", function()
    local box, options = new()
    box:fault({ on = "image", action = "delay", seconds = support.seconds(1) })
    local process = commands.start("generate x -o a.png --json" .. UNIT, options)
    support.step_until(function()
      return box:ledger().requests.image > 0
    end)
    process:kill("INT")
    local said = process:finish()
    assert.equal(130, said.status)
    local objects = commands.objects(said.out)
    assert.equal("picture", objects[#objects - 1].type)
    assert.equal("succeeded", objects[#objects].status)
    assert.matches("^\137PNG", folder.read(options.here .. "/a.png"))
  end)

  it("keeps a ledger where one is named", function()
    local _, options = new()
    options.env = { GPTIMAGE2_LEDGER = "renders.db" }
    assert.equal(0, commands.run("generate x" .. UNIT, options).status)
    options.env = nil
    assert.equal(0, commands.run("generate x --ledger renders.db" .. UNIT, options).status)
    local box = options.box
    local ledger = options.here .. "/renders.db"
    local client = support.client(box, { ledger = ledger, ledger_alone = true })
    assert.equal(2, #assert(client:history()))
    options.env = { GPTIMAGE2_LEDGER = "renders.db" }
    assert.equal(6, commands.json("generate x", options).status) -- it is locked
  end)

  it_in_terminal("shows what a service says, and obeys nothing", function()
    local box, options = new()
    box:fault({ on = "create", action = "escapes", status = 400 })
    options.env = { TERM = "dumb" }
    local said = commands.terminal("generate x", options)
    assert.not_equal(0, said.status)
    assert.is_nil(said.out:find("[%z\1-\9\11-\31]"), said.out)
  end)

  it_in_terminal("shows the picture where the terminal can", function()
    local _, options = new()
    options.env = { TERM = "xterm-kitty", TMUX = "", KITTY_WINDOW_ID = "" }
    local said = commands.terminal("generate x -o a.png --preview" .. UNIT, options)
    local bytes = folder.read(options.here .. "/a.png")
    assert.is_truthy(said.out:find("\27_Ga=T,f=100,q=2,m=", 1, true))
    assert.is_truthy(said.out:find(preview.base64(bytes):sub(1, 100), 1, true))
    options.env = { TERM = "dumb", TMUX = "", TERM_PROGRAM = "", KITTY_WINDOW_ID = "" }
    folder.write(options.here .. "/chafa", "#!/bin/sh\necho drawn ${1##*.}\n")
    folder.run("chmod +x " .. options.here .. "/chafa")
    options.env.PATH = options.here .. ":" .. os.getenv("PATH")
    said = commands.terminal("generate x -o b.png --preview" .. UNIT, options)
    assert.matches("saved: .*b.png\ndrawn png\n", said.out)
    said = commands.run("generate x -o c.png --preview" .. UNIT, options)
    assert.is_nil((said.out .. said.err):find("drawn"))
  end)
end)

describe("a preview", function()
  local function protocol(variables)
    return preview.protocol(function(name)
      return variables[name]
    end)
  end

  it("is by the protocol that the terminal tells", function()
    assert.equal("kitty", protocol({ TERM = "xterm-kitty" }))
    assert.equal("kitty", protocol({ KITTY_WINDOW_ID = "1" }))
    assert.equal("kitty", protocol({ TERM_PROGRAM = "ghostty" }))
    assert.equal("iterm2", protocol({ TERM_PROGRAM = "iTerm.app" }))
    assert.equal("iterm2", protocol({ LC_TERMINAL = "iTerm2" }))
    assert.is_nil(protocol({ TERM = "xterm-256color" }))
    assert.is_nil(protocol({ TERM = "xterm-kitty", TMUX = "/tmp/x" }))
    assert.is_nil(protocol({ TERM = "screen", TERM_PROGRAM = "iTerm.app" }))
  end)

  it("is base64, in pieces", function()
    assert.equal("", preview.base64(""))
    assert.equal("Zg==", preview.base64("f"))
    assert.equal("Zm8=", preview.base64("fo"))
    assert.equal("Zm9vYmFy/w==", preview.base64("foobar\255"))
    local text = preview.kitty(("x"):rep(4000))
    local sizes = {}
    for keys, piece in text:gmatch("\27_G([^;]*);([^\27]*)\27\\") do
      sizes[#sizes + 1] = keys .. " " .. #piece
    end
    assert.same({ "a=T,f=100,q=2,m=1 4096", "m=0 1240" }, sizes)
    assert.equal(
      "\27]1337;File=inline=1;size=3;preserveAspectRatio=1:Zm9v\7\n",
      preview.iterm2("foo")
    )
  end)
end)

describe("a job of the program", function()
  after_each(clean)

  it("ends at once when it is asked to twice", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "hang", times = math.huge })
    local options = { box = box, here = folder.new() }
    local process = commands.start("generate x" .. UNIT, options)
    support.step_until(function()
      return box:ledger().requests.create > 0
    end)
    process:kill("INT")
    support.step_until(function()
      return (folder.read(process.place .. "/err") or ""):find("ending")
    end)
    process:kill("INT")
    assert.equal(130, process:finish().status)
    assert.equal(1, box:ledger().requests.create)
  end)
end)
