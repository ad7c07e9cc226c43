--- The one grammar of all command lines, by argparse: which commands there are, their help, and
--- what is wrong with a line.

local check = require("gptimage2.check")

local grammar = {}

--- All commands, in the order of the help; each is a module of this folder's parent with `summary`,
--- `examples`, `define(command)` and `run(args, output)`.
grammar.COMMANDS = {
  "generate",
  "batch",
  "wait",
  "poll",
  "cost",
  "prompt",
  "plan",
  "build",
  "check",
  "review",
  "grid",
  "gallery",
  "accept",
  "reject",
  "again",
  "pin",
  "unpin",
  "derive",
  "gc",
  "history",
  "ledger",
  "tenant",
  "recover",
  "resolve",
  "sandbox",
  "completion",
  "man",
}

local WIDTH = 80
local DESCRIPTION =
  "Pictures of the GPTImage2.ai service: what a manifest asks for is made once, and paid once."

--- The module of a command.
---@param name string
---@return table
function grammar.command(name)
  return require("gptimage2.command." .. name)
end

--- argparse, or nil and what to do about it.
---@return function|nil
---@return string|nil message
local function load_argparse()
  local ok, argparse = pcall(require, "argparse")
  if ok then
    return argparse
  end
  return nil,
    "the program needs the Lua module argparse, which is not there: luarocks install argparse, "
      .. "or Debian's package lua-argparse"
end

local function examples_of(list)
  local lines = { #list == 1 and "Example:" or "Examples:" }
  for _, example in ipairs(list) do
    lines[#lines + 1] = "   " .. example
  end
  return table.concat(lines, "\n")
end

local function add_help(parser)
  parser:flag("-h --help", "Show this help and exit.")
end

local function add_command(parser, name)
  local module = grammar.command(name)
  local command = parser
    :command(name)
    :summary(module.summary)
    :description(module.description or module.summary)
    :epilog(examples_of(module.examples))
    :add_help(false)
  module.define(command)
  add_help(command)
  return command
end

--- The parser, and those of the commands by their names.
---@return table|nil parser
---@return table<string, table>|string commands or what is missing
function grammar.new()
  local argparse, missing = load_argparse()
  if not argparse then
    return nil, missing
  end
  local parser = argparse("gptimage2", DESCRIPTION)
    :add_help(false)
    :command_target("command")
    :help_max_width(WIDTH)
    :usage_max_width(WIDTH)
    :help_description_margin(28)
    :epilog("gptimage2 <command> --help tells more, with examples.")
  local commands = {}
  for _, name in ipairs(grammar.COMMANDS) do
    commands[name] = add_command(parser, name)
  end
  parser:flag("--version", "Show the version and exit.")
  add_help(parser)
  return parser, commands
end

--- The options that a help text names.
local function options_in(help)
  local names, seen = {}, {}
  for name in help:gmatch("%-%-[%w-]+") do
    if not seen[name] then
      seen[name] = true
      names[#names + 1] = name
    end
  end
  return names
end

--- The first word of the line that is a command, before any `--`.
---@param args string[]
---@return string|nil name
function grammar.find_command(args)
  for _, word in ipairs(args) do
    for _, name in ipairs(word ~= "--" and grammar.COMMANDS or {}) do
      if word == name then
        return name
      end
    end
    if word:sub(1, 1) ~= "-" then
      return nil
    end
  end
end

--- The line with what may stand before the command behind it: `gptimage2 --json plan`.
---@param args string[]
---@return string[]
function grammar.order(args)
  local first, ordered = {}, {}
  for i, word in ipairs(args) do
    if word == "--json" and #first == i - 1 then
      first[i] = word
    else
      ordered[#ordered + 1] = word
      if first[1] then
        ordered[#ordered + 1], first = first[1], {}
      end
    end
  end
  return ordered[1] and ordered or args
end

--- Whether a line has this word, before any `--`.
---@param args string[]
---@param ... string words
---@return boolean
function grammar.has(args, ...)
  for _, word in ipairs(args) do
    if word == "--" then
      return false
    end
    for _, wanted in ipairs({ ... }) do
      if word == wanted then
        return true
      end
    end
  end
  return false
end

--- argparse's words, with a suggestion for what is more than one letter away, too.
local function improve(message, help)
  local first = message:match("^[^\n]*")
  local kind, word = first:match("^unknown (%l+) '(.*)'$")
  if not kind then
    return first
  end
  local names = kind == "command" and grammar.COMMANDS or options_in(help)
  local near = check.suggest(word, names)
  return ("unknown %s '%s'%s"):format(
    kind,
    check.show(word),
    near and (", did you mean '%s'?"):format(near) or ""
  )
end

--- Reads a line.
---@param parser table
---@param commands table<string, table>
---@param args string[]
---@return table|nil read
---@return string|nil message
function grammar.parse(parser, commands, args)
  local ok, result = parser:pparse(args)
  if ok then
    return result
  end
  local name = grammar.find_command(args)
  return nil, improve(result, (commands[name] or parser):get_help())
end

return grammar
