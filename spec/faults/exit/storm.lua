--- Starts many short lives (life.lua), each of which ends at another moment of the first 30 ms
--- after its first submit, and looks at how they end. Shared by spec/host/exit_spec.lua and the
--- proof.

local host = require("spec.host")
local sandbox = require("gptimage2.sandbox")

local storm = {}

local LIFE = "spec/faults/exit/life.lua"

local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW") ~= nil
local unpack = table.unpack or unpack -- luacheck: ignore

--- Seconds after the submit in which the ends lie; where everything is slow, so is the beginning.
local SPAN = SLOW and 0.6 or 0.03

--- Seconds after which a process is taken to hang. Nothing waits this long when all is well.
local HANGS = SLOW and 240 or 60

--- What is under way: a create without and with TLS, a name server that hangs, a ledger that is
--- written, a service in the process itself. The scene "load" is what they are measured against:
--- it has nothing under way, and loads libcurl after its moment.
storm.SCENES = { "plain", "tls", "name", "ledger", "own", "own-tls" }

--- The exit status of each way of ending; 143 is 128 + SIGTERM.
storm.ENDINGS = { exit = 0, close = 0, ["end"] = 0, error = 1, term = 143, finalizer = 3, main = 0 }

local function take_file(path)
  local file = io.open(path, "rb")
  if not file then
    return ""
  end
  local text = file:read("*a")
  file:close()
  os.remove(path)
  return text
end

local function exists(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close() ~= nil
end

--- What the lives need around them.
---@param lua string the launcher of the interpreter to run them with, in the build's folder
function storm.new(lua)
  local self = { child = lua, host = lua:gsub("lua$", "exit-host") }
  if lua == os.getenv("GPTIMAGE2_SPEC_LUA") then
    self.child = os.getenv("GPTIMAGE2_SPEC_CHILD")
  end
  if not lua:match("/[at]san/lua$") then -- their launchers have the last word on LD_PRELOAD
    self.slow_names = lua:gsub("lua/[^/]+/lua$", "tools/slow_dns.so")
  end
  self.plain = assert(sandbox.start({ duration = 0, image_size = 32 }))
  self.tls = assert(sandbox.start({ duration = 0, image_size = 32, tls = true }))
  return setmetatable(self, { __index = storm })
end

--- Whether there is a program whose main returns: this Lua's library may not be installed.
---@return boolean
function storm:has_main()
  return exists(self.host)
end

function storm:stop()
  self.plain:stop()
  self.tls:stop()
end

--- The words of the program and its arguments.
local function words_of(self, life)
  local box = life.scene == "tls" and self.tls or self.plain
  local url = life.scene == "name" and "https://slow.invalid" or box.url
  local words = { "/usr/bin/env", "SLOW_DNS_FIFO=" .. life.fifo }
  if life.scene == "name" and self.slow_names then
    words[#words + 1] = "LD_PRELOAD=" .. self.slow_names
  end
  if life.ending == "main" then
    words[#words + 1] = "LUA_PATH=" .. package.path
    words[#words + 1] = "LUA_CPATH=" .. package.cpath
    words[#words + 1] = self.host
  else
    words[#words + 1] = self.child
  end
  words[#words + 1] = LIFE
  local delay = ("%.6f"):format(life.delay)
  local rest = { life.scene, life.ending, delay, url, box.api_key, box.ca_file or "", life.ledger }
  for _, word in ipairs(rest) do
    words[#words + 1] = word
  end
  return words
end

local function begin(self, life)
  life.output = os.tmpname()
  life.ledger = life.output .. ".db"
  life.fifo = life.output .. ".fifo"
  if life.scene == "name" then
    os.execute("mkfifo " .. life.fifo)
  end
  life.pid = host.start(life.output, unpack(words_of(self, life)))
  life.limit = host.now() + HANGS
end

--- What is wrong with how a life ended, or nil.
local function judge(life)
  if life.hung then
    return "did not end"
  elseif life.status ~= storm.ENDINGS[life.ending] then
    return ("ended with %d"):format(life.status)
  elseif not life.told then
    return "did not come to its end"
  elseif life.text ~= (life.ending == "error" and "the end" or "") then
    return "said something"
  end
end

local function finish(life)
  local text = take_file(life.output)
  os.remove(life.fifo)
  for _, ending in ipairs({ "", "-wal", "-shm", ".lock" }) do
    os.remove(life.ledger .. ending)
  end
  local told, rest = text:match("^([%d.]+)\n(.*)$")
  life.told, life.text = tonumber(told), rest or text
  if life.ending == "error" then -- after the interpreter's name, before a traceback
    life.text = life.text:match("the end") or life.text
  end
  life.took = life.told and life.ended - life.told
  life.wrong = judge(life)
end

--- True once it is over.
local function look(life)
  local now = host.now()
  life.status = host.ended(life.pid)
  if not life.status and now > life.limit then
    life.hung = true
    host.signal(life.pid, 9)
    repeat
      host.pause(0.001)
      life.status = host.ended(life.pid)
    until life.status
  end
  life.ended = now
  return life.status ~= nil
end

--- Runs `count` lives of this scene and ending, `at_once` at a time.
---@return table[] lives each with `wrong` (nil = as it should be), `took`, `delay`, `text`
function storm:run(scene, ending, count, at_once)
  local lives, running, started = {}, {}, 0
  while #lives < count do
    while #running < at_once and started < count do
      started = started + 1
      -- Golden steps: whatever the count, the moments are spread evenly.
      local moment = SPAN * (started * 0.6180339887 % 1)
      local life = { scene = scene, ending = ending, delay = moment }
      begin(self, life)
      running[#running + 1] = life
    end
    for i = #running, 1, -1 do
      if look(running[i]) then
        local life = table.remove(running, i)
        finish(life)
        lives[#lives + 1] = life
      end
    end
    host.pause(0.002)
  end
  return lives
end

--- The time that so much of them (0 to 1) took at the most.
---@param lives table[]
---@param share number
---@return number seconds
function storm.quantile(lives, share)
  local times = {}
  for _, life in ipairs(lives) do
    times[#times + 1] = life.took
  end
  table.sort(times)
  return times[math.max(1, math.ceil(share * #times))] or math.huge
end

return storm
