--- The manual page and the completions: those in bin/share are of this grammar, and shells take
--- them.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local grammar = require("gptimage2.command.parts.grammar")
local program = require("spec.helpers.program")

local FILES = {
  { "man", "gptimage2.1" },
  { "completion bash", "gptimage2.bash" },
  { "completion zsh", "_gptimage2" },
  { "completion fish", "gptimage2.fish" },
}

describe("what is installed beside the program", function()
  after_each(folder.clean)

  for _, case in ipairs(FILES) do
    it("is of today: " .. case[2], function()
      local said = commands.run(case[1])
      assert.equal(0, said.status)
      local there = folder.read("bin/share/" .. case[2])
      assert.is_true(said.out == there, "spec/packaging/program --write makes it")
      assert.equal(said.out, commands.json(case[1]).last.text)
    end)
  end

  it("has all commands and exit codes in the manual", function()
    local page = folder.read("bin/share/gptimage2.1")
    for _, name in ipairs(grammar.COMMANDS) do
      assert.is_truthy(page:find("\n.SS " .. name .. "\n", 1, true), name)
    end
    for _, code in ipairs({ "0", "1", "2", "3", "4", "5", "6", "130" }) do
      assert.is_truthy(page:find("\n.B " .. code .. "\n", 1, true), code)
    end
  end)

  it("has a row for each command in doc/program.md", function()
    local page = folder.read("doc/program.md"):match("\n## Commands\n(.-)\n## ")
    for _, name in ipairs(grammar.COMMANDS) do
      local found = false
      for cell in page:gmatch("\n| ([^|]*) |") do
        found = found or cell:find("`" .. name .. "`", 1, true) ~= nil
      end
      assert.is_true(found, name)
    end
  end)

  --- Runs a shell where there is one.
  local function shell(name)
    return program.it({ it = it, pending = pending }, program.find(name), name .. " is missing")
  end

  shell("bash")("completes in bash", function()
    local said = folder.run([[bash -c 'source bin/share/gptimage2.bash
      try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _gptimage2; echo "${COMPREPLY[@]}"; }
      try gptimage2 unp
      try gptimage2 build --cut']])
    assert.equal("unpin\n--cutoff", said)
  end)

  shell("zsh")("is good zsh", function()
    assert.equal("", folder.run("zsh -n bin/share/_gptimage2"))
  end)

  shell("fish")("completes in fish", function()
    local line = [[HOME=%s fish -c 'source bin/share/gptimage2.fish
      complete -C "gptimage2 unp"; complete -C "gptimage2 build --cut"']]
    local said = folder.run(line:format(folder.new()))
    assert.matches("^unpin\t.*\n%-%-cutoff\t", said)
  end)

  shell("groff")("is a good page", function()
    assert.equal("", folder.run("groff -man -ww -z bin/share/gptimage2.1"))
  end)
end)
