--- The options of a client: defaults, types and ranges, the key, the URL and the proxy.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local options = require("gptimage2.objects.options")
local raises = require("spec.helpers.raises")

local KEY = "test-key-0123"
local real_getenv = os.getenv
local environment

local function client(opts)
  opts = opts or {}
  if opts.api_key == nil then
    opts.api_key = KEY
  end
  local config, err = options.client(opts)
  return config, err
end

before_each(function()
  environment = {}
  rawset(os, "getenv", function(name)
    return environment[name]
  end)
end)

after_each(function()
  rawset(os, "getenv", real_getenv)
end)

describe("the options of a client", function()
  it("have defaults", function()
    assert.same({
      api_key = KEY,
      base_url = "https://gptimage2.ai",
      timeout = 600,
      connect_timeout = 10,
      request_timeout = 60,
      max_attempts = 4,
      retry = "documented",
      poll_first = 2.0,
      poll_interval = 2.5,
      poll_max = 2.5, -- it does not grow
      poll_learned = true,
      poll_share = 1,
      poll_unit = 1,
      max_active = 8,
      max_connections = 32,
      verify_references = true,
      allow_private_references = false,
      ratios = { "1:1", "16:9", "9:16", "4:3", "3:4" },
    }, client())
  end)

  it("come from no environment in a program with more rights than its caller", function()
    environment.GPTIMAGE2_API_KEY = KEY
    environment.GPTIMAGE2_BASE_URL = "https://elsewhere.example"
    local real = core.is_privileged
    assert.is_false(real())
    rawset(core, "is_privileged", function()
      return true
    end)
    local config = client({ api_key = KEY })
    local none, err = options.client({})
    rawset(core, "is_privileged", real)
    assert.equal("https://gptimage2.ai", config.base_url)
    assert.is_nil(none)
    assert.equal("api_key_missing", err.code)
  end)

  it("are taken over", function()
    local function on_event() end
    local config = client({
      timeout = math.huge,
      connect_timeout = 1,
      request_timeout = 2.5,
      max_attempts = 1.0,
      retry = "idempotent",
      ledger = "renders.db",
      poll = { first = 0, interval = 0.01, max = 0.01 },
      max_active = 100,
      max_connections = 256,
      budget = 0,
      verify_references = false,
      allow_private_references = true,
      ratios = { "21:9", "1:1", "21:9" },
      proxy = "http://proxy:3128",
      ca_file = "README.md",
      user_agent = "my tool/1.0",
      on_event = on_event,
    })
    assert.equal(math.huge, config.timeout)
    assert.equal(1, config.connect_timeout)
    assert.equal(2.5, config.request_timeout)
    assert.equal("1", tostring(config.max_attempts))
    assert.equal("idempotent", config.retry)
    assert.equal("safe", client({ retry = "safe" }).retry)
    assert.equal("renders.db", config.ledger)
    assert.equal(0, config.poll_first)
    assert.equal(0.01, config.poll_interval)
    assert.equal(0.01, config.poll_max)
    assert.equal(100, config.max_active)
    assert.equal(256, config.max_connections)
    raises("option 'max_connections' must be a number, got string", function()
      client({ max_connections = "x" })
    end)
    assert.equal(0, config.budget)
    assert.is_false(config.verify_references)
    assert.is_true(config.allow_private_references)
    assert.same({ "1:1", "16:9", "9:16", "4:3", "3:4", "21:9" }, config.ratios)
    assert.equal("http://proxy:3128", config.proxy)
    assert.equal("README.md", config.ca_file)
    assert.equal("my tool/1.0", config.user_agent)
    assert.equal(on_event, config.on_event)
  end)

  it("raise for unknown names", function()
    raises("unknown option 'api_kye', did you mean 'api_key'?", function()
      options.client({ api_kye = KEY })
    end)
    raises("unknown option 'ledgers', did you mean 'ledger'?", function()
      client({ ledgers = "jobs.db" })
    end)
    raises("unknown option 'poll.intervall', did you mean 'poll.interval'?", function()
      client({ poll = { intervall = 1 } })
    end)
  end)

  it("raise for wrong types", function()
    raises("option 'api_key' must be a string, got number", function()
      options.client({ api_key = 1 })
    end)
    raises("option 'on_event' must be a function, got table", function()
      client({ on_event = {} })
    end)
    raises("option 'poll.max' must be a number, got string", function()
      client({ poll = { max = "5" } })
    end)
    raises("bad argument #1 to 'new' (table expected, got string)", function()
      options.client(KEY)
    end)
  end)

  it("raise for a retry mode that is none", function()
    for given, hint in pairs({
      [""] = "",
      Safe = ", did you mean 'safe'?",
      idempotant = ", did you mean 'idempotent'?",
    }) do
      local must = "option 'retry' must be 'safe', 'documented' or 'idempotent'" .. hint
      raises(must, function()
        client({ retry = given })
      end)
    end
  end)

  it("raise for numbers out of range", function()
    local nan, huge = 0 / 0, math.huge
    for name, values in pairs({
      timeout = { 0, -1, nan },
      connect_timeout = { 0, -1, nan, huge },
      request_timeout = { 0, -1, nan, huge },
      max_attempts = { 0, 1.5, nan, huge, 2 ^ 31 },
      max_active = { 0, 1.5, nan, huge, 2 ^ 31 },
      max_connections = { 0, 257, 1.5, nan, huge },
      budget = { -1, nan },
    }) do
      for _, value in ipairs(values) do
        raises("option '" .. name .. "' must be", function()
          client({ [name] = value })
        end)
      end
    end
  end)

  it("raise for polling times out of range", function()
    for name, values in pairs({
      first = { -1, 0 / 0, math.huge },
      interval = { 0, 0.009, 0 / 0, math.huge },
      max = { 2.4, 0 / 0, math.huge },
    }) do
      for _, value in ipairs(values) do
        raises("option 'poll." .. name .. "' must be", function()
          client({ poll = { [name] = value } })
        end)
      end
    end
  end)

  it("let polls grow rarer where poll.max is given, and only there", function()
    assert.equal(9, client({ poll = { interval = 9 } }).poll_max)
    assert.equal(2.5, client({ poll = { first = 1 } }).poll_max)
    assert.equal(5, client({ poll = { max = 5 } }).poll_max)
  end)

  it("learn when to poll unless a time is given", function()
    for _, name in ipairs({ "first", "interval", "max" }) do
      assert.is_false(client({ poll = { [name] = 3 } }).poll_learned)
      raises("option 'poll.share' must be without poll.first", function()
        client({ poll = { [name] = 3, share = 0.5 } })
      end)
    end
    local config = client({ poll = { share = 0.5, unit = 0.05 } })
    assert.is_true(config.poll_learned)
    assert.equal(0.5, config.poll_share)
    assert.equal(0.05, config.poll_unit)
    assert.equal(0.1, config.poll_first)
    assert.equal(0.125, config.poll_interval)
    assert.equal(0.125, config.poll_max)
    assert.equal(0.01, client({ poll = { unit = 0.05, interval = 0.01 } }).poll_interval)
  end)

  it("take the outermost values", function()
    local config = client({
      api_key = ("k"):rep(4096),
      base_url = "https://e.com/" .. ("x"):rep(2048 - 14),
      connect_timeout = 1e6,
      poll = { first = 1e6, max = 1e6 },
      max_active = 2 ^ 31 - 1,
      budget = 2.5,
      ratios = { "1000:1001" },
      proxy = "http://" .. ("x"):rep(2048 - 7),
    })
    assert.equal(4096, #config.api_key)
    assert.equal(2048, #config.base_url)
    assert.equal(1e6, config.connect_timeout)
    assert.equal(1e6, config.poll_first)
    assert.equal(2 ^ 31 - 1, config.max_active)
    assert.equal(2.5, config.budget)
    assert.equal("1000:1001", config.ratios[6])
    assert.equal(2048, #config.proxy)
  end)

  it("take an endless budget for none", function()
    assert.is_nil(client({ budget = math.huge }).budget)
    assert.equal("30", tostring(client({ budget = 30.0 }).budget))
  end)

  it("raise for ratios that are none", function()
    for _, ratios in ipairs({ { "21x9" }, { "0:1" }, { 21 }, { a = "21:9" }, { "1:100000000" } }) do
      raises("option 'ratios' must be a list of ratios", function()
        client({ ratios = ratios })
      end)
    end
  end)

  it("raise for texts with control characters, without showing them", function()
    for _, name in ipairs({ "proxy", "ca_file", "user_agent", "ledger" }) do
      local ok, message = pcall(client, { [name] = "secret\r\nX: y" })
      assert.is_false(ok)
      assert.is_truthy(message:find("option '" .. name .. "' must be without control", 1, true))
      assert.is_nil(message:find("secret", 1, true))
      raises("bytes long", function()
        client({ [name] = ("x"):rep(5000) })
      end)
    end
    for _, name in ipairs({ "ca_file", "ledger" }) do
      raises(("option '%s' must be the path of a file"):format(name), function()
        client({ [name] = "" })
      end)
    end
  end)

  it("blame the caller of the public function", function()
    local function new(opts)
      local config = options.client(opts)
      return config
    end
    for _, opts in ipairs({
      { api_kye = 1 },
      { timeout = 0 },
      { max_active = 0 },
      { budget = -1 },
      { ratios = { 1 } },
      { proxy = "\n" },
      { proxy = ("x"):rep(2049) },
      { ca_file = "" },
      { poll = { frist = 1 } },
      { poll = { first = -1 } },
      { poll = { interval = 0 } },
      { poll = { max = 0 } },
    }) do
      local ok, message = pcall(function()
        new(opts)
      end)
      assert.is_false(ok)
      local line = debug.getinfo(1, "l").currentline - 3
      assert.is_truthy(message:find("options_spec.lua:" .. line .. ":", 1, true), message)
    end
  end)
end)

describe("the file of authorities", function()
  it("must be one that can be read", function()
    local place = folder.new()
    folder.run("mkfifo " .. folder.quote(place .. "/fifo"))
    for _, path in ipairs({ "spec/there-is-none.pem", "spec", "/dev/null", place .. "/fifo" }) do
      local config, err = options.client({ api_key = KEY, ca_file = path })
      assert.is_nil(config)
      assert.equal("tls", err.kind)
      assert.equal("ca_file_unreadable", err.code)
      assert.equal("ca_file", err.field)
      assert.is_false(err.retryable)
    end
    folder.clean()
  end)

  it("may be behind a link", function()
    local place = folder.new()
    folder.write(place .. "/file", "")
    folder.run(("ln -s file %s"):format(folder.quote(place .. "/link")))
    assert(options.client({ api_key = KEY, ca_file = place .. "/link" }))
    folder.clean()
  end)
end)

describe("the API key", function()
  it("comes from the environment unless it is given", function()
    environment.GPTIMAGE2_API_KEY = "from-environment"
    assert.equal("from-environment", options.client().api_key)
    assert.equal(KEY, options.client({ api_key = KEY }).api_key)
  end)

  it("is missed with a word on where to get one", function()
    for _, value in ipairs({ false, "" }) do
      environment.GPTIMAGE2_API_KEY = value or nil
      local config, err = options.client()
      assert.is_nil(config)
      assert.equal("auth", err.kind)
      assert.equal("api_key_missing", err.code)
      for _, needle in ipairs({ "https://gptimage2.ai", "GPTIMAGE2_API_KEY", "sandbox" }) do
        assert.is_truthy(err.message:find(needle, 1, true))
      end
    end
    environment.GPTIMAGE2_API_KEY = KEY
    local _, err = options.client({ api_key = "" })
    assert.equal("api_key_missing", err.code)
  end)

  it("is refused with characters no key has, and never shown", function()
    local long = ("secret"):rep(1000)
    for _, key in ipairs({ "secret key", "secret\n", "secret\0", "secret\195\164", long }) do
      local config, err = options.client({ api_key = key })
      assert.is_nil(config)
      assert.equal("auth", err.kind)
      assert.equal("api_key_invalid", err.code)
      assert.is_false(err.retryable)
      for _, value in pairs(err) do
        assert.is_nil(tostring(value):find("secret", 1, true))
      end
      assert.is_nil(tostring(err):find("secret", 1, true))
    end
    environment.GPTIMAGE2_API_KEY = "secret\r"
    local _, err = options.client()
    assert.is_truthy(err.message:find("the variable GPTIMAGE2_API_KEY", 1, true))
  end)
end)

describe("the base URL", function()
  local function refused(url, code, opts)
    opts = opts or {}
    opts.base_url = url
    local config, err = client(opts)
    assert.is_nil(config)
    assert.equal("validation", err.kind)
    assert.equal(code, err.code)
    assert.equal("base_url", err.field)
    return err
  end

  it("loses slashes at its end and keeps its path", function()
    assert.equal("https://e.com", client({ base_url = "https://e.com//" }).base_url)
    assert.equal("https://e.com/x/y", client({ base_url = "https://e.com/x/y/" }).base_url)
  end)

  it("comes from the environment unless it is given", function()
    environment.GPTIMAGE2_BASE_URL = "https://staging.example.com/"
    assert.equal("https://staging.example.com", client().base_url)
    assert.equal("https://e.com", client({ base_url = "https://e.com" }).base_url)
    environment.GPTIMAGE2_BASE_URL = ""
    assert.equal("https://gptimage2.ai", client().base_url)
    environment.GPTIMAGE2_BASE_URL = "nonsense"
    local _, err = client()
    assert.equal("invalid_base_url", err.code)
    assert.is_truthy(err.message:find("GPTIMAGE2_BASE_URL", 1, true))
  end)

  it("may be plain http to this machine only", function()
    for _, url in ipairs({ "http://127.0.0.1:8080", "http://localhost", "http://[::1]:80" }) do
      assert.equal(url, client({ base_url = url }).base_url)
    end
    refused("http://e.com", "insecure_base_url")
    refused("http://127.0.0.1.e.com", "insecure_base_url")
    refused("HTTP://e.com", "insecure_base_url")
    assert.equal("http://e.com", client({ base_url = "http://e.com", allow_http = true }).base_url)
  end)

  it("is refused with a query, a fragment, a user or no host", function()
    for _, url in ipairs({
      "https://e.com?x=1",
      "https://e.com/#x",
      "https://",
      "e.com",
      "/api",
      "ftp://e.com",
      "https://e.com/a b",
      "https://e.com/\n",
      "https://\195\164.com",
      "https://e.com/" .. ("x"):rep(2048),
      "",
    }) do
      refused(url, "invalid_base_url")
    end
    local err = refused("https://me:hunter2@e.com", "invalid_base_url")
    assert.is_nil(tostring(err):find("hunter2", 1, true))
  end)
end)

describe("a proxy", function()
  it("may be of every kind that libcurl knows", function()
    for _, url in ipairs({
      "http://127.0.0.1:3128",
      "https://proxy.example.com/",
      "socks4://proxy:1",
      "socks4a://proxy:65535",
      "SOCKS5://user:pass@proxy",
      "socks5h://user:p%40ss@[::1]:1080",
      "",
    }) do
      assert.equal(url, client({ proxy = url }).proxy)
    end
  end)

  it("that is none is refused before any job, and not shown", function()
    for _, url in ipairs({
      "foo",
      "proxy:3128",
      "://proxy",
      "http://",
      "http://hunter2@",
      "http://:3128",
      "http://user:hunter2@proxy:port",
      "http://user:hunter2@proxy:0",
      "http://user:hunter2@proxy:65536",
      "http://user:hunter/2@proxy",
      "http://hunter2@proxy/path",
      "http://hunter2@pro xy",
      "http://[::1:3128",
      "ftp://hunter2@proxy",
    }) do
      local config, err = client({ proxy = url })
      assert.is_nil(config, url)
      assert.equal("validation", err.kind)
      assert.equal("invalid_proxy", err.code)
      assert.equal("proxy", err.field)
      assert.is_nil(tostring(err):find("hunter", 1, true))
    end
  end)
end)
