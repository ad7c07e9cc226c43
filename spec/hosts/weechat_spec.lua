--- WeeChat itself, headless: the script of examples/weechat.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local WEECHAT = program.find("weechat-headless")
local PLUGIN = folder.run("find /usr/lib -path '*/weechat/plugins/lua.so'"):match("^/%S+")

--- The plugin's own Lua, by the libraries that it opens.
local function lua_version()
  return PLUGIN and folder.run("ldd " .. PLUGIN):match("liblua(5%.%d)") or "none"
end

--- Gives the command, and lets the driver quit: what that saw.
local function play(scene, box)
  local home = folder.new()
  local variables = program.environment(lua_version(), box)
  variables.HOME = home
  variables.SPEC_SCENE, variables.SPEC_REPORT = scene, home .. "/report"
  local words = { WEECHAT, "-d", home }
  for _, script in ipairs({ "examples/weechat/picture.lua", "spec/hosts/weechat/driver.lua" }) do
    words[#words + 1] = "-r"
    words[#words + 1] = "/lua load " .. program.ROOT .. "/" .. script
  end
  local exit, output = program.run(words, variables)
  assert.equal(0, exit, output)
  return program.read_report(home .. "/report"), home
end

local is_there = WEECHAT and program.is_built(lua_version())
local lacks = "weechat-headless or its Lua is not installed, or the module not built for that"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

describe("The WeeChat script", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("tells where the picture is and offers its address", function()
    local box = support.sandbox({ duration = 0.5 })
    local seen, home = play("picture", box)
    assert.truthy(
      seen.printed:find("picture: making: a heron in the reeds|", 1, true),
      seen.printed
    )
    local path = seen.printed:match("picture: a heron in the reeds: (/%S+%.png)")
    assert.equal(home .. "/pictures/", path:match("^.*/"))
    assert.equal("\137PNG", folder.read(path):sub(1, 4))
    assert.equal(box.url, seen.input:sub(1, #box.url), seen.input)
    -- Half a second, and the first poll after two: the loop went on meanwhile.
    assert.is_true(tonumber(seen.ticks) > 50, seen.ticks)
  end)

  about("tells what failed", function()
    local seen = play("failure", support.sandbox({ credits = 0 }))
    assert.truthy(seen.printed:find("picture: the account has not enough credits", 1, true))
    assert.equal("", seen.input)
  end)

  about("is left while a job is in flight", function()
    local box = support.sandbox({ duration = 60 })
    play("leave", box)
    assert.equal(1, #box:ledger().jobs)
  end)
end)
