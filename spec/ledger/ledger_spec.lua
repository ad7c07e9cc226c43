-- More about the ledger than what a crash leaves (see durable_spec): what it costs, what it holds,
-- and what it does with paths that are none.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function try(box, path)
  return gptimage2.new({ api_key = box.api_key, base_url = box.url, ledger = path })
end

--- Whether strace can watch a process of this build.
local function can_trace()
  return not support.slow and folder.run("strace -o /dev/null true && echo yes") == "yes"
end

-- Submits jobs at once and goes on until `enough` events of a type have come. Arguments: the
-- sandbox's URL and key, the ledger's path, how many jobs, max_active, the type, how many events.
local MANY = [[
  local gptimage2 = require("gptimage2")
  local _, url, key, path, count, active, kind, enough = ...
  local seen = 0
  local client = assert(gptimage2.new({
    api_key = key, base_url = url, ledger = path, max_active = tonumber(active),
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
    on_event = function(event) seen = seen + (event.type == kind and 1 or 0) end,
  }))
  for _ = 1, tonumber(count) do
    assert(client:submit({ prompt = "a cup" }))
  end
  while seen < tonumber(enough) do gptimage2.step(0.1) end
  client:close()
]]

--- Syncs to disk of a process that runs MANY, on a disk that takes its time: how many records meet
--- in one sync is then not for the machine's other work to decide.
local function syncs_of(box, path, ...)
  local log = os.tmpname()
  local strace = "strace -f -c -o " .. log .. " -e trace=fsync,fdatasync"
  strace = strace .. " -e inject=fsync,fdatasync:delay_enter=10000" -- microseconds
  local result = child.run(MANY, { box.url, box.api_key, path, ... }, strace)
  assert.equal(0, result.exit, result.errors)
  local syncs = 0
  for line in io.lines(log) do
    syncs = syncs + (tonumber(line:match("(%d+)%s+fd?a?t?a?sync%s*$")) or 0)
  end
  os.remove(log)
  assert.is_true(syncs > 2)
  return syncs
end

