--- examples/nginx in the real nginx: what its customers get.

local cjson = require("cjson")
local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local host = require("spec.host")
local nginx = require("spec.helpers.nginx")
local server = require("spec.helpers.server")
local support = require("spec.support")

local found, missing = nginx.find()
local CUP = '{"prompt":"a cup of tea"}'

local function it_there(name, fn)
  it(name, function()
    if not found then
      pending("no nginx: " .. missing)
      return
    end
    fn()
  end)
end

--- Nothing that a customer gets holds the service's key.
local function fetch(arguments)
  local answer = curl.fetch(arguments)
  assert.is_nil(answer.body:find(support.KEY, 1, true))
  assert.is_nil(answer.head:find(support.KEY, 1, true))
  return answer
end

local function token_of(name)
  return ("-H 'Authorization: Bearer %s' "):format(nginx.token(name))
end

local function post_arguments(web, name, body)
  return token_of(name) .. ("--data '%s' %s/api/render"):format(body or CUP, web.url)
end

local function post(web, name, body)
  return fetch(post_arguments(web, name, body))
end

local function get(web, name, job)
  return fetch(token_of(name) .. web.url .. "/api/render/" .. job)
end

local function assert_refused(answer, status, code)
  assert.equal(status, answer.status, answer.body)
  assert.equal(code, curl.field(answer.body, "error"))
  assert.matches("cache%-control: no%-store", answer.head)
end

local function left(web, name)
  return curl.field(post(web, name).body, "creditsLeft")
end

