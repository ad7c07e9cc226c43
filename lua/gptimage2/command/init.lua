--- The program `gptimage2`. Its commands are the modules of this folder, what they share is in
--- `parts/`.

local codes = require("gptimage2.command.parts.codes")
local core = require("gptimage2.load").core()
local gptimage2 = require("gptimage2")
local grammar = require("gptimage2.command.parts.grammar")
local output = require("gptimage2.command.parts.output")
local problem = require("gptimage2.command.parts.problem")

local command = {}

--- A text that was asked for: with `--json` it is an object, too.
local function show(out, kind, text)
  if out.json then
    out:object({ type = kind, text = text })
  else
    out:write(text .. "\n")
  end
  return codes.done
end

--- A command line that is not understood; its usage is said beside what is wrong.
local function misuse(out, message, parser)
  local status = out:misuse(message)
  if not out.json then
    io.stderr:write(parser:get_usage(), "\n")
  end
  return status
end

--- Runs the line; gives the exit status.
local function run(args, out)
  local parser, commands = grammar.new()
  if not parser then
    return out:fail(problem.new("io", "no_argparse", commands))
  end
  local name = grammar.find_command(args)
  local chosen = commands[name] or parser
  out.name = name
  if grammar.has(args, "--version") and not name then
    return show(out, "version", gptimage2._VERSION)
  elseif grammar.has(args, "-h", "--help") and (name or not args[1]:find("^[^-]")) then
    return show(out, "help", chosen:get_help())
  elseif not args[1] then
    return misuse(out, "a command is needed", parser)
  end
  local read, message = grammar.parse(parser, commands, args)
  if not read then
    return misuse(out, message, chosen)
  end
  return grammar.command(read.command).run(read, out)
end

--- An error of ours ends no line of `--json` without an object, and has its traceback.
local function on_error(raised)
  return type(raised) == "string" and debug.traceback(raised, 2) or raised
end

--- Runs a command line; gives the exit status: 2 for one that is not understood.
---@param args string[]
---@return integer
function command.main(args)
  core.signals.catch()
  args = grammar.order(args)
  local out = output.new(grammar.has(args, "--json"))
  local ok, result = xpcall(function()
    return run(args, out)
  end, on_error)
  if not ok then
    result = out:bug(tostring(result))
  end
  return out:status(result)
end

return command
