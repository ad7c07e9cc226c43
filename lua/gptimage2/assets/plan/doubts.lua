--- What may have been paid, in words, with the call that settles it. Pure.

local doubts = {}

local RESOLVE =
  'it may have been paid (%s): client:resolve("%s", "resend" | "abandon" | its job id)'
local DOUBTFUL = "an attempt ended as %s, and may have been paid; `again` asks for another"

--- About one attempt.
---@param row { meaning: string, state: string, key: string, error: string|nil }
---@return string
function doubts.reason(row)
  if row.meaning == "doubtful" then
    return DOUBTFUL:format(row.error or row.state)
  end
  return RESOLVE:format(row.state, row.key)
end

--- About all of a picture: each candidate has a key of its own.
---@param list { n: integer, reason: string }[]
---@return string
function doubts.sum(list)
  if not list[2] then
    return list[1].reason
  end
  local parts = {}
  for i, one in ipairs(list) do
    parts[i] = ("candidate %d: %s"):format(one.n, one.reason)
  end
  return table.concat(parts, "; ")
end

return doubts