--- The audit's lines, as tables; each is there once its request was answered.
local function audit(web)
  local lines = {}
  for line in (folder.read(web.dir .. "/logs/audit.log") or ""):gmatch("[^\n]+") do
    lines[#lines + 1] = cjson.decode(line)
  end
  return lines
end

describe("examples/nginx", function()
  local box, web

  --- One customer with these limits, and bob, who has much.
  local function start(credits, per_minute, options)
    box = support.sandbox(options)
    web = nginx.start(box, {
      customers = nginx.customer("ada", credits, per_minute) .. nginx.customer("bob", 9000, 900),
    })
  end

  after_each(function()
    if web then
      assert.is_nil(nginx.logs(web):find(support.KEY, 1, true))
      assert.is_nil(nginx.logs(web):find("token-of-", 1, true))
      assert.is_nil(nginx.logs(web):find("attempt to", 1, true), nginx.logs(web))
    end
    web = nil
    server.clean()
  end)

  it_there("refuses who has no token, or a wrong one", function()
    start(100, 30)
    for _, words in ipairs({ "", "-H 'Authorization: Bearer nobody' ", token_of("eve") }) do
      local answer = fetch(words .. ("--data '%s' %s/api/render"):format(CUP, web.url))
      assert_refused(answer, 401, "token_required")
      assert.matches("www%-authenticate: bearer", answer.head)
    end
    assert.equal(401, fetch(web.url .. "/api/render/" .. ("0"):rep(32)).status)
    assert.same({}, box:ledger().jobs)
  end)

  it_there("refuses what it does not offer, before anything is sent", function()
    start(100, 30)
    for body, code in pairs({
      [""] = "json_expected",
      ["{"] = "json_expected",
      ["{}"] = "prompt_required",
      ['{"prompt":" "}'] = "prompt_required",
      ['{"prompt":7}'] = "prompt_required",
      ['{"prompt":"a","ratio":"16:9"}'] = "invalid_ratio",
      ['{"prompt":"a","ratio":null}'] = "invalid_ratio",
      ['{"prompt":"a","count":3}'] = "invalid_count",
      ['{"prompt":"a","count":"2"}'] = "invalid_count",
      [('{"prompt":"%s"}'):format(("a"):rep(33000))] = "too_long", -- gptimage2 looks, too
    }) do
      assert_refused(post(web, "ada", body), 400, code)
    end
    assert.same({}, box:ledger().jobs)
    assert_refused(fetch(token_of("ada") .. web.url .. "/api/render"), 405, "method_not_allowed")
    assert.equal(90, left(web, "ada"))
  end)

  it_there("makes a picture, and writes down who asked for it", function()
    start(100, 30)
    local made = post(web, "ada", '{"prompt":"a cup of tea","ratio":"4:3","count":2}')
    assert.equal(202, made.status, made.body)
    assert.matches("cache%-control: no%-store", made.head)
    local job = cjson.decode(made.body)
    assert.matches("^%x+$", job.jobId)
    assert.equal(20, job.cost)
    assert.equal(80, job.creditsLeft)
    local answer = get(web, "ada", job.jobId)
    assert.equal(200, answer.status, answer.body)
    assert.matches("cache%-control: no%-store", answer.head)
    local ended = cjson.decode(answer.body)
    assert.equal("succeeded", ended.status)
    assert.equal(2, #ended.results)
    assert.matches("^a cup of tea", ended.results[1].finalPrompt)
    assert.equal("\137PNG", fetch(ended.results[1].imageUrl).body:sub(1, 4))
    local books = box:ledger()
    assert.matches('"ratio":"4:3"', books.jobs[1].body)
    local polls = books.requests.poll
    assert.same(ended, cjson.decode(get(web, "ada", job.jobId).body))
    assert.equal(polls, box:ledger().requests.poll, "an end that is known is asked for no more")
    local first = audit(web)[1]
    assert.equal("ada", first.who)
    assert.equal("POST /api/render", first.what)
    assert.equal("20", first.credits)
    assert.equal(job.jobId, first.job)
    assert.equal(books.jobs[1].id, first.service_job)
    assert.is_nil(answer.body:find('"' .. first.service_job .. '"', 1, true))
    assert.is_nil(nginx.logs(web):find("cup of tea", 1, true))
  end)

  it_there("says of a job that is not finished that it is under way", function()
    start(100, 30, { duration = 3600 })
    local id = curl.field(post(web, "ada").body, "jobId")
    local answer = cjson.decode(get(web, "ada", id).body)
    assert.is_truthy(answer.status == "pending" or answer.status == "running", answer.status)
    assert.is_nil(answer.results)
  end)

  it_there("tells strangers nothing of a job", function()
    start(100, 30)
    local id = curl.field(post(web, "ada").body, "jobId")
    local own = box:ledger().jobs[1].id
    assert_refused(get(web, "bob", id), 404, "no_such_job")
    assert_refused(get(web, "ada", ("0"):rep(32)), 404, "no_such_job")
    assert.equal(404, get(web, "ada", own).status)
    assert.equal(404, get(web, "ada", "..%2fcustomers.txt").status)
    assert.equal(404, fetch(web.url .. "/customers.txt").status)
    assert.equal(200, get(web, "ada", id).status)
  end)

  it_there("lets nobody spend more than their credits, however many ask at once", function()
    start(30, 100)
    local one = curl.COMMAND .. "-o /dev/null -w '%{http_code}\\n' " .. post_arguments(web, "ada")
    local said = folder.run(("for i in 1 2 3 4 5 6 7 8; do %s & done; wait"):format(one))
    assert.equal(3, curl.count(said, "202"), said)
    assert.equal(5, curl.count(said, "402"), said)
    assert.equal(3, #box:ledger().jobs)
    assert_refused(post(web, "ada"), 402, "not_enough_credits")
    assert.equal(202, post(web, "bob").status)
  end)

  it_there("lets nobody ask more often than they may", function()
    start(1000, 3)
    for _ = 1, 3 do
      assert.equal(202, post(web, "ada").status)
    end
    local answer = post(web, "ada")
    assert_refused(answer, 429, "too_many_requests")
    local seconds = tonumber(answer.head:match("retry%-after: (%d+)\r"))
    assert.is_true(seconds >= 1 and seconds <= 60, answer.head)
    assert.equal(3, #box:ledger().jobs)
    assert.equal(202, post(web, "bob").status)
  end)

  it_there("gives credits back that the service did not take", function()
    start(100, 30)
    assert.equal(90, left(web, "ada"))
    box:fault({ on = "create", action = "status", status = 402 })
    assert_refused(post(web, "ada"), 402, "insufficient_credits")
    box:fault({ on = "create", action = "status", status = 401 })
    assert_refused(post(web, "ada"), 502, "unauthorized")
    local busy = { on = "create", action = "status", status = 429, times = 4 }
    busy.headers = { ["Retry-After"] = "1" }
    box:fault(busy)
    local answer = post(web, "ada")
    assert.equal(429, answer.status, answer.body)
    assert.matches("retry%-after: 1\r", answer.head)
    assert.equal(80, left(web, "ada"))
  end)

  it_there("gives the credits of a job that failed back once, whoever asks", function()
    start(100, 30)
    box:fault({ on = "job", action = "fail" })
    local id = curl.field(post(web, "ada").body, "jobId")
    local one = curl.COMMAND .. token_of("ada") .. web.url .. "/api/render/" .. id
    local said = folder.run(("for i in 1 2 3 4 5; do %s & done; wait"):format(one))
    assert.equal(5, curl.count(said, '"status":"failed"'), said)
    assert.equal(90, left(web, "ada"))
  end)

  it_there("keeps the credits of a job that may have been paid, and writes that down", function()
    start(100, 30)
    box:fault({ on = "create", action = "close" })
    local answer = post(web, "ada")
    assert.equal(502, answer.status, answer.body)
    assert.equal(80, left(web, "ada"))
    local line = audit(web)[1]
    assert.equal(502, line.status)
    assert.equal("10", line.credits)
    assert.matches(" lost/connection_lost$", line.note)
  end)

  it_there("repeats no key that the service shows", function()
    start(100, 30)
    local body = ('{"error":"no %s","message":"%s"}'):format(support.KEY, support.KEY)
    for _, status in ipairs({ 400, 401, 500 }) do
      box:fault({ on = "create", action = "status", status = status, body = body, times = 9 })
      assert.is_true(post(web, "ada").status >= 400)
      box:clear()
    end
  end)

  it_there("shows the picture on its page", function()
    local browser = folder.run("command -v chromium || command -v chromium-browser")
    if browser == "" then
      pending("no chromium is installed")
      return
    end
    start(100, 30)
    local page = web.dir .. "/page.html"
    local text = nginx.replace(
      assert(folder.read(page)),
      "</html>",
      [[<script>
      // In the place of a person: fills in the form, presses the button, looks at the picture.
      at("token").value = "token-of-ada";
      at("prompt").value = "a lighthouse";
      at("count").value = "2";
      at("go").click();
      document.addEventListener("load", event => {
        const seen = event.target;
        if (seen.tagName === "IMG") document.title += " seen:" + seen.alt + ":" + seen.naturalWidth;
      }, true);
    </script></html>]]
    )
    folder.write(page, text)
    local command = "cd %s && HOME=%s timeout 100 %s --headless --no-sandbox --disable-gpu "
      .. "--disable-dev-shm-usage --user-data-dir=%s/browser --virtual-time-budget=30000 "
      .. "--dump-dom %s/ 2>browser.log"
    local dir = folder.quote(web.dir)
    local dom = folder.run(command:format(dir, dir, browser, dir, web.url))
    local said = folder.read(web.dir .. "/browser.log")
    assert.equal(
      2,
      curl.count(dom:match("<title>(.-)</title>") or "", " seen:a lighthouse:32"),
      said
    )
    assert.matches(">80 credits are left%.<", dom)
    assert.is_nil(dom:find(support.KEY, 1, true))
    assert.equal(2, box:ledger().requests.image)
  end)

  it_there("says on its page what is in the way", function()
    -- Words of the page and codes of the server are the same.
    local page = folder.read("examples/nginx/page.html")
    local answers = folder.run("cat examples/nginx/*.lua")
    local count = 0
    for code in page:match("WORDS = {(.-)}"):gmatch("([%w_]+):") do
      assert.is_truthy(answers:find('"' .. code .. '"', 1, true), code)
      count = count + 1
    end
    assert.is_true(count >= 4)
  end)

  it_there("knows jobs and credits after a reload", function()
    start(100, 30)
    local id = curl.field(post(web, "ada").body, "jobId")
    local worker = web:children()[1]
    web:signal(server.HUP)
    support.step_until(function()
      host.pause(0.01)
      return web:children()[1] ~= worker and #web:children() == 1
    end)
    assert.equal(200, get(web, "ada", id).status)
    assert.equal(80, left(web, "ada"))
  end)
end)
