--- The lock: one text for one content, and what is wrong with one is known by its line.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local guard = require("gptimage2.assets.store.guard")
local lock = require("gptimage2.assets.store.lock")
local support = require("spec.support")

local SALT = ("0f"):rep(16)
local HEAD = ('{"gptimage2.lock":1,"salt":"%s"}\n'):format(SALT)
local A, B, C = ("a"):rep(64), ("b"):rep(64), ("c"):rep(64)

local function full()
  return {
    salt = SALT,
    lines = {
      ['b/ü "q".png'] = { path = 'b/ü "q".png', hash = A, made = 2, rejected = { [2] = true } },
      ["a.png"] = {
        path = "a.png",
        hash = A,
        n = 1,
        made = 4,
        failed = { [10] = 1, [2] = 3 },
        rejected = { [4] = true, [3] = true },
        want = 5,
        of = B,
        original = B,
        file = C,
        job = "j/1",
        seed = "7",
        cost = 10,
        time = 1764000000,
        pin = true,
      },
    },
  }
end

local function plain(path, n)
  return { path = path, hash = A, made = n }
end

local TEXT = HEAD
  .. (
    '{"path":"a.png","hash":"A","n":1,"made":4,"failed":{"2":3,"10":1},"rejected":[3,4],'
    .. '"want":5,"of":"B","original":"B","file":"C","job":"j/1","seed":"7","cost":10,'
    .. '"time":1764000000,"pin":true}\n'
    .. '{"path":"b/ü \\"q\\".png","hash":"A","made":2,"rejected":[2]}\n'
  ):gsub('"([ABC])"', { A = '"' .. A .. '"', B = '"' .. B .. '"', C = '"' .. C .. '"' })

local function refused(text, code, line, words)
  local read, err = lock.parse("pictures.lock", text)
  assert.is_nil(read)
  assert.equal(code, err.code)
  assert.equal("build", err.kind)
  assert.equal(line, err.line)
  assert.is_truthy(err.message:find(words, 1, true), err.message)
end

