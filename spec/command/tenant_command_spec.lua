--- `gptimage2 tenant`: the tenants of a ledger by the command line.

local book = require("spec.helpers.book")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local support = require("spec.support")

describe("gptimage2 tenant", function()
  after_each(support.clean)
  after_each(folder.clean)

  local here
  before_each(function()
    here = { here = folder.new(), env = { GPTIMAGE2_LEDGER = "shop.db" } }
  end)

  local function json(line)
    return commands.json("tenant" .. line, here)
  end

  local function row(name, budget, weight, spent)
    return {
      type = "tenant",
      name = name,
      budget = budget,
      weight = weight,
      reserved = 0,
      spent = spent or 0,
    }
  end

  it("makes, changes and shows them, and needs no key", function()
    assert.same(row("acme", 500, 1), json(" acme --budget 500").last)
    assert.same(row("acme", 500, 2.5), json(" acme --weight 2.5").last)
    assert.same(row("acme", nil, 2.5), json(" acme --budget none").last)
    assert.same(row("zoo", 0, 1), json(" zoo --budget 0").last)
    assert.same(row("acme", nil, 2.5), json(" acme").last)
    assert.same({ row("acme", nil, 2.5), row("zoo", 0, 1) }, json("").objects)
    local said = commands.run("tenant", here)
    local words = "^acme +spent 0 and reserved 0 of as many as there are; weight 2.5\n"
      .. "zoo +spent 0 and reserved 0 of 0 credits; weight 1\n$"
    assert.matches(words, said.out)
    said = commands.run("tenant vast --budget 9007199254740991", here)
    assert.matches("of 9007199254740991 credits", said.out)
  end)

  it("says what cannot be", function()
    local function assert_fails(status, words, line)
      local said = commands.run("tenant" .. line, here)
      assert.equal(status, said.status, said.err)
      assert.matches(words, said.err)
    end
    assert_fails(6, "No such file", "")
    assert_fails(6, "No such file", " acme")
    assert.is_nil(folder.read(here.here .. "/shop.db"))
    for _, wrong in ipairs({ "many", "-1", "nan", "inf", "1e300", "''" }) do
      assert_fails(2, "%-%-budget needs a number of credits, or none", " a --budget=" .. wrong)
    end
    for _, wrong in ipairs({ "0", "-1", "1000001", "nan" }) do
      assert_fails(2, "%-%-weight needs a number above 0", " a --weight=" .. wrong)
    end
    assert_fails(2, "at most 9007199254740992, not '1e17'", " a --budget=1e17")
    assert_fails(2, "name it", " --budget 5")
    assert_fails(2, "name is empty", " '' --budget 5")
    assert.equal(0, json(" acme --budget 500").status)
    assert_fails(3, "with %-%-budget one is made", " acmee")
  end)

  it("counts what is spent, and history tells whose a job is", function()
    local client, box, path = book.pair({}, { duration = 0 })
    here.env.GPTIMAGE2_LEDGER = path
    assert(client:tenant("acme", { budget = 20 }))
    assert(client:generate({ prompt = "a cup" }, { tenant = "acme" }))
    assert(client:generate({ prompt = "nobody's" }))
    assert.same(row("acme", 20, 1, 10), json(" acme").last)
    assert.equal(30, json(" acme --budget 30").last.budget) -- beside who spends on it
    assert.equal(30, assert(client:tenant("acme")).budget)
    local said = json(" acme --budget 5")
    assert.same({ 3, "tenant_budget_too_low" }, { said.status, said.last.code })
    local rows = commands.json("history --tenant acme", here).objects
    assert.same({ 1, "a cup", "acme" }, { #rows, rows[1].prompt, rows[1].tenant })
    assert.is_nil(commands.json("history --limit 1", here).last.tenant)
    assert.matches(",service,tenant\r\n", commands.run("history --csv", here).out)
    assert.is_truthy(box)
  end)

  it("lists a thousand and more", function()
    local _, _, path = book.pair()
    support.clean()
    here.env.GPTIMAGE2_LEDGER = path
    local sql = "WITH RECURSIVE n(i) AS (SELECT 1 UNION SELECT i + 1 FROM n WHERE i < 2500)"
      .. " INSERT INTO tenants (id, budget) SELECT printf('t%05d', i), i FROM n;"
      .. " INSERT INTO tenants (id) VALUES ('t00002' || char(0)), (x'7400');"
    book.query(path, sql) -- it waits for the client, which is still closing
    local list = json("").objects
    assert.same({ 2500, "t00001", "t02500" }, { #list, list[1].name, list[2500].name })
  end)
end)
