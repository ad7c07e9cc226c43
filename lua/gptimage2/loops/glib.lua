--- GLib's main loop by lgi: GTK, GStreamer. `gptimage2.use("glib")`.

local GLib = require("lgi").GLib
local gptimage2 = require("gptimage2")

local glib = {}

--- A callback that raised, or did not say true, would be taken out of the loop.
function glib.start(step)
  local channel = GLib.IOChannel.unix_new(assert(gptimage2.fd()))
  local watch = GLib.io_add_watch(channel, GLib.PRIORITY_DEFAULT, { "IN" }, function()
    step()
    return true
  end)
  return function()
    GLib.source_remove(watch)
  end
end

--- The timer lets the turn end at the deadline.
function glib.turn(_, deadline)
  local timer
  if deadline then
    local rest = math.max(deadline - gptimage2.now(), 0)
    timer = GLib.timeout_add(GLib.PRIORITY_DEFAULT, math.ceil(rest * 1000), function()
      timer = nil
      return false
    end)
  end
  GLib.MainContext.default():iteration(true)
  if timer then
    GLib.source_remove(timer)
  end
end

return glib
