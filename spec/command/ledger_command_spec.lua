--- `gptimage2 history`, `recover` and `resolve`: what a ledger has, and what was left in it.

local book = require("spec.helpers.book")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local remains = require("spec.helpers.remains")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT

describe("a ledger", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function in_folder(box, path)
    return { box = box, here = folder.new(), env = { GPTIMAGE2_LEDGER = path } }
  end

  --- A ledger with two jobs that were made: a formula with what CSV must quote, and a failed one.
  local function with_two()
    local client, box, path = book.pair({}, { duration = 0 })
    assert(client:generate({ prompt = '=1+1 "a",\nb' }, { metadata = { order = "17" } }))
    box:fault({ on = "job", action = "fail", error = "content_policy" })
    client:generate({ prompt = "no" })
    client:close()
    return in_folder(box, path)
  end

  it("is read offline, newest first", function()
    local options = with_two()
    options.box = nil
    local said = commands.run("history", options)
    assert.equal(0, said.status, said.err)
    local first, second = said.out:match("^([^\n]*)\n([^\n]*)\n$")
    assert.matches("failed %(content_policy%) +10 +refund_expected .* no$", first)
    assert.matches("^%d+%-%d%d%-%d%dT%d%d:%d%d:%d%dZ  succeeded +10 +yes ", second)
    local objects = commands.json("history", options).objects
    assert.equal(2, #objects)
    assert.same(
      { "row", "failed", "content_policy" },
      { objects[1].type, objects[1].state, objects[1].error }
    )
    assert.equal("17", objects[2].metadata.order)
    assert.equal(1, #commands.json("history --state succeeded", options).objects)
    assert.equal(1, #commands.json("history --limit 1", options).objects)
    assert.equal(2, #commands.json("history --since 2026-01-01", options).objects)
    assert.equal(0, #commands.json("history --until 2026-01-01T10:00:00Z", options).objects)
    assert.equal(1, #commands.json("history --key " .. objects[1].key, options).objects)
    assert.equal(1, #commands.json("history --id " .. objects[2].job, options).objects)
  end)

  it("that is not there has nothing to recover, and is not made", function()
    local options = { box = support.sandbox(), here = folder.new() }
    for _, line in ipairs({ "recover -y", "resolve a-key abandon" }) do
      local said = commands.json(line .. " --ledger nope.db", options)
      assert.same({ 6, "ledger" }, { said.status, said.last.kind })
    end
    assert.equal("", folder.list(options.here))
  end)

  it("opens in a spreadsheet, where no prompt is a formula", function()
    local options = with_two()
    local out = commands.run("history --csv", options).out
    assert.matches("^\239\187\191time,status,state,charged,cost,job,key,", out)
    assert.truthy(out:find([[,"'=1+1 ""a"",]] .. "\n" .. [[b",,1,1,]], 1, true))
    assert.truthy(out:find([[,"{""order"":""17""}",]], 1, true))
    local _, lines = out:gsub("\r\n", "")
    assert.equal(3, lines)
    out = commands.run("history --csv --state unknown", options).out
    assert.matches("^\239\187\191time,[^\n]*\r\n$", out)
  end)

  it("that is none, or a wrong question, is an error", function()
    local options = { here = folder.new() }
    assert.equal(6, commands.run("history", options).status)
    assert.equal(
      6,
      commands.json("recover", { here = options.here, box = support.sandbox() }).status
    )
    for _, wrong in ipairs({
      "--since yesterday",
      "--until 2026-13-01",
      "--since 2026-02-29",
      "--since 2026-04-31",
      "--limit 0",
      "--state done",
      "--json --csv",
    }) do
      assert.equal(2, commands.json("history " .. wrong, options).status, wrong)
    end
  end)

  it("lets what was not sent be made, and saved", function()
    local path, _, port = remains.intent()
    local box = support.sandbox({ port = port, api_key = support.KEY })
    local options = in_folder(box, path)
    local said = commands.json("recover --budget 5" .. UNIT, options)
    assert.equal(3, said.status)
    assert.equal(0, remains.posts(box))
    said = commands.json("recover -o out" .. UNIT, options)
    assert.same({ 2, "plan", 10 }, { said.status, said.last.type, said.last.cost })
    assert.matches("%-%-yes", said.err)
    said = commands.run("recover -o out" .. UNIT, options)
    assert.same({ 2, "10 credits: 1 job recorded, and never sent\n" }, { said.status, said.out })
    assert.equal(0, remains.posts(box))
    said = commands.json("recover -y -o out" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    assert.same({ "recover", 1 }, { said.last.type, said.last.jobs })
    assert.matches("^\137PNG", assert(folder.read(options.here .. "/" .. said.objects[1].path)))
    assert.matches("nothing to take up", commands.run("recover", options).out)
    assert.equal(1, remains.posts(box))
  end)

  it("asks for nothing that another process is about to send", function()
    if os.getenv("GPTIMAGE2_SPEC_POSIX") then
      return -- there one process has it
    end
    local path = book.path()
    local nowhere = { url = (support.nowhere()), api_key = support.KEY }
    local other = support.client(nowhere, { ledger = path })
    assert(other:submit({ prompt = "a cup" }))
    support.step_until(function()
      return #other:history({ state = "intent" }) == 1
    end)
    local said = commands.run("recover" .. UNIT, in_folder(nowhere, path))
    assert.same({ 0, "there is nothing to take up\n" }, { said.status, said.out })
  end)

  it("lists what may have been paid, for a person to say what it is", function()
    local path, box, key = remains.sent()
    box:clear()
    local options = in_folder(box, path)
    local said = commands.json("recover" .. UNIT, options)
    assert.equal(1, said.status)
    assert.same({ "unknown", key }, { said.objects[1].type, said.objects[1].key })
    local id = box:ledger().jobs[1].id
    said = commands.json(("resolve %s %s -o out%s"):format(key, id, UNIT), options)
    assert.equal(0, said.status, said.err)
    assert.same({ "picture", id }, { said.objects[1].type, said.objects[1].job })
    assert.equal(1, remains.posts(box))
    assert.equal("succeeded", book.row(path).state)
    said = commands.json(("resolve %s abandon"):format(key), options)
    assert.equal(6, said.status)
  end)

  it("gives up what nobody wants, or sends it once more", function()
    for what, posts in pairs({ abandon = 1, resend = 2 }) do
      local path, box, key = remains.sent()
      box:clear()
      local options = in_folder(box, path)
      assert.equal(1, commands.run("recover" .. UNIT, options).status)
      local said = commands.json(("resolve %s %s%s"):format(key, what, UNIT), options)
      assert.equal(0, said.status, said.err)
      assert.equal(posts, remains.posts(box))
      assert.equal(1, #box:ledger().jobs)
      assert.equal(what == "abandon" and "abandoned" or "succeeded", book.row(path).state)
    end
  end)
end)
