--- A ledger of any size from Lua: many rows come by pages, and damage that is met stops the
--- spending. What SQLite does for it is ledger_size_test.c's and ledger_damage_test.c's.

local book = require("spec.helpers.book")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local support = require("spec.support")

--- Jobs of nobody's account, which all are unknown, with an answer of so many bytes each.
local FILL = [[
  WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d)
  INSERT INTO jobs (key, state, charged, created_at, updated_at, base_url, count, cost, prompt)
    SELECT 'key' || i || '.', 'unknown', 'unknown', 1000 + i / 7, 2000, '%s', 1, 10,
      'row' || i || '.' || hex(zeroblob(100)) FROM n;
  INSERT INTO bodies (key, answer)
    SELECT key, CAST('{"id":"' || hex(zeroblob(%d / 2)) || '"}' AS BLOB) FROM jobs;
]]

--- A ledger with so many of them, which nobody has open, and its sandbox.
local function filled(count, bytes)
  local client, box, path = book.pair()
  client:close()
  support.step_until(function() -- the last one who has it open takes its log along
    return not folder.read(path .. "-wal")
  end)
  book.query(path, FILL:format(count, box.url, bytes or 2))
  return path, box
end

--- Overwrites the page that holds the row with this number.
local function damage(path, number)
  local needle = "row" .. number .. "."
  local at = assert(assert(folder.read(path)):find(needle, 1, true)) - 1
  local file = assert(io.open(path, "r+b"))
  file:seek("set", at - at % 4096)
  file:write(("\255"):rep(64))
  file:close()
end

describe("a ledger with many rows", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is read by pages of a thousand", function()
    local path = filled(2500)
    local page = assert(core.ledger_rows(path, {}))
    local sizes, keys = {}, 0
    while true do
      sizes[#sizes + 1] = #page
      for _, row in ipairs(page) do
        keys = keys + 1
        assert.equal("key" .. keys .. ".", row.key)
      end
      if not page.rest then
        break
      end
      page = assert(page.rest:rows())
    end
    assert.equal("1000 1000 500", table.concat(sizes, " "))
  end)

  it("has no page of more than some megabytes", function()
    local path = filled(20, 1000000)
    local page, pages, rows = assert(core.ledger_rows(path, {})), 1, 0
    while page.rest do
      assert.is_true(#page >= 1 and #page <= 5, #page)
      pages, rows = pages + 1, rows + #page
      page = assert(page.rest:rows())
    end
    assert.equal(20, rows + #page)
    assert.is_true(pages >= 4, pages)
  end)

  it("lets a reader go that is not read to the end", function()
    local page = assert(core.ledger_rows(filled(1500), {}))
    page.rest:close()
    page.rest:close()
    assert.same({}, page.rest:rows())
  end)

  it("gives recover all that is unfinished, oldest first", function()
    local path, box = filled(2100)
    local jobs = assert(book.open(box, path):recover())
    assert.equal(2100, #jobs)
    for i, job in ipairs(jobs) do
      assert.equal("key" .. i .. ".", job.idempotency_key)
    end
    assert.equal(0, box:ledger().connections)
  end)

  it("gives history all it asks for, newest first", function()
    local path, box = filled(2100)
    local client = book.open(box, path)
    for _, limit in ipairs({ 1, 999, 1000, 1001, 2100, 5000 }) do
      local rows = assert(client:history({ limit = limit }))
      assert.equal(math.min(limit, 2100), #rows)
      assert.equal("key2100.", rows[1].idempotency_key)
      assert.equal("key" .. (2101 - #rows) .. ".", rows[#rows].idempotency_key)
    end
    assert.equal(2100, #assert(client:history()))
  end)
end)

describe("a ledger that is damaged far from both ends", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is opened, and spends until somebody meets it", function()
    local path, box = filled(2100)
    damage(path, 1500)
    local client = book.open(box, path)
    assert.equal(100, #assert(client:history({ limit = 100 })))
    assert.equal("succeeded", assert(client:generate({ prompt = "a cup" })).status)
    local rows, err = client:history()
    assert.is_nil(rows)
    assert.equal("ledger_damaged", err.code)
    local job
    job, err = client:generate({ prompt = "a pot" })
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("ledger_damaged", err.code)
    assert.equal("no", err.charged)
    assert.equal(1, box:ledger().requests.create)
  end)

  it("lets recover send nothing more", function()
    local path, box = filled(1100)
    book.query(path, "UPDATE jobs SET state = 'intent', charged = 'no'")
    book.query(path, "INSERT INTO bodies (key, body) SELECT key, x'7b7d' FROM jobs")
    damage(path, 1050)
    box:fault({ on = "create", action = "delay", seconds = support.slow and 5 or 1 })
    local client = book.open(box, path, { max_active = 1 })
    local jobs, err = client:recover()
    assert.is_nil(jobs)
    assert.equal("ledger_damaged", err.code)
    local sent = 0
    for _, job in ipairs(client:jobs()) do
      support.finish(job)
      if job.error.code ~= "ledger_damaged" then
        sent = sent + 1
      end
    end
    assert.is_true(sent <= 1, sent)
    assert.is_true((box:ledger().requests.create or 0) <= 1)
  end)
end)
