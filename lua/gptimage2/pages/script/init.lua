--- What a page does: its script, put together. Its hash is in the page's policy.

local parts = {}
for i, name in ipairs({ "state", "words", "tiles", "views", "flip", "keys" }) do
  parts[i] = require("gptimage2.pages.script." .. name)
end

return '(function(){"use strict";\n' .. table.concat(parts, "\n") .. "\n})();\n"
