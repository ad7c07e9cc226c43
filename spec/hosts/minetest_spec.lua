--- Minetest's server itself: the mod of examples/minetest, as a trusted mod.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local SERVER = program.find("/usr/games/minetestserver", "minetestserver", "luantiserver")

--- A game without anything in it, with the mod and the driver, and a world of it.
local function new_world(home, scene, trusted)
  local game = home .. "/.minetest/games/empty"
  local copies = "mkdir -p %s/mods %s/world && cp -r %s/examples/minetest %s/mods/pictures "
    .. "&& cp -r %s/spec/hosts/minetest %s/mods/driver"
  local root = program.ROOT
  assert.equal("", folder.run(copies:format(game, home, root, game, root, game)))
  folder.write(game .. "/game.conf", "title = Empty\n")
  folder.write(home .. "/world/world.mt", "gameid = empty\nbackend = dummy\nauth_backend = files\n")
  local conf =
    "spec_scene = %s\nsecure.trusted_mods = %s\nbind_address = 127.0.0.1\nserver_announce = false\n"
  folder.write(home .. "/minetest.conf", conf:format(scene, trusted))
end

--- A port for this run alone.
local function free_port()
  local _, port = support.nowhere()
  return tostring(port)
end

--- Runs the server until the driver ends it: what that saw, and what the server wrote.
local function play(scene, box, trusted)
  local home = folder.new()
  new_world(home, scene, trusted or "pictures")
  local variables = program.environment("jit", box)
  variables.HOME, variables.MINETEST_USER_PATH = home, home .. "/.minetest"
  local words = { SERVER, "--world", home .. "/world", "--config", home .. "/minetest.conf" }
  for _, word in ipairs({ "--port", free_port(), "--logfile", home .. "/log" }) do
    words[#words + 1] = word
  end
  local exit, output = program.run(words, variables)
  local report = program.read_report(home .. "/world/report")
  return exit, report, output, home .. "/world"
end

local is_there = SERVER and program.is_built("jit")
local lacks = "Minetest's server is not installed, or the module not built for LuaJIT"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

describe("The Minetest mod", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("makes a picture for each player, and the server goes on", function()
    local box = support.sandbox({ duration = 0.5 })
    local exit, seen, output, world = play("pictures", box)
    assert.equal(0, exit, output)
    local told = "ann: Here it is: a castle of ann|bob: Here it is: a castle of bob"
    assert.equal(told, seen.told, output)
    local _, count = folder.list(world .. "/pictures"):gsub("%.png", "")
    assert.equal(2, count)
    assert.equal(2, #box:ledger().jobs)
    assert.is_true(tonumber(seen.steps) > 10, seen.steps)
  end)

  about("tells the player what failed", function()
    local exit, seen, output = play("failure", support.sandbox({ credits = 0 }))
    assert.equal(0, exit, output)
    assert.truthy(seen.told:find("ann: the account has not enough credits", 1, true), seen.told)
  end)

  about("is left while jobs are in flight", function()
    local box = support.sandbox({ duration = 60 })
    local exit, _, output = play("leave", box)
    assert.equal(0, exit, output)
    assert.equal(2, #box:ledger().jobs)
  end)

  about("says what to write where it is not trusted", function()
    local exit, _, output = play("untrusted", support.sandbox(), "others")
    assert.are_not.equal(0, exit)
    assert.truthy(output:find("must have secure.trusted_mods = pictures", 1, true), output)
  end)
end)
