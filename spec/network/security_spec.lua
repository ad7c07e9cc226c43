--- Nothing from outside gets where it does not belong: texts, headers, hosts, the environment.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP = picture.CUP
local KEY = support.KEY

--- Neither C0 controls (but tab and line break), nor DEL, nor C1 controls in UTF-8, nor what turns
--- the direction of writing.
local function expect_printable(text)
  for _, turning in ipairs({ "\226\128[\168-\174]", "\226\129[\166-\169]" }) do
    assert.is_nil(text:find(turning), ("%q"):format(text))
  end
  assert.is_nil(text:find("[%z\1-\8\11-\31\127]"), ("%q"):format(text))
  assert.is_nil(text:find("\194[\128-\159]"), ("%q"):format(text))
end

describe("what the service says", function()
  after_each(support.clean)

  local NASTY = "\27[31mred\7\0\8\127\194\155\r end"
  local SHOWN = "\\x1B[31mred\\x07\\x00\\x08\\x7F\\x9B\\x0D end"

  it("cannot drive a terminal through an error", function()
    local events, on_event = support.recorder()
    local client, box = support.pair({ on_event = on_event })
    local body = cjson.encode({ error = NASTY })
    for _, on in ipairs({ "create", "poll" }) do
      box:fault({ on = on, action = "status", status = 401, body = body })
      local _, err = client:generate(CUP)
      assert.equal(SHOWN, err.code)
      expect_printable(err.code)
      expect_printable(err.message)
      expect_printable(tostring(err))
      expect_printable("" .. err)
    end
    for _, event in ipairs(events) do
      expect_printable(tostring(event.error))
    end
  end)

  it("cannot turn the direction of writing, nor end a line of a log", function()
    local client, box = support.pair()
    local turned = "a\226\128\174b\226\129\166c\226\128\143d\226\128\168e\216\156f"
    local shown = "a\\u202Eb\\u2066c\\u200Fd\\u2028e\\u061Cf"
    support.answer(box, "create", 400, cjson.encode({ error = turned }))
    local _, err = client:generate(CUP)
    assert.equal(shown, err.code)
    expect_printable(tostring(err))
    assert.truthy(tostring(err):find(shown, 1, true))
    assert.truthy(err.body:find(turned, 1, true)) -- as it came
    local result = { imageUrl = "https://h/1.png", finalPrompt = turned }
    support.answer(box, "poll", 200, picture.body({ result }))
    local prompt = assert(client:generate(CUP)).results[1].final_prompt
    expect_printable(prompt)
    assert.truthy(prompt:find("c\226\128\143d", 1, true)) -- a mark of the writing, not of a turn
    _, err = client:generate({ prompt = "a cup", ratio = turned })
    assert.truthy(err.message:find(shown, 1, true), err.message)
    expect_printable(err.message)
    _, err = client:generate({ prompt = "a cup", ["\226\128\174\194\155"] = 1 })
    expect_printable(err.message)
    expect_printable(err.field)
  end)

  it("cannot drive a terminal through the error of a failed job", function()
    local client, box = support.pair()
    local body = cjson.encode({ status = "failed", error = NASTY })
    box:fault({ on = "poll", action = "body", body = body })
    local _, err = client:generate(CUP)
    assert.equal("job_failed", err.kind)
    assert.equal(SHOWN, err.code)
    expect_printable(tostring(err))
  end)

  it("cannot drive a terminal through a result", function()
    local client, box = support.pair()
    local result = { imageUrl = "https://h/" .. NASTY, seed = NASTY, finalPrompt = NASTY }
    picture.answer(box, { result })
    local job = assert(client:generate(CUP))
    assert.equal(SHOWN, job.results[1].final_prompt)
    assert.equal(SHOWN, job.results[1].seed)
    expect_printable(job.results[1].image_url)
    local _, err = job:data()
    assert.equal("image_url_refused", err.code)
    expect_printable(tostring(err))
  end)

  it("cannot drive a terminal through a URL that it redirects to", function()
    local client, box = support.pair()
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "redirect", location = "http://h/%1b[31m\194\155" })
    local _, err = job:data()
    expect_printable(tostring(err))
  end)

  it("is kept as it is where it is asked for as it is", function()
    local client, box = support.pair()
    local body = cjson.encode({ error = NASTY })
    box:fault({ on = "create", action = "status", status = 400, body = body })
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal(body, job:raw())
  end)

  it("is refused when it is nested too deeply, and harmless", function()
    local client, box = support.pair()
    local body = '{"jobId":"a","x":' .. ("["):rep(50000) .. ("]"):rep(50000) .. "}"
    box:fault({ on = "create", action = "body", body = body })
    local _, err = client:generate(CUP)
    assert.equal("unreadable_reply", err.code)
    body = '{"status":"succeeded","x":' .. ('{"a":'):rep(5000) .. "1" .. ("}"):rep(5001)
    box:fault({ on = "poll", action = "body", body = body })
    assert(client:generate(CUP))
  end)
