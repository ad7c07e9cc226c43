--- What a manifest asks for, and what it cannot: no error of its text gets any further.

local folder = require("spec.folder")
local manifest = require("gptimage2.assets.manifest")
local support = require("spec.support")

local FILE = "/nowhere/pictures.lua"

local function parse(text)
  return manifest.parse(FILE, text)
end

--- A manifest of one entry.
local function one(fields, path)
  return ("return { pictures = { ['%s'] = { %s } } }"):format(path or "a.png", fields)
end

--- Expects an error; gives it.
local function refused(text, code, words)
  local read, err = parse(text)
  assert.is_nil(read)
  assert.equal("build", err.kind)
  assert.equal(code, err.code)
  assert.equal(FILE, err.file)
  assert.is_truthy(err.message:find(words, 1, true), err.message)
  return err
end

local function bodies(text)
  local lines = {}
  for i, picture in ipairs(assert(parse(text)).pictures) do
    lines[i] = picture.path .. " " .. picture.body:match('"prompt":"(.-)"')
  end
  return table.concat(lines, "\n")
end

describe("a manifest", function()
  after_each(folder.clean)

  it("gives each picture its request", function()
    local read = assert(parse([[
      local house = { style = "hand-painted", light = "soft daylight" }
      return {
        prompt = house, ratio = "1:1", budget = 400, camera = "35 mm",
        pictures = {
          ["textures/brick.png"] = { subject = "brick wall", candidates = 3, preset = "cinematic" },
          ["cards/{fire}.png"] = { subject = "mage {x}", light = "", pin = true, ratio = "3:4" },
        },
      }]]))
    assert.equal(400, read.budget)
    assert.equal("/nowhere/pictures.lock", read.lock)
    local card, brick = read.pictures[1], read.pictures[2]
    assert.equal("cards/{fire}.png", card.path)
    assert.equal(
      '{"prompt":"mage {x}, hand-painted","mode":"text-to-image","ratio":"3:4","count":1,'
        .. '"camera":"35 mm"}',
      card.body
    )
    assert.is_true(card.pin)
    assert.equal(1, card.candidates)
    assert.equal(
      '{"prompt":"brick wall, hand-painted, soft daylight","mode":"text-to-image",'
        .. '"ratio":"1:1","count":1,"style":"cinematic","camera":"35 mm"}',
      brick.body
    )
    assert.equal(3, brick.candidates)
  end)

  it("may begin with a byte order mark, and a line for the shell", function()
    local mark, line = "\239\187\191", "#!/usr/bin/env lua\n"
    for lines, front in pairs({ [0] = mark, line, mark .. line }) do
      lines = math.min(lines, 1)
      assert.equal("a.png x", bodies(front .. one("subject = 'x'")))
      local err = refused(front .. "\n)", "manifest_error", "unexpected symbol")
      assert.equal(lines + 2, err.line)
    end
  end)

  it("is read as the page about builds shows one", function()
    local shown = folder.read("doc/builds.md"):match("```Lua\n(.-)```")
    local read = assert(parse(shown))
    assert.equal(4, #read.pictures)
    assert.equal("icons/shield.png", read.pictures[2].path)
  end)

  it("expands the product of its axes, the last by name fastest", function()
    local text =
      one("each = { b = { 'x', 'y' }, a = { 1, 2.5 } }, subject = '{a} {{of}} {b}'", "{a}-{b}.png")
    assert.equal(
      "1-x.png 1 {of} x\n1-y.png 1 {of} y\n2.5-x.png 2.5 {of} x\n2.5-y.png 2.5 {of} y",
      bodies(text)
    )
  end)

  it("puts references into the request", function()
    local text = one("subject = 'x', refs = { palette = 'https://a.example/p.png' }")
    assert.equal(
      '{"prompt":"x. Use the color palette from ref 1.","mode":"image-to-image","count":1,'
        .. '"imageUrls":["https:\\/\\/a.example\\/p.png"]}',
      assert(parse(text)).pictures[1].body
    )
  end)

  it("goes over tables in one order, and has a string.rep with an end", function()
    local words = [[
      local all = {}
      for k, v in pairs({ b = 1, a = 2, [3] = "x", [1] = "y" }) do all[#all + 1] = k .. "=" .. v end
      return { pictures = { ["a.png"] = { subject = table.concat(all, " ") .. ("-"):rep(3, "+")
        .. tostring(10 / 2) } } }]]
    assert.equal("a.png 1=y 3=x a=2 b=1-+-+-5", bodies(words))
    refused("return ('x'):rep(2e6)", "manifest_error", "at most 1 MiB")
  end)

  local FORBIDDEN = {
    "io.open('x')",
    "os.exit()",
    "require('os')",
    "string.dump(print)",
    "math.random()",
    "getmetatable('')",
    "load('x')",
    "setmetatable({}, {})",
    "pcall(error)",
    "(''):dump()",
    "rawset(string, 'x', 1)",
    "debug.sethook()",
    "collectgarbage()",
    "print('x')",
    "dofile('x')",
  }
  for _, call in ipairs(FORBIDDEN) do
    it("cannot call " .. call, function()
      refused("local x = " .. call .. " return {}", "manifest_error", "attempt to")
    end)
  end

  it("changes nothing of the host's strings", function()
    local text = "string.format = nil string.rep = nil math.floor = nil table.insert = nil "
      .. one("subject = 'x'")
    assert(parse(text))
    assert.is_function(string.format)
    assert.equal("xx", ("x"):rep(2))
    assert.is_function(string.dump)
    assert.is_function(math.floor)
    assert.is_function(table.insert)
  end)

  local ENDLESS = {
    ["it does not come to an end"] = {
      "while true do end",
      "local function f() return f() end f()",
      "local s = ('x'):rep(1000) repeat s:gsub('x', function() while true do end end) until false",
    },
    ["not enough memory"] = {
      "local s = 'x' while true do s = s .. s end",
      "local t = {} for i = 1, 1e9 do t[i] = { i } end",
    },
  }
  for words, texts in pairs(ENDLESS) do
    -- 50 million instructions of Lua's take valgrind ten seconds: the last of each kind is enough.
    for i = support.slow and #texts or 1, #texts do
      local text = texts[i]
      it("ends: " .. text, function()
        refused(text, "manifest_error", words)
        local hook = debug.gethook()
        assert.is_nil(hook)
        assert.equal(2e7, #("x"):rep(1e7, "") * 2) -- there is memory again
      end)
    end
  end

  it("knows the lines of what Lua complains about", function()
    assert.equal(2, refused("return {\n}}", "manifest_error", "pictures.lua:2: ").line)
    assert.equal(3, refused("\n\nlocal x = nil + 1", "manifest_error", "arithmetic").line)
    refused("\27Lua", "manifest_error", "compiled")
    refused("return 3", "manifest_error", "must return a table")
    refused("return { pictures = 3 }", "manifest_error", "must return a table")
    refused("error({})", "manifest_error", "attempt to")
  end)

  it("knows the place of what is wrong in an entry", function()
    local text = "return {\n pictures = {\n  ['b.png'] = { subject = 'b' },\n"
      .. "  ['a.png'] = { subjct = 'x' },\n } }"
    local err = refused(
      text,
      "unknown_field",
      "pictures.lua:4: unknown field 'subjct', did you mean 'subject'?"
    )
    assert.equal(4, err.line)
    assert.equal('pictures["a.png"].subjct', err.field)
    assert.equal("no", err.charged)
  end)

  local WRONG = {
    { one("count = 2"), "unknown_field", "use candidates" },
    { one("prompt = 'x'"), "unknown_field", "its pieces are" },
    { one("candidates = 0, subject = 'x'"), "manifest_error", "from 1 to 100" },
    { one("candidates = 1.5, subject = 'x'"), "manifest_error", "from 1 to 100" },
    { one("candidates = '1', subject = 'x'"), "manifest_error", "must be a number" },
    { one("subject = { 'a', 3 }"), "manifest_error", "a string or a list of strings" },
    { one("subject = 'x', refs = { subjct = 'x' }"), "manifest_error", "did you mean" },
    { one("subject = 'x', ratio = '2:1'"), "invalid_ratio", "the nearest is '16:9'" },
    { one("subject = 'x', preset = 'Studio Product'"), "invalid_style", "studio-product" },
    { one("subject = ' '"), "prompt_required", "say what to draw" },
    { one("subject = '\\255'"), "invalid_utf8", "not valid UTF-8" },
    { "return { pictures = { { subject = 'x' } } }", "manifest_error", "its keys are paths" },
    { "return { pictures = { ['a.png'] = 'x' } }", "manifest_error", "a table of fields" },
    { "return { budgt = 3, pictures = {} }", "unknown_field", "did you mean 'budget'?" },
    { "return { budget = -1, pictures = {} }", "manifest_error", "0 or more" },
    { "return { budget = 1 / 0, pictures = {} }", "manifest_error", "a number of credits" },
    { "return { budget = 0 / 0, pictures = {} }", "manifest_error", "a number of credits" },
    { "return { prompt = { subjct = 'x' }, pictures = {} }", "manifest_error", "did you mean" },
    {
      one("each = { a = { 'x' } }, subject = '{b}'", "{a}.png"),
      "unknown_placeholder",
      "no axis 'b'",
    },
    {
      one("each = { a = { 'x' } }, subject = 'x'", "{aa}.png"),
      "unknown_placeholder",
      "did you mean 'a'?",
    },
    {
      one("each = { a = { 'x' } }, subject = '{'", "{a}.png"),
      "manifest_error",
      "closes no placeholder",
    },
    { one("each = { a = {} }, subject = 'x'"), "manifest_error", "not empty" },
    { one("each = {}, subject = 'x'"), "manifest_error", "no axis" },
    { one("each = { a = { true } }, subject = 'x'"), "manifest_error", "texts or numbers" },
    { one("each = { ['a b'] = { 'x' } }, subject = 'x'"), "manifest_error", "no name of an axis" },
    {
      one("each = { a = { 'x', 'X' } }, subject = 'x'", "{a}.png"),
      "path_twice",
      "of another picture",
    },
  }
  for _, case in ipairs(WRONG) do
    it("refuses: " .. case[1]:sub(1, 70), function()
      refused(case[1], case[2], case[3])
    end)
  end

  local PATHS = {
    { "/etc/a.png", "path_outside", "is absolute" },
    { "../a.png", "path_outside", "by '..'" },
    { "a/../../b.png", "path_outside", "by '..'" },
    { "a\\nb.png", "path_outside", "control character" },
    { "a\226\128\174b.png", "path_outside", "control character" }, -- from right to left
    { "a\194\155b.png", "path_outside", "control character" }, -- an escape in one
    { ".git/a.png", "path_outside", "not for pictures" },
    { "x/.GIT/a.png", "path_outside", "not for pictures" },
    { ".gptimage2/a.png", "path_outside", "not for pictures" },
    { "pictures.lua", "path_outside", "the manifest's own" },
    { "Pictures.LOCK", "path_outside", "the manifest's own" },
    { "", "manifest_error", "is empty" },
    { "a//b.png", "manifest_error", "an empty part" },
    { "./a.png", "manifest_error", "an empty part" },
    { "a/", "manifest_error", "an empty part" },
    { "\\255.png", "manifest_error", "UTF-8" },
    { ("x"):rep(300), "manifest_error", "at most 255" },
    { ("x/"):rep(600) .. "a", "manifest_error", "at most 1024" },
  }
  for _, case in ipairs(PATHS) do
    it("has no picture at " .. case[1]:sub(1, 30), function()
      refused(one("subject = 'x'", case[1]), case[2], case[3])
    end)
  end

  local TWICE = {
    { "A.png", "a.png" },
    { "Ä/Σ.png", "ä/σ.png" },
    { "ЖЁ.png", "жё.png" },
    { "a", "a/b.png" },
    { "B/a.png", "b" },
  }
  for _, pair in ipairs(TWICE) do
    it("does not have both " .. table.concat(pair, " and "), function()
      local text =
        "return { pictures = { ['%s'] = { subject = 'x' }, ['%s'] = { subject = 'y' } } }"
      refused(text:format(pair[1], pair[2]), "path_twice", "picture")
    end)
  end

  it("does not go through a folder that is a link", function()
    local at, elsewhere = folder.new(), folder.new()
    folder.link(elsewhere, at .. "/art")
    folder.write(at .. "/pictures.lua", one("subject = 'x'", "art/a.png"))
    local read, err = manifest.read(at .. "/pictures.lua")
    assert.is_nil(read)
    assert.equal("path_outside", err.code)
    assert.matches("goes through 'art', which is a link", err.message)
    folder.write(at .. "/note", "a file")
    for _, path in ipairs({ "note/a.png", "note/deep/a.png", "pictures.lua/a.png" }) do
      folder.write(at .. "/pictures.lua", one("subject = 'x'", path))
      read, err = manifest.read(at .. "/pictures.lua")
      assert.is_nil(read)
      assert.equal("manifest_error", err.code)
      assert.matches("goes through '[a-z.]+', which is a file", err.message)
    end
    read, err = manifest.read(at .. "/pictures.luo")
    assert.is_nil(read)
    assert.equal("manifest_error", err.code)
    assert.matches("cannot be read", err.message)
  end)
end)
