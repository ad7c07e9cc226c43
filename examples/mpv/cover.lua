-- Alt+g makes a cover for the track that plays and shows it; the music goes on meanwhile.
--   GPTIMAGE2_API_KEY=... mpv --script=examples/mpv/cover.lua song.mp3
-- To have it always, copy it to ~/.config/mpv/scripts/. The picture is saved beside the track
-- under its name, where mpv finds it the next time. In input.conf, with a prompt of your own:
--   Alt+n script-message make-cover "neon rain, no text"
local gptimage2 = require("gptimage2") -- installed for mpv's Lua: 5.2, or LuaJIT

-- mpv's loop: a timer, as long as something is under way.
gptimage2.use({
  start = function(step)
    local timer = mp.add_periodic_timer(0.02, step)
    return function()
      timer:kill()
    end
  end,
})

local client
local making = false

local function tell(text)
  mp.msg.info(text)
  mp.osd_message(text, 5)
end

function gptimage2.on_error(err)
  mp.msg.error(err)
end

local function on_event(e)
  if e.type ~= "failed" and e.type ~= "saved" then
    mp.osd_message(("Cover: %s, %.0f s"):format(e.status, e.job.elapsed), 10)
  end
end

-- What the track's tags tell.
local function describe()
  local tags = mp.get_property_native("metadata") or {}
  local artist = tags.artist or tags.ARTIST
  local album = tags.album or tags.ALBUM
  local prompt = ('album cover art for "%s"'):format(mp.get_property("media-title", "music"))
  prompt = artist and prompt .. " by " .. artist or prompt
  return album and ('%s, from the album "%s"'):format(prompt, album) or prompt
end

-- Beside the track; for streams, in mpv's own folder.
local function place(path)
  local base = path:match("://") and "" or path:gsub("%.[^./]*$", "")
  if base == "" then
    base = mp.command_native({ "expand-path", "~~/covers/" }) .. path:gsub("[^%w]+", "-"):sub(-60)
  end
  return base .. ".{ext}"
end

-- Waits: in a task, so nothing stands still.
local function make(prompt, path)
  local job, err
  if not client then
    client, err = gptimage2.new({ on_event = on_event })
  end
  if client then
    local save = { place(path), sidecar = false }
    job, err = client:generate({ prompt = prompt, ratio = "1:1" }, { save = save })
  end
  making = false
  if not (job and job.files) then
    tell("Cover: " .. tostring(err or job.save_error))
  elseif mp.get_property("path") == path then
    mp.commandv("video-add", job.files[1], "select", "cover", "", "yes")
    tell("Cover: " .. job.files[1])
  end
end

local function begin(prompt)
  local path = mp.get_property("path")
  if making or not path then
    return tell(making and "Cover: one is being made" or "Cover: nothing plays")
  end
  making = true
  gptimage2.spawn(make, prompt or describe(), path)
end

mp.add_key_binding("Alt+g", "make-cover", function()
  begin()
end)
mp.register_script_message("make-cover", begin)
