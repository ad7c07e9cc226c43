-- The ledger as a file: nobody spends on it beside the one who may, whatever happens to its names,
-- and everybody finds it again.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local unpack = table.unpack or unpack -- luacheck: ignore

local function try(box, path, options)
  options = options or {}
  options.api_key, options.base_url, options.ledger = box.api_key, box.url, path
  return gptimage2.new(options)
end

--- What a client in another process gets: "open", or the code of the error.
local function elsewhere(box, path)
  local code = [[
    local _, url, key, path = ...
    local options = { api_key = key, base_url = url, ledger = path }
    local client, err = require("gptimage2").new(options)
    print(client and "open" or err.code)
  ]]
  local result = child.run(code, { box.url, box.api_key, path })
  return (result.output:gsub("\n", ""))
end

--- Runs a shell command that must succeed and say nothing.
local function sh(command, ...)
  local words = {}
  for i, word in ipairs({ ... }) do
    words[i] = folder.quote(word)
  end
  assert.equal("", folder.run(command:format(unpack(words))))
end

--- Without locks of open files (POSIX 2024, Linux, macOS) any descriptor of the file that this
--- process closes takes the lock along: the ".lock" beside it is what holds then.
local function has_no_such_lock()
  if os.getenv("GPTIMAGE2_SPEC_POSIX") then
    pending("this system's locks go with the first descriptor that is closed")
    return true
  end
end

local function is_root()
  return folder.run("id -u") == "0"
end

describe("the lock of a ledger that one has alone", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is not dropped with the file of the old one", function()
    if has_no_such_lock() then
      return
    end
    local _, box, path = book.pair({ ledger_alone = true })
    assert(os.remove(path .. ".lock"))
    assert.equal("ledger_locked", elsewhere(box, path))
    assert.equal("ledger_locked", select(2, try(box, path)).code)
  end)

  it("is not dropped by one who opens and closes the files", function()
    if has_no_such_lock() then
      return
    end
    local _, box, path = book.pair({ ledger_alone = true })
    io.open(path .. ".lock"):close()
    io.open(path):close()
    assert.equal("ledger_locked", elsewhere(box, path))
    assert.equal("ledger_locked", select(2, try(box, path)).code)
    io.open(path):close()
    assert.equal("ledger_locked", elsewhere(box, path))
  end)

  it("holds through another folder's name", function()
    local _, box, path = book.pair({ ledger_alone = true })
    local link = folder.new() .. "/current"
    folder.link(path:match("^(.*)/"), link)
    assert.equal("ledger_locked", elsewhere(box, link .. "/renders.db"))
    assert.equal("ledger_locked", select(2, try(box, link .. "/renders.db")).code)
  end)

  it("is let go at the end of its client", function()
    local client, box, path = book.pair({ ledger_alone = true })
    assert(client:generate(CUP))
    client:close()
    support.step_until(function()
      return elsewhere(box, path) == "open"
    end)
    book.open(box, path)
  end)
end)

