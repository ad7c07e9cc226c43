-- Several processes spend on one ledger: what each may touch, and who is kept away.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local locker = require("spec.helpers.locker")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")

--- Opens a ledger, says so or why not, and does what it is told line by line: its own pid first.
local OTHER = [[
  local pid, url, key, path, retry, orders = ...
  local gptimage2 = require("gptimage2")
  local client, err = gptimage2.new({
    api_key = key, base_url = url, ledger = path, retry = retry, timeout = 600,
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
  })
  print(pid, client and "open" or err.code)
  io.stdout:flush()
  if not client then return end
  local jobs = {}
  for line in io.lines(orders) do
    local what, n = line:match("(%a+) ?(%d*)")
    for i = 1, tonumber(n) or 1 do
      if what == "submit" then
        jobs[#jobs + 1] = assert(client:submit({ prompt = pid .. " " .. i }))
      elseif what == "recover" then
        for _, job in ipairs(assert(client:recover())) do jobs[#jobs + 1] = job end
      elseif what == "wait" then
        while gptimage2.pending() > 0 do gptimage2.step(0.05) end
      elseif what == "stay" then
        while true do gptimage2.step(0.05) end
      end
    end
  end
  local told = {}
  for _, job in ipairs(jobs) do
    local how = job.error and job.error.code or job.status
    told[how] = (told[how] or 0) + 1
  end
  for how, count in pairs(told) do print(how, count) end
  client:close()
]]

local function kill(pid, signal)
  folder.run(("kill -%s %s"):format(signal or "KILL", pid))
end

local running = {}

--- A process that carries out these orders; what it said first, "open" or a code.
local function start(box, path, orders, retry, environment)
  local file = folder.new() .. "/orders" -- each its own: one may not have read them yet
  folder.write(file, table.concat(orders, "\n") .. "\n")
  local words = { box.url, box.api_key, path, retry or "documented", file }
  local process = child.start(OTHER, words, environment)
  local pid, said = (process:line() or ""):match("^(%d+)\t([%w_]+)$")
  process.pid = pid
  running[#running + 1] = process
  return process, said
end

local function finish(process)
  local result = process:finish()
  for i, one in ipairs(running) do
    if one == process then
      table.remove(running, i)
      break
    end
  end
  local told = {}
  for how, count in result.output:gmatch("([%w_]+)\t(%d+)") do
    told[how] = tonumber(count)
  end
  return told, result
end

--- Ends those that an error left.
local function clean()
  for _, process in ipairs(running) do
    kill(process.pid)
    process:finish()
  end
  running = {}
end

--- Whether a ledger can be shared on this system.
local function is_shared()
  return not os.getenv("GPTIMAGE2_SPEC_POSIX")
end

local function it_shares(what, test)
  it(what, function()
    if is_shared() then
      test()
    else
      pending("this system's locks do not tell who lives")
    end
  end)
end

describe("a ledger of several processes", function()
  after_each(support.clean)
  after_each(locker.clean)
  after_each(folder.clean)
  after_each(clean)

  it_shares("is spent on by all of them at once", function()
    local client, box, path = book.pair({}, { credits = 1000 })
    local other, said = start(box, path, { "submit 5", "wait" })
    assert.equal("open", said)
    for _ = 1, 5 do
      assert(client:generate(CUP))
    end
    assert.same({ succeeded = 5 }, (finish(other)))
    assert.equal(10, #book.rows(path))
    assert.equal(10, box:ledger().requests.create)
  end)

  it_shares("leaves each its own jobs", function()
    local client, box, path = book.pair({}, { duration = 1000 })
    local other = start(box, path, { "submit 3", "stay" })
    support.step_until(function()
      return #assert(client:history({ state = "accepted" })) == 3
    end)
    local key = book.rows(path)[1].key
    assert.same({}, assert(client:recover()))
    for _, what in ipairs({ "abandon", "resend" }) do
      local job, err = client:resolve(key, what)
      assert.is_nil(job)
      assert.equal("not_unknown", err.code)
      assert.truthy(err.message:find("another program", 1, true))
    end
    kill(other.pid)
    finish(other)
    local jobs = assert(client:recover())
    assert.equal(3, #jobs)
    assert.same({}, assert(client:recover()))
    box:advance(1000)
    for _, job in ipairs(jobs) do
      assert.equal("succeeded", support.finish(job).status)
    end
    assert.equal(3, box:ledger().requests.create)
  end)

  it_shares("gives what somebody left to one of those who ask for it", function()
    local client, box, path = book.pair({}, { duration = 1000 })
    for i = 1, 6 do
      assert(client:submit({ prompt = "cup " .. i }))
    end
    support.step_until(function()
      return #assert(client:history({ state = "accepted" })) == 6
    end)
    client:close()
    support.step_until(function() -- its rows are nobody's once it has ended
      return gptimage2.pending() == 0
    end)
    box:advance(1000)
    local others, sum = {}, 0
    for i = 1, 4 do
      others[i] = start(box, path, { "recover", "wait" })
    end
    for _, other in ipairs(others) do
      local told, result = finish(other)
      assert.equal(0, result.exit, result.errors)
      sum = sum + (told.succeeded or 0)
      told.succeeded = nil
      assert.same({}, told)
    end
    assert.equal(6, sum)
    assert.equal(6, box:ledger().requests.create)
  end)

  it_shares("leaves what one has ended with to all", function()
    local client, box, path = book.pair({ timeout = 0.3 }, { duration = 1000 })
    local _, err = client:generate(CUP)
    assert.equal("timeout", err.kind)
    local other = start(box, path, { "recover", "wait" })
    support.step_until(function()
      return box:ledger().requests.poll > 0 and book.row(path).owner
    end)
    assert.is_true(book.row(path).elsewhere)
    assert.same({}, assert(client:recover()))
    box:advance(1000)
    assert.same({ succeeded = 1 }, (finish(other)))
    assert.equal("succeeded", book.row(path).state)
  end)

  it_shares("gives back what its budget did not allow", function()
    local url, port = support.nowhere()
    local path = book.path()
    local other = start({ url = url, api_key = support.KEY }, path, { "submit 3", "stay" })
    support.step_until(function()
      return folder.read(path) and #book.rows(path) == 3
    end)
    kill(other.pid)
    finish(other)
    local box = support.sandbox({ port = port })
    local poor = book.open(box, path, { budget = 10 })
    local jobs = assert(poor:recover())
    assert.equal(3, #jobs)
    for _, job in ipairs(jobs) do
      support.finish(job)
    end
    assert.equal("budget", jobs[3].error.kind)
    assert.same({ succeeded = 2 }, (finish(start(box, path, { "recover", "wait" }))))
    assert.equal(3, box:ledger().requests.create)
  end)

  it_shares("keeps a tenant's budget over all of them", function()
    local client, box, path = book.pair({}, { credits = 1000 })
    assert(client:tenant("acme", { budget = 50 }))
    local code = [[
      local _, url, key, path = ...
      local gptimage2 = require("gptimage2")
      local client = assert(gptimage2.new({ api_key = key, base_url = url, ledger = path,
        poll = { first = 0.02, interval = 0.02, max = 0.02 } }))
      local told = {}
      for i = 1, 4 do
        local job, err = client:generate({ prompt = "a cup" }, { tenant = "acme" })
        print(job and job.status or err.code)
      end
    ]]
    local others, made, refused = {}, 0, 0
    for i = 1, 3 do
      others[i] = child.start(code, { box.url, box.api_key, path })
    end
    for _, other in ipairs(others) do
      local result = other:finish()
      made = made + select(2, result.output:gsub("succeeded\n", ""))
      refused = refused + select(2, result.output:gsub("tenant_budget_exceeded\n", ""))
    end
    assert.same({ 5, 7 }, { made, refused })
    assert.equal(50, assert(client:tenant("acme")).spent)
  end)

  it_shares("is not opened through a bind mount of the file alone", function()
    local client, box, path = book.pair()
    local mounted = folder.new() .. "/mounted.db"
    folder.write(mounted, "")
    local from, to = folder.quote(path), folder.quote(mounted)
    local said = folder.run(("mount --bind %s %s"):format(from, to))
    if said ~= "" then
      pending("nothing can be mounted here: " .. said)
      return
    end
    local _, outside = start(box, mounted, {})
    local _, inside = book.try(box, mounted)
    assert(client:generate(CUP))
    client:close()
    support.step_until(function()
      return gptimage2.pending() == 0
    end)
    local _, later = start(box, mounted, {}) -- nobody has it open, and it may have a log there
    local _, ours = book.try(box, mounted)
    assert.equal("", folder.run("umount " .. to))
    assert.equal("ledger_elsewhere", outside)
    assert.same({ "ledger_elsewhere", "ledger_elsewhere" }, { later, ours.code })
    assert.equal("ledger_locked", inside.code)
    assert.equal(1, #book.rows(path))
  end)

  it_shares("is not opened under another name", function()
    local _, box, path = book.pair()
    local moved = path .. ".moved"
    assert(os.rename(path, moved))
    assert.equal("ledger_elsewhere", select(2, start(box, moved, {})))
    local linked = folder.new() .. "/renders.db"
    assert.equal("", folder.run(("ln %s %s"):format(folder.quote(moved), folder.quote(linked))))
    assert(os.remove(moved))
    assert.equal("ledger_elsewhere", select(2, start(box, linked, {})))
  end)

  it_shares("may be one's alone", function()
    local _, box, path = book.pair()
    local code = [[
      local _, url, key, path = ...
      local _, err = require("gptimage2").new({
        api_key = key, base_url = url, ledger = path, ledger_alone = true })
      print(err and err.code, err and err.retryable)
    ]]
    local result = child.run(code, { box.url, box.api_key, path })
    assert.equal("ledger_locked\ttrue\n", result.output, result.errors)
  end)

  it("is waited for by what must be durable, while somebody else writes", function()
    local client, _, path = book.pair()
    local release = locker.hold(path)
    local row, err
    gptimage2.spawn(function()
      gptimage2.sleep(0.2)
      release()
    end)
    gptimage2.spawn(function()
      row, err = client:tenant("acme", { budget = 10 })
    end)
    gptimage2.run()
    assert(row, err)
    assert.equal(10, row.budget)
  end)

  it("is not shared where it comes over a network", function()
    if support.slow or not is_shared() then
      return -- a sanitizer's launcher has the last word on LD_PRELOAD
    end
    local preload = "LD_PRELOAD=" .. LUA:gsub("lua/[^/]+/lua$", "tools/far_disk.so")
    local box, path = support.sandbox(), book.path()
    local first, said = start(box, path, { "submit", "stay" }, nil, preload)
    assert.equal("open", said)
    assert.equal("ledger_locked", select(2, start(box, path, {}, nil, preload)))
    assert.equal("ledger_locked", select(2, book.try(box, path)).code) -- whatever that thinks
    kill(first.pid)
    finish(first)
    assert.equal("open", select(2, start(box, path, {}, nil, preload)))
    assert.is_nil(assert(core.ledger_rows(path, {}))[1].owner)
  end)
end)