end)

describe("headers", function()
  after_each(support.clean)

  it("cannot be injected by an idempotency key", function()
    local client, box = support.pair()
    local long = ("x"):rep(256)
    for _, key in ipairs({ "a\r\nX-Evil: 1", "a\nb", "a\rb", "a\0b", "a b", "é", "", long }) do
      local job, err = client:generate(CUP, { idempotency_key = key })
      assert.is_nil(job)
      assert.equal("validation", err.kind)
      assert.equal("invalid_idempotency_key", err.code)
    end
    assert.equal(0, box:ledger().connections)
    assert.equal(0, client.spent)
  end)

  it("cannot be injected by a user agent, a proxy or a file of authorities", function()
    local box = support.sandbox()
    for _, name in ipairs({ "user_agent", "proxy", "ca_file" }) do
      for _, value in ipairs({ "a\r\nX-Evil: 1", "a\nb", "a\0b" }) do
        assert.has_error(function()
          gptimage2.new({ api_key = KEY, base_url = box.url, [name] = value })
        end)
      end
    end
  end)

  it("cannot be injected by a base URL", function()
    for _, url in ipairs({
      "https://h/\r\nX-Evil: 1",
      "https://h/ HTTP/1.1",
      "https://user:hidden-word@h",
      "https://h/?a=",
      "https://h/#a",
    }) do
      local client, err = gptimage2.new({ api_key = KEY, base_url = url })
      assert.is_nil(client)
      assert.equal("validation", err.kind)
      assert.equal("invalid_base_url", err.code)
      assert.is_nil(tostring(err):find("hidden-word", 1, true))
    end
  end)

  it("are what they should be when a user agent is given", function()
    local client, box = support.pair({ user_agent = "my-game/1.0" })
    assert(client:generate(CUP, { idempotency_key = "key~1" }))
    local log = box:ledger().log
    assert.equal("my-game/1.0", log[1].user_agent)
    assert.equal("key~1", log[1].key)
    assert.equal("my-game/1.0", log[2].user_agent)
    assert.is_nil(log[2].key)
  end)

  it("are not left by a body that looks like more of them", function()
    local client, box = support.pair()
    assert(client:generate({ prompt = "a cup\r\n\r\nPOST /api/generate HTTP/1.1" }))
    local ledger = box:ledger()
    assert.equal(1, ledger.requests.create)
    assert.is_nil(ledger.jobs[1].body:find("[%c]"))
  end)
end)

