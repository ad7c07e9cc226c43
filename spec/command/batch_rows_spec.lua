--- The rows of a batch: how they are read, what they ask for, and where their pictures go. Without
--- a process, a service or a ledger.

local cells = require("gptimage2.batch.cells")
local folder = require("spec.folder")
local names = require("gptimage2.batch.names")
local plan_of = require("gptimage2.batch").plan
local records = require("gptimage2.batch.records")
local row = require("gptimage2.batch.row")

--- A plan of a text, and the errors of its rows as they are told, without the file's path.
local function plan(text, options)
  local place = folder.new()
  local told = {}
  local all = {
    file = place .. "/rows.jsonl",
    folder = place .. "/out",
    service = "loopback",
    ledger = place .. "/none.db",
    retry = "documented",
    on_error = function(err)
      told[#told + 1] = ("%s %s %s"):format(tostring(err.line), tostring(err.field), err.code)
    end,
  }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  folder.write(place .. "/rows.jsonl", text)
  local made, err = plan_of(all)
  return made, told, err
end

local function patterns(made)
  local list = {}
  for i = 1, made.count do
    list[i] = made:pattern(i):match("/out/(.*)$")
  end
  return table.concat(list, " ")
end

describe("the records of a batch", function()
  after_each(folder.clean)

  --- "line:text" of each, read back by their offsets, too.
  local function read(text, is_csv)
    local path = folder.new() .. "/rows"
    folder.write(path, text)
    local handle = assert(io.open(path, "rb"))
    local list, found = records.new(handle, is_csv), {}
    for record in
      function()
        return list:next()
      end
    do
      found[#found + 1] = record
    end
    for i, record in ipairs(found) do
      assert.is_true(
        record.too_long or record.text == records.again(handle, record.offset, record.length)
      )
      found[i] = record.too_long and record.line .. ":long" or record.line .. ":" .. record.text
    end
    handle:close()
    return table.concat(found, "|")
  end

  it("are lines, whatever their ends", function()
    assert.equal("1:a|2:b|5:c", read("\239\187\191a\r\nb\n\n  \nc", false))
    assert.equal("", read("", false))
    local long = ("x"):rep(70000)
    assert.equal("1:" .. long .. "|2:b", read(long .. "\nb\n", false))
  end)

  it("of CSV are what quotes hold together", function()
    assert.equal('1:a,"b\n""c"|3:d', read('a,"b\n""c"\nd\n', true))
    assert.equal('1:a|2:"b\nc\n', read('a\n"b\nc\n', true) .. "\n")
  end)

  it("end at a limit", function()
    for _, is_csv in ipairs({ false, true }) do
      for _, ending in ipairs({ "\n", "\r\n" }) do
        local most = ("x"):rep(records.MAX)
        assert.is_true("1:" .. most .. "|2:b" == read(most .. ending .. "b\n", is_csv))
        assert.equal("1:long|2:b", read("x" .. most .. ending .. "b\n", is_csv))
      end
    end
  end)

  it("of CSV have cells", function()
    assert.same({ "a", "b,c", '"', "" }, cells.split('a,"b,c","""",'))
    for _, wrong in ipairs({ '"a', '"a"b', 'a"b"' }) do
      assert.is_nil(cells.split(wrong))
    end
    assert.is_nil(cells.names("a,,b"))
    assert.is_nil(cells.names("a, a"))
    assert.same({ a = "1" }, cells.row("1,", { "a", "b" }))
    assert.is_nil(cells.row("1", { "a", "b" }))
  end)
end)

describe("a row of a batch", function()
  it("is a request, and what else it says is metadata", function()
    local made = assert(row.read({
      subject = "a cup",
      style = "woodcut",
      ratio = "4:3",
      count = " 2 ",
      preset = "cinematic",
      order = 17,
      paid = false,
      tags = { "a", { b = 1 } },
      note = "",
    }))
    assert.equal("a cup, woodcut", made.request.prompt)
    assert.same({ "cinematic", 2, 20 }, { made.request.style, made.count, made.cost })
    assert.same({ order = "17", paid = "false", tags = '["a",{"b":1}]' }, made.metadata)
    assert.same(
      made.body,
      row.read({ prompt = "a cup, woodcut", ratio = "4:3", count = 2, preset = "cinematic" }).body
    )
  end)

  --- The metadata of the only row of a text.
  local function metadata(text)
    local made, told = plan(text)
    local read = assert(made and made:row(1), told[1])
    return read.metadata
  end

  it("keeps numbers as they stand there, and leaves texts alone", function()
    assert.same(
      {
        order = "1234567890123456",
        id = "100000000000001",
        tweet = "1789012345678901234",
        price = "-1.50",
        little = "1E-7",
        note = 'a 12 \\"13',
        list = '[1789012345678901234,"14\\\\",{"15":16.0}]',
      },
      metadata(
        '{"count":1,"order":1234567890123456,"id":100000000000001,"tweet":1789012345678901234,'
          .. '"price":-1.50,"little":1E-7,"note":"a 12 \\\\\\"13","prompt":"17",'
          .. '"list":[1789012345678901234,"14\\\\",{"15":16.0}]}'
      )
    )
    assert.equal("9007199254740991", row.read({ prompt = "x", n = 2 ^ 53 - 1 }).metadata.n)
  end)

  it("with a number that is none for others says where it stands", function()
    local wrong = { x = "1e999", y = "-1e999", z = '[{"a":[1e999]}]', count = "1e999" }
    for name, value in pairs(wrong) do
      local _, told = plan(('{"prompt":"a"}\n{"prompt":"b","%s":%s}'):format(name, value))
      assert.equal(1, #told)
      assert.matches(("^2 %s "):format(name), told[1])
    end
  end)

  it("has references in each of three ways", function()
    local url = "https://example.com/a.png"
    local plain = assert(row.read({ prompt = "x", refs = url .. " " .. url }))
    assert.same({ url, url }, plain.request.image_urls)
    local one = assert(row.read({ prompt = "x", refs = "subject=" .. url }))
    local same = assert(row.read({ prompt = "x", refs = { subject = url } }))
    assert.equal(one.body, same.body)
    assert.is_nil(row.read({ prompt = "x", refs = { "subject=" .. url, url } }))
  end)

  it("that is none says which field", function()
    for field, fields in pairs({
      prompt = { promt = "x" },
      subject = { prompt = "x", subject = "y" },
      ratio = { prompt = "x", ratio = "7:3" },
      count = { prompt = "x", count = "5" },
      preset = { prompt = "x", preset = "Big Thing" },
      file = { prompt = "x", file = 5 },
      ["metadata.a"] = { prompt = "x", a = "\255" },
      metadata = { prompt = "x", a = ("y"):rep(70000) },
    }) do
      local made, err = row.read(fields)
      assert.is_nil(made, field)
      assert.equal(field, err.field)
    end
    for _, fields in ipairs({
      { "refs", 3 },
      { "refs", true },
      { "refs", { "https://example.com/a.png", 3 } },
      { "image_urls", false },
      { "ratio", 5 },
      { "text", true },
      { "count", true },
      { "camera", {} },
      { "file", 5 },
    }) do
      local made, err = row.read({ prompt = "x", [fields[1]] = fields[2] })
      assert.is_nil(made, fields[1])
      assert.same({ "wrong_type", fields[1] }, { err.code, err.field })
    end
    assert.is_nil(row.read({ prompt = "x", refs = { subject = 3 } }))
    assert.matches("is 'promt' one%?", select(2, row.read({ promt = "x" })).message)
  end)
end)

describe("the plan of a batch", function()
  after_each(folder.clean)

  it("gives names that do not depend on where a row stands", function()
    local made = plan('{"prompt":"a"}\n{"prompt":"b","count":2}\n{"prompt":"a","x":1}\n')
    local turned = plan('{"prompt":"b","count":2}\n{"prompt":"a"}\n{"x":1,"prompt":"a"}\n')
    assert.equal(40, made.cost)
    local a, b = made.hashes[1], made.hashes[2]
    assert.equal(
      ("%s-1.{ext} %s-1-{n}.{ext} %s-2.{ext}"):format(a:sub(1, 8), b:sub(1, 8), a:sub(1, 8)),
      patterns(made)
    )
    assert.equal(made:key(1), turned:key(2))
    assert.equal(made:key(3), turned:key(3))
    assert.not_equal(made:key(1), made:key(3))
    local other = plan('{"prompt":"a"}\n', { series = "b" })
    assert.not_equal(made:key(1), other:key(1))
  end)

  it("has the keys that it always had", function()
    local made = plan('{"prompt":"a fox"}\n')
    assert.equal("X_nCag3N8aWWHA2a8KCWhyCKn4gp8HFRcYMLmqnfNCU", made:key(1))
  end)

  it("takes more digits where two hashes begin alike", function()
    local one, other = ("a"):rep(64), ("a"):rep(8) .. ("b"):rep(56)
    local found = names.beginnings({ one, one, other, ("c"):rep(64) })
    assert.equal(("a"):rep(16) .. "-1", names.own(found, one, 1).stem)
    assert.equal("cccccccc-2", names.own(found, ("c"):rep(64), 2).stem)
  end)

  it("refuses files that cannot be, or be twice", function()
    local place = folder.new()
    folder.run(("mkdir %s/out; ln -s / %s/out/link; touch %s/out/file"):format(place, place, place))
    local rows = {}
    for i, file in ipairs({
      "../a.png",
      "/a.png",
      "a\\u0001.png",
      ".git/a.png",
      "a{n}.png",
      "b//c.png",
    }) do
      rows[i] = ('{"prompt":"%d","file":"%s"}'):format(i, file)
    end
    local _, told = plan(table.concat(rows, "\n"), { folder = place .. "/out" })
    assert.same({
      "1 file path_outside",
      "2 file path_outside",
      "3 file path_outside",
      "4 file path_outside",
      "5 file invalid_file",
      "6 file invalid_file",
    }, told)
    for i, file in ipairs({
      "Ä.png",
      "ä.PNG",
      "ä.jpg",
      "ä",
      "link/a.png",
      "file/a.png",
      "x",
      "x/y",
    }) do
      rows[i] = ('{"prompt":"%d","file":"%s"}'):format(i, file)
    end
    _, told = plan(table.concat(rows, "\n"), { folder = place .. "/out" })
    assert.same({
      "2 file path_twice",
      "4 file path_twice",
      "5 file path_outside",
      "6 file invalid_file",
    }, told)
  end)

  it("refuses what has no room", function()
    local place = folder.new()
    folder.write(place .. "/a.png", "mine")
    local _, told = plan('{"prompt":"a","file":"a.png"}\n', { folder = place })
    assert.same({ "1 file file_exists" }, told)
    local made, _, err = plan("", { file = place .. "/a.txt" })
    assert.is_nil(made)
    assert.equal("format_unknown", err.code)
    _, _, err = plan("", { file = place .. "/none.csv" })
    assert.equal("file_unreadable", err.code)
    for _, format in ipairs({ "csv", "jsonl" }) do
      _, _, err = plan("", { file = place, format = format })
      assert.equal("file_unreadable", err.code)
    end
    _, told = plan('{"prompt":"a"}\n', { folder = place .. "/a.png" })
    assert.equal(1, #told)
    folder.write(place .. "/a.csv", 'prompt,x\na,b\nc\n"d\ne",f\n')
    made, told = plan("", { file = place .. "/a.csv" })
    assert.same({ 1, "3 nil not_a_row" }, { made.wrong, told[1] })
    assert.equal(4, made.lines[3])
    folder.write(place .. "/a.csv", "prompt,x\ra,b\rc,d\r")
    _, _, err = plan("", { file = place .. "/a.csv" })
    assert.matches("17 bytes, and CRs", err.message, 1, true)
    plan('{"prompt":"a"}\n{"prompt":\n', {
      on_error = function(wrong)
        assert.matches(":2: it is no JSON object$", wrong.message)
      end,
    })
  end)

  it("tells what is wrong with a folder once", function()
    local place = folder.new()
    folder.write(place .. "/file", "x")
    local made, told = plan(('{"prompt":"a"}\n'):rep(30), { folder = place .. "/file" })
    assert.same({ 30, 1 }, { made.wrong, #told })
  end)

  it("keeps little of a row, however long that is", function()
    local rows = {}
    for i = 1, 2000 do
      rows[i] = ('{"prompt":"picture %d","note":"%s"}'):format(i, ("x"):rep(2000))
    end
    local text = table.concat(rows, "\n")
    collectgarbage()
    collectgarbage()
    local before = collectgarbage("count")
    local made = plan(text)
    collectgarbage()
    collectgarbage()
    local each = (collectgarbage("count") - before) * 1024 / made.count
    assert.equal(20000, made.cost)
    assert.is_true(each < 800, each)
  end)

  it("says what may have been meant", function()
    local made = plan('{"prompt":"a","ratoi":"1:1","zebra":1}\n{"prompt":"b","ratoi":"1:1"}\n')
    assert.same({ "the column 'ratoi' is taken for metadata; was 'ratio' meant?" }, made.warnings)
  end)

  it("notices a row that changed meanwhile", function()
    local made = plan('{"prompt":"a"}\n{"prompt":"b"}\n')
    assert.equal("b", assert(made:row(2)).request.prompt)
    folder.write(made.source.name, '{"prompt":"c"}\n{"prompt":"b"}\n')
    local none, err = made:row(1)
    assert.is_nil(none)
    assert.same({ "file_changed", 1 }, { err.code, err.line })
    assert.is_truthy(made:row(2))
  end)
end)
