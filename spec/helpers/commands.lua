--- The program gptimage2 as a shell starts it: its streams in files, or in a pseudo-terminal, which
--- `script` makes.

local cjson = require("cjson")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local program = require("spec.helpers.program")

local commands = {}

local LUA = os.getenv("GPTIMAGE2_SPEC_CHILD")
local LIMIT = 120 -- seconds; what takes longer hangs
local UNIT = "--poll-unit=0.01" -- for those that poll

commands.UNIT = UNIT

--- Whether a pseudo-terminal can be had.
commands.has_terminal = program.find("script") ~= nil

--- The start of a command line: variables, and the program as bin/gptimage2 is one, in place of the
--- shell, by way of `before` ("timeout 1").
---@param options { box: table|nil, env: table|nil, here: string|nil, main: string|nil }
---@param before string
local function front(options, before)
  local script = folder.new() .. "/program"
  local main = options.main or ""
  folder.write(script, main .. [[ os.exit(require("gptimage2.command").main(arg))]])
  local all = {
    GPTIMAGE2_API_KEY = options.box and options.box.api_key or "",
    GPTIMAGE2_BASE_URL = options.box and options.box.url or "http://127.0.0.1:1",
    GPTIMAGE2_STORE = "",
    XDG_DATA_HOME = "/nowhere",
    NO_COLOR = "1",
  }
  for name, value in pairs(options.env or {}) do
    all[name] = value
  end
  local parts = { "cd " .. folder.quote(options.here or ".") .. " && export" }
  for name, value in pairs(all) do
    parts[#parts + 1] = name .. "=" .. folder.quote(value)
  end
  return ("%s && exec %s %s %s "):format(table.concat(parts, " "), before, LUA, script)
end

--- The command line of the program with these arguments, for a shell of its own.
---@param args string as a shell reads them
---@param options? table
---@return string
function commands.line(args, options)
  return front(options or {}, "env --default-signal=HUP,QUIT") .. args
end

--- Runs it to its end.
---@param args string as a shell reads them
---@param options? table `input` (a text), `out` (where standard output goes), beside those of front
---@return { out: string, err: string, status: integer }
function commands.run(args, options)
  options = options or {}
  local place = folder.new()
  local out, err, input = place .. "/out", place .. "/err", place .. "/input"
  folder.write(input, options.input or "")
  local line = ("(%s) <%s >%s 2>%s; echo $?"):format(
    front(options, "timeout -k 5 " .. LIMIT) .. args,
    input,
    options.out or out,
    err
  )
  local status = folder.run(line)
  return {
    out = folder.read(out) or "",
    err = folder.read(err),
    status = assert(tonumber(status), status),
  }
end

--- Runs it in a terminal of its own; gives all that this showed.
---@param args string
---@param options? table `type` (what is typed), `before` (what a shell does first), `typing` (how
--- long the keyboard is there after it), `columns`, beside those of front
---@return { out: string, status: integer }
function commands.terminal(args, options)
  options = options or {}
  local size = ("stty cols %d rows 24 -echo; "):format(options.columns or 80)
  local inner = size .. commands.line(args, options)
  local typed = options.type and ("printf %s"):format(folder.quote(options.type)) or "true"
  local line = "cd %s; { %s; %s; sleep %s; } | timeout -k 5 %d script -qec %s /dev/null; echo =$?"
  line = line:format(
    folder.quote(options.here or "."),
    options.before or "true",
    typed,
    options.typing or "0",
    LIMIT,
    folder.quote("sh -c " .. folder.quote(inner))
  )
  local text, status = folder.run(line):match("^(.*)=(%d+)$")
  return { out = text:gsub("\r\n", "\n"), status = tonumber(status) }
end

local running = {}
running.__index = running

--- Starts it, and does not wait.
---@param args string
---@param options? table
---@return table process
function commands.start(args, options)
  local place = folder.new()
  local self = setmetatable({ place = place }, running)
  local line = "{ sh -c %s </dev/null >%s/out 2>%s/err & echo $! >%s/pid; wait $!; "
    .. "echo $? >%s/status.new; mv %s/status.new %s/status; } &"
  local quoted = folder.quote(commands.line(args, options))
  os.execute(line:format(quoted, place, place, place, place, place, place))
  return self
end

--- Waits until `found()` gives something.
local function await(found, what)
  local limit = gptimage2.now() + LIMIT
  while gptimage2.now() < limit do
    local value = found()
    if value then
      return value
    end
    gptimage2.sleep(0.02)
  end
  error("it does not come: " .. what)
end

--- Waits until it has written so many lines that have these words in them.
---@param words string
---@param count? integer
function running:await(words, count)
  await(function()
    local _, lines = (folder.read(self.place .. "/out") or ""):gsub(words, "")
    return lines >= (count or 1)
  end, words)
end

---@param signal string
function running:kill(signal)
  local pid = assert(folder.read(self.place .. "/pid"):match("%d+"))
  folder.run(("kill -%s %s"):format(signal, pid))
end

--- Waits for its end.
---@return { out: string, err: string, status: integer }
function running:finish()
  local status = await(function()
    return folder.read(self.place .. "/status")
  end, "its end")
  return {
    out = folder.read(self.place .. "/out"),
    err = folder.read(self.place .. "/err"),
    status = tonumber(status),
  }
end

--- Standard output as the objects that its lines are: raises for a line that is none.
---@param out string
---@return table[]
function commands.objects(out)
  local list = {}
  assert(out == "" or out:sub(-1) == "\n", "the last line has no end: " .. out)
  for line in out:gmatch("[^\n]*\n") do
    local object = cjson.decode(line)
    assert(type(object) == "table" and object.type or object.url, line)
    list[#list + 1] = object
  end
  return list
end

--- The same of a run, with its last object apart.
---@param args string
---@param options? table
---@return { objects: table[], last: table, err: string, status: integer }
function commands.json(args, options)
  local result = commands.run(args .. " --json", options)
  result.objects = commands.objects(result.out)
  result.last = result.objects[#result.objects]
  return result
end

return commands
