--- The store: pictures under the digest of their bytes, asked for in order, and never believed by
--- their name alone.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local store = require("gptimage2.assets.store")

local HASH = ("a"):rep(64)

local function new(more)
  local base = folder.new() .. "/"
  local made = store.open(base, more)
  assert(made:prepare())
  return made, base
end

--- Puts bytes into the store; gives their digest.
local function put(made, bytes)
  local path = made:incoming() .. "x.png"
  folder.write(path, bytes)
  return assert(made:take(path))
end

local function record(fields)
  local all = { hash = HASH, n = 1, failed = 0 }
  for name, value in pairs(fields) do
    all[name] = value
  end
  return all
end

describe("the store", function()
  after_each(folder.clean)

  it("is one folder for the user alone, and for no repository", function()
    local made, base = new()
    assert.equal("700", folder.stat(base .. ".gptimage2", "%a"))
    assert.equal("*\n", folder.read(base .. ".gptimage2/.gitignore"))
    local digest = put(made, "bytes")
    assert.equal(core.digest.sha256("bytes"), digest)
    assert.equal("444", folder.stat(base .. ".gptimage2/objects/" .. digest, "%a"))
    assert.equal(".gptimage2/.gitignore .gptimage2/objects/" .. digest, folder.list(base))
    assert.equal(digest, put(made, "bytes"))
    assert.is_true(made:has(digest))
    assert.is_true(made:prepare())
  end)

  it("delivers a copy, and nothing over what is there", function()
    local made, base = new()
    local digest = put(made, "bytes")
    assert(made:deliver(digest, base .. "a/b.png", false))
    assert.equal("bytes", folder.read(base .. "a/b.png"))
    assert.is_true(made:deliver(digest, base .. "a/b.png", false)) -- the same bytes
    folder.write(base .. "a/b.png", "edited")
    local ok, err = made:deliver(digest, base .. "a/b.png", false)
    assert.is_nil(ok)
    assert.equal("store_failed", err.code)
    assert.equal("edited", folder.read(base .. "a/b.png"))
    assert(made:deliver(digest, base .. "a/b.png", true))
    assert.equal("bytes", folder.read(base .. "a/b.png"))
    assert.equal("bytes", folder.read(base .. ".gptimage2/objects/" .. digest))
  end)

  it("knows wrong bytes by the digest, and takes good ones from another", function()
    local shared = folder.new()
    local made, base = new(shared)
    local digest = put(made, "bytes")
    assert.equal("bytes", folder.read(shared .. "/objects/" .. digest))
    assert.equal("444", folder.stat(shared .. "/objects/" .. digest, "%a"))
    local own = base .. ".gptimage2/objects/" .. digest
    os.remove(own)
    folder.write(own, "other")
    assert.equal(shared .. "/objects/" .. digest, (made:object(digest)))
    os.remove(shared .. "/objects/" .. digest)
    local path, wrong = made:object(digest)
    assert.is_nil(path)
    assert.equal(own, wrong)
    local ok, err = made:deliver(digest, base .. "a.png", false)
    assert.is_nil(ok)
    assert.equal(own, err.file)
    assert.matches("not those that its name says", err.message)
    assert.is_nil(folder.read(base .. "a.png"))
    assert.equal(digest, put(made, "bytes")) -- which mends it
    assert.equal(own, (made:object(digest)))
  end)

  it("remembers what was made for a request, in all stores", function()
    local shared = folder.new() .. "/shared"
    local made, base = new(shared)
    local digest = put(made, "bytes")
    assert.is_nil(made:record(HASH, 1))
    assert(
      made:write_record(record({ object = digest, seed = "7", cost = 10, body = '{"a":"b/c"}' }))
    )
    local read = made:record(HASH, 1)
    assert.equal(digest, read.object)
    assert.equal("7", read.seed)
    assert.equal(10, read.cost)
    assert.equal('{"a":"b/c"}', read.body)
    assert.is_true(read.here)
    assert.is_nil(made:record(HASH, 2))
    -- Another machine: its own store is empty.
    local other = store.open(folder.new() .. "/", shared)
    read = other:record(HASH, 1)
    assert.equal(digest, read.object)
    assert.is_true(read.here)
    assert.equal(shared .. "/objects/" .. digest, (other:object(digest)))
    -- Failures count wherever they were seen.
    assert(made:write_record(record({ failed = 1, error = "generation_failed" })))
    assert(folder.run("rm -r " .. base .. ".gptimage2/requests"))
    assert.equal(1, store.open(base, shared):record(HASH, 1).failed)
  end)

  it("takes a record that is not what it should be for none", function()
    local made, base = new()
    assert(made:write_record(record({})))
    local path = base .. ".gptimage2/requests/" .. HASH .. "/1.json"
    for _, text in ipairs({
      "",
      "{",
      "[]",
      "{}",
      '{"hash":"x","n":1}',
      '{"hash":"' .. HASH .. '","n":2}',
      '{"hash":"' .. HASH .. '","n":1,"object":"../x"}',
    }) do
      folder.write(path, text)
      assert.is_nil(made:record(HASH, 1))
    end
    folder.write(path, '{"hash":"' .. HASH .. '","n":1,"failed":"x","job":{},"cost":1.5}')
    local read = made:record(HASH, 1)
    assert.equal(0, read.failed)
    assert.is_nil(read.job)
    assert.is_nil(read.cost)
  end)

  it("says what it cannot do", function()
    local base = folder.new() .. "/"
    folder.write(base .. ".gptimage2", "")
    local ok, err = store.open(base):prepare()
    assert.is_nil(ok)
    assert.equal("build", err.kind)
    assert.equal("store_failed", err.code)
    local made = new()
    ok, err = made:take(made:incoming() .. "nothing.png")
    assert.is_nil(ok)
    assert.equal("store_failed", err.code)
    ok, err = made:deliver(HASH, "/tmp/nowhere/a.png", false)
    assert.is_nil(ok)
    assert.matches("no store has the picture", err.message)
  end)
end)
