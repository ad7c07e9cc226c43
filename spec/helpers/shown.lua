--- What the pages show of a shell: each page's blocks are run as somebody would who reads it from
--- the top, in a folder that is empty at first. A block of Lua that is named (```lua pictures.lua)
--- is written to that file; in one of ```console a line behind "$ " is a command, and those below
--- it are what it prints, "..." standing for anything.

local folder = require("spec.folder")
local sandbox = require("gptimage2.sandbox")

local shown = {}

local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
local LIMIT = 120 -- seconds for a page; what takes longer hangs
local PORT = "8080" -- that of the pages' sandboxes
local MARK = "\1"

local FRONT = [[
exec 2>&1
cd %s
PATH=%s:$PATH
started=
trap 'kill $started 2>/dev/null' EXIT
unset GPTIMAGE2_API_KEY GPTIMAGE2_BASE_URL GPTIMAGE2_STORE GPTIMAGE2_LEDGER
NO_COLOR=1 XDG_DATA_HOME=/nowhere
export PATH NO_COLOR XDG_DATA_HOME
]]

local MAIN = [[os.exit(require("gptimage2.command").main(arg))]]

--- The commands of a block, each with what it is to print.
local function commands_of(block, list)
  for line in block:gmatch("(.-)\n") do
    local command = line:match("^%$ (.*)")
    if command then
      list[#list + 1] = { command = command, says = {} }
    elseif line ~= "" then
      table.insert(list[#list].says, line)
    end
  end
end

--- All that a page has somebody do, in its order: files to write, and commands.
---@param text string
---@return { file: string?, text: string?, command: string?, says: string[]? }[]
function shown.steps(text)
  local list = {}
  for info, block in text:gmatch("\n```([^\n]+)\n(.-\n)```") do
    local name = info:match("^lua (%S+%.lua)$")
    if name then
      list[#list + 1] = { file = name, text = block }
    elseif info == "console" then
      commands_of(block, list)
    end
  end
  return list
end

--- A port that nobody has, outside of those that the system gives away.
local function free_port()
  for _ = 1, 100 do
    local port = math.random(20000, 32000)
    local box = sandbox.start({ port = port })
    if box then
      box:stop()
      return tostring(port)
    end
  end
  error("no port is free")
end

--- The lines of a shell that do a step.
local function script_of(step, port)
  if step.file then
    return ("cat >%s <<'END OF FILE'\n%sEND OF FILE\n"):format(step.file, step.text)
  end
  local line = step.command:gsub(PORT, port)
  local log = line:match(">(%S+) &$") -- of one that stays: its first line says that it is there
  if log then
    line = ('%s\nstarted="$started $!"\nuntil [ -s %s ]; do sleep 0.05; done'):format(line, log)
  end
  return ("%s\nprintf '\\001\\n'\n"):format(line)
end

--- A folder with the program in it, as an installation has it.
local function program_folder()
  local place = folder.new()
  folder.write(place .. "/main.lua", MAIN)
  local text = ('#!/bin/sh\nexec %s %s/main.lua "$@"\n'):format(folder.quote(LUA), place)
  folder.write(place .. "/gptimage2", text)
  folder.run("chmod +x " .. place .. "/gptimage2")
  return place
end

--- Pictures that are made at the same time come in any order: their names, sorted, get the counts
--- as these stand.
local function in_order(lines)
  local sorted, names, at = {}, {}, {}
  for i, line in ipairs(lines) do
    local name, count = line:match("^(made +.-)  (%d+/%d+)$")
    sorted[i] = line
    if name then
      names[#names + 1], at[#at + 1] = name, { i, count }
    end
  end
  table.sort(names)
  for i, name in ipairs(names) do
    sorted[at[i][1]] = name .. "  " .. at[i][2]
  end
  return table.concat(sorted, "\n")
end

--- Whether a command printed what the page shows.
---@param step { says: string[] }
---@param said string
---@return boolean
function shown.is_same(step, said)
  local lines = {}
  for line in said:gmatch("[^\n]+") do
    lines[#lines + 1] = line
  end
  local pattern = in_order(step.says):gsub("%p", "%%%0"):gsub("%%%.%%%.%%%.", ".-")
  return in_order(lines):find("^" .. pattern .. "$") ~= nil
end

--- Does the steps of a page. Gives what each command printed, and the folder.
---@param steps table[]
---@return string[] said one for each command
---@return string dir
function shown.run(steps)
  local dir, port = folder.new(), free_port()
  local parts = { FRONT:format(dir, program_folder()) }
  for _, step in ipairs(steps) do
    parts[#parts + 1] = script_of(step, port)
  end
  local script = folder.new() .. "/page.sh"
  folder.write(script, table.concat(parts))
  local output = folder.run(("timeout -k 5 %d sh %s </dev/null"):format(LIMIT, script)) .. "\n"
  local said = {}
  for text in output:gmatch("(.-)" .. MARK .. "\n") do
    said[#said + 1] = (text:gsub(port, PORT))
  end
  return said, dir
end

return shown
