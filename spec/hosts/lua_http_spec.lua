--- examples/lua_http on the real lua-http.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local load = require("spec.helpers.load")
local server = require("spec.helpers.server")
local support = require("spec.support")

local LUA = server.BUILD .. "/lua/jit/lua"

local function missing()
  if not server.has_module("jit") then
    return "this build has no module for LuaJIT"
  end
  local said = folder.run(folder.quote(LUA) .. " -e 'require([[http.server]])' && echo there")
  if said ~= "there" then
    return "LuaJIT has no lua-http: " .. said:match("[^\n]*")
  end
end

local why = missing()

local function it_there(name, fn)
  it(name, function()
    if why then
      pending(why)
      return
    end
    fn()
  end)
end

describe("examples/lua_http", function()
  local box, web

  local function start(options)
    box = support.sandbox(options)
    local _, port = support.nowhere()
    local text =
      "env GPTIMAGE2_API_KEY=%s GPTIMAGE2_BASE_URL=%s %s %s/examples/lua_http/server.lua %d"
    local command = text:format(box.api_key, box.url, folder.quote(LUA), server.ROOT, port)
    web = server.start(folder.new(), command, "http://127.0.0.1:" .. port)
    web:await("/")
  end

  after_each(function()
    if web then
      assert.is_nil(web:output():find(support.KEY, 1, true), web:output())
    end
    web = nil
    server.clean()
  end)

  it_there("gives the picture of a prompt, and says what is wrong", function()
    start()
    local answer = curl.fetch(("--data 'a cup of tea' %s/render"):format(web.url))
    assert.equal(200, answer.status, answer.body .. web:output())
    assert.matches("cache%-control: no%-store", answer.head)
    assert.equal("\137PNG", curl.fetch((answer.body:gsub("\n", ""))).body:sub(1, 4))
    answer = curl.fetch(("--data ' ' %s/render"):format(web.url))
    assert.equal(400, answer.status)
    assert.equal("prompt_required\n", answer.body)
    box:fault({ on = "create", action = "status", status = 402 })
    answer = curl.fetch(("--data 'a cup' %s/render"):format(web.url))
    assert.equal(402, answer.status)
    assert.equal("insufficient_credits\n", answer.body)
    assert.equal(1, #box:ledger().jobs)
  end)

  it_there("lets 200 wait at once, and answers others meanwhile", function()
    start({ duration = 1, credits = 100000 })
    local urls = {}
    for i = 1, 200 do
      urls[i] = web.url .. "/render"
    end
    load.run({
      load.parallel(web.dir, "many", urls, "--data 'a cup'"),
      load.series(web.dir, "ping", web.url .. "/", 1000),
    })
    assert.same({ [200] = 200 }, (load.results(web.dir, "many")))
    assert.equal(200, #box:ledger().jobs)
    local statuses, times = load.results(web.dir, "ping")
    assert.same({ [404] = 1000 }, statuses)
    -- A server that stood still for the first of them would have stood still for a second.
    assert.is_true(times[math.ceil(#times / 2)] < 0.2, tostring(times[#times]))
  end)

  it_there("goes on when clients have gone away", function()
    start({ duration = 1 })
    local urls = {}
    for i = 1, 20 do
      urls[i] = web.url .. "/render"
    end
    load.run({ load.parallel(web.dir, "gone", urls, "--data 'a cup' --max-time 0.3") })
    assert.is_nil((load.results(web.dir, "gone"))[200])
    local answer = curl.fetch(("--data 'a cup' %s/render"):format(web.url))
    assert.equal(200, answer.status, answer.body .. web:output())
  end)
end)
