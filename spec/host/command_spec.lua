--- The program `gptimage2`, as a shell runs it.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")

local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")

--- The command line of the program, as bin/gptimage2 is one.
local function program()
  local path = folder.new() .. "/program"
  folder.write(path, [[os.exit(require("gptimage2.command").main(arg))]])
  return ("%s %s "):format(LUA, path)
end

--- Output, errors included, and exit status.
local function run(args)
  local said = folder.run(program() .. args .. ' 2>&1; echo "status $?"')
  local text, status = said:match("^(.-)\n?status (%d+)%s*$")
  return text, tonumber(status)
end

describe("the program", function()
  after_each(folder.clean)

  it("tells its commands, and its version", function()
    local text, status = run("--help")
    assert.equal(0, status)
    assert.matches("sandbox", text)
    text, status = run("--version")
    assert.equal(0, status)
    assert.equal(gptimage2._VERSION, text)
    text, status = run("")
    assert.equal(2, status)
    assert.matches("usage: gptimage2", text)
    text, status = run("sandbocks")
    assert.equal(2, status)
    assert.matches("there is no command 'sandbocks'", text)
  end)

  local WRONG = {
    ["sandbox --prot 1"] = "unknown option '%-%-prot'; did you mean '%-%-port'?",
    ["sandbox --port"] = "%-%-port needs a value",
    ["sandbox --port=x"] = "%-%-port needs a number, not 'x'",
    ["sandbox 8080"] = "unknown option '8080'",
    ["sandbox --fault status"] = "%-%-fault: 'status' is not name=value",
  }
  for args, message in pairs(WRONG) do
    it("says what is wrong: " .. args, function()
      local text, status = run(args)
      assert.equal(2, status)
      assert.matches("^gptimage2 sandbox: " .. message, text)
    end)
  end

  it("says what the sandbox says", function()
    local text, status = run("sandbox --fault on=create,action=nothing")
    assert.equal(1, status)
    assert.matches("unknown action 'nothing'", text)
  end)

  it("runs a sandbox until it is ended", function()
    local place = folder.new()
    local out, pid_file = place .. "/out", place .. "/pid"
    local options = "--credits=30 --duration=0 --api-key other --image-size=16 "
      .. "--fault on=create,action=status,status=429,times=1"
    os.execute(("%ssandbox %s >%s 2>&1 & echo $! >%s"):format(program(), options, out, pid_file))
    local first
    for _ = 1, 200 do
      first = folder.read(out)
      if first and first:find("\n") then
        break
      end
      gptimage2.sleep(0.05)
    end
    local said = cjson.decode(first)
    assert.equal("other", said.api_key)
    local client = assert(gptimage2.new({
      api_key = said.api_key,
      base_url = said.url,
      poll = { first = 0.01, interval = 0.01 },
    }))
    local job = assert(client:generate({ prompt = "a cup", count = 2 }))
    assert.equal(10, job.balance.paid_credits)
    assert.equal(2, job.error == nil and #job.results)
    client:close()
    local pid = folder.read(pid_file):match("%d+")
    os.execute("kill " .. pid)
  end)
end)
