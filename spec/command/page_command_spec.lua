--- `gptimage2 review`, `grid` and `gallery`: where the page is; and the way from there to `accept`.

local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local UNIT = " " .. commands.UNIT

describe("a page", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function built()
    local box = support.sandbox()
    local art = pictures.new({
      ["a.png"] = "subject = 'a', candidates = 2",
      ["b/c.png"] = "subject = 'c'",
    })
    local options = { box = box, here = art.base }
    assert.equal(0, commands.run("build -y" .. UNIT, options).status)
    return art, options
  end

  it("is written where it is said", function()
    local _, options = built()
    for _, name in ipairs({ "review", "grid" }) do
      local said = commands.run(name, options)
      assert.equal(0, said.status, said.err)
      local file = said.out:match("^(/[^\n]*/index%.html)\n$")
      assert.matches("^<!doctype html>", assert(folder.read(file)))
      local object = commands.json(name .. " --only 'b/**'", options).last
      assert.same({ type = "page", file = file }, object)
      assert.is_nil(folder.read(file):find('"a.png"', 1, true))
    end
    assert.equal(2, commands.run("review --only", options).status)
    assert.equal(2, commands.json("review -f nowhere.lua", options).status)
  end)

  it("of a folder is never written over one of others", function()
    local art, options = built()
    local said = commands.json("gallery .", options)
    assert.equal(0, said.status)
    assert.equal("page", said.last.type)
    assert.matches("c%.png", assert(folder.read(said.last.file)))
    folder.write(art.base .. "b/index.html", "mine")
    said = commands.json("gallery b", options)
    assert.not_equal(0, said.status)
    assert.equal("error", said.last.type)
    assert.equal("mine", folder.read(art.base .. "b/index.html"))
    assert.not_equal(0, commands.run("gallery nowhere", options).status)
    assert.equal(2, commands.run("gallery", options).status)
  end)
end)
