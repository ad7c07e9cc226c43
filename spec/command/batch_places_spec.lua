--- `gptimage2 batch`: whose picture lies where. Rows move, their files change, programs are killed:
--- a paid picture is where its row says, or it is told that it is not.

local book = require("spec.helpers.book")
local cjson = require("cjson")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local A, B = '{"prompt":"p","file":"a.png"}\n', '{"prompt":"p","file":"b.png"}\n'

local here

local function path(name)
  return here.here .. "/" .. name
end

--- Makes these rows; gives what was said.
local function batch(rows, more)
  folder.write(path("rows.jsonl"), rows)
  local line = ("batch rows.jsonl -o out --yes %s %s"):format(commands.UNIT, more or "")
  return commands.json(line, here)
end

local function read(name)
  return folder.read(path("out/" .. name))
end

--- What the program's last line says: its exit code, rows made, fetched, and kept.
local function sums(said)
  return { said.status, said.last.made, said.last.fetched, said.last.kept }
end

local function query(sql)
  return book.query(path(".gptimage2/ledger.db"), sql)
end

--- The job that made a file, as the ledger has it.
local function job_of(name)
  local sql = "SELECT job_id FROM jobs JOIN files USING (key) WHERE path LIKE '%%/%s'"
  return (query(sql:format(name)):gsub("%s+$", ""))
end

--- The names of the files in a job's sidecar.
local function described(job)
  local names = {}
  for i, result in ipairs(cjson.decode(read(job .. ".json")).results) do
    names[i] = result.file
  end
  return table.concat(names, " ")
end

