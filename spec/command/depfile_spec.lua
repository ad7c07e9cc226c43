--- What a build's outputs depend on, as make and ninja read it.

local depfile = require("gptimage2.command.parts.depfile")

describe("a depfile", function()
  local function outputs(...)
    local lines = {}
    for i, path in ipairs({ ... }) do
      lines[i] = { path = path, state = "new" }
    end
    return depfile.text("art/pictures.lua", { lines = lines })
  end

  it("has the lock and each picture, beside the manifest", function()
    assert.equal(
      "art/pictures.lock \\\n  art/a.png \\\n  art/b.png: art/pictures.lua\n",
      outputs("a.png", "b.png")
    )
  end)

  for path, escaped in pairs({
    ["a b.png"] = "a\\ b.png",
    ["a\\ b.png"] = "a\\\\\\ b.png",
    ["a\\b.png"] = "a\\b.png",
    ["c$d.png"] = "c$$d.png",
    ["e#f.png"] = "e\\#f.png",
    ["g:h.png"] = "g\\:h.png",
    ["k%l.png"] = "k%l.png",
  }) do
    it(("tells of %s"):format(path), function()
      assert.equal(
        ("art/pictures.lock \\\n  art/%s: art/pictures.lua\n"):format(escaped),
        outputs(path)
      )
    end)
  end

  it("leaves orphans out", function()
    local plan = { lines = { { path = "a.png", state = "orphan" } } }
    assert.equal("pictures.lock: pictures.lua\n", depfile.text("pictures.lua", plan))
  end)
end)
