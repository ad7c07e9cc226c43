--- examples/haproxy in the real HAProxy, and waiting in it.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local haproxy = require("spec.helpers.haproxy")
local host = require("spec.host")
local load = require("spec.helpers.load")
local server = require("spec.helpers.server")
local support = require("spec.support")

local missing = haproxy.missing()
local CUP = '{"prompt":"a cup of tea"}'

local function it_there(name, fn)
  it(name, function()
    if missing then
      pending(missing)
      return
    end
    fn()
  end)
end

local function token_of(name)
  return ("-H 'Authorization: Bearer token-of-%s' "):format(name)
end

describe("HAProxy", function()
  local box, web

  local function start(options, flags, edit)
    box = support.sandbox(options)
    web = haproxy.start(box, {
      customers = haproxy.customer("ada") .. haproxy.customer("bob"),
      flags = flags,
      edit = edit,
    })
  end

  --- Nothing that a customer gets holds the service's key.
  local function fetch(arguments)
    local answer = curl.fetch(arguments)
    assert.is_nil(answer.body:find(support.KEY, 1, true))
    assert.is_nil(answer.head:find(support.KEY, 1, true))
    return answer
  end

  local function post(name, body)
    return fetch(token_of(name) .. ("--data '%s' %s/api/render"):format(body or CUP, web.url))
  end

  local function ask(name, job)
    return fetch(token_of(name) .. web.url .. "/api/render/" .. job)
  end

  local function assert_refused(answer, status, code)
    assert.equal(status, answer.status, answer.body)
    assert.equal(code, curl.field(answer.body, "error"))
    assert.matches("cache%-control: no%-store", answer.head)
  end

  local function get(path)
    local answer = fetch(web.url .. path)
    assert.equal(200, answer.status, answer.body .. web:output())
    return answer.body
  end

  --- The task that steps has ended once nobody waits.
  local function assert_idle()
    support.step_until(function()
      local before = get("/spec/sleeps")
      host.pause(0.2)
      return get("/spec/pending") == "0" and get("/spec/sleeps") == before
    end)
  end

  local function parallel(name, count, path)
    local urls = {}
    for i = 1, count do
      urls[i] = web.url .. path
    end
    return load.parallel(web.dir, name, urls, "")
  end

  --- 200 at once; a ping beside them. Gives the ping's times.
  local function let_200_wait(pings)
    load.run({ parallel("many", 200, "/spec/generate"), pings })
    assert.same({ [200] = 200 }, (load.results(web.dir, "many")))
    for i = 1, 200 do
      assert.equal("succeeded", load.body(web.dir, "many", i))
    end
  end

  after_each(function()
    if web then
      assert.is_nil(web:output():find(support.KEY, 1, true))
      assert.is_nil(web:output():find("token-of-", 1, true))
    end
    web = nil
    server.clean()
  end)

  describe("with the example", function()
    it_there("makes a picture, and writes down who asked for it", function()
      start()
      local made = post("ada")
      assert.equal(202, made.status, made.body)
      assert.matches("cache%-control: no%-store", made.head)
      assert.equal(190, curl.field(made.body, "creditsLeft"))
      local id, own = curl.field(made.body, "jobId"), box:ledger().jobs[1].id
      assert.not_equal(own, id)
      local answer = ask("ada", id)
      assert.equal("succeeded", curl.field(answer.body, "status"), answer.body)
      local url = curl.field(answer.body, "imageUrl"):gsub("\\/", "/")
      assert.equal("\137PNG", fetch(url).body:sub(1, 4))
      assert_refused(ask("bob", id), 404, "no_such_job")
      assert_refused(ask("ada", ("0"):rep(32)), 404, "no_such_job")
      assert_refused(ask("ada", own), 404, "no_such_job")
      local line =
        '"who":"ada","what":"POST /api/render","status":202,"credits":"10","service_job":"'
      support.step_until(function()
        host.pause(0.01)
        return web:output():find(line .. own, 1, true)
      end)
      assert.is_nil(web:output():find("cup of tea", 1, true))
    end)

    it_there("refuses who has no token, and what it does not offer", function()
      start()
      for _, words in ipairs({ "", "-H 'Authorization: Bearer nobody' ", token_of("eve") }) do
        local answer = fetch(words .. ("--data '%s' %s/api/render"):format(CUP, web.url))
        assert_refused(answer, 401, "token_required")
      end
      for _, body in ipairs({ "", "{", "{}", '{"prompt":" "}' }) do
        assert_refused(post("ada", body), 400, "prompt_required")
      end
      assert_refused(post("ada", ('{"prompt":"%s"}'):format(("a"):rep(33000))), 400, "too_long")
      assert.same({}, box:ledger().jobs)
    end)

    it_there("lets nobody spend more than their credits, and gives back what is free", function()
      start()
      box:fault({ on = "create", action = "status", status = 402 })
      assert_refused(post("ada"), 402, "insufficient_credits")
      box:fault({ on = "job", action = "fail" })
      local id = curl.field(post("ada").body, "jobId")
      for _ = 1, 3 do
        assert.equal(502, ask("ada", id).status)
      end
      box:fault({ on = "create", action = "close" })
      assert_refused(post("ada"), 502, "connection_lost") -- it may have been paid
      for n = 1, 19 do
        assert.equal(202, post("ada").status, n)
      end
      assert_refused(post("ada"), 402, "not_enough_credits")
      assert.equal(202, post("bob").status)
    end)

    it_there("lets nobody ask more often than they may", function()
      start()
      for _ = 1, 30 do
        post("ada", "{}")
      end
      local answer = post("ada")
      assert_refused(answer, 429, "too_many_requests")
      assert.matches("retry%-after: 60\r", answer.head)
      assert.equal(202, post("bob").status)
      assert.equal(1, #box:ledger().jobs)
    end)
  end)

  it_there("lets 200 wait at once, and serves others meanwhile", function()
    start({ duration = 0.5, credits = 100000 })
    local pings = 4000
    local best, idle = math.huge, nil
    for _ = 1, 3 do
      load.run({ load.series(web.dir, "quiet", web.url .. "/ping", pings) })
      local _, quiet = load.results(web.dir, "quiet")
      let_200_wait(load.series(web.dir, "ping", web.url .. "/ping", pings))
      local statuses, busy = load.results(web.dir, "ping")
      assert.same({ [200] = pings }, statuses)
      if load.p99(busy) < best then
        best, idle = load.p99(busy), load.p99(quiet)
      end
    end
    print(("haproxy: ping p99 %.1f ms beside 200, %.1f ms idle"):format(best * 1e3, idle * 1e3))
    assert.is_true(best < 0.05 or best < 3 * idle, ("p99 %g s, idle %g s"):format(best, idle))
    assert_idle()
  end)

  it_there("goes on when those who wait have gone away", function()
    start({ duration = 1 })
    load.run({ parallel("gone", 20, "/spec/generate") .. " --max-time 0.3" })
    assert.is_nil((load.results(web.dir, "gone"))[200])
    assert.equal("succeeded", get("/spec/generate"))
    assert_idle()
    assert.equal(21, #box:ledger().jobs)
  end)

  it_there("sends nothing from a fetch or a converter, which cannot wait", function()
    start()
    curl.fetch(web.url .. "/spec/fetch")
    curl.fetch(web.url .. "/spec/converter")
    assert.equal("succeeded", get("/spec/generate"))
    assert.equal(1, #box:ledger().jobs)
    assert_idle()
  end)

  it_there("lets 200 wait at once in a worker that it forked after the load", function()
    start({ duration = 0.5, credits = 100000 }, "-W")
    let_200_wait("true")
    assert.equal(202, post("ada").status)
    web:signal(server.USR1)
    web:finish()
  end)

  it_there("lets 200 wait at once in two threads, with a Lua state for each", function()
    start({ duration = 0.5, credits = 100000 }, nil, function(conf, replace)
      conf = replace(conf, "nbthread 1", "nbthread 2")
      return replace(conf, "lua-load haproxy", "lua-load-per-thread haproxy")
    end)
    let_200_wait("true")
  end)

  it_there("lets 200 wait at once in two threads, with one Lua state", function()
    start({ duration = 0.5, credits = 100000 }, nil, function(conf, replace)
      return replace(conf, "nbthread 1", "nbthread 2")
    end)
    let_200_wait("true")
  end)

  it_there("does not keep the processor busy for those who wait", function()
    start({ duration = 3600 })
    local pipe = assert(io.popen(parallel("waiting", 50, "/spec/generate") .. " --max-time 4"))
    support.step_until(function()
      host.pause(0.01)
      return (box:ledger().requests.create or 0) >= 50
    end)
    local before = server.cpu(web.pid)
    host.pause(2)
    local used = server.cpu(web.pid) - before
    pipe:close()
    assert.is_true(used < 1, ("%g of 2 s"):format(used))
  end)

  it_there("says that nothing can wait while the configuration is read", function()
    start()
    assert.matches("^false .*loads its configuration", get("/spec/at_load"))
    assert.same({}, box:ledger().jobs)
  end)

  it_there("ends a wait whose time runs out", function()
    start({ duration = 3600 })
    assert.equal("nil timeout true", get("/spec/waits"))
  end)

  it_there("keeps the trouble of tasks and handlers from everybody else", function()
    start()
    assert.equal("false succeeded", get("/spec/tasks"))
    assert.equal("succeeded", get("/spec/handlers"))
    assert.equal("succeeded", get("/spec/run"))
    assert_idle()
    assert.matches("nobody waits for this", web:output())
    assert.matches("a handler's own trouble", web:output())
  end)

  for flags, how in pairs({ [""] = "in the foreground", ["-W"] = "with a master" }) do
    it_there("finishes what is in flight when it is to stop, " .. how, function()
      start({ duration = 1.5, credits = 100000 }, flags)
      local pipe = assert(io.popen(parallel("flying", 20, "/spec/generate")))
      support.step_until(function()
        host.pause(0.01)
        return (box:ledger().requests.create or 0) >= 20
      end)
      web:signal(server.USR1)
      pipe:close()
      assert.same({ [200] = 20 }, (load.results(web.dir, "flying")))
      web:finish()
      assert.is_nil(web:output():find("signal 11", 1, true), web:output())
      assert.equal("", folder.run("pgrep -P " .. web.pid))
    end)
  end
end)
