--- What spec/hosts/mpv_spec.lua does inside of mpv, as a second script: presses the key, looks at
--- what plays, and quits.
local SCENE, REPORT = os.getenv("SPEC_SCENE"), os.getenv("SPEC_REPORT")
local played

local function quit(seen)
  local file = assert(io.open(REPORT, "w"))
  for name, value in pairs(seen) do
    file:write(name, "=", tostring(value), "\n")
  end
  file:close()
  mp.commandv("quit")
end

--- The picture that is shown, or nil.
local function shown()
  for _, track in ipairs(mp.get_property_native("track-list")) do
    if track.type == "video" and track.selected then
      return track
    end
  end
end

local function begin()
  mp.unregister_event(begin)
  assert(not shown())
  played = mp.get_property_number("time-pos", 0)
  mp.commandv("keypress", "Alt+g")
  mp.commandv("keypress", "Alt+g")
end
mp.register_event("playback-restart", begin)

if SCENE == "cover" then
  mp.observe_property("track-list", "native", function()
    local track = shown()
    if track then
      quit({
        file = track["external-filename"],
        albumart = track.albumart,
        played = mp.get_property_number("playback-time", 0) - played,
      })
    end
  end)
else
  mp.add_timeout(1.5, function()
    quit({ screen = mp.get_property("osd-dimensions") and "there" })
  end)
end
