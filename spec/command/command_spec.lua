--- The program `gptimage2`: its grammar, its streams and its exit codes.

local child = require("spec.helpers.child")
local codes = require("gptimage2.command.parts.codes")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local grammar = require("gptimage2.command.parts.grammar")
local output = require("gptimage2.command.parts.output")
local record = require("gptimage2.command.parts.record")

describe("the program", function()
  after_each(folder.clean)

  it("tells its commands, and its version", function()
    local said = commands.run("--help")
    assert.equal(0, said.status)
    assert.equal("", said.err)
    for _, name in ipairs(grammar.COMMANDS) do
      assert.matches("\n   " .. name .. " ", said.out)
    end
    said = commands.run("--version")
    assert.same({ out = gptimage2._VERSION .. "\n", err = "", status = 0 }, said)
    said = commands.run("")
    assert.equal(2, said.status)
    assert.matches("a command is needed\nUsage: gptimage2", said.err)
  end)

  it("has help with examples for each command", function()
    for _, name in ipairs(grammar.COMMANDS) do
      local said = commands.run(name .. " --help")
      assert.equal(0, said.status)
      assert.matches("^Usage: gptimage2 " .. name, said.out)
      assert.matches("\nExamples?:\n   gptimage2 " .. name, said.out)
      for line in said.out:gmatch("[^\n]+") do
        assert.is_true(#line <= 80 or line:find("^   gptimage2") ~= nil, line)
      end
    end
  end)

  local WRONG = {
    ["sandbocks"] = "gptimage2: unknown command 'sandbocks', did you mean 'sandbox'?",
    ["--hlp"] = "gptimage2: unknown option '--hlp', did you mean '--help'?",
    ["sandbox --prot 1"] = "gptimage2 sandbox: unknown option '--prot', did you mean '--port'?",
    ["sandbox --imagesize 1"] = "unknown option '--imagesize', did you mean '--image-size'?",
    ["sandbox --port"] = "gptimage2 sandbox: option '--port' requires an argument",
    ["sandbox --port=x"] = "gptimage2 sandbox: --port needs a number, not 'x'",
    ["sandbox 8080"] = "gptimage2 sandbox: too many arguments",
    ["sandbox --fault status"] = "gptimage2 sandbox: --fault: 'status' is not name=value",
  }
  for args, message in pairs(WRONG) do
    it("says what is wrong: " .. args, function()
      local said = commands.run(args)
      assert.equal(2, said.status)
      assert.equal("", said.out)
      assert.is_truthy(said.err:find(message, 1, true), said.err)
      said = commands.json(args)
      assert.equal(2, said.status)
      assert.equal(1, #said.objects)
      assert.equal("error", said.last.type)
      assert.equal("usage", said.last.kind)
      assert.equal(2, said.last.exit)
    end)
  end

  it("keeps to JSON whatever it is asked for", function()
    for _, args in ipairs({ "--help", "--version", "sandbox --help", "" }) do
      assert.equal(1, #commands.json(args).objects)
    end
    assert.equal("cost", commands.objects(commands.run("--json cost x").out)[1].type)
  end)

  it("says what to do without argparse", function()
    local said = commands.run("--help", { main = "package.preload.argparse = error" })
    assert.equal(1, said.status)
    assert.matches("luarocks install argparse", said.err)
    assert.equal("", said.out)
    assert.equal(0, child.run("package.preload.argparse = error require('gptimage2')").exit)
  end)

  it("tells an error of its own, also as JSON", function()
    local main = "require('gptimage2.command.sandbox').run = function() error('oops') end"
    local said = commands.json("sandbox", { main = main })
    assert.equal(1, said.status)
    assert.equal("bug", said.last.kind)
    assert.matches("this is a bug: .*oops", said.err)
  end)

  it("minds a full disk, and not a reader who went", function()
    local said = commands.run("--help", { out = "/dev/full" })
    assert.equal(1, said.status)
    assert.matches("standard output cannot be written: No space left", said.err)
    local line = commands.line("--help")
    said = folder.run(("{ sleep 0.3; sh -c %s; echo $? >&2; } | true"):format(folder.quote(line)))
    assert.equal("0", said)
  end)
end)

describe("exit codes", function()
  local function of(...)
    local errors = {}
    for i, kind in ipairs({ ... }) do
      errors[i] = { kind = kind }
    end
    return codes.of_all(errors, false)
  end

  it("are the first of ledger, key, money and network where nothing was made", function()
    assert.equal(0, of())
    assert.equal(6, of("network", "budget", "auth", "ledger"))
    assert.equal(4, of("network", "credits", "auth", "job_failed"))
    assert.equal(3, of("network", "job_failed", "budget"))
    assert.equal(5, of("job_failed", "lost"))
    assert.equal(1, of("job_failed", "validation"))
    assert.equal(1, codes.of_all({ { kind = "ledger" } }, true))
  end)

  it("are those of a single error", function()
    assert.equal(2, codes.of({ kind = "validation", code = "invalid_ratio" }))
    assert.equal(2, codes.of({ kind = "build", code = "plan_stale" }))
    assert.equal(6, codes.of({ kind = "build", code = "store_failed" }))
    assert.equal(1, codes.of({ kind = "io", code = "disk_full" }))
  end)
end)

describe("an error in words", function()
  it("has its field and key, and nothing that a terminal obeys", function()
    local err = {
      message = "\27[2Jbad\n",
      field = 'pictures["a.png"].ratio',
      charged = "unknown",
      idempotency_key = "k1",
    }
    assert.equal(
      '\\x1B[2Jbad\\x0A (pictures["a.png"].ratio) (it may have been paid; its key is k1)',
      output.words_of(err)
    )
    assert.equal("\\x1B[2Jbad\\x0A", output.error_fields(err).message)
  end)
end)

describe("a line of JSON", function()
  it("has its type first, the rest in one order, and is always JSON", function()
    assert.equal(
      '{"type":"x","a":[],"b":{"c":true},"list":[1,"two"],"z":10}',
      record.encode({
        z = 10,
        a = record.list({}),
        type = "x",
        b = { c = true },
        list = { 1, "two" },
      })
    )
    assert.equal('{"a":"\239\191\189b","n":null}', record.encode({ a = "\255b", n = 0 / 0 }))
  end)
end)
