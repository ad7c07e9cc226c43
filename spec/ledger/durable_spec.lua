--- What is in the ledger, and when: looked at from outside, because that is what a crash leaves.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local ledger_path, pair, row_of = book.path, book.pair, book.row
local try_client, closed_ledger = book.try, book.closed

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

-- Jobs until the ledger is full, for four of them in a row; argument: the ledger's path.
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
  local refused = {}
  for _ = 1, 1000 do
    local posts = box:ledger().requests.create
    local job, err = client:generate({ prompt = ("cup "):rep(5000) })
    if job then
      refused = {} -- its log began anew in time: there was room once more
    elseif err.kind ~= "timeout" then -- that is a busy machine's
      posts = box:ledger().requests.create - posts
      refused[#refused + 1] = table.concat({ err.code, err.sent, err.charged, posts }, " ")
    end
    if #refused == 4 then break end
  end
  print(table.concat(refused, "\n"))
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

  --- Syncs of a job from its submit to its last answer. `options`: of the call, as Lua.
  local function syncs_of_job(options)
    local box, log = support.sandbox(), os.tmpname()
    local begin = 'io.stdout:write("begin\\n") io.stdout:flush() '
    local made = 'assert(client:tenant("acme", { budget = 10 })) '
    local program = ONE_JOB:gsub("print%(", made .. begin .. "%0")
      :gsub(" }%)%)%.s", " }, " .. options .. ")).s")
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
    return syncs
  end

  it("needs four syncs for a job at most, from its submit to its last answer", function()
    if not can_trace() then
      pending("strace cannot watch this build")
      return
    end
    for _, options in ipairs({ "nil", '{ tenant = "acme" }' }) do
      local syncs = syncs_of_job(options)
      assert.is_true(syncs > 0 and syncs <= 4, syncs) -- some may be one where all is slow
    end
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
    local lines = ("ledger_unwritable no no 0\n"):rep(4) .. "true\n"
    assert.equal(lines, result.output, result.errors)
  end)
end)
