-- What a customer may ask for: less than the service allows. Everything else is checked by
-- gptimage2 itself, before anything is sent.
local cjson = require("cjson.safe")

local shape = {}

local RATIOS = { ["1:1"] = true, ["4:3"] = true, ["3:4"] = true }
local MOST = 2 -- pictures in one request

-- The request for gptimage2, or nil and what is wrong.
function shape.request(body)
  local wish = cjson.decode(body or "")
  if type(wish) ~= "table" then
    return nil, "json_expected"
  elseif type(wish.prompt) ~= "string" or not wish.prompt:find("%S") then
    return nil, "prompt_required"
  end
  local ratio, count = wish.ratio or "1:1", wish.count or 1
  if not RATIOS[ratio] then
    return nil, "invalid_ratio"
  elseif count ~= 1 and count ~= MOST then
    return nil, "invalid_count"
  end
  return { prompt = wish.prompt, ratio = ratio, count = count }
end

return shape
