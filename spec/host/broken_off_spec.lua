--- Errors of the host's that come in the middle of a step: a watchdog's hook, Ctrl-C, a finalizer,
--- memory that is short. The step raises them, and the steps after it go on where it stopped:
--- whatever instruction it was, each save begins and ends once, and each task ends.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local save = require("gptimage2.files.save")
local support = require("spec.support")

local REQUEST = { prompt = "a cup" }

--- How many instructions there are in a life of one job is tried; in all of them, or a sample.
local ALL = os.getenv("GPTIMAGE2_SPEC_ALL") ~= nil
local SAMPLES = support.slow and 12 or 60

--- Instructions of steps until an error is raised in the middle of one; those there were.
local left, count = math.huge, 0

--- In the host's own functions it is no business of the library's.
local function is_here()
  return debug.getinfo(3, "S").source:find("broken_off_spec", 1, true)
end

local function on_instruction()
  count = count + 1
  left = left - 1
  if left <= 0 and not is_here() then
    left = math.huge
    error("watchdog", 0)
  end
end

local function watched_step()
  debug.sethook(on_instruction, "", 1)
  local handled = gptimage2.step(0.05)
  debug.sethook()
  return handled
end

--- Steps until `is_over()`, once with an error in the middle.
local function step_through(is_over)
  local limit = gptimage2.now() + 60
  while not is_over() do
    assert(gptimage2.now() < limit, "it never ends")
    local ok, err = pcall(watched_step)
    debug.sethook()
    if not ok then
      assert.matches("watchdog", err)
    end
  end
end

--- Does `one(n)` for many numbers of instructions after which it is broken off.
local function for_each_count(one)
  left, count = math.huge, 0
  one(0)
  local total, tried = count, 0
  local every = ALL and 1 or math.max(math.floor(total / SAMPLES), 1)
  for n = 1, total, every do
    left = n
    one(n)
    tried = tried + 1
  end
  left = math.huge
  return tried
end

