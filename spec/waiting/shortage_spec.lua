-- What this machine lacks (descriptors, memory, ports) is waited for: each case in a process of its
-- own.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")

local function creates(box)
  return box:ledger().requests.create
end

local PRELUDE = [[
local _, url, key, path, ca_file = ...
local gptimage2 = require("gptimage2")
local function new(options)
  options.api_key, options.base_url = key, url
  options.allow_private_references = true
  if options.verify_references == nil then
    options.verify_references = false
  end
  options.poll = options.poll or { first = 0.05, interval = 0.05 }
  return assert(gptimage2.new(options))
end
local function step_for(seconds)
  local till = gptimage2.now() + seconds
  while gptimage2.now() < till do
    gptimage2.step(0.01)
  end
end
local held = {}
local function exhaust()
  repeat
    local file = io.open("/dev/null")
    held[#held + 1] = file
  until not file
end
local function release()
  for i = 1, #held do
    held[i]:close()
  end
  held = {}
end
local function tell(job)
  print(job.status, job.attempts, job.error and job.error.kind or "-")
end
gptimage2.sleep(0) -- the thread is there
]]

local function run(code, box, environment, path, descriptors)
  local limit = [[sh -c 'ulimit -n %d; exec "$@"' sh]]
  limit = limit:format(descriptors or 64)
  environment = (environment or "") .. " " .. limit
  local result = child.run(PRELUDE .. code, { box.url, box.api_key, path or "" }, environment)
  assert.equal("", result.errors)
  return result.output
end

describe("without a descriptor", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("a create waits, as the first of a program, too", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1 })
      exhaust()
      local job = assert(client:submit({ prompt = "a cup" }))
      step_for(0.7)
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    assert.truthy(run(code, box):find("^%a+\t%d\t%-\nsucceeded\t1\t%-\n$"))
    assert.equal(1, creates(box))
  end)

  it("to spare, a thousand jobs at once are all made, with one create each", function()
    local box = support.sandbox({ credits = 100000 })
    local count = support.slow and 200 or 1000
    local code = [[
      local client, jobs = new({ max_active = 1000 }), {}
      for i = 1, COUNT do
        jobs[i] = assert(client:submit({ prompt = "a cup" }))
      end
      local made, attempts = 0, 0
      for _, job in ipairs(jobs) do
        job:wait()
        made = made + (job.status == "succeeded" and 1 or 0)
        attempts = attempts + job.attempts
      end
      print(made, attempts)
    ]]
    local said = run(code:gsub("COUNT", count), box, nil, nil, 24)
    assert.equal(("%d\t%d\n"):format(count, count), said)
    assert.equal(count, creates(box))
  end)

  it("the calls that read a ledger say what is short, and may be made again", function()
    local code = [[
      local client = new({ ledger = path })
      exhaust()
      local _, err = client:history()
      print(err.code, err.retryable, err.message:find("EMFILE", 1, true) ~= nil)
      _, err = client:recover()
      print(err.code, err.retryable)
      _, err = gptimage2.new({ api_key = key, base_url = url, ledger = path .. "2" })
      print(err.code, err.retryable)
      release()
      print(#assert(client:history()))
    ]]
    local said = run(code, support.sandbox(), nil, folder.new() .. "/jobs.db")
    local short = "ledger_unwritable\ttrue"
    assert.equal(("%s\ttrue\n%s\n%s\n0\n"):format(short, short, short), said)
  end)

  it("a create of a program that has made others waits", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1, max_active = 30 })
      assert(client:generate({ prompt = "a cup" }))
      exhaust()
      local jobs = {}
      for i = 1, 30 do
        jobs[i] = assert(client:submit({ prompt = "a cup" }))
      end
      step_for(2) -- so that they are tried meanwhile, on a busy machine too
      release()
      local made, attempts = 0, 0
      for _, job in ipairs(jobs) do
        job:wait()
        made = made + (job.status == "succeeded" and 1 or 0)
        attempts = attempts + job.attempts
      end
      print(made, attempts)
    ]]
    assert.equal("30\t30\n", run(code, box))
    assert.equal(31, creates(box))
  end)

  it("a poll waits", function()
    local box = support.sandbox()
    box:fault({ on = "poll", action = "close", times = 3 })
    local code = [[
      local client = new({ poll = { first = 0.3, interval = 0.05 } })
      local job = assert(client:submit({ prompt = "a cup" }))
      while not job.id do
        gptimage2.step(0.01)
      end
      exhaust()
      step_for(1.5)
      exhaust() -- what its connection had
      step_for(1)
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    assert.equal("pending\t1\t-\nsucceeded\t1\t-\n", run(code, box))
  end)

  it("only the deadline ends it, and says why", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ max_attempts = 1 })
      exhaust()
      local job, err = client:generate({ prompt = "a cup" }, { timeout = 1 })
      local why = err.message:match("ulimit %-n")
      print(err.kind, err.sent, err.charged, err.attempts, why)
    ]]
    assert.equal("timeout\tno\tno\t0\tulimit -n\n", run(code, box))
    assert.equal(0, creates(box))
  end)

  it("all say so that wait, whoever met it", function()
    local code = [[
      local client, jobs = new({ max_active = 40 }), {}
      exhaust()
      for i = 1, 40 do
        jobs[i] = assert(client:submit({ prompt = "a cup" }, { timeout = 1 }))
      end
      local said = 0
      for _, job in ipairs(jobs) do
        job:wait()
        said = said + (job.error.message:match("ulimit %-n") and 1 or 0)
      end
      print(said)
    ]]
    assert.equal("40\n", run(code, support.sandbox()))
  end)

  it("a look at a reference waits", function()
    local box = support.sandbox()
    local code = [[
      local client = new({ verify_references = true })
      local request = { prompt = "a cup", image_urls = { path .. "/reference/cup.png" } }
      if path ~= url then
        assert(client:generate({ prompt = "a cup" })) -- libcurl is there
      end
      exhaust()
      local late, err = client:generate(request, { timeout = 0.5 })
      print(late, err.kind, err.message:match("ulimit %-n"))
      local job = assert(client:submit(request))
      step_for(path ~= url and 2.5 or 0.5) -- or longer than a second try would wait
      tell(job)
      release()
      job:wait()
      tell(job)
    ]]
    local said = "nil\ttimeout\tulimit -n\nqueued\t0\t-\nsucceeded\t1\t-\n"
    assert.equal(said, run(code, box, nil, box.url))
    local other = support.sandbox()
    assert.equal(said, run(code, box, nil, other.url))
    assert.equal(1, box:ledger().requests.reference)
    assert.equal(1, other:ledger().requests.reference)
  end)

  it("a picture waits for its connection, and for its file", function()
    local box = support.sandbox()
    box:fault({ on = "image", action = "close" })
    local path = folder.new()
    local code = [[
      local client = new({})
      local job = assert(client:generate({ prompt = "a cup" }))
      exhaust()
      local paths, err
      local saving = gptimage2.spawn(function()
        paths, err = job:save(path)
      end)
      step_for(1.5)
      exhaust()
      step_for(0.5)
      print(saving:done(), paths, err)
      release()
      gptimage2.run()
      print(paths and #paths, err)
    ]]
    assert.equal("false\tnil\tnil\n1\tnil\n", run(code, box, nil, path))
  end)
end)

