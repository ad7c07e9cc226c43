--- What spec/hosts/minetest_spec.lua does inside of Minetest, as a mod of its own: asks as a
--- player would, and ends the server. It is no trusted mod.
local SCENE = minetest.settings:get("spec_scene")
local PLAYERS = { "ann", "bob" }

local told, steps = {}, 0
local send = minetest.chat_send_player
function minetest.chat_send_player(player, text)
  told[#told + 1] = player .. ": " .. text
  return send(player, text)
end

local function report()
  local file = assert(io.open(minetest.get_worldpath() .. "/report", "w"))
  table.sort(told)
  file:write("told=", table.concat(told, "|"), "\n", "steps=", steps, "\n")
  file:close()
  minetest.request_shutdown()
end

local function ask()
  local command = minetest.registered_chatcommands.picture
  assert(command.privs.pictures)
  for _, player in ipairs(PLAYERS) do
    assert(command.func(player, "a castle of " .. player))
    local again, why = command.func(player, "one more")
    assert(not again, why)
  end
end

minetest.register_globalstep(function()
  steps = steps + 1
  if steps == 2 then
    ask()
  elseif steps > 2 and (#told == #PLAYERS or SCENE == "leave" and steps == 20) then
    report()
    steps = -1000000
  end
end)
