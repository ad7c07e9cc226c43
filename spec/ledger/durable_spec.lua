-- What is in the ledger, and when: looked at from outside, because that is what a crash leaves.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

local function ledger_path()
  return folder.new() .. "/renders.db"
end

--- A client with a ledger of its own, and its sandbox.
local function pair(options, box_options)
  local path = ledger_path()
  options = options or {}
  options.ledger = options.ledger or path
  local client, box = support.pair(options, box_options)
  return client, box, options.ledger
end

--- The only row, as it stands in the file.
local function row_of(path)
  local rows = assert(core.ledger_rows(path, {}))
  assert.equal(1, #rows)
  return rows[1]
end

local function try_client(box, path, options)
  options = options or {}
  options.api_key, options.base_url, options.ledger = box.api_key, box.url, path
  return gptimage2.new(options)
end

--- A whole ledger with one job that nobody has open.
local function closed_ledger()
  local client, box, path = pair()
  assert(client:generate(CUP))
  client:close()
  support.step_until(function() -- the last one who closes it removes the log
    return not folder.read(path .. "-wal")
  end)
  return path, box
end

--- Whether strace can watch a process of this build.
local function can_trace()
  return not support.slow and folder.run("strace -o /dev/null true && echo yes") == "yes"
end

-- How the I/O thread wakes the host, as strace writes it.
local TELLING = [[write%(%d+, "\1\0\0\0\0\0\0\0", 8]]

-- One job from beginning to end; arguments: the sandbox's URL and key, the ledger's path, and how
-- long it may take.
local ONE_JOB = [[
  local gptimage2 = require("gptimage2")
  local _, url, key, path, timeout = ...
  local client = assert(gptimage2.new({
    api_key = key, base_url = url, ledger = path, timeout = tonumber(timeout),
    poll = { first = 0, interval = 0.02, max = 0.02 },
  }))
  print(assert(client:generate({ prompt = "a cup" })).status)
  io.stdout:flush()
  client:close()
]]

-- Jobs until the ledger is full, and then some; argument: the ledger's path.
local SPEND_ALL = [[
  local core = require("gptimage2.core")
  local gptimage2 = require("gptimage2")
  local sandbox = require("gptimage2.sandbox")
  local _, path = ...
  local box = assert(sandbox.start({ credits = 1e6, duration = 0, image_size = 32 }))
  local client = assert(gptimage2.new({
    api_key = box.api_key, base_url = box.url, ledger = path,
    poll = { first = 0.02, interval = 0.02, max = 0.02 }, timeout = 2,
  }))
  local job, err
  for _ = 1, 1000 do
    job, err = client:generate({ prompt = ("cup "):rep(5000) })
    if not job and err.kind ~= "timeout" then break end -- that is a busy machine's
  end
  print(err.kind, err.code)
  local posts = box:ledger().requests.create
  for _ = 1, 3 do
    job, err = client:generate({ prompt = "a cup" })
    print(job, err.kind, err.sent, err.charged)
  end
  print(box:ledger().requests.create - posts)
  local known = 0
  for _, row in ipairs(assert(core.ledger_rows(path, {}))) do
    known = known + (row.state ~= "intent" and 1 or 0)
  end
  print(#box:ledger().jobs <= known)
  client:close()
]]

describe("the ledger", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("is a file that only its owner reads", function()
    local _, _, path = pair()
    assert.equal("600", folder.run("stat -c %a " .. folder.quote(path)))
  end)

  it("has a job before it can be sent, as not charged", function()
    local box = support.sandbox()
    box:stop()
    local path, seen = ledger_path(), nil
    local client = support.client(box, {
      ledger = path,
      max_attempts = 2,
      on_event = function(event)
        if event.type == "retry" then
          seen = row_of(path)
        end
      end,
    })
    local _, err = client:generate(CUP)
    assert.equal("connect_failed", err.code)
    assert.equal("intent", seen.state)
    assert.equal("no", seen.charged)
    assert.equal(err.idempotency_key, seen.key)
  end)

  it("has a job that is out and not answered as sent, perhaps charged", function()
    local client, box, path = pair()
    box:fault({ on = "create", action = "hang" })
    local job = assert(client:submit(CUP))
    support.step_until(function()
      return box:ledger().requests.create == 1
    end)
    local row = row_of(path)
    assert.equal("sent", row.state)
    assert.equal("unknown", row.charged)
    assert.equal(job.idempotency_key, row.key)
  end)

  it("has the answer to a create before the host hears of it", function()
    local path, seen = ledger_path(), nil
    local client = pair({
      ledger = path,
      on_event = function(event)
        if event.type == "created" then
          seen = row_of(path)
        end
      end,
    })
    local job = assert(client:generate(CUP))
    assert.equal("accepted", seen.state)
    assert.equal("yes", seen.charged)
    assert.truthy(seen.answer:find(job.id, 1, true))
  end)

  it("has a job to its end while the host does not step", function()
    local client, box, path = pair()
    local job = assert(client:submit(CUP))
    local row
    repeat -- without a step
      row = assert(core.ledger_rows(path, {}))[1]
    until row and row.state == "succeeded"
    assert.equal("yes", row.charged)
    assert.truthy(row.answer and row.result)
    assert.equal(0, job.polls)
    assert.equal("succeeded", support.finish(job).status)
    assert.is_true(job.polls > 0)
    assert.equal(1, box:ledger().requests.create)
  end)

  it("has the answer that ends a job before the host hears of it", function()
    local path, seen = ledger_path(), nil
    local client = pair({
      ledger = path,
      on_event = function(event)
        if event.type == "succeeded" then
          seen = row_of(path)
        end
      end,
    })
    local job = assert(client:generate(CUP))
    assert.truthy(seen.result:find(job.results[1].image_url:match("[^/]+$"), 1, true))
  end)

  it("has what came of a job, and its files, once the client is closed", function()
    local client, box, path = pair()
    local into = folder.new()
    local job = assert(client:generate(CUP, { save = into .. "/{id}.{ext}" }))
    client:close()
    local again = support.step_until(function()
      return (try_client(box, path))
    end)
    local row = assert(again:history())[1]
    again:close()
    assert.equal("succeeded", row.state)
    assert.equal("yes", row.charged)
    assert.equal(job.id, row.id)
    assert.same({ into .. "/" .. job.id .. ".png" }, row.files)
    assert.equal(job.results[1].image_url, row.results[1].image_url)
  end)

  it("is on the disk before anything is sent", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, log = support.sandbox(), os.tmpname()
    local strace = "strace -f -o " .. log .. " -e trace=pwrite64,fdatasync,fsync,sendto"
    local result = child.run(ONE_JOB, { box.url, box.api_key, ledger_path() }, strace)
    assert.equal("succeeded\n", result.output, result.errors)
    local unsynced, posts, polls, syncs = 0, 0, 0, 0
    for line in io.lines(log) do
      if line:find("pwrite64(", 1, true) then
        unsynced = unsynced + 1
      elseif line:find("sync(", 1, true) then
        unsynced, syncs = 0, syncs + 1
      elseif line:find('"POST ', 1, true) then
        posts = posts + 1
        assert.equal(0, unsynced)
        syncs = 0
      elseif line:find('"GET ', 1, true) then
        polls = polls + 1
        assert.equal(0, unsynced)
        assert.is_true(syncs >= 1) -- of the answer
      end
    end
    os.remove(log)
    assert.equal(1, posts)
    assert.is_true(polls >= 1)
    assert.truthy(syncs >= 2) -- the answer, and the result
  end)

  it("needs four syncs for a job at most, from its submit to its last answer", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, log = support.sandbox(), os.tmpname()
    local begin = 'io.stdout:write("begin\\n") io.stdout:flush() '
    local program = ONE_JOB:gsub("print%(", begin .. "%0")
    local strace = "strace -f -o " .. log .. " -e trace=fdatasync,fsync,write"
    local result = child.run(program, { box.url, box.api_key, ledger_path() }, strace)
    assert.equal("begin\nsucceeded\n", result.output, result.errors)
    local syncs
    for line in io.lines(log) do
      if line:find('write(1, "begin', 1, true) then
        syncs = 0
      elseif line:find('write(1, "succeeded', 1, true) then
        break
      elseif syncs and line:find("sync(", 1, true) and not line:find("resumed>", 1, true) then
        syncs = syncs + 1
      end
    end
    os.remove(log)
    assert.is_true(syncs > 0 and syncs <= 4, syncs) -- some may be one where all is slow
  end)

  it("says sent of a job whose process dies while it sends it", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, path = support.sandbox(), ledger_path()
    local strace = "strace -f -o /dev/null -e trace=sendto -e inject=sendto:signal=KILL:when=1"
    local result = child.run(ONE_JOB, { box.url, box.api_key, path }, strace)
    assert.equal("", result.output)
    local row = row_of(path)
    assert.equal("sent", row.state)
    assert.equal("unknown", row.charged)
  end)

  it("has it all on the disk before the host hears of it", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local box, log = support.sandbox(), os.tmpname()
    local strace = "strace -f -o " .. log .. " -e trace=recvfrom,fdatasync,write"
    child.run(ONE_JOB, { box.url, box.api_key, ledger_path() }, strace)
    local io_thread, answers, news = nil, 0, false
    for line in io.lines(log) do
      local thread = line:match("^%d+")
      if line:find('"HTTP/1.1 20', 1, true) then
        io_thread, answers, news = thread, answers + 1, true
      elseif line:find("fdatasync(", 1, true) then
        news = false
      elseif line:find(TELLING) and thread == io_thread then
        assert.is_false(news, line)
      end
    end
    os.remove(log)
    assert.equal(2, answers)
  end)

  it("that fails before the request keeps it from being sent", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    local path, box = closed_ledger()
    local sent = 0
    for write = 1, 24 do
      local copy = ledger_path()
      assert.equal("", folder.run(("cp %s* %s"):format(path, copy:match("^.*/"))))
      local inject =
        "strace -f -o /dev/null -e trace=pwrite64 -e inject=pwrite64:error=ENOSPC:when=%d+"
      local before = box:ledger().requests.create
      child.run(ONE_JOB, { box.url, box.api_key, copy, "0.5" }, inject:format(write))
      if box:ledger().requests.create > before then
        sent = sent + 1
        local rows = assert(core.ledger_rows(copy, {}))
        assert.equal(2, #rows)
        assert.not_equal("intent", rows[2].state)
      end
    end
    assert.truthy(sent > 0 and sent < 24)
  end)

  it("that cannot be written any more stops the spending", function()
    local limit = [[sh -c 'trap "" XFSZ; ulimit -f 400; exec "$@"' sh]]
    local result = child.run(SPEND_ALL, { ledger_path() }, limit)
    local lines = "ledger\tledger_unwritable\n" .. ("nil\tledger\tno\tno\n"):rep(3) .. "0\ntrue\n"
    assert.equal(lines, result.output, result.errors)
  end)

  describe("is spent on by one at a time:", function()
    it("a second client in the process is refused", function()
      local _, box, path = pair()
      local second, err = try_client(box, path)
      assert.is_nil(second)
      assert.equal("ledger", err.kind)
      assert.equal("ledger_locked", err.code)
    end)

    it("a client in another process is refused, and may have it afterwards", function()
      local client, box, path = pair()
      local code = [[
        local _, url, key, path = ...
        local options = { api_key = key, base_url = url, ledger = path }
        local client, err = require("gptimage2").new(options)
        print(client and "open" or err.code)
      ]]
      local arguments = { box.url, box.api_key, path }
      assert.equal("ledger_locked\n", child.run(code, arguments).output)
      client:close()
      support.step_until(function()
        return child.run(code, arguments).output == "open\n"
      end)
    end)

    it("the refused one does not free the lock of the first", function()
      local _, box, path = pair()
      assert.is_nil((try_client(box, path)))
      assert.is_nil((try_client(box, path)))
      local code = [[
        local _, url, key, path = ...
        local _, err = require("gptimage2").new({ api_key = key, base_url = url, ledger = path })
        print(err and err.code)
      ]]
      assert.equal("ledger_locked\n", child.run(code, { box.url, box.api_key, path }).output)
    end)
  end)

  it("takes each key once", function()
    local client, box = pair()
    assert(client:generate(CUP, { idempotency_key = "mine" }))
    local job, err = client:generate(CUP, { idempotency_key = "mine" })
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("key_in_use", err.code)
    assert.equal(1, box:ledger().requests.create)
  end)

  describe("takes up", function()
    --- A job whose answer nobody got: its client is closed while the create hangs.
    local function left_behind()
      local client, box, path = pair()
      box:fault({ on = "create", action = "reset", work = true })
      local _, err = client:generate(CUP)
      assert.equal("lost", err.kind)
      client:close()
      return box, path, err.idempotency_key
    end

    local function reopened(box, path, options)
      options = options or {}
      options.ledger = path
      return support.client(box, options)
    end

    it("what may have been made without sending it again", function()
      local box, path, key = left_behind()
      local jobs = assert(reopened(box, path):recover())
      assert.equal(1, #jobs)
      assert.equal("unknown", jobs[1].status)
      assert.equal(key, jobs[1].idempotency_key)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("what may have been made under the same key where the service honours keys", function()
      local box, path, key = left_behind()
      local jobs = assert(reopened(box, path, { retry = "idempotent" }):recover())
      support.finish(jobs[1])
      assert.equal("succeeded", jobs[1].status)
      assert.equal(1, #box:ledger().jobs)
      assert.equal(key, box:ledger().jobs[1].key)
      assert.equal(2, box:ledger().jobs[1].posts)
    end)

    it("what belongs to the same service, however it is spelled", function()
      local box, path, key = left_behind()
      local id = box:ledger().jobs[1].id
      local loud = { base_url = box.url:gsub("^http", "HTTP") .. "//" }
      local client = reopened(box, path, loud)
      assert.equal(1, #assert(client:recover()))
      local job = support.finish(assert(client:resolve(key, id)))
      assert.equal("succeeded", job.status)
      client:close()
      support.step_until(function()
        client = try_client(box, path)
        return client
      end)
      assert.equal(key, assert(client:wait(id)).idempotency_key)
      local _, err = client:resolve(key, "abandon")
      assert.equal("not_unknown", err.code)
    end)

    it("nothing that belongs to another service", function()
      local _, path, key = left_behind()
      local other = support.sandbox()
      local client = reopened(other, path, { retry = "idempotent" })
      assert.same({}, assert(client:recover()))
      local job, err = client:resolve(key, "resend")
      assert.is_nil(job)
      assert.equal("other_service", err.code)
      assert.equal(0, other:ledger().connections)
    end)

    it("no id from an answer that is whole and broken, as version 0.1 left it", function()
      local client, box, path = pair()
      local body = '{"jobId":"8b93b17d",,"status":"pending"}'
      box:fault({ on = "create", action = "body", body = body })
      local _, err = client:generate(CUP)
      assert.equal("unreadable_reply", err.code)
      client:close()
      assert.equal("", book.query(path, "UPDATE jobs SET attempt_id = NULL"))
      local jobs = assert(reopened(box, path):recover())
      assert.equal("unknown", jobs[1].status)
      assert.is_nil(jobs[1].id)
      assert.equal(0, box:ledger().requests.poll)
    end)

    it("nothing that was abandoned, from the moment that resolve is back", function()
      local box, path, key = left_behind()
      local client = reopened(box, path)
      assert(client:resolve(key, "abandon"))
      assert.equal("abandoned", row_of(path).state)
      assert.same({}, assert(client:recover()))
    end)
  end)

  describe("that is not one is refused, untouched:", function()
    local function refused(path, code)
      local box = support.sandbox()
      local before = folder.read(path)
      local client, err = try_client(box, path)
      assert.is_nil(client)
      assert.equal("ledger", err.kind)
      assert.equal(code, err.code)
      assert.equal(before, folder.read(path))
    end

    local function patched(path, offset, bytes)
      local file = assert(io.open(path, "r+b"))
      file:seek("set", offset)
      file:write(bytes)
      file:close()
      return path
    end

    it("a symbolic link", function()
      local path = ledger_path()
      local link = path .. ".link"
      folder.run(("ln -s %s %s"):format(folder.quote((closed_ledger())), folder.quote(link)))
      refused(link, "ledger_symlink")
    end)

    it("a text", function()
      local path = ledger_path()
      folder.write(path, ("not a database\n"):rep(100))
      refused(path, "not_a_ledger")
    end)

    it("a database of something else", function()
      refused(patched((closed_ledger()), 68, "\0\0\0\1"), "not_a_ledger")
    end)

    it("one of a newer version", function()
      refused(patched((closed_ledger()), 60, "\0\0\0\9"), "ledger_newer")
    end)

    it("one that is damaged", function()
      refused(patched((closed_ledger()), 4096 + 3, ("\255"):rep(64)), "ledger_damaged")
    end)

    it("one of another user", function()
      if folder.run("id -u") ~= "0" then
        pending("only root can give a file to somebody else")
        return
      end
      local path = closed_ledger()
      folder.run("chown 1 " .. folder.quote(path))
      refused(path, "ledger_foreign")
    end)

    it("a folder", function()
      local box = support.sandbox()
      local client, err = try_client(box, folder.new())
      assert.is_nil(client)
      assert.equal("ledger_unopenable", err.code)
    end)
  end)
end)
