--- The manual page, made of the grammar: troff, as man(1) reads it. Pure.

local grammar = require("gptimage2.command.parts.grammar")

local manual = {}

local EXIT_CODES = {
  { "0", "Done." },
  { "1", "Some of it failed, or check found something." },
  {
    "2",
    "The command line, the manifest, the lock or a request is wrong; or a plan has something "
      .. "to do.",
  },
  { "3", "The budget, or the credits of the account, were not enough." },
  { "4", "The API key is missing, cannot be taken, or is refused." },
  { "5", "The service cannot be reached, or does not answer as it should." },
  { "6", "The ledger or a store cannot be used." },
  { "130", "Interrupted." },
}

local VARIABLES = {
  { "GPTIMAGE2_API_KEY", "The API key, where neither --key-file nor --key-stdin gives it." },
  { "GPTIMAGE2_BASE_URL", "The service, or a sandbox." },
  { "GPTIMAGE2_STORE", "A further store of pictures, as --store." },
  { "GPTIMAGE2_LEDGER", "The ledger of commands that have --ledger." },
  { "NO_COLOR", "Not empty: no colours." },
}

local FILES = {
  { "pictures.lua", "The manifest: which pictures there are." },
  { "pictures.lock", "What was accepted. It belongs into the repository." },
  { ".gptimage2/", "The store, with the ledger of builds. It keeps itself out of the repository." },
}

--- A text that stands for itself.
local function escape(text)
  return (
    text:gsub("\\", "\\e"):gsub("%-", "\\-"):gsub("\n([.'])", "\n\\&%1"):gsub("^([.'])", "\\&%1")
  )
end

local function preformatted(text)
  return ".nf\n" .. escape(text) .. "\n.fi"
end

local function definitions(list)
  local parts = {}
  for i, one in ipairs(list) do
    parts[i] = (".TP\n.B %s\n%s"):format(escape(one[1]), escape(one[2]))
  end
  return table.concat(parts, "\n")
end

--- The help of a command without its usage, description and examples, which stand elsewhere.
local function options_of(help)
  local from = help:find("\nArguments:\n") or help:find("\nOptions:\n")
  local till = help:find("\nExamples?:\n")
  return help:sub(from + 1, (till or #help) - 2)
end

local function command_section(name, parser)
  local module = grammar.command(name)
  local lines = {
    ".SS " .. name,
    escape(module.description or module.summary),
    ".PP",
    preformatted(parser:get_usage():gsub("^Usage: ", "")),
    ".PP",
    preformatted(options_of(parser:get_help())),
    ".PP",
    preformatted(table.concat(module.examples, "\n")),
  }
  return table.concat(lines, "\n")
end

--- The page.
---@param commands table<string, table> the parsers of the commands
---@return string
function manual.text(commands)
  local parts = {
    '.TH GPTIMAGE2 1 "" "gptimage2" "User Commands"',
    ".SH NAME\ngptimage2 \\- pictures of the GPTImage2.ai service, made once and paid once",
    ".SH SYNOPSIS\n.B gptimage2\n.I command\n[options]",
    ".SH DESCRIPTION",
    escape(
      "What a manifest asks for is planned, built, looked at and accepted; single pictures are "
        .. "made of a prompt. With --json standard output has one JSON object a line, and nothing "
        .. "else. Ctrl-C once ends in order: nothing more is sent, what is under way is finished, "
        .. "and what goes on at the service is listed; twice ends at once."
    ),
    ".SH COMMANDS",
  }
  for _, name in ipairs(grammar.COMMANDS) do
    parts[#parts + 1] = command_section(name, commands[name])
  end
  parts[#parts + 1] = ".SH EXIT STATUS\n" .. definitions(EXIT_CODES)
  parts[#parts + 1] = ".SH ENVIRONMENT\n" .. definitions(VARIABLES)
  parts[#parts + 1] = ".SH FILES\n" .. definitions(FILES)
  return table.concat(parts, "\n") .. "\n"
end

return manual
