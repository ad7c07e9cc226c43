--- One short life: a client is made and a job submitted, and so many seconds later the process
--- ends, in this way. Writes the moment (monotonic seconds) just before.
---
---   lua life.lua <scene> <ending> <delay> <url> <key> <ca file> <ledger>

local scene, ending, delay, url, key, ca_file, ledger = ...
local host = require("spec.host")
local gptimage2 = require("gptimage2")

local EXIT_CODE = 3 -- of a finalizer's exit: it shows that the finalizer ran

local function tell()
  io.stdout:write(("%.6f\n"):format(host.now()))
  io.stdout:flush()
end

--- A sandbox in this process, beside the client.
local function own_sandbox(tls)
  local options = { duration = 0, image_size = 32, tls = tls }
  box = assert(require("gptimage2.sandbox").start(options)) -- luacheck: ignore 111
  url, key, ca_file = box.url, box.api_key, box.ca_file -- luacheck: ignore 113
end

local function submit()
  client = assert(gptimage2.new({ -- luacheck: ignore 111
    api_key = key,
    base_url = url,
    ca_file = ca_file ~= "" and ca_file or nil,
    ledger = scene == "ledger" and ledger or nil,
    poll = { first = 0.01, interval = 0.01, max = 0.01 },
    verify_references = false,
  }))
  assert(client:submit({ prompt = "a cup" })) -- luacheck: ignore 113
end

local function when_collected(callback)
  if newproxy then
    guard = newproxy(true) -- luacheck: ignore 111
    getmetatable(guard).__gc = callback -- luacheck: ignore 113
  else
    guard = setmetatable({}, { __gc = callback }) -- luacheck: ignore 111
  end
end

--- The way of ending -> what does it; "end" and "main" come to the
--- end of the file, and there the state is closed or main returns.
local ENDINGS = {
  exit = function()
    os.exit(0)
  end,
  close = function()
    os.exit(0, true) -- Lua 5.1 does not close
  end,
  error = function()
    error("the end", 0)
  end,
  term = function()
    host.signal(host.pid(), 15)
    host.pause(60)
  end,
  finalizer = function()
    when_collected(function()
      os.exit(EXIT_CODE)
    end)
  end,
}

--- What the engine does first, and the end may have to wait for.
local function load_libcurl()
  package.loadlib("libcurl.so.4", "curl_global_init")
end

if scene == "own" or scene == "own-tls" then
  own_sandbox(scene == "own-tls")
end
if scene ~= "load" then
  submit()
end
host.pause(tonumber(delay))
tell()
if scene == "load" then
  load_libcurl()
end
if ENDINGS[ending] then
  ENDINGS[ending]()
end
