--- `gptimage2 review`: a page to choose candidates from.

local assets = require("gptimage2.assets")
local page = require("gptimage2.command.parts.page")

return page.command("review", assets.review, {
  summary = "Writes a page to choose pictures from, and says where it is.",
  description = "One file, without a network: candidates side by side, and what is not made yet. "
    .. "It saves decisions.json, which `gptimage2 accept decisions.json` carries out.",
})
