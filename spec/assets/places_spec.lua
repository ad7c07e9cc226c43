--- Where a picture cannot be put is told before it is paid.

local child = require("spec.helpers.child")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local BUILD = [[
  local _, manifest, url, key = ...
  local assets, gptimage2 = require("gptimage2.assets"), require("gptimage2")
  local client = assert(gptimage2.new({
    api_key = key,
    base_url = url,
    ledger = assert(assets.ledger(manifest)),
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
  }))
  local report = assert(assets.build(manifest, { client = client }))
  print("made", report.made)
  for _, one in ipairs(report.failed) do
    print(one.path, one.error.kind, one.error.charged, one.error.message)
  end
]]

--- Permissions hold for root, too, once it has not this right.
local function without_rights()
  local drop = "setpriv --bounding-set=-dac_override"
  return folder.run(drop .. " true") == "" and drop or nil
end

describe("a folder that cannot be written to", function()
  after_each(support.clean)
  after_each(folder.clean)

  it("costs nothing, and the others are made", function()
    local entries = {
      ["open/a.png"] = "subject = 'a fox'",
      ["shut/b.png"] = "subject = 'a hare'",
      ["shut/new/c.png"] = "subject = 'an owl'",
    }
    local box, art = support.sandbox({ duration = 0 }), pictures.new(entries)
    folder.run(("mkdir %sshut && chmod 555 %sshut"):format(art.base, art.base))
    local words = { art.manifest, box.url, box.api_key }
    local said = child.run(BUILD, words, without_rights())
    assert.equal(0, said.exit, said.errors)
    assert.matches("^made\t1\n", said.output)
    for _, path in ipairs({ "shut/b.png", "shut/new/c.png" }) do
      local name = path:gsub("%.", "%%.")
      local pattern = "%s\tio\tno\t[^\n]*%s[^\n]*: Permission denied\n"
      assert.matches(pattern:format(name, name), said.output)
    end
    assert.equal(10, pictures.paid(box))
    folder.run("chmod 755 " .. art.base .. "shut")
    assert.equal(2, assert(art:connect(box):build()).made)
    assert.equal(30, pictures.paid(box))
  end)
end)
