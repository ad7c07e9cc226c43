-- /picture a castle in the clouds    makes a picture and shows it to the player; the server goes
-- on meanwhile. Who may: /grant somebody pictures. Copy this folder to the server's mods as
-- `pictures`, enable it (load_mod_pictures = true in world.mt), and write into minetest.conf
--   secure.trusted_mods = pictures
-- The key: GPTIMAGE2_API_KEY in the server's environment. The module: for Lua 5.1 and LuaJIT.
local trusted = minetest.request_insecure_environment()
assert(trusted, "pictures: minetest.conf must have secure.trusted_mods = pictures")

-- The module's files find each other by the global `require`, which a mod does not have.
local forbidden = rawget(_G, "require")
rawset(_G, "require", trusted.require)
local loaded, gptimage2 = pcall(trusted.require, "gptimage2")
rawset(_G, "require", forbidden)
assert(loaded, gptimage2)

-- The server's loop: each of its steps, as long as something is under way.
local our_step
gptimage2.use({
  start = function(step)
    our_step = step
    return function()
      our_step = nil
    end
  end,
})
minetest.register_globalstep(function()
  if our_step then
    our_step()
  end
end)

function gptimage2.on_error(err)
  minetest.log("error", "[pictures] " .. tostring(err))
end

local FOLDER = minetest.get_worldpath() .. "/pictures"

local client
local busy = {} -- players whose picture is being made

local function tell(player, text)
  minetest.log("action", ("[pictures] %s: %s"):format(player, text))
  minetest.chat_send_player(player, text)
end

local function show(player, path, prompt)
  local name = path:match("[^/]+$")
  local form = "formspec_version[4]size[13,11]image[0.5,0.5;12,9;%s]label[0.5,10.2;%s]"
  local spec = form:format(minetest.formspec_escape(name), minetest.formspec_escape(prompt))
  minetest.dynamic_add_media({ filepath = path, to_player = player }, function()
    minetest.show_formspec(player, "pictures:picture", spec)
  end)
end

-- Waits: in a task, so the server goes on.
local function make(player, prompt)
  local job, err
  if not client then
    client, err = gptimage2.new()
  end
  if client then
    job, err = client:generate({ prompt = prompt, ratio = "4:3" }, { save = FOLDER })
  end
  busy[player] = nil
  if not (job and job.files) then
    return tell(player, tostring(err or job.save_error))
  end
  tell(player, "Here it is: " .. prompt)
  if minetest.get_player_by_name(player) then
    show(player, job.files[1], prompt)
  end
end

minetest.register_privilege("pictures", "Can spend credits on pictures")
minetest.register_chatcommand("picture", {
  params = "<prompt>",
  description = "Makes a picture",
  privs = { pictures = true },
  func = function(player, prompt)
    if not prompt:find("%S") then
      return false, "Say what is to be seen: /picture a castle in the clouds"
    elseif busy[player] then
      return false, "Your last picture is still being made"
    end
    busy[player] = true
    gptimage2.spawn(make, player, prompt)
    return true, "It is being made ..."
  end,
})
