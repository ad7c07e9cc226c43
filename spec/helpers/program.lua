--- Real programs that embed Lua, run as children with this build's modules on their paths. The
--- sandbox is in the spec's own process, and answers on a thread of its own meanwhile.

local folder = require("spec.folder")

local program = {}

local LUA = assert(os.getenv("GPTIMAGE2_SPEC_LUA"), "run the specs with build/lua/<version>/lua")
local BUILD = LUA:match("^(.*)/lua/[^/]+/lua$")
local LIMIT = 120 -- seconds; what takes longer hangs

program.ROOT = folder.run("pwd")

--- The path of the first of these programs that is installed, or nil.
---@param ... string names
---@return string|nil
function program.find(...)
  for _, name in ipairs({ ... }) do
    local path = folder.run("command -v " .. folder.quote(name))
    if path:find("^/") then
      return path
    end
  end
end

--- The module's paths for a Lua version, those of that Lua behind them.
---@param version string "5.1" ... "5.4", "jit"
---@return table<string, string> variables
function program.paths(version)
  local lua, libraries = program.ROOT .. "/lua/", BUILD .. "/lua/" .. version
  return {
    LUA_PATH = ("%s?.lua;%s?/init.lua;;"):format(lua, lua),
    LUA_CPATH = libraries .. "/?.so;;",
  }
end

--- Whether the module was built for that version.
function program.is_built(version)
  return folder.read(("%s/lua/%s/gptimage2/core.so"):format(BUILD, version)) ~= nil
end

--- What a program needs to find the module, and the sandbox as its service.
---@param version string
---@param box? table sandbox
---@return table<string, string> variables
function program.environment(version, box)
  local variables = program.paths(version)
  variables.GPTIMAGE2_BASE_URL = box and box.url
  variables.GPTIMAGE2_API_KEY = box and box.api_key
  return variables
end

--- A command as a shell runs it, with those variables and no other paths of Lua.
---@param words string[]
---@param variables table<string, string>
---@param limit? number seconds
---@return string
function program.command(words, variables, limit)
  local parts = { "env" }
  for _, name in ipairs({ "LUA_INIT", "LUA_PATH", "LUA_CPATH" }) do
    for _, version in ipairs({ "", "_5_2", "_5_3", "_5_4" }) do
      parts[#parts + 1] = "-u " .. name .. version
    end
  end
  for name, value in pairs(variables) do
    parts[#parts + 1] = name .. "=" .. folder.quote(value)
  end
  parts[#parts + 1] = ("timeout -k 5 %d"):format(limit or LIMIT)
  for _, word in ipairs(words) do
    parts[#parts + 1] = folder.quote(word)
  end
  return table.concat(parts, " ")
end

--- Runs a program to its end.
---@param words string[]
---@param variables table<string, string>
---@param limit? number seconds
---@return integer exit 124 when it had to be ended
---@return string output errors included
function program.run(words, variables, limit)
  local output = folder.run(program.command(words, variables, limit) .. " </dev/null; echo =$?")
  local text, exit = output:match("^(.*)=(%d+)$")
  return tonumber(exit), text
end

--- busted's `it`, or one that skips each case by name, where the program is not there.
---@param busted { it: function, pending: function }
---@param is_there any
---@param lacks string what is to be said then
---@return function
function program.it(busted, is_there, lacks)
  return is_there and busted.it
    or function(name)
      busted.it(name, function()
        busted.pending(lacks)
      end)
    end
end

--- What a script inside of a program saw: name -> value of the lines `name=value` of a file.
---@param path string
---@return table<string, string>
function program.read_report(path)
  local report = {}
  for line in (folder.read(path) or ""):gmatch("[^\n]+") do
    local name, value = line:match("^(%w[%w_]*)=(.*)$")
    report[name or line] = value
  end
  return report
end

return program
