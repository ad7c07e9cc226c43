--- The pages that users read: their figures, blocks of Lua, links and length.

local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pages = require("spec.helpers.pages")

local README, DOCS = pages.README, pages.ALL
local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
local set_of, keys_of = pages.set_of, pages.keys_of
local assert_same_names = pages.assert_same_names

describe("the documentation", function()
  after_each(folder.clean)

  --- The rows of the table in `text` whose first cell with a command names a proof: command ->
  --- the cells behind it.
  local function rows_of(text)
    local rows = {}
    for line in text:gmatch("[^\n]+") do
      local command, cells = line:match("^|.-`(spec/f[^ `]+)[^`]*` |(.*)|$")
      if command then
        rows[command] = {}
        for cell in cells:gmatch("([^|]*)") do
          table.insert(rows[command], cell ~= "" and cell or nil)
        end
      end
    end
    return rows
  end

  it("tells the figures of the proofs that their last lines told", function()
    local results = folder.read("spec/faults/results.md")
    local told, shown = rows_of(results), rows_of(DOCS)
    local there = "cd spec && ls -d faults/*_run fuzz/run | sed 's,^,spec/,'"
    local commands = set_of({})
    for command in folder.run(there):gmatch("%S+") do
      commands[command] = true
    end
    assert_same_names(commands, keys_of(told), "results.md")
    assert_same_names(commands, keys_of(shown), "doc/money.md")
    for command, cells in pairs(told) do
      local figures = {}
      for figure in cells[#cells]:gmatch("%d+") do
        figures[#figures + 1] = figure
      end
      local first = {}
      for i = 2, #shown[command] do -- behind what it does; one figure in each cell
        first[#first + 1] = shown[command][i]:gsub(",", ""):match("%d+")
      end
      assert.same(figures, first, command)
      assert.truthy(cells[1]:find("^ 20%d%d%-%d%d%-%d%d, %x+ $"), command) -- its day and commit
    end
    local below = DOCS:match("| `spec/faults/mutants_run`[^\n]*\n\n(.-)\n\n")
    for figure in below:gmatch("%d[%d,]*%d") do
      assert.truthy(results:find(figure, 1, true), figure)
    end
  end)

  it("begins with the quickstart, which has at most 30 lines", function()
    local quickstart = folder.read("examples/quickstart.lua")
    local _, lines = quickstart:gsub("\n", "")
    assert.is_true(lines <= 30)
    assert.equal(quickstart, README:match("```lua\n(.-)```"))
  end)

  -- The block, made to check what comments behind a print, or below it, say it prints.
  local function with_checks(block)
    local lines, call, said = {}, nil, nil
    for line in block:gmatch("(.-)\n") do
      local more = call and line:match("^%-%- (.+)")
      if more then
        said = said and said .. " " .. more or more
      else
        if call then
          lines[#lines + 1] = call .. (said and (" says(%q)"):format(said) or "")
        end
        call, said = line:match("^(print%b()) *(.*)$")
        said = said and said:match("^%-%- (.+)")
        lines[#lines + 1] = not call and line or nil
      end
    end
    return table.concat(lines, "\n") .. "\n"
  end

  it("has Lua that runs, in all its blocks, and prints what it says", function()
    local parts = { folder.read("spec/helpers/readme.lua") }
    for block in DOCS:gsub("```lua\n.-```", "", 1):gmatch("```lua\n(.-)```") do
      local code = with_checks(block .. "\n") -- an end for what is below its last line
      parts[#parts + 1] = "do\n" .. code .. "end\n"
    end
    assert.is_true(#parts > 8)
    parts[#parts + 1] = 'real_print("all blocks ran")\n'
    local dir = folder.new()
    folder.write(dir .. "/readme.lua", table.concat(parts))
    local command = "cd %s && %s readme.lua </dev/null"
    local output = folder.run(command:format(folder.quote(dir), folder.quote(LUA)))
    assert.equal("all blocks ran", output)
  end)

  it("links to files and sections that are there", function()
    local names = folder.run("ls *.md doc/*.md doc/guide/*.md examples/*.md"):gmatch("%S+")
    local function anchors(path)
      local titles = {}
      for title in ("\n" .. folder.read(path)):gmatch("\n#+ ([^\n]+)") do
        titles[title:lower():gsub("[^%w -]", ""):gsub(" ", "-")] = true
      end
      return titles
    end
    for name in names do
      local base = name:match("^.*/") or ""
      for target in folder.read(name):gmatch("%]%(([^)]+)%)") do
        local path, anchor = target:match("^([^#]*)#?(.*)$")
        if not target:find("^https?:") then
          path = path == "" and name or base .. path
          assert.is_truthy(folder.read(path) or folder.stat(path, "%F") == "directory", target)
          assert.is_truthy(anchor == "" or anchors(path)[anchor], name .. ": " .. target)
        end
      end
    end
  end)

  it("begins with a page that is read at one sitting", function()
    local _, lines = README:gsub("\n", "")
    assert.is_true(lines <= 250)
  end)

  it("has a change log that begins with this version", function()
    local version = folder.read("CHANGELOG.md"):match("\n## %[?(%d+%.%d+%.%d+)")
    assert.equal(gptimage2._VERSION, "gptimage2 " .. version)
  end)
end)
