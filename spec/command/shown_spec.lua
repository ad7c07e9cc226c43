--- What the pages show of the program is what it prints: they are read from the top, and their
--- commands run, in a folder and against a sandbox of their own (spec/helpers/shown.lua).

local folder = require("spec.folder")
local pages = require("spec.helpers.pages")
local shown = require("spec.helpers.shown")

--- What a page has somebody do, and what came of it, once.
local function read(name)
  local page = { steps = shown.steps(folder.read(name)), commands = {} }
  for _, step in ipairs(page.steps) do
    page.commands[#page.commands + 1] = step.command and step or nil
  end
  function page:run()
    if not self.said then
      self.said, self.dir = shown.run(self.steps)
    end
    return self
  end
  return page
end

describe("the shell", function()
  teardown(folder.clean)

  local read_pages = {}
  for _, name in ipairs(pages.NAMES) do
    local page = read(name)
    if page.commands[1] then
      read_pages[name] = page
      it("of " .. name .. " prints what is shown", function()
        page:run()
        for i, step in ipairs(page.commands) do
          local said = page.said[i] or "(it did not come to this)"
          assert.is_true(shown.is_same(step, said), step.command .. " prints:\n" .. said)
        end
      end)
    end
  end

  it("makes three files of a manifest of three lines by one command", function()
    local page = read_pages["README.md"]:run()
    local _, lines = page.steps[1].text:gsub("\n", "")
    assert.equal(3, lines)
    assert.equal("gptimage2 build --yes", page.commands[#page.commands].command)
    for _, name in ipairs({ "fox.png", "owl.png", "wall.png" }) do
      assert.matches("^\137PNG", folder.read(page.dir .. "/" .. name))
    end
  end)
end)
