--- `gptimage2 unpin`: lets a pinned picture go.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")

return decision.command(
  "unpin",
  assets.unpin,
  "unpinned",
  "Lets a pinned picture go; a `pin` in the manifest wins."
)
