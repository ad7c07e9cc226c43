--- Stores that cannot be used: what is in them would be paid again, so nothing is.

local assets = require("gptimage2.assets")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

describe("a store", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- A store with the picture of a manifest.
  local function shared(box)
    local store = folder.new() .. "/shared"
    local art = pictures.new():connect(box)
    assert(art:build({ store = store }))
    return store
  end

  --- What keeps a store from being read, as a shell does it.
  local FAULTS = {
    ["is a file"] = "rm -r %s; echo >%s",
    ["is a link to itself"] = "mv %s %s.away; ln -s %s %s",
    ["has pictures that are none"] = "rm -r %s/objects; echo >%s/objects",
    ["has no way to its records"] = "rm -r %s/requests; ln -s requests %s/requests",
    ["has a record that cannot be read"] = "cd %s/requests/* && rm 1.json && ln -s 1.json 1.json",
    ["has records that cannot be reached"] = "cd %s/requests; d=$(ls); rm -r $d; ln -s $d $d",
  }

  for what, spoil in pairs(FAULTS) do
    it("that " .. what .. " is an error, and nothing is paid again", function()
      local box = support.sandbox()
      local store = shared(box)
      assert.equal("", folder.run((spoil:gsub("%%s", store))))
      local art = pictures.new():connect(box)
      local options = { client = art.client, store = store }
      for _, name in ipairs({ "plan", "build", "check" }) do
        local asked = name == "check" and { base_url = box.url, store = store } or options
        local found, err = assets[name](art.manifest, asked)
        assert.is_nil(found, name)
        assert.same({ "build", "store_failed", store .. "/" }, { err.kind, err.code, err.file })
        assert.matches("would be paid once more: ", err.message)
      end
      assert.equal(10, pictures.paid(box))
      art.client:close()
      for _, given in ipairs({
        { "build --yes --store " .. store, {} },
        { "build --yes", { GPTIMAGE2_STORE = store } },
      }) do
        local where = { box = box, here = art.base, env = given[2] }
        local said = commands.json(given[1], where)
        assert.same({ 6, "store_failed" }, { said.status, said.last.code })
      end
      assert.equal(10, pictures.paid(box))
    end)
  end

  --- A game asks for a picture of an art that may not even open: the error that it is told.
  local function asked_in_a_game(art, store)
    local told
    local game, err = assets.open(art.manifest, {
      client = art.client,
      budget = 100,
      store = store,
      on_error = function(_, why)
        told = why
      end,
    })
    if not game then
      return err
    end
    game:path("a.png")
    support.step_until(function()
      return told ~= nil or gptimage2.busy() == 0
    end)
    game:close()
    return told
  end

  for what, spoil in pairs(FAULTS) do
    it("that " .. what .. " is an error of a game, which pays nothing", function()
      local box = support.sandbox()
      local store = shared(box)
      assert.equal("", folder.run((spoil:gsub("%%s", store))))
      local err = asked_in_a_game(pictures.new():connect(box), store)
      assert.truthy(err, "it was told of no error")
      assert.same({ "build", "store_failed", store .. "/" }, { err.kind, err.code, err.file })
      assert.equal(10, pictures.paid(box))
    end)
  end

  it("that is a typo, or a disk that is not there, is told", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    local report, err = art:build({ store = "/nowhere/shared" })
    assert.is_nil(report)
    assert.equal("store_failed", err.code)
    assert.matches("^/nowhere/shared/: there is no such store", err.message)
    assert.equal(0, pictures.paid(box))
  end)

  it("that is not there yet is made for all who may", function()
    local box = support.sandbox()
    local store = shared(box)
    local usual = folder.new() .. "/usual"
    folder.run("mkdir " .. usual)
    for _, name in ipairs({ "", "/objects", "/requests" }) do
      assert.equal(folder.stat(usual, "%a"), folder.stat(store .. name, "%a"))
    end
  end)

  it("that is the folder's own, and cannot be read, is no empty one", function()
    local box = support.sandbox()
    local art = pictures.new():connect(box)
    assert(art:build())
    os.remove(art.base .. "pictures.lock")
    os.remove(art.base .. "a.png")
    art.client:close()
    folder.run(("rm -r %s.gptimage2/ledger* %s.gptimage2/requests"):format(art.base, art.base))
    folder.link("requests", art.base .. ".gptimage2/requests")
    local plan, err = assets.plan(art.manifest, { base_url = box.url })
    assert.is_nil(plan)
    assert.equal("store_failed", err.code)
  end)
end)
