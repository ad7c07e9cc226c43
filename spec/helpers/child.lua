--- Runs Lua code in a process of its own, with the interpreter and the modules of this run.

local child = {}

local LUA = assert(os.getenv("GPTIMAGE2_SPEC_CHILD"), "run the specs with build/lua/<version>/lua")

local function quote(text)
  return "'" .. tostring(text):gsub("'", "'\\''") .. "'"
end

local function write_file(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

local function take_file(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  os.remove(path)
  return text
end

local mt = {}
mt.__index = mt

--- Starts a process whose `...` is its own process number and then `arguments`.
---@param code string
---@param arguments? string[]
---@param environment? string put before the command, as a shell reads it
---@return table process
function child.start(code, arguments, environment)
  local self = { script = os.tmpname(), errors = os.tmpname() }
  write_file(self.script, code)
  local words = { quote(LUA), quote(self.script), '"$$"' }
  for _, argument in ipairs(arguments or {}) do
    words[#words + 1] = quote(argument)
  end
  local env = environment and "env " .. environment or ""
  local start = ("exec %s %s"):format(env, table.concat(words, " "))
  local command = "sh -c %s 2>%s; e=$?; echo; echo exit $e"
  self.pipe = assert(io.popen(command:format(quote(start), quote(self.errors))))
  return setmetatable(self, mt)
end

--- The next line that the process writes.
---@return string|nil
function mt:line()
  return self.pipe:read("*l")
end

--- Waits for the end of the process.
---@return { output: string, errors: string, exit: integer }
function mt:finish()
  local output = self.pipe:read("*a")
  self.pipe:close()
  local exit
  output, exit = output:match("^(.-)\n?exit (%d+)\n$")
  os.remove(self.script)
  return { output = output, errors = take_file(self.errors), exit = tonumber(exit) }
end

--- Runs a process to its end.
---@param code string
---@param arguments? string[]
---@param environment? string
---@return { output: string, errors: string, exit: integer }
function child.run(code, arguments, environment)
  return child.start(code, arguments, environment):finish()
end

return child
