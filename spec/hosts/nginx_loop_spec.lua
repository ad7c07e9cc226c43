--- Waiting inside of nginx: 200 at once, phases, tasks, clients that go away, the end of workers.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local host = require("spec.host")
local load = require("spec.helpers.load")
local nginx = require("spec.helpers.nginx")
local server = require("spec.helpers.server")
local support = require("spec.support")

local found, missing = nginx.find()

local function it_there(name, fn)
  it(name, function()
    if not found then
      pending("no nginx: " .. missing)
      return
    end
    fn()
  end)
end

local LOCATION = [[
    location = /spec/%s {
      default_type text/plain;
      %s_by_lua_block {
        require("nginx_routes").%s
      }
    }
]]

--- So many that they are asked as long as the 200 wait, and while they come and go.
local PINGS = 4000

local ROUTES = {}
for _, name in ipairs({
  "generate",
  "waits",
  "tasks",
  "handlers",
  "threads",
  "run",
  "outlives",
  "others",
  "state",
}) do
  ROUTES[#ROUTES + 1] = LOCATION:format(name, "content", name .. "()")
end
ROUTES[#ROUTES + 1] = LOCATION:format("access", "access", "generate() ngx.exit(200)")
ROUTES[#ROUTES + 1] = LOCATION:format("rewrite", "rewrite", "generate() ngx.exit(200)")
ROUTES[#ROUTES + 1] = LOCATION:format("noted", "content", "noted(ngx.var.arg_phase)")
ROUTES[#ROUTES + 1] = LOCATION:format("log", "log", 'note("log")')
ROUTES[#ROUTES + 1] = LOCATION:format("header_filter", "header_filter", 'note("header_filter")')
ROUTES[#ROUTES + 1] = LOCATION:format("body_filter", "body_filter", 'note("body_filter")')
ROUTES[#ROUTES + 1] = LOCATION:format("abandoned", "content", "abandoned()")
  :gsub("default_type", "lua_check_client_abort on;\n      default_type")

--- The example's configuration with these routes beside its own.
local function with_routes(conf)
  local place = "    location / {\n      return 404;"
  conf = nginx.replace(conf, place, table.concat(ROUTES) .. place)
  local path = 'lua_package_path "'
  return nginx.replace(conf, path, path .. server.ROOT .. "/spec/helpers/?.lua;")
end

describe("nginx", function()
  local box, web

  local function start(options, edit, workers)
    box = support.sandbox(options)
    web = nginx.start(box, {
      customers = nginx.customer("ada", 1000000, 100000),
      workers = workers,
      edit = function(conf)
        conf = with_routes(conf)
        return edit and edit(conf) or conf
      end,
    })
  end

  local function get(path)
    local answer = curl.fetch(web.url .. path)
    assert.equal(200, answer.status, answer.body .. nginx.logs(web))
    return (answer.body:gsub("\n$", ""))
  end

  --- The timer that steps is gone once nobody waits.
  local function assert_idle()
    support.step_until(function()
      host.pause(0.01)
      return get("/spec/state") == "0 timers, 0 pending"
    end)
  end

  local function urls(path, count)
    local list = {}
    for i = 1, count do
      list[i] = web.url .. path
    end
    return list
  end

  --- Starts clients that go on while the test does; the function waits for their end.
  local function begin(name, path, count, arguments)
    local command = load.parallel(web.dir, name, urls(path, count), arguments or "")
    local pipe = assert(io.popen(command))
    return function()
      pipe:read("*a")
      pipe:close()
      return load.results(web.dir, name)
    end
  end

  local function await_jobs(count)
    support.step_until(function()
      host.pause(0.005)
      return (box:ledger().requests.create or 0) >= count
    end)
  end

  after_each(server.clean)

  it_there("lets 200 wait at once in one worker, and serves others meanwhile", function()
    start({ duration = 0.5, credits = 100000 })
    get("/spec/generate")
    local best, idle = math.huge, nil
    for _ = 1, 3 do
      load.run({ load.series(web.dir, "quiet", web.url .. "/ping", PINGS) })
      local _, quiet = load.results(web.dir, "quiet")
      load.run({
        load.parallel(web.dir, "many", urls("/spec/generate", 200), ""),
        load.series(web.dir, "ping", web.url .. "/ping", PINGS),
      })
      assert.same({ [200] = 200 }, (load.results(web.dir, "many")))
      for i = 1, 200 do
        assert.equal("succeeded\n", load.body(web.dir, "many", i))
      end
      local statuses, busy = load.results(web.dir, "ping")
      assert.same({ [200] = PINGS }, statuses)
      if load.p99(busy) < best then
        best, idle = load.p99(busy), load.p99(quiet)
      end
    end
    print(
      ("nginx: ping p99 %.1f ms beside 200 waiting, %.1f ms idle"):format(best * 1e3, idle * 1e3)
    )
    assert.is_true(best < 0.05 or best < 3 * idle, ("p99 %g s, idle %g s"):format(best, idle))
    assert_idle()
  end)

  it_there("answers 200 customers at once through one worker", function()
    start({ duration = 0.5, credits = 100000 })
    local arguments = "-H 'Authorization: Bearer token-of-ada' "
    local made = begin("post", "/api/render", 200, arguments .. [[--data '{"prompt":"a cup"}']])
    assert.same({ [202] = 200 }, (made()))
    local ids, known = {}, {}
    for i = 1, 200 do
      local id = assert(curl.field(load.body(web.dir, "post", i), "jobId"))
      assert.is_nil(known[id])
      known[id] = true
      ids[i] = web.url .. "/api/render/" .. id
    end
    assert.equal(200, #box:ledger().jobs)
    box:advance(1)
    load.run({ load.parallel(web.dir, "poll", ids, arguments) })
    assert.same({ [200] = 200 }, (load.results(web.dir, "poll")))
    for i = 1, 200 do
      assert.matches('"status":"succeeded"', load.body(web.dir, "poll", i))
    end
    assert.equal(401, curl.count(folder.read(web.dir .. "/logs/audit.log") .. "\n", "\n"))
    assert_idle()
  end)

  it_there("does not keep the processor busy for those who wait", function()
    start({ duration = 3600 })
    local finish = begin("waiting", "/spec/generate", 50, "--max-time 4")
    await_jobs(50)
    local worker = web:children()[1]
    local before = server.cpu(worker)
    host.pause(2)
    local used = server.cpu(worker) - before
    assert.is_true(used < 1, ("%g of 2 s"):format(used))
    finish()
  end)

  it_there("waits where nginx may wait, in threads and coroutines of its own, too", function()
    start()
    for _, name in ipairs({ "generate", "access", "rewrite", "run" }) do
      assert.equal("succeeded", get("/spec/" .. name))
    end
    assert.equal(("succeeded "):rep(6):sub(1, -2), get("/spec/threads"))
    assert_idle()
  end)

  it_there("says which phase cannot wait, and lets submit work there", function()
    start()
    for _, phase in ipairs({ "log", "header_filter", "body_filter" }) do
      curl.fetch(web.url .. "/spec/" .. phase)
      local text
      support.step_until(function()
        host.pause(0.01)
        text = get("/spec/noted?phase=" .. phase)
        return text ~= "nothing yet"
      end)
      assert.matches("^false .*'" .. phase .. "'", text)
      assert.matches(" submitted$", text)
    end
    support.step_until(function()
      return #box:ledger().jobs >= 3
    end)
    for _, job in ipairs(box:ledger().jobs) do
      assert.matches("^from %l+_?%l*$", job.prompt)
    end
  end)

  it_there("ends a wait whose time runs out", function()
    start({ duration = 3600 })
    assert.equal("nil timeout true", get("/spec/waits"))
  end)

  it_there("keeps the trouble of tasks and handlers from everybody else", function()
    start()
    assert.equal("false succeeded true", get("/spec/tasks"))
    assert.matches("^succeeded\n", get("/spec/handlers"))
    assert_idle()
    assert.equal("succeeded", get("/spec/generate"))
    assert.matches("nobody waits for this", nginx.logs(web))
    assert.matches("a handler's own trouble", nginx.logs(web))
  end)

  it_there("lets a task outlive its request, which it can ask no more", function()
    start({ duration = 0.2 })
    assert.equal("started", get("/spec/outlives"))
    support.step_until(function()
      host.pause(0.01)
      return get("/spec/noted?phase=outlives") ~= "nothing yet"
    end)
    assert.matches("^succeeded false .*no request", get("/spec/noted?phase=outlives"))
    assert_idle()
  end)

  it_there("goes on when those who wait have gone away", function()
    start({ duration = 1 })
    local statuses = begin("gone", "/spec/abandoned", 20, "--max-time 0.3")()
    assert.is_nil(statuses[200])
    assert.equal("succeeded", get("/spec/generate"))
    assert_idle()
    assert.equal(21, #box:ledger().jobs)
  end)

  -- Their coroutines are given to the next requests, stack and all.
  it_there("wakes nobody in the place of those who have gone away", function()
    start({ duration = 1 })
    begin("gone", "/spec/abandoned", 20, "--max-time 0.3")()
    local others = begin("others", "/spec/others", 40)
    assert.same({ [200] = 40 }, (others()))
    for i = 1, 40 do
      assert.equal("untouched\n", load.body(web.dir, "others", i))
    end
    assert_idle()
    assert.is_nil(web:output():find("gptimage2:", 1, true), web:output())
  end)

  it_there("works with a Lua state for each request", function()
    start(nil, function(conf)
      return nginx.replace(conf, "http {", "http {\n  lua_code_cache off;")
    end)
    assert.same({ [200] = 10 }, (begin("each", "/spec/generate", 10)()))
    local worker = web:children()[1]
    support.step_until(function()
      host.pause(0.05)
      return folder.run(("ls /proc/%d/task"):format(worker)) == tostring(worker)
    end)
  end)

  it_there("finishes what is in flight at a reload, and goes on with new workers", function()
    start({ duration = 1.5 })
    local finish = begin("flying", "/spec/generate", 20)
    await_jobs(20)
    local old = web:children()[1]
    web:signal(server.HUP)
    support.step_until(function()
      host.pause(0.02)
      return #web:children() == 2
    end)
    assert.equal("succeeded", get("/spec/generate"))
    assert.same({ [200] = 20 }, (finish()))
    support.step_until(function()
      host.pause(0.02)
      return #web:children() == 1 and web:children()[1] ~= old
    end)
    assert.equal(21, #box:ledger().jobs)
  end)

  it_there("finishes what is in flight when it is told to quit", function()
    start({ duration = 1.5 })
    local finish = begin("flying", "/spec/generate", 20)
    await_jobs(20)
    web:signal(server.QUIT)
    assert.same({ [200] = 20 }, (finish()))
    assert.equal(0, web:finish())
    assert.is_nil(nginx.logs(web):find("exited on signal", 1, true))
  end)

  it_there("ends at once when it is told to", function()
    start({ duration = 3600 })
    local finish = begin("flying", "/spec/generate", 20)
    await_jobs(20)
    local began = host.now()
    web:signal(server.TERM)
    assert.equal(0, web:finish())
    assert.is_true(host.now() - began < support.seconds(5))
    finish()
    assert.is_nil(nginx.logs(web):find("exited on signal", 1, true))
  end)

  it_there("may be loaded and asked for all but work before the workers are there", function()
    start(nil, function(conf)
      return nginx.replace(
        conf,
        'require("render").start()',
        [[require("render").start()
    local gptimage2 = require("gptimage2")
    gptimage2.use("nginx")
    assert(gptimage2.fd())
    assert(gptimage2.new()):cost({ prompt = "a cup" })
]]
      )
    end, 2)
    for round = 1, 2 do
      assert.same({ [200] = 20 }, (begin("all" .. round, "/spec/generate", 20)()))
      web:signal(server.HUP)
      host.pause(0.3)
    end
    web:signal(server.QUIT)
    assert.equal(0, web:finish())
    assert.is_nil(nginx.logs(web):find("exited on signal", 1, true))
  end)

  it_there("works where the example is loaded in each worker, and not before", function()
    start(nil, function(conf)
      return nginx.replace(conf, "init_by_lua_block", "init_worker_by_lua_block")
    end)
    local arguments = "-H 'Authorization: Bearer token-of-ada' "
    local made = begin("post", "/api/render", 8, arguments .. [[--data '{"prompt":"a cup"}']])
    assert.same({ [202] = 8 }, (made()))
    assert.equal("succeeded", get("/spec/generate"))
    web:signal(server.QUIT)
    assert.equal(0, web:finish())
    assert.is_nil(nginx.logs(web):find("exited on signal", 1, true))
  end)
end)
