--- pandoc itself, with the filter of examples/pandoc.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local PANDOC = program.find("pandoc")
local FILTER = program.ROOT .. "/examples/pandoc/generate.lua"

local DOCUMENT = [[
# Birds

![a heron in the reeds](){.generate ratio=16:9 .wide}

![a heron in the reeds](){.generate ratio=1:1} ![two owls](){.generate width=50%}

![a heron in the reeds](){.generate ratio=16:9} ![mine](mine.png)
]]

--- The Lua that this pandoc was built with: the module is loaded into that.
local function lua_version(path)
  local probe = path .. "/probe.lua"
  folder.write(probe, "io.stdout:write('Lua is ', _VERSION, '\\n') return {}")
  local _, output = program.run({ PANDOC, "-t", "plain", "--lua-filter", probe }, {})
  return output:match("Lua is Lua (%d%.%d)")
end

--- Translates notes.md in the folder: the exit code, and what it wrote.
local function translate(path, box)
  local variables = program.environment(lua_version(path) or "5.3", box)
  local line = ("cd %s && exec %s --lua-filter %s -t html notes.md"):format(path, PANDOC, FILTER)
  return program.run({ "sh", "-c", line }, variables)
end

local version = PANDOC and lua_version(folder.new())
folder.clean()

local is_there = version and program.is_built(version)
local lacks = "pandoc is not installed, or the module not built for its Lua"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

--- The images of a page, in order: their sources.
local function images(page)
  local list = {}
  for tag in page:gmatch("<img[^>]*>") do
    list[#list + 1] = tag:match('src="([^"]*)"')
  end
  return list
end

describe("The pandoc filter", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("makes each picture once, several at a time, and none in a second run", function()
    local path, box = folder.new(), support.sandbox({ duration = 0.5 })
    folder.write(path .. "/notes.md", DOCUMENT)
    local exit, page = translate(path, box)
    assert.equal(0, exit, page)
    local found = images(page)
    assert.equal(5, #found, page)
    assert.equal(found[1], found[4]) -- asked for in the same words
    assert.are_not.equal(found[1], found[2]) -- another ratio
    assert.equal("mine.png", found[5])
    for i = 1, 4 do
      assert.truthy(found[i]:find("^pictures/%x+%.png$"), found[i])
      assert.equal("\137PNG", folder.read(path .. "/" .. found[i]):sub(1, 4))
    end
    assert.truthy(page:find('class="wide"', 1, true), page)
    assert.falsy(page:find("generate", 1, true), page)
    assert.falsy(page:find("ratio", 1, true), page)
    local books = box:ledger()
    assert.equal(3, books.requests.create)
    for i = 1, 3 do -- all are asked for before the first is there
      assert.equal("POST", books.log[i].method)
    end

    local again, same = translate(path, box)
    assert.equal(0, again, same)
    assert.equal(page, same)
    assert.are.same(books.requests, box:ledger().requests)
  end)

  about("keeps what it has when another fails, and says which", function()
    local path, box = folder.new(), support.sandbox()
    folder.write(path .. "/notes.md", "![one owl](){.generate} ![two](){.generate ratio=5:1}\n")
    local exit, output = translate(path, box)
    assert.are_not.equal(0, exit)
    assert.truthy(output:find("generate.lua: two: ratio", 1, true), output)
    assert.truthy(folder.list(path):find("^notes.md pictures/%x+%.png"), folder.list(path))
  end)
end)