describe("the ledger", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("records a thousand submits at once with a sync for many of them", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, path = support.sandbox({ duration = 1000 }), book.path()
    local syncs = syncs_of(box, path, 1000, 1, "queued", 1000) -- told when it is in the file
    assert.is_true(syncs * 4 <= 1000, syncs .. " syncs") -- one each would be 1000
    assert.equal(1000, #book.rows(path))
  end)

  it("records the whole lives of a thousand jobs with a sync for many records", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, path = support.sandbox({ credits = 1e6 }), book.path()
    local syncs = syncs_of(box, path, 1000, 1000, "succeeded", 1000)
    assert.equal(1000, #box:ledger().jobs)
    assert.is_true(syncs * 4 <= 4000, syncs .. " syncs") -- four records a job
  end)

  it("is refused where its part of the module cannot be loaded", function()
    local box, path = support.sandbox(), book.path()
    local loaded, preload = package.loaded, package.preload
    local before = loaded["gptimage2.ledger"]
    loaded["gptimage2.ledger"] = nil
    preload["gptimage2.ledger"] = function()
      error("the disk is gone")
    end
    local client, err = try(box, path)
    loaded["gptimage2.ledger"], preload["gptimage2.ledger"] = before, nil
    assert.is_nil(client)
    assert.equal("ledger", err.kind)
    assert.equal("ledger_unopenable", err.code)
    assert.truthy(err.message:find("the disk is gone", 1, true))
    assert.is_nil(folder.read(path))
  end)

  it("stays with its owner in all its files, whatever the umask", function()
    local path = book.path()
    local code = [[
      local _, path = ...
      local box = assert(require("gptimage2.sandbox").start({ duration = 0, image_size = 32 }))
      local options = { api_key = box.api_key, base_url = box.url, ledger = path }
      options.poll = { first = 0.02, interval = 0.02, max = 0.02 }
      local client = assert(require("gptimage2").new(options))
      assert(client:generate({ prompt = "a cup" }))
      local list = io.popen("stat -c '%a %n' " .. path .. "*")
      print(list:read("*a"))
      list:close()
    ]]
    local result = child.run(code, { path }, [[sh -c 'umask 0; exec "$@"' sh]])
    assert.equal(0, result.exit, result.errors)
    local count = 0
    for mode in result.output:gmatch("(%d+) /") do
      assert.equal("600", mode, result.output)
      count = count + 1
    end
    assert.equal(4, count) -- the database, its log, the log's index, the lock
  end)

  it("is kept from one process to the next", function()
    local client, box, path = book.pair()
    assert(client:generate(CUP, { idempotency_key = "first" }))
    client:close()
    client = book.open(box, path)
    assert(client:generate(CUP, { idempotency_key = "second" }))
    local job, err = client:generate(CUP, { idempotency_key = "first" })
    assert.is_nil(job)
    assert.equal("key_in_use", err.code)
    assert.is_false(err.retryable)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.equal(2, #book.rows(path))
    assert.equal(2, box:ledger().requests.create)
  end)

  it("is let go when its client is collected", function()
    local box, path = support.sandbox(), book.path()
    local client = assert(try(box, path))
    assert.truthy(client)
    client = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert(try(box, path)):close()
  end)

  it("is held as long as a create of a closed client is out", function()
    local client, box, path = book.pair()
    box:fault({ on = "create", action = "hang", work = true })
    assert(client:submit(CUP))
    support.step_until(function()
      return #box:ledger().jobs == 1
    end)
    client:close()
    local second, err = try(box, path)
    assert.is_nil(second)
    assert.equal("ledger_locked", err.code)
    box:stop()
    support.step_until(function()
      second = try(box, path)
      return second
    end)
    second:close()
    assert.equal("unknown", book.row(path).state)
  end)

  it("of one client does not mix with another's", function()
    local first, box, first_path = book.pair()
    local second_path = book.path()
    local second = book.open(box, second_path)
    assert(first:generate(CUP, { idempotency_key = "same" }))
    assert(second:generate({ prompt = "a cup" }, { idempotency_key = "same" }))
    assert.equal(1, #book.rows(first_path))
    assert.equal(1, #book.rows(second_path))
  end)

  it("may begin as an empty file", function()
    local box, path = support.sandbox(), book.path()
    folder.write(path, "")
    local client = book.open(box, path)
    assert(client:generate(CUP))
    assert.equal(1, #book.rows(path))
  end)

  it("records no polls of strangers", function()
    local client, box, path = book.pair()
    local other = support.client(box)
    local made = assert(other:create(CUP))
    assert(client:wait(made.id))
    assert.same({}, book.rows(path))
  end)

  it("counts the attempts and keeps the last answer", function()
    local client, box, path = book.pair()
    support.answer(box, "create", 503, '{"error":"overloaded"}')
    assert(client:generate(CUP))
    local row = book.settled(path, "succeeded")
    assert.equal(2, row.attempts)
    assert.truthy(row.answer:find(row.job_id, 1, true))
  end)

  it("has a job that waits for its second attempt as not sent, or as unknown", function()
    for status, state in pairs({ [429] = "intent no", [503] = "sent unknown" }) do
      local path, seen = book.path(), nil
      local client, box = book.pair({
        ledger = path,
        on_event = function(event)
          if event.type == "retry" then
            local row = book.row(path)
            seen = row.state .. " " .. row.charged
          end
        end,
      })
      support.answer(box, "create", status)
      local job = assert(client:submit(CUP))
      support.step_until(function()
        return seen
      end)
      job:cancel()
      assert.equal(state, seen)
    end
  end)

  describe("is refused at new, with nothing made or sent,", function()
    local function refused(path, code)
      local box = support.sandbox()
      local client, err = try(box, path)
      assert.is_nil(client)
      assert.equal("ledger", err.kind)
      assert.equal(code, err.code)
      assert.truthy(err.message:find("ledger", 1, true))
      assert.equal(0, box:ledger().connections)
      return err
    end

    it("in a folder that is not there", function()
      local inside = folder.new()
      refused(inside .. "/none/renders.db", "ledger_unopenable")
      assert.equal("", folder.list(inside))
    end)

    it("where a pipe is in its place", function()
      local path = book.path()
      folder.run("mkfifo " .. folder.quote(path))
      refused(path, "ledger_unopenable")
    end)

    it("where the lock is a symbolic link", function()
      local path, target = book.path(), book.path()
      folder.write(target, "precious")
      folder.link(target, path .. ".lock")
      refused(path, "ledger_unopenable")
      assert.equal("precious", folder.read(target))
      assert.is_nil(folder.read(path))
    end)

    it("where the path is too long", function()
      refused("/tmp/" .. ("a"):rep(3990), "ledger_unopenable")
    end)

    it("where it is a database without our tables but with our mark", function()
      local path = book.path()
      book.query(path, "CREATE TABLE other (x); PRAGMA application_id = 1735420210")
      local before = folder.read(path)
      refused(path, "ledger_damaged")
      assert.equal(before, folder.read(path))
    end)

    it("where the file was cut short", function()
      local client, box, path = book.pair()
      for i = 1, 20 do
        assert(client:generate({ prompt = ("cup "):rep(500) .. i }))
      end
      client:close()
      assert(try(box, path)):close() -- when that opens, the log is in the file
      folder.run(("truncate -s 8192 %s"):format(folder.quote(path)))
      local before = folder.read(path)
      refused(path, "ledger_damaged")
      assert.equal(before, folder.read(path))
    end)
  end)
end)