describe("a ledger with a second name", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is refused", function()
    local client, box, path = book.pair()
    client:close()
    local other = folder.new() .. "/other.db"
    sh("ln %s %s", path, other)
    for _, name in ipairs({ path, other }) do
      local second, err = try(box, name)
      assert.is_nil(second)
      assert.equal("ledger_linked", err.code)
    end
    assert.equal("other.db", folder.list(other:match("^(.*)/")))
  end)

  it("is spent on no more", function()
    local client, box, path = book.pair()
    assert(client:generate(CUP))
    sh("ln %s %s", path, path .. ".copy")
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("ledger_linked", err.code)
    assert.equal("no", err.charged)
    os.remove(path .. ".copy")
    assert.equal("ledger_linked", select(2, client:generate(CUP)).code) -- it may be damaged
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("a ledger whose file is taken away while it is open", function()
  after_each(support.clean)
  after_each(folder.clean)

  local function assert_stopped(client, box)
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("ledger_replaced", err.code)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.is_false(err.retryable)
    assert.equal(0, client.spent)
    assert.equal(0, box:ledger().requests.create)
  end

  it("is spent on no more: removed", function()
    local client, box, path = book.pair()
    assert(os.remove(path))
    assert_stopped(client, box)
    assert.is_nil(folder.read(path))
  end)

  it("is spent on no more: moved", function()
    local client, box, path = book.pair()
    assert(os.rename(path, path .. ".old"))
    assert_stopped(client, box)
    assert(os.rename(path .. ".old", path))
    assert_stopped(client, box) -- somebody may have written to it
  end)

  it("is spent on no more: replaced", function()
    local client, box, path = book.pair()
    sh("cp %s %s && mv %s %s", path, path .. ".copy", path .. ".copy", path)
    assert_stopped(client, box)
    assert.same({}, book.rows(path))
  end)

  it("is spent on no more: its log removed", function()
    local client, box, path = book.pair()
    assert(os.remove(path .. "-wal"))
    assert_stopped(client, box)
  end)

  it("gives no other's rows as its own", function()
    local client, _, path = book.pair()
    sh("cp %s %s && mv %s %s", path, path .. ".copy", path .. ".copy", path)
    for _, call in ipairs({ "history", "recover" }) do
      local rows, err = client[call](client)
      assert.is_nil(rows)
      assert.equal("ledger_replaced", err.code)
    end
  end)

  it("lets no job go that waited", function()
    local client, box, path = book.pair({ max_active = 1 }, { duration = 1000 })
    local first = assert(client:submit(CUP))
    local second = assert(client:submit(CUP))
    support.polled(box, 1, 1)
    assert.equal("intent", book.row(path, second.idempotency_key).state)
    assert(os.remove(path))
    box:advance(1000)
    assert.equal("succeeded", support.finish(first).status)
    support.finish(second)
    assert.equal("ledger_replaced", second.error.code)
    assert.equal("no", second.error.charged)
    assert.equal(1, box:ledger().requests.create)
  end)
end)

describe("the path of a ledger", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("may go through a linked folder, and is made exact", function()
    local inside, box = folder.new(), support.sandbox()
    sh("mkdir %s && ln -s data %s", inside .. "/data", inside .. "/current")
    local client = book.open(box, inside .. "/current/r.db")
    assert(client:generate(CUP))
    assert.equal(1, #assert(client:history()))
    sh("ln -sfn elsewhere %s", inside .. "/current") -- it points to nothing now
    assert(client:generate(CUP))
    assert.equal(2, #assert(client:history()))
    assert.equal(2, #book.rows(inside .. "/data/r.db"))
  end)

  it("is refused where the file itself is a link, with nothing left behind", function()
    local inside, box = folder.new(), support.sandbox()
    folder.link("none.db", inside .. "/r.db")
    local client, err = try(box, inside .. "/r.db")
    assert.is_nil(client)
    assert.equal("ledger_symlink", err.code)
    assert.equal("r.db", folder.list(inside))
  end)

  it("stays the same when the program goes to another folder", function()
    local box, inside = support.sandbox(), folder.new()
    local code = [[
      local _, url, key, inside = ...
      local ok, lfs = pcall(require, "lfs")
      if not ok then print("no lfs") return end
      assert(lfs.chdir(inside))
      local options = { api_key = key, base_url = url, ledger = "r.db" }
      options.poll = { first = 0.02, interval = 0.02, max = 0.02 }
      local client = assert(require("gptimage2").new(options))
      assert(client:generate({ prompt = "a cup" }))
      assert(lfs.mkdir("b") and lfs.chdir("b"))
      assert(client:generate({ prompt = "a cup" }))
      print(#assert(client:history()), #assert(client:recover()))
    ]]
    local result = child.run(code, { box.url, box.api_key, inside })
    if result.output == "no lfs\n" then
      pending("lua-filesystem is not here")
      return
    end
    assert.equal("2\t0\n", result.output, result.errors)
    assert.equal(2, #book.rows(inside .. "/r.db"))
    assert.is_nil(folder.list(inside):find("b/", 1, true))
  end)

  it("is none where SQLite means something else by it", function()
    for _, path in ipairs({ ":memory:", "file:x?mode=memory", "FILE:r.db" }) do
      local client, err = try(support.sandbox(), path)
      assert.is_nil(client)
      assert.equal("validation", err.kind)
      assert.equal("invalid_ledger", err.code)
      assert.equal("ledger", err.field)
      assert.truthy(err.message:find("outlives the program", 1, true))
      assert.is_nil(folder.read(path))
    end
    assert.error(function()
      try(support.sandbox(), "")
    end)
  end)

  it("leaves nothing behind where it is refused", function()
    local inside, box = folder.new(), support.sandbox()
    folder.write(inside .. "/text.db", ("no database "):rep(20))
    assert.equal("not_a_ledger", select(2, try(box, inside .. "/text.db")).code)
    assert.equal("ledger_unopenable", select(2, try(box, inside .. "/none/r.db")).code)
    assert.equal("ledger_unopenable", select(2, try(box, inside .. "/.")).code)
    assert.equal("text.db", folder.list(inside))
  end)

  it("leaves nothing behind where there is no room", function()
    local inside = folder.new()
    local code = [[
      local _, path = ...
      local options = { api_key = "key", base_url = "http://127.0.0.1:1", ledger = path }
      local _, err = require("gptimage2").new(options)
      print(err.code, err.message:find(path, 1, true) ~= nil)
    ]]
    local limit = [[sh -c 'trap "" XFSZ; ulimit -f 40; exec "$@"' sh]] -- 20 KB or 40
    local result = child.run(code, { inside .. "/r.db" }, limit)
    assert.equal("ledger_unwritable\ttrue\n", result.output, result.errors)
    assert.equal("", folder.list(inside))
  end)

  it("that is there may be opened later where there is no room", function()
    local client, _, path = book.pair()
    assert(client:generate(CUP))
    client:close()
    local code = [[
      local _, path = ...
      local options = { api_key = "key", base_url = "http://127.0.0.1:1", ledger = path }
      local _, err = require("gptimage2").new(options)
      print(err.code, err.retryable)
    ]]
    local limit = [[sh -c 'trap "" XFSZ; ulimit -f 0; exec "$@"' sh]]
    local result = child.run(code, { path }, limit)
    assert.equal("ledger_unwritable\ttrue\n", result.output, result.errors)
  end)
end)

describe("a ledger that seems to be somebody else's", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is refused, unless the user says that the file system cannot tell", function()
    if not is_root() then
      pending("only root can give a file away")
      return
    end
    local client, box, path = book.pair()
    assert(client:generate(CUP))
    client:close()
    sh("chown 1 %s", path)
    local second, err = try(box, path)
    assert.is_nil(second)
    assert.equal("ledger_foreign", err.code)
    assert.truthy(err.message:find('ledger_owner = "any"', 1, true))
    second = book.open(box, path, { ledger_owner = "any" })
    assert.equal(1, #assert(second:history()))
    assert.same({}, assert(second:recover()))
    assert(second:generate(CUP))
  end)

  it("raises for what is no owner", function()
    for _, owner in ipairs({ "me", "", 1, true }) do
      assert.error(function()
        try(support.sandbox(), book.path(), { ledger_owner = owner })
      end)
    end
  end)
end)
