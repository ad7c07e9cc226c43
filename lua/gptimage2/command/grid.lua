--- `gptimage2 grid`: the page of a review, by the axes of the pictures.

local assets = require("gptimage2.assets")
local page = require("gptimage2.command.parts.page")

return page.command("grid", assets.grid, {
  summary = "The page of `review`, which begins with pictures by their axes.",
  description = "The axes of `each` in the manifest are the rows, columns and pages of a grid.",
})