describe("an error in the middle of a step", function()
  local saved, client, box, place

  before_each(function()
    saved = {}
    place = folder.new()
    client, box = support.pair({
      on_event = function(event)
        if event.type == "saved" then
          saved[event.job] = (saved[event.job] or 0) + 1
        end
      end,
    }, { credits = 1000000 })
  end)

  after_each(function()
    debug.sethook()
    support.clean()
    folder.clean()
  end)

  --- Expects that the job's own save was done once, and well.
  local function expect_saved(job, n)
    assert.is_nil(job.save_error, n)
    assert.equal(1, #assert(job.files, n))
    assert.equal("\137PNG", folder.read(job.files[1]):sub(1, 4))
    assert.equal(1, saved[job], n)
  end

  it("loses no save that was asked for with submit, and pending() says so", function()
    local tried = for_each_count(function(n)
      local job = assert(client:submit(REQUEST, { save = place }))
      step_through(function()
        return gptimage2.pending() == 0
      end)
      expect_saved(job, n)
    end)
    assert.equal(tried + 1, box:ledger().requests.image) -- none was fetched twice
  end)

  it("ends every task that saves, fetches and saves again", function()
    for_each_count(function(n)
      local job, bytes, again
      local task = gptimage2.spawn(function()
        job = assert(client:generate(REQUEST, { save = place }))
        bytes = assert(job:data())
        again = assert(job:save(place))
        coroutine.yield()
      end)
      local other = gptimage2.spawn(function()
        task:wait()
      end)
      step_through(function()
        return other:done()
      end)
      local well, err = pcall(other.wait, other)
      if well then
        assert.is_nil(job.save_error, n)
        assert.same(job.files, again)
        assert.is_true(bytes == folder.read(again[1]))
        assert.equal(2, saved[job], n)
      else -- where a hook is one of all coroutines
        assert.matches("watchdog", err)
      end
    end)
  end)

  it("gives a save up that never comes to its end, and says why", function()
    local job = assert(client:generate(REQUEST))
    job.results[1].image_url = {} -- what no host should do
    local saving = gptimage2.spawn(function()
      return job:save(place .. "/cup.png")
    end)
    local raised = 0
    while not saving:done() do
      local ok = pcall(gptimage2.step, 0.05)
      raised = raised + (ok and 0 or 1)
      assert(raised < 100)
    end
    local paths, err = saving:wait()
    assert.is_nil(paths)
    assert.equal("io", err.kind)
    assert.equal("interrupted", err.code)
    assert.equal(err, job.save_error)
    assert.equal(0, gptimage2.pending())
  end)
end)

describe("an error while a job is handed over", function()
  local client, place, told

  before_each(function()
    place = folder.new()
    client = support.pair({
      on_event = function(event)
        told = event.job
      end,
    }, { credits = 1000000 })
  end)

  after_each(function()
    debug.sethook()
    support.clean()
    folder.clean()
  end)

  --- Calls with an error at the n-th of the hook's events. Gives whether there was none, and the
  --- job that was handed over all the same.
  local function call_broken_off(call, n, mask, every)
    told, left = nil, n
    local ok, err = pcall(function()
      debug.sethook(on_instruction, mask, every)
      call()
      debug.sethook()
    end)
    debug.sethook()
    left = math.huge
    if not ok then
      assert.matches("watchdog", err)
    end
    local job = told or client:jobs()[1]
    local limit = gptimage2.now() + 60
    while gptimage2.pending() > 0 do
      assert(gptimage2.now() < limit, "it never ends")
      pcall(gptimage2.step, 0.05)
    end
    return ok, job
  end

  --- `expect(job, n)` for the first `most` of those places in the call that are behind the handing
  --- over.
  local function walk(call, most, expect)
    for mask, every in pairs({ [""] = 1, cr = 0 }) do
      local n, seen = 0, 0
      repeat
        n = n + 1
        local ok, job = call_broken_off(call, n, mask, every)
        if job then
          expect(job, n)
          seen = seen + 1
        end
      until ok or seen == most
      assert(seen > 1, "it is never behind it")
    end
  end

  local function expect_saved(job, n)
    assert.is_nil(job.save_error, n)
    assert.equal(1, #assert(job.files, n))
  end

  it("loses no save of submit", function()
    walk(function()
      client:submit(REQUEST, { save = place })
    end, 60, expect_saved)
  end)

  it("loses no save of generate", function()
    walk(function()
      client:generate(REQUEST, { save = place })
    end, 60, expect_saved)
  end)

  it("keeps a job that was only created", function()
    walk(
      function()
        client:create(REQUEST)
      end,
      60,
      function(job, n)
        assert.equal(job, core.created(client).jobs[job.id], n)
      end
    )
  end)

  it("leaves nothing behind of one that is refused", function()
    local small = support.pair({ budget = 5 })
    local by_job, holder = {}, {}
    local job, err = core.submit(small, "generate", {
      request = { prompt = "a cup", count = 1 },
      by_job = { [by_job] = true },
      holder = holder,
      key = "job",
    })
    assert.is_nil(job)
    assert.equal("budget_exceeded", err.code)
    assert.is_nil(next(by_job))
    assert.is_nil(next(holder))
    assert.equal(0, small.spent)
    assert.equal(0, gptimage2.pending())
  end)
end)

describe("an error while", function()
  after_each(function()
    debug.sethook()
    support.clean()
    folder.clean()
  end)

  local sethook = debug.sethook -- a global's name is looked up by instructions of the runner's

  local function broken_off(call, n)
    left, count = n, 0
    pcall(function()
      sethook(on_instruction, "", 1)
      call()
      sethook()
    end)
    sethook()
    left = math.huge
  end

  --- Calls with an error at each of the last `most` places, and `expect(n)` behind each.
  local function walk(most, call, expect)
    local last
    for _ = 1, 2 do -- what the first one prepares the others need not
      broken_off(call, math.huge)
      last = count
      expect(0)
    end
    assert(last > 20, "it is never broken off")
    for n = math.max(last - most, 1), last do
      broken_off(call, n)
      expect(n)
    end
  end

  --- Runs the tasks, and raises when that does not end. What they raise they may.
  local function run_tasks()
    local limit, late = gptimage2.now() + support.seconds(3), false
    repeat
      debug.sethook(function()
        if gptimage2.now() > limit then
          debug.sethook()
          late = true
          error("it never ends", 0)
        end
      end, "", 100)
      local ok = pcall(gptimage2.run)
      debug.sethook()
      assert(not late, "it never ends")
    until ok
  end

  it("a save begins holds up no later one of the job", function()
    local client = support.pair()
    local job, place = assert(client:generate(REQUEST)), folder.new()
    local config, how = { timeout = 60 }, { overwrite = true, sidecar = false }
    walk(60, function()
      save.start(job, place, how, config)
    end, function(n)
      local again = assert(save.start(job, place, how, config))
      support.finish(again)
      assert.equal(1, #assert(again:result()), n)
    end)
  end)

  it("a step wakes somebody does not forget who that is", function()
    support.pair()
    local n = 0
    repeat
      n = n + 1
      local task = gptimage2.spawn(coroutine.yield)
      left = n
      local ok = pcall(watched_step)
      debug.sethook()
      left = math.huge
      for _ = 1, 10 do
        pcall(gptimage2.step, 0)
      end
      assert(task:done(), n)
    until ok
    assert(n > 20, "it is never broken off")
  end)

  it("a task begins leaves none that never ends", function()
    local ended = 0
    walk(math.huge, function()
      gptimage2.spawn(function()
        gptimage2.sleep(0)
        ended = ended + 1
      end)
    end, run_tasks)
    assert(ended > 0)
  end)
end)

describe("a save in the middle of a save of the same job", function()
  after_each(support.clean)
  after_each(folder.clean)

  --- Saves `job` once more, and waits for it, at the n-th instruction of the module's own saving
  --- that a step comes to. Gives whether it came so far, and what that save gave.
  local function save_in_between(job, place, n)
    local reached, paths, err
    local at = 0
    local function on_save()
      local source = debug.getinfo(2, "S").source
      if not (source:find("files/save.lua", 1, true) or source:find("resume.lua", 1, true)) then
        return
      end
      at = at + 1
      if at == n then
        debug.sethook()
        reached = true
        paths, err = job:save(place)
      end
    end
    debug.sethook(on_save, "", 1)
    assert(gptimage2.step(0.05))
    debug.sethook()
    return reached, paths, err, at
  end

  --- Saves a new job in a task; a save to `other` comes at the n-th instruction. Gives whether it
  --- did, and how many instructions there were.
  local function try(job, n)
    local place = folder.new()
    local task = gptimage2.spawn(function()
      return job:save(place .. "/a")
    end)
    local reached, paths, err, total = false, nil, nil, 0
    support.step_until(function()
      if not reached then
        local seen
        reached, paths, err, seen = save_in_between(job, place .. "/b", n - total)
        total = total + seen
      end
      return task:done()
    end)
    assert(task:wait())
    if reached then
      assert(paths, tostring(err))
      assert.equal(place .. "/b/", paths[1]:sub(1, #place + 3))
      assert.truthy(folder.read(paths[1]))
    end
    return reached, total
  end

  it("waits for that, which goes on", function()
    local client = support.pair()
    local job = assert(client:generate(REQUEST))
    local _, total = try(job, math.huge)
    local nested = 0
    for n = 1, total, ALL and 1 or math.max(math.floor(total / SAMPLES), 1) do
      nested = nested + (try(job, n) and 1 or 0)
    end
    assert.is_true(nested > 5, nested)
    assert.equal(0, gptimage2.pending())
  end)
end)
