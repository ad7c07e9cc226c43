--- A Lua that the module was not built for is told by the versions.

local folder = require("spec.folder")

local NAMES = { "5.1", "5.2", "5.3", "5.4" }

describe("the module in another Lua than its own", function()
  local core = package.searchpath and package.searchpath("gptimage2.core", package.cpath)

  for _, version in ipairs(NAMES) do
    it("names both versions: Lua " .. version, function()
      if "Lua " .. version == _VERSION then
        pending("that is this one")
        return
      elseif not core then
        pending("Lua 5.1 does not say where a module is")
        return
      elseif folder.run("command -v lua" .. version) == "" then
        pending("Lua " .. version .. " is not installed")
        return
      end
      local path = core:gsub("gptimage2/core%.so$", "?.so")
      local said = folder.run(
        ("LUA_PATH='%s/lua/?.lua;%s/lua/?/init.lua;;' LUA_CPATH='%s;;' lua%s -e '%s' 2>&1"):format(
          ".",
          ".",
          path,
          version,
          [[print(select(2, pcall(require, "gptimage2")))]]
        )
      )
      local built = _VERSION:gsub("%.", "%%.")
      assert.matches("was built for " .. built .. ", and is loaded by Lua " .. version, said)
      assert.is_nil(said:find("undefined symbol", 1, true))
    end)
  end

  it("says what require says where there is no core at all", function()
    local path = package.path:gsub("'", "")
    local said = folder.run(
      ("LUA_PATH='%s' LUA_CPATH='/nowhere/?.so' lua%s -e '%s' 2>&1"):format(
        path,
        _VERSION:match("[%d.]+"),
        [[print(select(2, pcall(require, "gptimage2")))]]
      )
    )
    assert.matches("module 'gptimage2.core' not found", said)
  end)
end)
