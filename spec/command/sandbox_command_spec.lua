--- `gptimage2 sandbox`.

local child = require("spec.helpers.child")
local cjson = require("cjson")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")

describe("gptimage2 sandbox", function()
  after_each(folder.clean)

  it("says what the sandbox says", function()
    local said = commands.run("sandbox --fault on=create,action=nothing")
    assert.equal(2, said.status)
    assert.matches("%-%-fault: .*unknown action 'nothing'", said.err)
    for args, words in pairs({
      ["--tls --certificate bad"] = "certificate",
      ["--port 99999"] = "port",
      ["--image-size 0"] = "image_size",
    }) do
      said = commands.run("sandbox " .. args)
      assert.equal(2, said.status, args)
      assert.matches(words, said.err)
      assert.is_nil(said.err:find("bad argument", 1, true))
    end
  end)

  -- A signal is counted; one that comes between the look at the count and the step wakes nobody.
  it("ends by a signal that comes just before it stands still", function()
    local result = child.run([[
      local core = require("gptimage2.core")
      local gptimage2 = require("gptimage2")
      local step = gptimage2.step
      local sent = false
      function gptimage2.step(timeout)
        if not sent then
          sent = true
          os.execute("kill -TERM $PPID")
        end
        return step(math.min(timeout, 20))
      end
      core.signals.catch()
      local before = gptimage2.now()
      require("gptimage2.command.parts.loop").until_interrupted()
      print(gptimage2.now() - before < 15)
    ]])
    assert.equal("true\n", result.output)
  end)

  it("runs a sandbox until it is ended", function()
    local place = folder.new()
    local out, pid_file, status = place .. "/out", place .. "/pid", place .. "/status"
    local options = "sandbox --credits=30 --duration=0 --api-key other --image-size=16 --tls "
      .. "--fault on=create,action=status,status=429,times=1"
    local inner = ("{ sh -c %s >%s & echo $! >%s; wait $!; echo $? >%s; } &"):format(
      folder.quote(commands.line(options)),
      out,
      pid_file,
      status
    )
    os.execute(inner)
    local function await(path)
      for _ = 1, 400 do
        local text = folder.read(path)
        if text and text:find("\n") then
          return text
        end
        gptimage2.sleep(0.05)
      end
    end
    local said = cjson.decode(await(out))
    assert.equal("other", said.api_key)
    local client = assert(gptimage2.new({
      api_key = said.api_key,
      base_url = said.url,
      ca_file = said.ca_file,
      poll = { first = 0.01, interval = 0.01 },
    }))
    local job = assert(client:generate({ prompt = "a cup", count = 2 }))
    assert.equal(10, job.balance.paid_credits)
    assert.equal(2, job.error == nil and #job.results)
    client:close()
    os.execute("kill " .. folder.read(pid_file):match("%d+"))
    assert.equal("130\n", await(status))
    assert.is_nil(folder.read(said.ca_file))
  end)
end)
