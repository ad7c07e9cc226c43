--- `gptimage2 batch`: the pictures of a file's rows, each made once and paid once.

local book = require("spec.helpers.book")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local program = require("spec.helpers.program")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT
local it_in_terminal =
  program.it({ it = it, pending = pending }, commands.has_terminal, "no script")

--- So many rows, in a folder of their own.
local function new(box, count, more)
  local options = { box = box, here = folder.new() }
  local rows = {}
  for i = 1, count do
    rows[i] = ('{"prompt":"picture %d","order":"%d"}\n'):format(i, i)
  end
  folder.write(options.here .. "/rows.jsonl", table.concat(rows) .. (more or ""))
  return options
end

local function read(options, path)
  return folder.read(options.here .. "/" .. path)
end

--- How many objects have that in a field.
local function count(objects, field, value)
  local found = 0
  for _, object in ipairs(objects) do
    found = found + (object[field] == value and 1 or 0)
  end
  return found
end

describe("gptimage2 batch", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("tells what each row would cost, and sends nothing", function()
    local box = support.sandbox()
    local options = new(box, 1, '{"prompt":"b","count":3,"file":"b.png"}\n')
    local said = commands.run("batch rows.jsonl --dry-run", options)
    assert.equal(0, said.status)
    assert.matches(
      "^new +row 1 +10  %x%x%x%x%x%x%x%x%-1%.{ext}\nnew +row 2 +30  b%-{n}.png\n",
      said.out
    )
    assert.matches("40 credits; 2 new\n$", said.out)
    said = commands.json("batch rows.jsonl", options)
    assert.same({ 2, "plan", 40 }, { said.status, said.last.type, said.last.cost })
    assert.equal(2, said.last.exit)
    assert.equal(0, commands.json("batch rows.jsonl --dry-run", options).last.exit)
    for _, wrong in ipairs({ "--timeout 0", "--poll-unit 2" }) do
      assert.equal(2, commands.json("batch rows.jsonl --dry-run " .. wrong, options).status)
    end
    assert.matches("%-%-yes", said.err)
    assert.equal(0, #box:ledger().log)
    assert.is_nil(read(options, ".gptimage2/ledger.db"))
  end)

  it("has its ledger alone: another would make the same rows", function()
    local box = support.sandbox()
    local options = new(box, 1)
    local client = support.client(box, { ledger = options.here .. "/renders.db" })
    local said = commands.json("batch rows.jsonl -o out -y --ledger renders.db", options)
    assert.same({ 6, "ledger_locked" }, { said.status, said.last.code })
    assert.same({}, assert(client:history()))
    assert.equal(0, #box:ledger().jobs)
  end)

  it("makes each row once, wherever it stands and whatever else it says", function()
    local box = support.sandbox()
    local options = new(box, 3, '{"prompt":"picture 1","count":2,"file":"a/b.png"}\n')
    local said = commands.json("batch rows.jsonl -o out -y" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    assert.same({ "batch", 4, 50 }, { said.last.type, said.last.made, said.last.credits })
    for _, object in ipairs(said.objects) do
      if object.type == "made" then
        local order = object.row < 4 and ("%d"):format(object.row) or nil
        assert.matches("^\137PNG", read(options, object.files[1]))
        assert.equal(order, (object.metadata or {}).order)
        local beside = object.files[1]:match("^.*/") .. object.job .. ".json"
        local line = ('"metadata": { "order": "%s" }'):format(order or "")
        assert.equal(order ~= nil, read(options, beside):find(line, 1, true) ~= nil)
      end
    end
    assert.matches("^\137PNG", read(options, "out/a/b-2.png"))
    local csv = "file,prompt,new,count\na/b.png,picture 1,1,2\n,picture 3,,\n"
    csv = csv .. ',"picture 2","x\ny",1\n,picture 1,,\n'
    folder.write(options.here .. "/rows.csv", csv)
    said = commands.json("batch rows.csv -o out", options)
    assert.same({ 0, 4, 0 }, { said.status, said.last.kept, said.last.credits })
    assert.equal(4, count(said.objects, "type", "kept"))
    assert.equal(50, pictures.paid(box))
    os.remove(options.here .. "/out/a/b-1.png")
    said = commands.run("batch rows.csv -o out" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    assert.matches("fetched +row 1 a/b.png", said.out)
    assert.matches("made 0 rows for 0 credits, 1 fetched, 3 there before\n$", said.out)
    assert.matches("^\137PNG", read(options, "out/a/b-1.png"))
    assert.equal(50, pictures.paid(box))
  end)

  it("sends nothing at all where a row is wrong", function()
    local box = support.sandbox()
    local options = new(box, 4710, '{"prompt":"x","ratio":"7:3"}\n{"prompt":"y"}\nnonsense\n')
    local said = commands.json("batch rows.jsonl -o out -y", options)
    assert.matches("rows.jsonl:4711: ratio must be .* nearest is '16:9'", said.err)
    assert.matches("rows.jsonl:4713: ", said.err)
    assert.matches("2 rows are wrong, of 4713: nothing was sent\n$", said.err)
    assert.same({ 2, "batch", 2 }, { said.status, said.last.type, said.last.wrong })
    local first = said.objects[1]
    assert.same({ "rows.jsonl", 4711, "ratio" }, { first.file, first.line, first.field })
    assert.equal(0, #box:ledger().log)
    assert.is_nil(read(options, ".gptimage2/ledger.db"))
  end)

  it("keeps to the budget, hard and soft, in the order of the file", function()
    local box = support.sandbox()
    local options = new(box, 2, '{"prompt":"x","count":4}\n{"prompt":"y"}\n')
    local said = commands.json("batch rows.jsonl -y --budget 69", options)
    assert.same({ 3, "budget_exceeded" }, { said.status, said.last.code })
    assert.equal(0, #box:ledger().log)
    said = commands.json("batch rows.jsonl -y --budget 35 --cutoff soft" .. UNIT, options)
    assert.same(
      { 3, true, 3, 30 },
      { said.status, said.last.over, said.last.made, said.last.credits }
    )
    assert.equal(30, pictures.paid(box))
    said = commands.run("batch rows.jsonl -y --budget 40" .. UNIT, options)
    assert.equal(0, said.status, said.err)
    assert.equal(70, pictures.paid(box))
  end)

  it("counts what an earlier run was about to send", function()
    local box = support.sandbox()
    local options = new(box, 1)
    assert.equal(0, commands.json("batch rows.jsonl -y -o out" .. UNIT, options).status)
    local made = book.crash(options.here .. "/.gptimage2/ledger.db")
    local intent = "UPDATE jobs SET state = 'intent', charged = 'no', job_id = NULL, attempts = 0"
    book.query(made, intent .. "; DELETE FROM bodies WHERE body IS NULL; DELETE FROM files")
    local line = "batch rows.jsonl -y --ledger " .. made
    assert.equal("file_exists", commands.json(line .. " -o out", options).objects[1].code)
    local said = commands.json(line .. " --dry-run", options)
    assert.same({ "in_flight", 10 }, { said.objects[1].state, said.objects[1].cost })
    assert.equal(3, commands.json(line .. " --budget 9", options).status)
    said = commands.json(line .. UNIT, options) -- the same key, and so the same job
    assert.same({ 0, 1, 10 }, { said.status, said.last.made, said.last.credits })
    assert.equal(10, pictures.paid(box))
  end)

  it_in_terminal("asks once on a terminal", function()
    local box = support.sandbox()
    local options = new(box, 2)
    for _, case in ipairs({ { "no\\n", 2 }, { "y\\n", 0 } }) do
      options.type = case[1]
      local said = commands.terminal("batch rows.jsonl" .. UNIT, options)
      assert.equal(case[2], said.status, said.out)
      assert.matches("Spend 20 credits%?", said.out)
    end
    assert.equal(20, pictures.paid(box))
  end)

  it("takes rows from a pipe, and nothing else from it", function()
    local options = new(support.sandbox(), 0)
    options.input = '{"prompt":"a"}\n'
    local said = commands.json("batch - -y" .. UNIT, options)
    assert.same({ 0, 1 }, { said.status, said.last.made })
    said = commands.json("batch - --key-stdin", options)
    assert.equal(2, said.status)
    options.input = "prompt\na\n"
    assert.equal(1, commands.json("batch - --format csv", options).last.kept)
    local WRONG = { "none.jsonl", "rows.jsonl -o '{id}'", "rows.jsonl --concurrency 0" }
    for _, wrong in ipairs(WRONG) do
      said = commands.json("batch " .. wrong, options)
      assert.same({ 2, "error" }, { said.status, said.last.type }, wrong)
    end
  end)

  it("lists what may have been paid, and makes the rest", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "reset", times = 1, work = true })
    box:fault({ on = "create", action = "status", status = 400, times = 1 })
    local options = new(box, 4)
    local said = commands.json("batch rows.jsonl -y --concurrency 1" .. UNIT, options)
    assert.same({ 1, 2, 1, 1 }, {
      said.status,
      said.last.made,
      said.last.failed,
      said.last.unknown,
    })
    local out = commands.run("batch rows.jsonl --dry-run", options).out
    assert.matches("unknown +row 1 .*\nfailed +row 2 +10 .*\ndone +row 3 ", out)
    said = commands.json("batch rows.jsonl -y" .. UNIT, options) -- the refused one, with a new key
    assert.same({ 1, 1, 1 }, { said.status, said.last.made, said.last.unknown })
    assert.equal(1, count(said.objects, "type", "unknown"))
    said = commands.run("batch rows.jsonl", options)
    assert.equal(1, said.status)
    assert.matches("gptimage2 resolve %S+ resend", said.out)
    said = commands.json("batch rows.jsonl -y --retry idempotent" .. UNIT, options)
    assert.same({ 0, 1 }, { said.status, said.last.made })
    assert.equal(40, pictures.paid(box))
  end)

  it("does nothing for what was given up, and says so", function()
    local box = support.sandbox()
    box:fault({ on = "create", action = "reset", times = 1, work = true })
    local options = new(box, 2)
    local said = commands.json("batch rows.jsonl -y --concurrency 1" .. UNIT, options)
    local key = said.objects[1].key
    assert.same({ 1, "unknown" }, { said.status, said.objects[1].type })
    assert.equal(0, commands.run(("resolve %s abandon"):format(key), options).status)
    said = commands.run("batch rows.jsonl", options)
    assert.equal(0, said.status)
    assert.matches("given up +row 1: its attempt came to nothing, and may have", said.out)
    assert.matches("1 there before, 1 given up\n$", said.out)
    assert.not_matches("resolve", said.out)
    said = commands.json("batch rows.jsonl -y", options)
    assert.equal(1, count(said.objects, "type", "given_up"))
    assert.same({ 0, 1, 1, 0 }, {
      said.last.exit,
      said.last.kept,
      said.last.given_up,
      said.last.unknown,
    })
    assert.equal(20, pictures.paid(box))
  end)

  it("gives each row its own time, which does not run while it waits", function()
    local box = support.sandbox({ duration = 0.7 })
    local options = new(box, 8)
    local said = commands.json("batch rows.jsonl -y --concurrency 1 --timeout 4" .. UNIT, options)
    assert.same({ 0, 8 }, { said.status, said.last.made })
  end)

  it("has an exit code for each trouble", function()
    local box = support.sandbox({ credits = 10 })
    local options = new(box, 3)
    options.env = { GPTIMAGE2_API_KEY = "" }
    assert.equal(4, commands.json("batch rows.jsonl -y", options).status)
    options.env = { GPTIMAGE2_API_KEY = "sk-wrong" }
    local said = commands.json("batch rows.jsonl -y --concurrency 1" .. UNIT, options)
    assert.same({ 4, 1 }, { said.status, said.last.failed }) -- nothing more was sent
    options.env = { GPTIMAGE2_BASE_URL = (support.nowhere()) }
    assert.equal(5, commands.json("batch rows.jsonl -y --timeout 2" .. UNIT, options).status)
    options.env = { GPTIMAGE2_LEDGER = "/nowhere/l.db" }
    assert.equal(6, commands.json("batch rows.jsonl -y", options).status)
    options.env = nil
    said = commands.json("batch rows.jsonl -y --concurrency 1" .. UNIT, options)
    assert.same({ 1, 1, 1, 1 }, { said.status, said.last.made, said.last.failed, said.last.left })
    said = commands.run("batch rows.jsonl -y --concurrency 1" .. UNIT, options)
    assert.equal(3, said.status)
    assert.matches("1 there before, 1 failed, 1 not tried\n$", said.out)
    folder.write(options.here .. "/l.db", "no ledger")
    assert.equal(6, commands.json("batch rows.jsonl --ledger l.db --dry-run", options).status)
  end)

  it("counts what was begun, and not sent before Ctrl-C, as not tried", function()
    local options = new(support.sandbox(), 6)
    options.main = [[
      local batch = require("gptimage2.batch")
      batch.run = function(plan, _, asked)
        for row = 1, 2 do
          asked.on_progress({ type = "in_flight", row = row, key = plan:key(row) })
        end
        local none = { made = 0, fetched = 0, failed = 0, unknown = 0, credits = 0 }
        none.errors, none.left = {}, 4
        return none
      end
    ]]
    assert.matches(
      "made 0 rows for 0 credits, 6 not tried\n",
      commands.run("batch rows.jsonl -y", options).out
    )
  end)

  it("ends in order by Ctrl-C, and is finished by the same command", function()
    local box = support.sandbox({ duration = support.slow and 4 or 0.3 })
    local options = new(box, 24)
    local process = commands.start("batch rows.jsonl -y --json" .. UNIT, options)
    process:await('"made"', 3)
    process:kill("INT")
    local said = process:finish()
    assert.equal(130, said.status)
    local objects = commands.objects(said.out)
    local last, in_flight = objects[#objects], count(objects, "type", "in_flight")
    assert.same({ 130, 0, 0 }, { last.exit, last.failed, last.unknown })
    assert.equal((last.made + in_flight) * 10, pictures.paid(box))
    assert.is_true(last.made + in_flight < 24)
    assert.equal(24, last.made + in_flight + last.left)
    assert.equal(pictures.paid(box), last.credits)
    local line = folder.quote(commands.line("batch rows.jsonl -y" .. UNIT, options))
    assert.equal(
      "=0",
      folder.run(("{ sh -c %s; echo =$? >&2; } | head -c 1 >/dev/null"):format(line))
    )
    assert.equal(240, pictures.paid(box))
    assert.equal(24, #book.rows(options.here .. "/.gptimage2/ledger.db"))
  end)
end)
