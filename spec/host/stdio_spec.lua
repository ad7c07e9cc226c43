--- A host whose standard streams are closed when it starts, as a daemon's or a cron job's may be.

local support = require("spec.support")

local LUA = assert(os.getenv("GPTIMAGE2_SPEC_LUA"), "run the specs with build/lua/<version>/lua")

-- valgrind's own launcher is a script that does not start without its standard error.
local ERRORS = os.getenv("GPTIMAGE2_SPEC_VARIANT") == "valgrind" and "2>/dev/null" or "2>&-"
local CLOSED = { "<&- >&- " .. ERRORS, "<&- >/dev/null 2>/dev/null", "</dev/null >&- " .. ERRORS }

-- Reads from and writes to its streams all the time, as if they were there.
local HOST = [[
local path, url, key = ...
local ok, what = pcall(function()
  local gptimage2 = require("gptimage2")
  local box = not url and assert(require("gptimage2.sandbox").start({ duration = 0 }))
  local client = assert(gptimage2.new({
    base_url = url or box.url,
    api_key = key or box.api_key,
    poll = { first = 0.01, interval = 0.01 },
  }))
  local job = client:submit({ prompt = "a cup" }, { save = { path .. ".png", sidecar = false } })
  local limit = gptimage2.now() + 20
  local heard
  repeat
    heard = heard or io.read(8)
    io.write("12345678")
    io.flush()
    io.stderr:write("12345678")
    gptimage2.step(0.01)
  until gptimage2.pending() == 0 or gptimage2.now() > limit
  return ("%s, files: %d, heard: %s"):format(job.status, #(job.files or {}), tostring(heard))
end)
local report = assert(io.open(path, "w")) -- not before: it is one of the three where one is closed
report:write(tostring(what))
report:close()
os.exit(ok)
]]

local function take(path)
  local file = io.open(path, "rb")
  local text = file and file:read("*a")
  if file then
    file:close()
  end
  os.remove(path)
  return text
end

local function run_with(streams, ...)
  local script, report = os.tmpname(), os.tmpname()
  local file = assert(io.open(script, "wb"))
  file:write(HOST)
  file:close()
  local words = table.concat({ LUA, script, report, ... }, "' '")
  os.execute(("'%s' %s"):format(words, streams))
  os.remove(script)
  local picture = take(report .. ".png")
  return take(report), picture
end

local function must_be_apart(streams, ...)
  local report, picture = run_with(streams, ...)
  assert.equal("succeeded, files: 1, heard: nil", report)
  assert.equal("\137PNG\r\n\26\n", picture:sub(1, 8))
  assert.is_nil(picture:find("12345678", 1, true))
end

describe("a host with closed standard streams", function()
  after_each(support.clean)

  for _, streams in ipairs(CLOSED) do
    it("keeps them apart from the module's descriptors: " .. streams, function()
      local box = support.sandbox({ duration = 0 })
      must_be_apart(streams, box.url, box.api_key)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("keeps them apart from the sandbox's: " .. streams, function()
      must_be_apart(streams)
    end)
  end
end)
