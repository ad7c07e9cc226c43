-- Safeguards that show only from outside: which connection, which calls of the system.

local child = require("spec.helpers.child")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }

describe("a create", function()
  after_each(support.clean)

  it("takes no connection that lay idle for more than two seconds", function()
    local client, box = support.pair()
    assert(client:create(CUP))
    gptimage2.sleep(3.2) -- libcurl counts whole seconds
    local before = box:ledger().connections
    assert(client:create(CUP))
    assert.equal(before + 1, box:ledger().connections)
  end)

  it("answered with a whole reply that is broken has no job id from it", function()
    local client, box = support.pair()
    box:fault({ on = "create", action = "body", body = '{"jobId":"8b93b17d",,"status":"pending"}' })
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("unreadable_reply", err.code)
    assert.equal("unknown", err.charged)
    assert.is_nil(err.job_id)
    assert.equal(0, box:ledger().requests.poll)
  end)
end)

describe("what the service names", function()
  after_each(support.clean)

  it("is a job by an id of at most 256 bytes", function()
    local client, box = support.pair()
    local longest = ("a"):rep(256)
    assert.equal(longest, assert(client:job(longest)).id)
    assert.equal("invalid_job_id", select(2, client:job(longest .. "a")).code)
    box:fault({ on = "create", action = "body", body = ('{"jobId":"%sa"}'):format(longest) })
    assert.equal("job_id_missing", select(2, client:generate(CUP)).code)
  end)

  it("is a picture by a URL of at most 2 KiB", function()
    local url = "https://images.example/"
    assert(core.url(url .. ("a"):rep(2048 - #url)))
    assert.is_nil((core.url(url .. ("a"):rep(2049 - #url))))
  end)
end)

describe("a picture", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("whose second part ends early is not taken for whole", function()
    local client, box = support.pair(nil, { image_bytes = 200000 })
    local job = assert(client:generate(CUP))
    local whole = assert(job:data())
    box:fault({ on = "image", action = "truncate", bytes = 50000 })
    box:fault({
      on = "image",
      action = "status",
      status = 206,
      body = whole:sub(50001, 60000),
      headers = { ["Content-Range"] = "bytes 50000-59999/200000" },
    })
    assert.is_true(whole == job:data())
  end)

  --- The calls that save one picture, as strace tells them.
  local function trace_save(calls)
    local box, log = support.sandbox(), os.tmpname()
    local code = [[
      local gptimage2 = require("gptimage2")
      local _, url, key, into = ...
      local client = assert(gptimage2.new({
        api_key = key, base_url = url, poll = { first = 0.02, interval = 0.02, max = 0.02 },
      }))
      assert(client:generate({ prompt = "a cup" }, { save = { into, sidecar = false } }))
      client:close()
      print("saved")
    ]]
    local strace = ("strace -f -o %s -e trace=%s"):format(log, calls)
    local result = child.run(code, { box.url, box.api_key, folder.new() }, strace)
    assert.equal("saved\n", result.output, result.errors)
    local lines = {}
    for line in io.lines(log) do
      lines[#lines + 1] = line
    end
    os.remove(log)
    return lines
  end

  local function cannot_trace()
    if support.slow or folder.run("strace -o /dev/null true && echo yes") ~= "yes" then
      pending("strace cannot watch this build")
      return true
    end
  end

  it("is on the disk before it has its name, and its name before it is told", function()
    if cannot_trace() then
      return
    end
    local order = {}
    local naming = os.getenv("GPTIMAGE2_SPEC_POSIX") and "linkat" or "renameat2"
    for _, line in ipairs(trace_save("fsync," .. naming)) do
      local call = line:match("^%d+ +(%w+)%(")
      if call then
        order[#order + 1] = call
      end
    end
    assert.equal(("fsync %s fsync"):format(naming), table.concat(order, " "))
  end)

  it("is made exclusively, and through no symbolic link", function()
    if cannot_trace() then
      return
    end
    local made = 0
    for _, line in ipairs(trace_save("openat")) do
      if line:find(".part", 1, true) then
        made = made + 1
        assert.truthy(line:find("O_EXCL", 1, true), line)
        assert.truthy(line:find("O_NOFOLLOW", 1, true), line)
      end
    end
    assert.equal(2, made) -- the first only tries whether that is possible, before the job is paid
  end)
end)
