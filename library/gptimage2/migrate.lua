---@meta gptimage2.migrate
-- luacheck: ignore 212 241

---From a dall-e-3 style call to a request of this service: `require("gptimage2.migrate")`.
---@class gptimage2.MigrateModule
local migrate = {}

---The ratio nearest to a picture of width by height; nearest as a factor, so that 2:1 is as far
---from 1:1 as 1:2 is.
---@param width number pixels, or any other unit
---@param height number in the same unit
---@param ratios? string[] the allowed ones, "W:H"; default the five documented
---@return string|nil ratio
---@return boolean|gptimage2.Error exact whether the shape is the same; the error (`invalid_size`)
---after nil
function migrate.ratio(width, height, ratios) end

---A request from the fields of an older call: prompt, size = "1792x1024" or width and height, n or
---count, quality and so on; fields that a request has too are taken over.
---@param old table
---@return gptimage2.Request|nil request checked only when it is used
---@return string[]|gptimage2.Error notes a sentence for everything that is not the same; the error
---(`invalid_size`, `invalid_count`) after nil
function migrate.request(old) end

return migrate