describe("a batch's pictures", function()
  local box

  before_each(function()
    box = support.sandbox({ credits = 1000 })
    here = { box = box, here = folder.new() }
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("stay with the row that names their file, wherever it moves", function()
    assert.same({ 0, 2, 0, 0 }, sums(batch(A .. B)))
    local a, b = read("a.png"), read("b.png")
    assert.not_equal(a, b)
    assert.same({ 0, 0, 0, 2 }, sums(batch(B .. A)))
    os.remove(path("out/b.png"))
    assert.same({ 0, 0, 1, 1 }, sums(batch(B .. A)))
    assert.is_true(a == read("a.png") and b == read("b.png"))
    os.remove(path("out/a.png"))
    os.remove(path("out/b.png"))
    assert.same({ 0, 0, 2, 0 }, sums(batch(B .. A)))
    assert.is_true(a == read("a.png") and b == read("b.png"))
    local C = '{"prompt":"p","file":"c.png"}\n'
    assert.same({ 0, 0, 0, 1 }, sums(batch(B))) -- the first of equal rows now
    assert.same({ 0, 1, 0, 2 }, sums(batch(C .. B .. A)))
    assert.same({ 0, 1, 0, 3 }, sums(batch('{"prompt":"p"}\n' .. C .. B .. A)))
    assert.equal(40, pictures.paid(box))
    assert.same({ 0, 0, 0, 4 }, sums(batch(A .. '{"prompt":"p"}\n' .. B .. C)))
    assert.is_true(a == read("a.png") and b == read("b.png"))
  end)

  it("of other requests are no row's own", function()
    local other = '{"prompt":"q","file":"b.png"}\n'
    assert.same({ 0, 2, 0, 0 }, sums(batch(A .. other)))
    local a, job = read("a.png"), job_of("b.png")
    os.remove(path("out/a.png"))
    local said = batch(B .. '{"prompt":"q","file":"a.png"}\n')
    assert.equal(2, said.status)
    assert.same({ "file_exists", 1 }, { said.objects[1].code, said.objects[1].row })
    assert.matches("'out/b.png' is the picture of job " .. job, said.err, 1, true)
    os.remove(path("out/b.png"))
    assert.same({ 0, 0, 2, 0 }, sums(batch(B .. '{"prompt":"q","file":"a.png"}\n')))
    assert.is_true(a == read("b.png"))
    assert.equal(20, pictures.paid(box))
  end)

  it("of another series are not taken for those of this", function()
    assert.same({ 0, 1, 0, 0 }, sums(batch(A)))
    local said = batch(A, "--series two")
    assert.equal(2, said.status)
    assert.matches("is the picture of job " .. job_of("a.png"), said.err, 1, true)
    assert.equal(10, pictures.paid(box))
    folder.write(path("out/b.png"), "mine")
    said = batch(B, "--series two")
    assert.equal(2, said.status)
    assert.matches("this ledger knows of no such picture", said.err, 1, true)
  end)

  it("that are no pictures any more are told, and fetched again", function()
    assert.same({ 0, 1, 0, 0 }, sums(batch(A)))
    local a = read("a.png")
    for _, rubbish in ipairs({ "", "no picture" }) do
      folder.write(path("out/a.png"), rubbish)
      local said = batch(A)
      assert.same({ 2, "file_exists" }, { said.status, said.objects[1].code })
      assert.matches("is no picture", said.err, 1, true)
    end
    os.remove(path("out/a.png"))
    folder.run("mkdir " .. path("out/a.png"))
    assert.equal(2, batch(A).status)
    folder.run("rmdir " .. path("out/a.png"))
    assert.same({ 0, 0, 1, 0 }, sums(batch(A)))
    assert.is_true(a == read("a.png"))
  end)

  it("that a kill left untold are recorded", function()
    assert.same({ 0, 2, 0, 0 }, sums(batch(A .. B)))
    query("DELETE FROM files")
    local said = commands.json("ledger check", here)
    assert.equal(2, said.last.unsaved)
    assert.same({ 0, 0, 2, 0 }, sums(batch(A .. B)))
    said = commands.json("ledger check", here)
    assert.same({ 0, 0 }, { said.status, said.last.unsaved })
    assert.same({ 0, 0, 0, 2 }, sums(batch(A .. B)))
    query("DELETE FROM files")
    local b = read("b.png")
    folder.write(path("out/a.png"), b) -- another's
    said = batch(A .. B)
    assert.same({ 1, 1 }, { said.status, said.last.failed })
    assert.matches("file_exists", said.objects[1].error and said.objects[1].error.code or "")
  end)

  it("are fetched to a file that changed, with their sidecar", function()
    assert.same({ 0, 1, 0, 0 }, sums(batch('{"prompt":"p"}\n')))
    for _, name in ipairs({ "a.png", "b.png" }) do
      local said = batch(('{"prompt":"p","file":"%s","order":"7"}\n'):format(name))
      assert.same({ 0, 0, 1, 0 }, sums(said), said.err)
      assert.equal(name, described(job_of(name)))
      assert.same({ 0, 0, 0, 1 }, sums(batch(('{"prompt":"p","file":"%s"}\n'):format(name))))
    end
    folder.write(path("out/" .. job_of("a.png") .. ".json"), '{"id":"somebody\'s"}')
    local said = batch('{"prompt":"p","file":"c.png"}\n')
    assert.equal(1, said.status)
    assert.matches("somebody's", read(job_of("a.png") .. ".json"))
    assert.equal(10, pictures.paid(box))
  end)

  it("move with their folder", function()
    assert.same({ 0, 2, 0, 0 }, sums(batch(A .. '{"prompt":"q","file":"b.png"}\n')))
    folder.run(("mv %s %s"):format(path("out"), path("moved")))
    folder.run(("ln -s moved %s"):format(path("out")))
    local said = batch(A .. '{"prompt":"q","file":"b.png"}\n')
    assert.same({ 0, 0, 0, 2 }, sums(said))
    folder.run("rm " .. path("out"))
    folder.run(("mv %s %s"):format(path("moved"), path("out2")))
    local line = "batch rows.jsonl -o %s " .. commands.UNIT
    for _, where in ipairs({ "out2", "./out2/", path("out2") }) do
      said = commands.json(line:format(where), here)
      assert.same({ 0, 0, 0, 2 }, sums(said), where)
    end
    assert.equal(2, box:ledger().requests.image)
  end)
end)
