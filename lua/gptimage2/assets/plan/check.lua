--- Is everything as it should be? Offline, without a key and without a ledger.

local attempts = require("gptimage2.assets.plan.attempts")
local core = require("gptimage2.core")
local plan = require("gptimage2.assets.plan")

local checking = {}

--- Extension -> the kind that it promises.
local KINDS = { png = "png", jpg = "jpg", jpeg = "jpg", webp = "webp", gif = "gif", avif = "avif" }

--- Why a file is not of the kind that its name says; nil where it is, or says nothing.
---@param file string
---@return string|nil
function checking.wrong_type(file)
  local promised = KINDS[(file:match("%.(%w+)$") or ""):lower()]
  if not promised or core.disk.look(file) ~= "file" then
    return nil
  end
  local kind = core.disk.image_kind(file)
  if kind ~= promised then
    return ("it is %s, and its name says %s"):format(kind or "no image", promised)
  end
end

--- What is wrong with a line of the plan; nil where nothing is.
local function problem_of(self, line)
  local why = line.problem and { state = line.problem, reason = line.reason }
  if not why and line.state ~= "fresh" and line.state ~= "pinned" then
    why = { state = line.state, reason = line.reason }
  end
  local picture = self.pictures[line.path]
  local is_derived = picture ~= nil and picture.derive ~= nil
  local reason = not why and not is_derived and checking.wrong_type(self.manifest.base .. line.path)
  if reason then
    why = { state = "wrong_type", reason = reason }
  end
  if why then
    why.path = line.path
  end
  return why
end

--- All that is missing, edited, stale, unreviewed, orphaned or of the wrong type.
---@param self gptimage2.assets.Project
---@param options table
---@return { ok: boolean, problems: table[] }|nil
---@return gptimage2.Error|nil err
function checking.of(self, options)
  local made, err = plan.of(self, attempts.none(), options)
  if not made then
    return nil, err
  end
  local problems = {}
  for _, line in ipairs(made.lines) do
    problems[#problems + 1] = problem_of(self, line)
  end
  return { ok = problems[1] == nil, problems = problems }
end

return checking