describe("the lock", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("has one text for one content, and is read back", function()
    assert.equal(TEXT, lock.format(full()))
    local read = assert(lock.parse("pictures.lock", TEXT))
    assert.same(full(), read)
    assert.equal(TEXT, lock.format(read))
  end)

  it("takes lines in any order, with empty ones and those of another system between", function()
    local first, second = TEXT:match("^[^\n]*\n([^\n]*)\n([^\n]*)\n$")
    local text = HEAD:gsub("\n", "\r\n") .. second .. "\n\n" .. first .. "\r\n"
    assert.equal(TEXT, lock.format(assert(lock.parse("pictures.lock", text))))
  end)

  it("keeps what somebody else decided while a build was at work", function()
    local path = folder.new() .. "/pictures.lock"
    local first = { salt = SALT, lines = {} }
    for _, name in ipairs({ "a.png", "b.png", "c.png", "d.png" }) do
      first.lines[name] = plain(name, 1)
    end
    assert(lock.write(path, first))
    local ours, theirs = assert(lock.read(path)), assert(lock.read(path))
    theirs.lines["b.png"].n = 1
    theirs.lines["c.png"].want = 7
    theirs.lines["d.png"] = nil
    theirs.lines["e.png"] = plain("e.png", 5)
    assert(lock.write(path, theirs))
    ours.lines["a.png"].made = 2
    ours.lines["c.png"].made = 3
    assert(lock.write(path, ours))
    local now = assert(lock.read(path)).lines
    assert.same(
      { 2, 1, 3, 5 },
      { now["a.png"].made, now["b.png"].n, now["c.png"].made, now["e.png"].made }
    )
    assert.is_nil(now["c.png"].want) -- ours
    assert.is_nil(now["d.png"])
    folder.write(path, "<<<<<<< ours\n")
    ours.lines["a.png"].made = 9
    local ok, err = lock.write(path, ours)
    assert.is_nil(ok)
    assert.equal("lock_conflict", err.code)
    assert.equal("<<<<<<< ours\n", folder.read(path))
  end)

  it("is written whole, and only where something changed", function()
    local path = folder.new() .. "/pictures.lock"
    assert.same({ lines = {} }, lock.read(path))
    local content = full()
    assert(lock.write(path, content))
    assert.equal(TEXT, folder.read(path))
    local before = folder.stat(path, "%i")
    assert(lock.write(path, content))
    assert.equal(before, folder.stat(path, "%i"))
    content.lines["a.png"].n = 2
    assert(lock.write(path, content))
    assert.not_equal(before, folder.stat(path, "%i"))
    assert.equal(2, assert(lock.read(path)).lines["a.png"].n)
    assert.equal("pictures.lock", folder.list(path:match("^(.*)/")))
    local ok, err = lock.write("/proc/nowhere/pictures.lock", full())
    assert.is_nil(ok)
    assert.equal("store_failed", err.code)
  end)

  it("knows a merge that was left, by its line", function()
    for _, mark in ipairs({ "<<<<<<< HEAD", "=======", ">>>>>>> other", "||||||| base" }) do
      refused(
        HEAD .. '{"path":"a.png"}\n' .. mark .. "\n",
        "lock_conflict",
        3,
        "take the marks out"
      )
    end
    refused("<<<<<<< HEAD\n" .. HEAD, "lock_conflict", 1, "take the marks out")
  end)

  it("knows what is newer, and what is damaged", function()
    refused('{"gptimage2.lock":2,"salt":"x"}\n', "lock_newer", 1, "version 2")
    refused("", "lock_damaged", 1, "first line")
    refused('{"gptimage2.lock":1}\n', "lock_damaged", 1, "no salt")
    refused('{"gptimage2.lock":1,"salt":"../x"}\n', "lock_damaged", 1, "no salt")
    refused(HEAD .. "{", "lock_damaged", 2, "no JSON")
    refused(HEAD .. "{}", "lock_damaged", 2, "no path")
    refused(HEAD .. '{"path":"../x.png"}', "lock_damaged", 2, "no path")
    refused(HEAD .. '{"path":"a.png"}\n{"path":"a.png"}', "lock_damaged", 3, "a line already")
    for _, wrong in ipairs({
      '"hash":"x"',
      '"n":-1',
      '"n":1.5',
      '"made":"1"',
      '"n":10000',
      '"made":1e9',
      '"want":1e5',
      '"rejected":[10000]',
      '"failed":{"10000":1}',
      '"failed":{"x":1}',
      '"failed":[1]',
      '"rejected":{"1":1}',
      '"pin":false',
      '"file":null',
      '"job":1',
      '"colour":"red"',
    }) do
      refused(HEAD .. '{"path":"a.png",' .. wrong .. "}", "lock_damaged", 2, wrong:match('"(%a+)"'))
    end
  end)

  it("is held by one build, and the next says who has it", function()
    local file = folder.new() .. "/lock"
    local owner = {}
    assert.is_true(guard.take(file, owner))
    assert.is_userdata(owner.held)
    local told = {}
    local other, err = guard.take(file, {}, function(holder)
      told[#told + 1] = holder
    end, 0.25)
    assert.is_nil(other)
    assert.equal("store_failed", err.code)
    assert.is_true(err.retryable)
    assert.matches("another build is at work here, process %d+ on .+: wait", err.message)
    assert.equal(1, #told)
    local next_owner, closed, taken = {}, {}, nil
    local task = gptimage2.spawn(function()
      taken = assert(guard.take(file, next_owner))
    end)
    local given_up = gptimage2.spawn(guard.take, file, closed)
    gptimage2.step(0.05)
    assert.is_nil(taken)
    closed.closed = true
    guard.release(file, owner)
    guard.release(file, owner)
    task:wait()
    assert.is_true(taken)
    assert.is_nil(given_up:wait()) -- who was closed while he waited takes none
    assert.is_nil((core.disk.lock(file)))
    next_owner = nil -- luacheck: ignore
    task, closed = nil, nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(core.disk.lock(file)):release()
    other, err = guard.take("/proc/nowhere/lock", {})
    assert.is_nil(other)
    assert.equal("store_failed", err.code)
  end)
end)
