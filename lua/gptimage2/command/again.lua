--- `gptimage2 again`: one more candidate of a picture, which the next build makes.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")

return decision.command(
  "again",
  assets.again,
  "asked for",
  "Asks for one more candidate, which the next build makes; the accepted one stays meanwhile."
)
