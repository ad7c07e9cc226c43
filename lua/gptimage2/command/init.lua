--- The program `gptimage2`: its commands, each a module of this folder.

local command = {}

local HELP = [[
usage: gptimage2 <command> [options]

commands:
  sandbox    a stand-in for the service on 127.0.0.1, for tests and trying out

gptimage2 <command> --help tells more; gptimage2 --version the version.
]]

local COMMANDS = { sandbox = true }

--- Runs a command line; gives the exit status: 2 for one that is not understood.
---@param args string[]
---@return integer
function command.main(args)
  local name = args[1]
  if name == "--version" then
    io.stdout:write(require("gptimage2")._VERSION, "\n")
    return 0
  elseif name == "--help" or name == "-h" then
    io.stdout:write(HELP)
    return 0
  elseif not COMMANDS[name or ""] then
    if name then
      io.stderr:write(("gptimage2: there is no command '%s'\n"):format(name))
    end
    io.stderr:write(HELP)
    return 2
  end
  local rest = {}
  for i = 2, #args do
    rest[i - 1] = args[i]
  end
  return require("gptimage2.command." .. name).main(rest)
end

return command