describe("a machine that is short", function()
  after_each(support.clean)

  local LIBRARY = os.getenv("GPTIMAGE2_SPEC_LUA"):gsub("lua/[^/]+/lua$", "tools/short.so")

  if support.slow then -- a sanitizer's launcher has the last word on LD_PRELOAD
    return
  end

  for lacking, word in pairs({ port = "EADDRNOTAVAIL", memory = "ENOBUFS" }) do
    it("of " .. lacking .. " lets jobs wait", function()
      local box = support.sandbox()
      local path = os.tmpname()
      local code = [[
        local client = new({ max_attempts = 1 })
        local _, err = client:generate({ prompt = "a cup" }, { timeout = 2 })
        print(err.kind, err.sent, err.charged, err.message:match("%(([A-Z]+)%)"))
        local job = assert(client:submit({ prompt = "a cup" }))
        step_for(0.5)
        os.remove(path)
        job:wait()
        tell(job)
      ]]
      local environment = ("SHORT=%s SHORT_WHILE=%s LD_PRELOAD=%s"):format(lacking, path, LIBRARY)
      local said = run(code, box, environment, path)
      os.remove(path)
      assert.equal(("timeout\tno\tno\t%s\nsucceeded\t1\t-\n"):format(word), said)
      assert.equal(1, creates(box))
    end)
  end
end)
