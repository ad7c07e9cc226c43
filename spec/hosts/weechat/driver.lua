--- What spec/hosts/weechat_spec.lua does inside of WeeChat, as a second script: gives the command,
--- keeps what is printed, and quits.
weechat.register("driver", "spec", "1", "MIT", "", "", "")

local SCENE = os.getenv("SPEC_SCENE")
local printed, ticks = {}, 0

local function quit()
  local file = assert(io.open(os.getenv("SPEC_REPORT"), "w"))
  file:write("printed=", table.concat(printed, "|"), "\n")
  file:write("input=", weechat.buffer_get_string(weechat.buffer_search_main(), "input"), "\n")
  file:write("ticks=", ticks, "\n")
  file:close()
  weechat.command("", "/quit")
end

function driver_line(_, _, _, _, _, _, prefix, message)
  printed[#printed + 1] = weechat.string_remove_color(prefix .. message, "")
  return weechat.WEECHAT_RC_OK
end

function driver_tick()
  ticks = ticks + 1
  local all = table.concat(printed, "|")
  local over = all:find("%.png") or all:find("credits")
  if SCENE == "leave" then
    over = ticks > 100
  end
  if over then
    quit()
  end
  return weechat.WEECHAT_RC_OK
end

function driver_begin()
  weechat.command("", "/picture a heron in the reeds")
  weechat.hook_timer(10, 0, 0, "driver_tick", "")
  return weechat.WEECHAT_RC_OK
end

weechat.hook_print("", "", "picture:", 0, "driver_line", "")
weechat.hook_timer(200, 0, 1, "driver_begin", "")
