--- `gptimage2 ledger check`: the audit of a ledger, offline.

local audit = require("gptimage2.ledger.audit")
local book = require("spec.helpers.book")
local commands = require("spec.helpers.commands")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local remains = require("spec.helpers.remains")
local support = require("spec.support")

--- A ledger with some pictures that were saved, which nobody has open.
local function filled(count)
  local client, box, path = book.pair()
  local jobs = {}
  for i = 1, count do
    jobs[i] = assert(client:submit({ prompt = "p" .. i }, { save = path:match("^.*/") .. "out" }))
  end
  for _, job in ipairs(jobs) do
    support.step_until(function()
      return job.files
    end)
  end
  client:close()
  support.step_until(function()
    return gptimage2.pending() == 0 and not folder.read(path .. "-wal")
  end)
  return path, box
end

--- The codes of what is found, sorted, joined with blanks.
local function found(path)
  local codes = {}
  local report = assert(audit.of({ ledger = path }, { files = true }, function(finding)
    codes[#codes + 1] = finding.code
  end))
  assert.equal(#codes, report.findings)
  table.sort(codes)
  return table.concat(codes, " ")
end

describe("gptimage2 ledger check", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("finds nothing in a ledger that is sound", function()
    local path = filled(3)
    local said = commands.json("ledger check --ledger " .. path)
    assert.equal(0, said.status, said.err)
    assert.equal(1, #said.objects)
    assert.same({ "ledger_check", 3, 2, 30, 0 }, {
      said.last.type,
      said.last.rows,
      said.last.version,
      said.last.paid,
      said.last.findings,
    })
    said = commands.run("ledger check --ledger " .. path)
    assert.equal("3 rows, version 2: 30 credits paid, 0 that may have been; sound\n", said.out)
  end)

  it("tells what is unfinished, and the command for it", function()
    for state, path in pairs({ intent = remains.intent(), sent = (remains.sent()) }) do
      local said = commands.json("ledger check --ledger " .. path)
      assert.equal(0, said.status)
      assert.same({ "unfinished", state, 1, "gptimage2 recover --ledger " .. path }, {
        said.objects[1].type,
        said.objects[1].state,
        said.objects[1].jobs,
        said.objects[1].command,
      })
    end
  end)

  local WRONG = {
    ["UPDATE jobs SET state = 'done'"] = "state_wrong",
    ["UPDATE jobs SET charged = 'maybe'"] = "charged_wrong",
    ["UPDATE jobs SET state = 'intent'"] = "charged_wrong",
    ["UPDATE jobs SET cost = 20"] = "cost_wrong",
    ["UPDATE jobs SET count = 9, cost = 90"] = "cost_wrong",
    ["UPDATE jobs SET created_at = 0"] = "time_wrong",
    ["UPDATE jobs SET created_at = 1e300"] = "time_wrong",
    ["UPDATE jobs SET updated_at = 9e999"] = "time_wrong",
    ["UPDATE jobs SET charged = 'no'"] = "charged_wrong",
    ["UPDATE jobs SET state = 'refused'"] = "charged_wrong",
    ["UPDATE jobs SET metadata = '{'"] = "metadata_wrong",
    ["UPDATE jobs SET metadata = '[]'"] = "",
    ["UPDATE files SET n = 5"] = "file_wrong",
    ["UPDATE jobs SET state = 'sent'; DELETE FROM bodies WHERE body IS NOT NULL"] = "no_request",
    ["UPDATE jobs SET state = 'accepted', job_id = NULL"] = "no_id",
    ["DELETE FROM bodies WHERE body IS NULL"] = "no_pictures",
    ["INSERT INTO files VALUES ('none', 1, '/a.png', 1)"] = "no_job",
    ["INSERT INTO bodies (key, body) VALUES ('none', x'7b7d')"] = "no_job",
    ["UPDATE files SET path = '/nowhere/a.png'"] = "file_missing",
    ["UPDATE files SET path = '/tmp'"] = "file_broken",
    ["INSERT INTO tenants (id, spent) VALUES ('', 40)"] = "sum_wrong",
    ["INSERT INTO tenants (id, reserved) VALUES ('a', 10)"] = "sum_wrong",
    ["UPDATE jobs SET tenant = 'gone'"] = "no_tenant",
    ["DROP INDEX jobs_by_time"] = "",
  }
  it("finds rows that cannot be", function()
    local path = filled(1)
    for sql, code in pairs(WRONG) do
      local copy = book.path()
      folder.run(("cp %s %s"):format(path, copy))
      book.query(copy, sql)
      assert.equal(code, found(copy), sql)
    end
  end)

  it("leaves nothing beside a ledger that nobody uses", function()
    local path = filled(1)
    local before = folder.list(path:match("^(.*)/"))
    for _, line in ipairs({ "ledger check", "history" }) do
      assert.equal(0, commands.run(line .. " --ledger " .. path).status)
      assert.equal(before, folder.list(path:match("^(.*)/")))
    end
    local client, _, used = book.pair()
    assert(client:generate({ prompt = "a cup" }))
    assert.equal(0, commands.run("ledger check --ledger " .. used).status)
    assert.is_string(folder.read(used .. "-wal"))
    assert(client:generate({ prompt = "a pot" }))
    assert.equal(2, #book.rows(used))
  end)

  it("does not stop history at what is no time", function()
    local path = filled(1)
    for _, time in ipairs({ "1e300", "-1e300", "9e999", "0" }) do
      book.query(path, "UPDATE jobs SET created_at = " .. time)
      local said = commands.json("history --ledger " .. path)
      assert.same({ 0, "not a time" }, { said.status, said.last.time }, said.err)
    end
    assert.equal(0, commands.run("history --csv --ledger " .. path).status)
  end)

  it("finds one job in two rows", function()
    local path = filled(2)
    book.query(path, "UPDATE jobs SET job_id = (SELECT max(job_id) FROM jobs)")
    local said = commands.json("ledger check --ledger " .. path)
    assert.equal(1, said.status)
    assert.same({ "finding", "job_twice" }, { said.objects[1].type, said.objects[1].code })
    assert.is_string(said.objects[1].key)
    assert.same({ false, 1 }, { said.last.ok, said.last.findings })
  end)

  it("finds pictures that were taken away or written over", function()
    local path = filled(2)
    local files = {}
    for i, row in ipairs(book.rows(path)) do
      files[i] = row.files[1]
    end
    os.remove(files[1])
    folder.write(files[2], "no picture")
    assert.equal("file_broken file_missing", found(path))
    assert.equal(0, commands.run("ledger check --no-files --ledger " .. path).status)
  end)

  it("finds damage", function()
    local path = filled(40)
    local size = tonumber(folder.stat(path, "%s"))
    local file = assert(io.open(path, "r+b"))
    file:seek("set", math.floor(size / 2 / 4096) * 4096)
    file:write(("\255"):rep(4096))
    file:close()
    local said = commands.json("ledger check --ledger " .. path)
    assert.equal(1, said.status)
    assert.equal("ledger_damaged", said.objects[1].code)
  end)

  it("says that what is no ledger cannot be read", function()
    local path = book.path()
    assert.equal(6, commands.json("ledger check --ledger " .. path).status)
    folder.write(path, "prompts")
    local said = commands.json("ledger check", { env = { GPTIMAGE2_LEDGER = path } })
    assert.same({ 6, "not_a_ledger" }, { said.status, said.last.code })
    assert.equal(2, commands.json("ledger look").status)
  end)
end)

describe("rows that are found by their keys", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("are all of one moment, and of an open ledger, too", function()
    local client, box, path = book.pair()
    local job = assert(client:generate({ prompt = "a cup" }))
    local finder = assert(core.ledger_finder(path, {}))
    assert.is_nil(finder:find("none"))
    assert.equal("succeeded", finder:find(job.idempotency_key).state)
    local other = assert(client:generate({ prompt = "a pot" }))
    assert.is_nil(finder:find(other.idempotency_key))
    assert.equal(job.id, finder:find(job.idempotency_key).job_id)
    finder:close()
    assert.has_error(function()
      finder:find("none")
    end)
    local none, err = core.ledger_finder(path, { file = "another" })
    assert.is_nil(none)
    assert.equal("ledger_replaced", err.code)
    assert.equal(2, #box:ledger().jobs)
  end)
end)
