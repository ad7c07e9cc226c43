--- `gptimage2 pin`: no build touches a picture any more.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")

return decision.command(
  "pin",
  assets.pin,
  "pinned",
  "No build touches a picture any more, whatever the manifest says."
)