describe("plain http", function()
  after_each(support.clean)

  for _, url in ipairs({
    "http://gptimage2.ai",
    "http://192.0.2.1:8080",
    "http://10.0.0.1",
    "http://localhost.example",
    "http://127.0.0.1.example",
    "http://128.0.0.1",
    "http://[::2]",
    "HTTP://gptimage2.ai",
  }) do
    it("beyond loopback is refused: " .. url, function()
      local client, err = gptimage2.new({ api_key = KEY, base_url = url })
      assert.is_nil(client)
      assert.equal("validation", err.kind)
      assert.equal("insecure_base_url", err.code)
      assert.truthy(gptimage2.new({ api_key = KEY, base_url = url, allow_http = true }))
    end)
  end

  it("to loopback is allowed", function()
    for _, host in ipairs({ "127.0.0.1", "localhost", "[::1]", "127.9.9.9" }) do
      assert.truthy(gptimage2.new({ api_key = KEY, base_url = "http://" .. host .. ":8080" }))
    end
  end)
end)

describe("the environment", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  local CHILD = [[
    local gptimage2 = require("gptimage2")
    local client = assert(gptimage2.new({
      verify_references = true, allow_private_references = true, max_attempts = 1,
      poll = { first = 0.02, interval = 0.02 },
    }))
    local request = { prompt = "like this", image_urls = { arg[1] } }
    local job = assert(client:generate(request, { save = arg[2] }))
    print(job.status, job.save_error or #job.files, client)
  ]]

  --- Runs the child with these variables set.
  local function run(variables, ...)
    local script = place .. "/child.lua"
    folder.write(script, CHILD)
    local words = { "env" }
    for name, value in pairs(variables) do
      words[#words + 1] = folder.quote(name .. "=" .. value)
    end
    for _, word in ipairs({ os.getenv("GPTIMAGE2_SPEC_LUA"), script, ... }) do
      words[#words + 1] = folder.quote(word)
    end
    return folder.run(table.concat(words, " "))
  end

  it("gives key and URL, and neither its proxies nor the files of other programs count", function()
    local box = support.sandbox()
    local dead = support.sandbox()
    dead:stop()
    local netrc = "machine 127.0.0.1 login somebody password hidden-word\n"
    folder.write(place .. "/.netrc", netrc)
    folder.write(place .. "/.curlrc", "proxy = " .. dead.url .. "\n")
    folder.run("chmod 600 " .. place .. "/.netrc")
    local output = run({
      GPTIMAGE2_API_KEY = KEY,
      GPTIMAGE2_BASE_URL = box.url,
      HOME = place,
      NETRC = place .. "/.netrc",
      http_proxy = dead.url,
      HTTP_PROXY = dead.url,
      https_proxy = dead.url,
      HTTPS_PROXY = dead.url,
      all_proxy = dead.url,
      ALL_PROXY = dead.url,
      no_proxy = "",
      NO_PROXY = "",
    }, box:reference("cup"), place .. "/images/")
    assert.truthy(output:find("^succeeded\t1\tgptimage2.Client"), output)
    assert.is_nil(output:find(KEY, 1, true))
    local requests = box:ledger().requests
    assert.equal(1, requests.create)
    assert.equal(1, requests.image)
    assert.equal(1, requests.reference)
    for _, seen in ipairs(box:ledger().log) do
      assert.equal(seen.path:find("^/api/") ~= nil, seen.authorization)
    end
  end)
end)

describe("the shared objects", function()
  for _, name in ipairs({ "core", "sandbox" }) do
    it(("export luaopen_gptimage2_%s and nothing else"):format(name), function()
      local path
      for pattern in package.cpath:gmatch("[^;]+") do
        local candidate = pattern:gsub("%?", "gptimage2/" .. name)
        if not path and folder.read(candidate) then
          path = candidate
        end
      end
      local symbols = folder.run("nm -D --defined-only " .. folder.quote(assert(path)))
      if symbols:find("not found", 1, true) then
        return pending("there is no nm")
      end
      local exported = {}
      for symbol in symbols:gmatch("%x+ %a (%S+)") do
        if not symbol:find("^__[at]san_") and not symbol:find("^__odr_asan") then
          exported[#exported + 1] = symbol
        end
      end
      assert.same({ "luaopen_gptimage2_" .. name }, exported)
    end)
  end
end)
