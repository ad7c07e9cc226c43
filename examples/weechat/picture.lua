-- /picture a heron in the reeds    makes a picture, tells where it is, and puts its address into
-- the input line: Enter sends it, if you like. WeeChat goes on meanwhile.
--   cp examples/weechat/picture.lua ~/.local/share/weechat/lua/autoload/
-- or  /script load /path/to/picture.lua ; the key: GPTIMAGE2_API_KEY in WeeChat's environment.
-- The module must be installed for WeeChat's Lua (Debian: 5.3 or 5.4).
weechat.register("picture", "gptimage2", "1", "MIT", "Pictures from prompts", "picture_unload", "")

local gptimage2 = require("gptimage2")

-- WeeChat's loop: it watches our descriptor, as long as something is under way.
local our_step
gptimage2.use({
  start = function(step)
    our_step = step
    local hook = weechat.hook_fd(gptimage2.fd(), 1, 0, 0, "picture_step", "")
    return function()
      weechat.unhook(hook)
    end
  end,
})

-- WeeChat calls functions by their names.
function picture_step()
  our_step()
  return weechat.WEECHAT_RC_OK
end

local client

local function get_client()
  local err
  if not client then
    client, err = gptimage2.new()
  end
  return client, err
end

function gptimage2.on_error(err)
  weechat.print("", weechat.prefix("error") .. "picture: " .. tostring(err))
end

-- The buffer, or WeeChat's own where that was closed meanwhile.
local function find_buffer(name)
  return weechat.buffer_search("==", name)
end

local function tell(name, prefix, text)
  weechat.print(find_buffer(name), weechat.prefix(prefix) .. "picture: " .. text)
end

local function offer(name, url)
  local buffer = find_buffer(name)
  if buffer ~= "" and weechat.buffer_get_string(buffer, "input") == "" then
    weechat.buffer_set(buffer, "input", url)
  end
end

-- Waits: in a task, so WeeChat goes on.
local function make(name, prompt)
  local folder = weechat.info_get("weechat_data_dir", "") .. "/pictures"
  local by, err = get_client()
  local job
  if by then
    job, err = by:generate({ prompt = prompt }, { save = folder })
  end
  if not (job and job.files) then
    return tell(name, "error", tostring(err or job.save_error))
  end
  tell(name, "network", ("%s: %s"):format(prompt, job.files[1]))
  offer(name, job.results[1].image_url)
end

function picture_command(_, buffer, prompt)
  if prompt == "" then
    return weechat.WEECHAT_RC_ERROR
  end
  local name = weechat.buffer_get_string(buffer, "full_name")
  tell(name, "network", "making: " .. prompt)
  gptimage2.spawn(make, name, prompt)
  return weechat.WEECHAT_RC_OK
end

function picture_unload()
  if client then
    client:close()
  end
  return weechat.WEECHAT_RC_OK
end

weechat.hook_command("picture", "Makes a picture.", "<prompt>", "", "", "picture_command", "")
