--- What is read is a regular file: a FIFO would keep who opens it, and a link in the lock's place
--- would be replaced.

local assets = require("gptimage2.assets")
local contents = require("gptimage2.files.contents")
local folder = require("spec.folder")
local lock = require("gptimage2.assets.store.lock")
local pictures = require("spec.helpers.pictures")

describe("a file that is read", function()
  after_each(folder.clean)

  it("is no FIFO and no device, be it the lock or the manifest", function()
    local art = pictures.new()
    local fifo = art.base .. "pictures.lock"
    folder.run(("mkfifo '%s'"):format(fifo))
    assert.same({ nil, "it is no regular file" }, { contents.read(fifo, 10) })
    assert.same({ nil, "it is no regular file" }, { contents.read("/dev/zero", 10) })
    local plan, err = assets.plan(art.manifest, { base_url = "http://127.0.0.1:1" })
    assert.is_nil(plan)
    assert.equal("lock_damaged", err.code)
    plan, err = assets.plan(fifo, { base_url = "http://127.0.0.1:1" })
    assert.is_nil(plan)
    assert.equal("manifest_error", err.code)
  end)

  it("is the lock itself, and no link to one", function()
    local base = folder.new() .. "/"
    folder.write(
      base .. "there",
      '{"gptimage2.lock":1,"salt":"000102030405060708090a0b0c0d0e0f"}\n'
    )
    folder.run(("ln -s there '%spictures.lock'"):format(base))
    local found, err = lock.read(base .. "pictures.lock")
    assert.is_nil(found)
    assert.equal("lock_damaged", err.code)
    assert.matches("symbolic link", err.message)
    found = assert(lock.read(base .. "there"))
    local ok
    ok, err = lock.write(base .. "pictures.lock", found)
    assert.is_nil(ok)
    assert.matches("symbolic link", err.message)
  end)
end)
