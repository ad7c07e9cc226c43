--- What becomes of a line of the lock when a picture is made, accepted or rejected. Pure, but for
--- the questions it is given to ask.

local lines = {}

local OF_PICTURE = { "n", "original", "file", "derive", "job", "seed", "cost", "time" }
local OF_REQUEST = { "made", "failed", "rejected", "want" }

--- Lets a line be about a request. A picture that was accepted for another one stays, with the hash
--- of its own.
---@param line gptimage2.assets.Line
---@param hash string
function lines.turn_to(line, hash)
  if line.hash == hash then
    return
  end
  for _, name in ipairs(OF_REQUEST) do
    line[name] = nil
  end
  if line.n then
    line.of = line.of or line.hash
    if line.of == hash then -- back to where it was
      line.of, line.made = nil, line.n
    end
  end
  line.hash = hash
end

--- The line as it is for a request: the accepted picture may be just that one's.
---@param line gptimage2.assets.Line|nil
---@param hash string
---@return gptimage2.assets.Line|nil
function lines.seen_from(line, hash)
  if not line or line.of ~= hash then
    return line
  end
  local copied = {}
  for name, value in pairs(line) do
    copied[name] = value
  end
  lines.turn_to(copied, hash)
  return copied
end

--- Candidates that cannot be had any more, and others that are made in their place.
---@param line gptimage2.assets.Line
---@param lost integer[]
---@param want integer the highest of the others
function lines.replace(line, lost, want)
  line.rejected = line.rejected or {}
  for _, n in ipairs(lost) do
    line.rejected[n] = true
  end
  line.want = math.max(line.want or 0, want)
end

--- What was asked for is there.
local function forget_wish(line)
  if line.want and line.want <= (line.made or 0) then
    line.want = nil
  end
end

--- Notes which candidates are made: those from the first on without a hole. More than anybody asked
--- for here may be there: another path may have the same request.
---@param line gptimage2.assets.Line
---@param most integer
---@param is_made fun(n: integer): boolean
---@param is_over fun(n: integer): boolean it will never come: it counts as rejected
function lines.count(line, most, is_made, is_over)
  local made = line.made or 0
  while made < most and (is_made(made + 1) or is_over(made + 1)) do
    made = made + 1
    if not is_made(made) then
      line.rejected = line.rejected or {}
      line.rejected[made] = true
    end
  end
  line.made = made
  forget_wish(line)
end

--- Accepts a candidate: all others that are made count as rejected.
---@param line gptimage2.assets.Line
---@param n integer
---@param record table what the store knows of it
---@param file? string the digest of what was derived from it
---@param derive? string the digest of the command
function lines.accept(line, n, record, file, derive)
  line.original, line.file, line.derive = record.object, file or record.object, derive
  line.job, line.seed, line.cost, line.time = record.job, record.seed, record.cost, record.time
  line.rejected = {}
  for other = 1, math.max(line.made or 0, n) do
    line.rejected[other] = other ~= n or nil
  end
  line.made = math.max(line.made or 0, n)
  forget_wish(line)
  line.n, line.of = n, nil -- last: an error of the host's may break it off anywhere
end

--- Keeps the picture that is there, whatever was asked for now.
---@param line gptimage2.assets.Line
---@param file string its digest
function lines.keep(line, file)
  line.n, line.of, line.want = 0, nil, nil
  if line.file ~= file then
    for _, name in ipairs(OF_PICTURE) do
      line[name] = name == "n" and 0 or nil
    end
    line.file = file
  end
  line.rejected = {}
  for n = 1, line.made or 0 do
    line.rejected[n] = true
  end
end

--- Whether there is a candidate that was neither accepted nor rejected.
---@param line gptimage2.assets.Line
---@return boolean
function lines.can_reject(line)
  local accepted = not line.of and line.n or nil
  for n = 1, line.made or 0 do
    if n ~= accepted and not (line.rejected and line.rejected[n]) then
      return true
    end
  end
  return false
end

--- Rejects a candidate, or all but the accepted one. A file that was accepted stays where it is,
--- and is still known as the one that another may take the place of.
---@param line gptimage2.assets.Line
---@param n integer|nil
function lines.reject(line, n)
  line.rejected = line.rejected or {}
  local accepted = not line.of and line.n or nil
  for other = 1, n and 0 or line.made or 0 do
    line.rejected[other] = line.rejected[other] or other ~= accepted or nil
  end
  if n then
    line.rejected[n] = true
    line.n = accepted ~= n and line.n or nil
  end
end

return lines
