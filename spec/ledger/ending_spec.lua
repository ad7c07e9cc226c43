-- What a program that ends leaves of its ledger: all of it in one file, which may be moved.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local commands = require("spec.helpers.commands")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local support = require("spec.support")

--- Makes a job, and ends in one of many ways.
local MAKER = [[
  local _, url, key, path, ending = ...
  local gptimage2 = require("gptimage2")
  client = assert(gptimage2.new({ -- a global: nobody collects it
    api_key = key, base_url = url, ledger = path,
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
  }))
  if ending ~= "unused" then
    assert(client:generate({ prompt = "a cup" }))
  end
  if ending == "closed" then
    client:close()
  elseif ending == "busy" then
    assert(client:submit({ prompt = "another cup" }))
  elseif ending == "error" then
    error("no more")
  end
  if ending ~= "returns" then
    os.exit(0)
  end
]]

local ROWS = { unused = 0, busy = 2 }

--- The jobs in the file alone, as whoever copies it has it.
local function rows_of_file(path)
  local copy = book.path()
  folder.run(("cp %s %s"):format(folder.quote(path), folder.quote(copy)))
  return #book.rows(copy)
end

describe("a ledger of a program that ends", function()
  after_each(support.clean)
  after_each(folder.clean)

  for _, ending in ipairs({ "exits", "unused", "closed", "busy", "error", "returns" }) do
    it("is one whole file: " .. ending, function()
      local box, path = support.sandbox({ duration = 0 }), book.path()
      local said = child.run(MAKER, { box.url, box.api_key, path, ending })
      assert.equal(ending == "error" and 1 or 0, said.exit, said.errors)
      assert.is_nil(folder.read(path .. "-wal"))
      assert.equal(ROWS[ending] or 1, rows_of_file(path))
    end)
  end

  it("is one whole file when it was the command line's", function()
    local box, path = support.sandbox({ duration = 0 }), book.path()
    local said = commands.run(
      ("generate cup --ledger %s %s"):format(path, commands.UNIT),
      { box = box, here = folder.new() }
    )
    assert.equal(0, said.status, said.err)
    assert.is_nil(folder.read(path .. "-wal"))
    assert.equal(1, rows_of_file(path))
  end)

  it("leaves its log to others who have it open", function()
    if os.getenv("GPTIMAGE2_SPEC_POSIX") then
      return -- there one process has it
    end
    local client, box, path = book.pair({}, { duration = 0 })
    local said = child.run(MAKER, { box.url, box.api_key, path, "exits" })
    assert.equal(0, said.exit, said.errors)
    assert.is_truthy(folder.read(path .. "-wal"))
    assert(client:generate({ prompt = "a cup" }))
    assert.equal(2, #book.rows(path))
  end)
end)

describe("the log of a ledger that was moved without it", function()
  after_each(support.clean)
  after_each(folder.clean)

  --- The log of a process that was killed, and where the rest of it went.
  local function left()
    local _, box, path = book.pair({}, { duration = 0 })
    local place = folder.new() .. "/shop.db"
    folder.run(("cp %s-wal %s-wal"):format(path, place))
    return box, place, folder.read(place .. "-wal")
  end

  it("keeps a new one away, and is left as it is", function()
    local box, path, log = left()
    for _, there in ipairs({ "", "empty" }) do
      if there == "empty" then
        folder.write(path, "")
      end
      local client, err = book.try(box, path)
      assert.is_nil(client)
      assert.same({ "ledger", "ledger_replaced" }, { err.kind, err.code })
      assert.equal(log, folder.read(path .. "-wal"))
      assert.equal(there == "empty" and "" or nil, folder.read(path))
    end
    local rows, why = core.ledger_audit(path, {})
    assert.same({ nil, "ledger_replaced" }, { rows, why.code })
    assert.equal(log, folder.read(path .. "-wal"))
  end)

  it("is missed by the audit", function()
    local _, _, path = book.pair({}, { duration = 0 })
    local moved = book.path()
    folder.run(("cp %s %s"):format(path, moved))
    local said = commands.json("ledger check --ledger " .. moved)
    local first = said.objects[1]
    assert.same({ 1, "finding", "no_tables" }, { said.status, first.type, first.code })
  end)
end)

describe("a ledger whose maker was killed before it had anything in it", function()
  after_each(support.clean)
  after_each(folder.clean)

  -- As SQLite leaves it: the first page, and the journal that takes it back.
  local JOURNAL = "\217\213\005\249\032\161\099\215" .. ("\0"):rep(4) .. "\149\146\159\193"
  JOURNAL = JOURNAL .. "\0\0\0\0" .. "\0\0\2\0" .. "\0\0\16\0"

  it("is read, checked and spent on as one that is new", function()
    for _, what in ipairs({ "history", "ledger check", "generate cup" .. " " .. commands.UNIT }) do
      local box, path = support.sandbox({ duration = 0 }), book.path()
      folder.run(("sqlite3 %s 'PRAGMA journal_mode = WAL'"):format(path))
      folder.write(path .. "-journal", JOURNAL .. ("\0"):rep(512 - #JOURNAL))
      local where = { box = box, here = folder.new() }
      local said = commands.run(("%s --ledger %s"):format(what, path), where)
      assert.equal(0, said.status, said.err)
      assert.is_nil(folder.read(path .. "-journal"))
    end
  end)
end)
