--- The API key appears nowhere but in the header that goes to the service.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

local CUP = picture.CUP
local KEY = support.KEY

--- Calls visit(text) for every text that can be had from `value`: strings, keys, what tostring
--- says, and the public fields of jobs.
local function each_text(value, visit, seen)
  seen = seen or {}
  if type(value) == "string" then
    visit(value)
  end
  if type(value) ~= "table" and type(value) ~= "userdata" or seen[value] then
    return
  end
  seen[value] = true
  visit(tostring(value))
  if type(value) == "table" then
    for name, field in pairs(value) do
      each_text(name, visit, seen)
      each_text(field, visit, seen)
    end
  elseif tostring(value):find("^gptimage2.Job") then
    for _, name in ipairs({
      "id",
      "status",
      "request",
      "results",
      "balance",
      "error",
      "idempotency_key",
      "metadata",
      "files",
      "save_error",
      "client",
    }) do
      each_text(value[name], visit, seen)
    end
    visit(value:raw())
  end
end

local function expect_no_key(value, key)
  each_text(value, function(text)
    assert.is_nil(text:find(key or KEY, 1, true), text)
  end)
end

describe("the API key", function()
  local events, on_event, client, box

  before_each(function()
    events, on_event = support.recorder()
    client, box = support.pair({ on_event = on_event, max_attempts = 1 })
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- Asks for a picture that fails, and looks for the key in all that can be seen of it.
  local function expect_clean_failure(kind)
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal(kind, job.error.kind, tostring(job.error))
    expect_no_key(job)
    expect_no_key(job.error)
    expect_no_key(events)
    return job.error
  end

  for status, kind in pairs({
    [302] = "protocol",
    [400] = "validation",
    [401] = "auth",
    [402] = "credits",
    [403] = "auth",
    [404] = "not_found",
    [408] = "server",
    [422] = "validation",
    [429] = "rate_limit",
    [500] = "server",
    [503] = "server",
  }) do
    it(("is not in an error after a %d that repeats it"):format(status), function()
      local body = ('{"error":"no_such_key_%s","key":"%s"}'):format(KEY, KEY)
      box:fault({ on = "create", action = "status", status = status, body = body })
      local err = expect_clean_failure(kind)
      assert.equal("no_such_key_[key]", err.code)
      assert.equal('{"error":"no_such_key_[key]","key":"[key]"}', err.body)
    end)
  end

  it("is not in an error after answers of no use that repeat it", function()
    for _, body in ipairs({
      KEY,
      "<html>" .. KEY,
      ('{"status":"pending","key":"%s"}'):format(KEY),
      ('{"jobId":"%s/..","status":"pending"}'):format(KEY),
    }) do
      box:fault({ on = "create", action = "body", body = body })
      local err = expect_clean_failure("protocol")
      assert.truthy(err.body:find("[key]", 1, true))
    end
  end)

  it("that is too short to be one is left alone in the words of others", function()
    local short = support.sandbox({ api_key = "fault" })
    local body = '{"error":"my_fault"}'
    short:fault({ on = "create", action = "status", status = 400, body = body })
    local _, err = support.client(short):generate(CUP)
    assert.equal("my_fault", err.code)
    assert.equal(body, err.body)
  end)

  it("is not in err.body where the body is cut in the middle of it", function()
    local body = ("x"):rep(4096 - 10) .. KEY .. KEY .. ("y"):rep(10)
    box:fault({ on = "create", action = "body", body = body })
    local err = expect_clean_failure("protocol")
    assert.truthy(#err.body <= 4096)
    assert.is_nil(err.body:find(KEY:sub(1, 5), 1, true))
    assert.equal("x[key][key]", err.body:match("x%[.*%]"))
  end)

  it("is not in a code that is cut in the middle of it", function()
    local code = ("x"):rep(120) .. KEY
    local body = ('{"error":"%s"}'):format(code)
    box:fault({ on = "create", action = "status", status = 400, body = body })
    local err = expect_clean_failure("validation")
    assert.is_nil(err.code:find(KEY:sub(1, 5), 1, true))
  end)

  it("is not in the error of a job that the service says failed with it", function()
    box:fault({ on = "job", action = "fail", error = "bad_" .. KEY })
    local err = expect_clean_failure("job_failed")
    assert.equal("bad_[key]", err.code)
    assert.truthy(err.message:find("bad_[key]", 1, true))
  end)

  --- The key with `way(character)` for each of its characters.
  local function spelled(key, way)
    return (key:gsub(".", function(c)
      return way(c, c:byte())
    end))
  end

  local SPELLINGS = {
    ["with slashes escaped"] = function(c)
      return c == "/" and "\\/" or c
    end,
    ["with what is no letter in lower case hex"] = function(c, code)
      return c:find("%w") and c or ("\\u%04x"):format(code)
    end,
    ["in upper case hex"] = function(_, code)
      return ("\\u%04X"):format(code)
    end,
    ["in a mixture"] = function(c, code)
      if c == "/" then
        return "\\/"
      end
      return code % 3 == 0 and c or (code % 3 == 1 and "\\u%04x" or "\\u%04X"):format(code)
    end,
    ["in JSON inside of JSON"] = function(c, code)
      return c:find("%w") and c or c == "/" and "\\\\\\/" or ("\\\\u%04x"):format(code)
    end,
    ["as in a URL"] = function(c, code)
      return c:find("%w") and c or ("%%%02x"):format(code)
    end,
    ["as in a URL, in upper case, its slashes escaped"] = function(c, code)
      return c:find("%w") and c or c == "/" and "\\/" or ("%%%02X"):format(code)
    end,
  }

  for name, way in pairs(SPELLINGS) do
    it("is not shown where it is repeated " .. name, function()
      local key = "sk-spec/01+23456JKjk=89ab"
      local own = support.sandbox({ api_key = key })
      local path = folder.new() .. "/record.db"
      local careful = support.client(own, { ledger = path, on_event = on_event, max_attempts = 1 })
      local shown = spelled(key, way)
      local answer = ('{"error":"no_%s_key","key":"%s"}'):format(shown, shown)
      support.answer(own, "create", 400, answer)
      local _, err = careful:generate(CUP)
      assert.equal("no_[key]_key", err.code)
      assert.equal('{"error":"no_[key]_key","key":"[key]"}', err.body)
      local rows = assert(careful:history())
      assert.equal("no_[key]_key", rows[1].error.code)

      support.answer(own, "poll", 200, ('{"status":"failed","error":"bad %s"}'):format(shown))
      local job = support.finish(assert(careful:submit(CUP)))
      assert.equal("bad [key]", job.error.code)
      assert.equal('{"status":"failed","error":"bad [key]"}', job:raw())
      careful:close()
      local recorded = assert(io.open(path, "rb")):read("*a")
      local rows_text = cjson.encode(rows)
      for _, text in ipairs({ key, shown, (shown:gsub("\\\\", "\\")) }) do
        expect_no_key({ events, job }, text)
        assert.is_nil(recorded:find(text, 1, true), text)
        assert.is_nil(rows_text:find(text, 1, true), text)
      end
    end)
  end

  it("is not in the error of a poll that is refused with it", function()
    local body = ('{"error":"%s"}'):format(KEY)
    box:fault({ on = "poll", action = "status", status = 401, body = body })
    expect_clean_failure("auth")
  end)

  it("is no part of a job's id", function()
    local id = "job_" .. KEY .. "_1"
    local body = ('{"jobId":"%s","status":"pending"}'):format(id)
    box:fault({ on = "create", action = "body", body = body })
    local err = expect_clean_failure("protocol")
    assert.equal("job_id_missing", err.code)
    assert.equal("unknown", err.charged)
    box:fault({ on = "poll", action = "body", body = body, times = 2 })
    local job = assert(client:generate(CUP)) -- such an answer is about another job
    expect_no_key(job)
  end)

  it("is not in what a job says of its results, nor in the files", function()
    local escaped = KEY:gsub(".", function(c)
      return ("\\u%04x"):format(c:byte())
    end)
    local job = support.finish(assert(client:submit(CUP)))
    local url = job.results[1].image_url
    local body = ('{"status":"succeeded","results":[{"imageUrl":"%s","seed":"%s",'):format(url, KEY)
      .. ('"finalPrompt":"%s %s"}],"metadata":"%s"}'):format(KEY, escaped, KEY)
    support.answer(box, "poll", 200, body)
    job = support.finish(assert(client:submit(CUP)))
    assert.equal("succeeded", job.status, tostring(job.error))
    assert.equal("[key]", job.results[1].seed)
    assert.equal("[key] [key]", job.results[1].final_prompt)
    expect_no_key(job)
    expect_no_key(events)
    assert.truthy(job:raw():find('"metadata":"[key]"', 1, true))
    local dir = folder.new()
    assert(job:save(dir .. "/{n}.{ext}"))
    assert.equal("", folder.run(("grep -r -F %s %s"):format(folder.quote(KEY), dir)))
  end)

  it("is not sent to a host of images, though the service puts it into the URL", function()
    local url = ("%s/generated/%s.png"):format(box.url, KEY)
    local body = ('{"status":"succeeded","results":[{"imageUrl":"%s"}]}'):format(url)
    support.answer(box, "poll", 200, body, { times = math.huge })
    local job = support.finish(assert(client:submit(CUP)))
    assert.equal("succeeded", job.status)
    expect_no_key(job)
    local data, err = job:data(1)
    assert.is_nil(data)
    expect_no_key(err)
    local asked
    for _, entry in ipairs(box:ledger().log) do
      if entry.path:find("^/generated/") then
        asked = entry.path
        assert.equal("/generated/[key].png", asked)
      end
    end
    assert.truthy(asked)
  end)

  it("is not shown, nor sent on, where an image's host redirects to what repeats it", function()
    local job = assert(client:generate(CUP))
    local reference = box:reference("cup")
    for _, location in ipairs({
      "ftp://h/" .. KEY,
      "file:///x/" .. KEY,
      "http://u:" .. KEY .. "@127.0.0.1/",
      "http://" .. KEY .. ".invalid/",
      "/%73" .. KEY:sub(2) .. " x",
      box.url .. "/" .. KEY,
    }) do
      for _, on in ipairs({ "image", "reference" }) do
        box:fault({ on = on, action = "redirect", location = location, times = math.huge })
      end
      local data, err = job:data()
      assert.is_nil(data, location)
      expect_no_key(err)
      -- the service may still be able to use such a reference
      expect_no_key({ client:generate({ prompt = "a cup", image_urls = { reference } }) })
      box:clear()
    end
    for _, entry in ipairs(box:ledger().log) do
      assert.is_nil(entry.path:find(KEY, 1, true), entry.path)
    end
  end)

  it("is not in errors of the network", function()
    box:fault({ on = "create", action = "reset" })
    expect_clean_failure("lost")
    box:fault({ on = "create", action = "truncate", bytes = 5 })
    expect_clean_failure("lost")
    box:stop()
    client = support.client({ url = box.url, api_key = KEY }, { max_attempts = 1 })
    expect_clean_failure("network")
  end)

  it("is not in other errors", function()
    local _, err = client:generate({ prompt = "" })
    expect_no_key(err)
    _, err = client:generate({ prompt = "a cup", ratio = "7:1" })
    expect_no_key(err)
    _, err = client:wait("nobody", 0)
    expect_no_key(err)
    _, err = support.client(box, { budget = 0 }):generate(CUP)
    assert.equal("budget", err.kind)
    expect_no_key(err)
    local job = assert(client:submit(CUP))
    job:cancel()
    expect_no_key(job.error)
    client:close()
    _, err = client:generate(CUP)
    expect_no_key(err)
  end)

  it("is not in events, jobs, clients and their descriptions", function()
    local job = assert(client:generate(CUP, { metadata = { shelf = "b" } }))
    expect_no_key(job)
    expect_no_key(client)
    expect_no_key(client.balance)
    expect_no_key(client:jobs())
    assert.truthy(#events > 2)
    expect_no_key(events)
    assert.is_nil(client.api_key)
    assert.equal("string", type(getmetatable(client)))
    assert.equal("string", type(getmetatable(job)))
  end)

  it("is not in what is raised for wrong options, nor in the traceback", function()
    for _, options in ipairs({
      { api_key = KEY, nothing = 1 },
      { api_key = KEY, timeout = "x" },
      { api_key = KEY, poll = { first = -1 } },
      { [KEY] = KEY },
      { api_key = { KEY } },
    }) do
      options.base_url = box.url
      local ok, message = xpcall(function()
        gptimage2.new(options)
      end, debug.traceback)
      assert.is_false(ok)
      if not options[KEY] then -- a name is shown: it is no place for a secret
        expect_no_key(message)
      end
    end
  end)

  it("is not in the traceback of an on_event that raises", function()
    local loud = support.client(box, {
      on_event = function(event)
        if event.type == "created" then
          error("stop")
        end
      end,
    })
    assert(loud:submit(CUP))
    local ok, message = xpcall(function()
      support.step_until(function()
        return false
      end)
    end, debug.traceback)
    assert.is_false(ok)
    assert.truthy(message:find("stop", 1, true))
    expect_no_key(message)
  end)

  it("is not shown when it cannot be one", function()
    local broken = { KEY .. " ", KEY .. "\r\nX: 1", "\0" .. KEY, KEY .. "é", KEY:rep(200) }
    for _, key in ipairs(broken) do
      local nobody, err = gptimage2.new({ api_key = key, base_url = box.url })
      assert.is_nil(nobody)
      assert.equal("auth", err.kind)
      assert.equal("api_key_invalid", err.code)
      expect_no_key(err)
    end
    assert.equal(0, box:ledger().connections)
  end)

  it("is in no file that is saved", function()
    local place = folder.new()
    local job = assert(client:generate(CUP, { save = place, metadata = { shelf = "b" } }))
    assert.equal(1, #job.files)
    assert.equal("", folder.run(("grep -r -F -l -e %s %s"):format(KEY, folder.quote(place))))
  end)

  it("goes to the service alone, in the Authorization header", function()
    local place = folder.new()
    local urls = { box:reference("cup") }
    local options = { verify_references = true, allow_private_references = true }
    local careful = support.client(box, options)
    assert(careful:generate({ prompt = "like this", image_urls = urls }, { save = place }))
    local count = 0
    for _, seen in ipairs(box:ledger().log) do
      local is_call = seen.path:find("^/api/") ~= nil
      assert.equal(is_call, seen.authorization, seen.path)
      assert.is_nil(seen.path:find(KEY, 1, true))
      count = count + (is_call and 1 or 0)
    end
    assert.equal(2, count)
    assert.is_nil(box:ledger().jobs[1].body:find(KEY, 1, true))
  end)

  it("of a proxy is not shown", function()
    local dead = support.sandbox()
    local proxy = dead.url:gsub("//", "//user:hidden-word@")
    dead:stop()
    local through = support.client(box, { proxy = proxy, max_attempts = 1 })
    local _, err = through:generate(CUP)
    assert.equal("no", err.sent)
    each_text({ err, through }, function(text)
      assert.is_nil(text:find("hidden-word", 1, true), text)
    end)
    local ok, message = pcall(gptimage2.new, { api_key = KEY, proxy = proxy .. "\n" })
    assert.is_false(ok)
    assert.is_nil(message:find("hidden-word", 1, true))
    assert.equal(0, box:ledger().connections)
  end)
end)
