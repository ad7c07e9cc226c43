--- The pictures of a manifest as the data of a page: what there is to decide, and to look at. The
--- page lies in the manifest's own store, beside the pictures.

local attempts = require("gptimage2.assets.plan.attempts")
local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local pages = require("gptimage2.pages")
local plan = require("gptimage2.assets.plan")
local project = require("gptimage2.assets.project")
local slices = require("gptimage2.assets.store.slices")
local states = require("gptimage2.assets.plan.states")
local text = require("gptimage2.pages.text")

local review = {}

--- A word for a shell.
local function quote(word)
  if not word:find("[^%w%-%._/]") then
    return word
  end
  return "'" .. word:gsub("'", "'\\''") .. "'"
end

--- The link to an object, which is brought into the first store where another one has it.
local function link_of(own, digest)
  local here = own.store.roots[1] .. "objects/" .. digest
  if core.disk.look(here) ~= "file" then
    local path = own.store:object(digest)
    if not path or not slices.copy(path, here, false, nil, true) then
      return nil
    end
  end
  return text.link("objects/" .. digest)
end

--- A candidate that is made, or may be.
local function candidate_of(own, line, hash, n)
  local record = own.store:record(hash, n)
  local src = record and record.here and link_of(own, record.object)
  if not src then
    return nil
  end
  local accepted = line ~= nil and line.n == n and not line.of
  return {
    n = n,
    src = src,
    prompt = record.prompt,
    seed = record.seed,
    accepted = accepted or nil,
    rejected = not accepted and line and line.rejected and line.rejected[n] or nil,
  }
end

--- The accepted picture of another request, or one that was edited.
local function kept_picture(own, line)
  local digest = line and (line.of or line.n == 0) and line.file
  local src = digest and link_of(own, digest)
  return src and { n = 0, src = src, accepted = true } or nil
end

local function candidates_of(own, picture)
  local line = own.lock.lines[picture.path]
  local same = line and line.hash == picture.hash and line or nil
  local list = text.list()
  list[1] = kept_picture(own, line)
  for n = 1, states.most_wanted(picture.candidates, same) do
    list[#list + 1] = candidate_of(own, same, picture.hash, n)
  end
  return list
end

--- What makes a picture, or lets one decide.
local function command_of(manifest_name, line)
  local front = "gptimage2 build -f " .. quote(manifest_name)
  if line.state == "gone" or line.state == "stale" then
    return ("%s --stale=make --only %s"):format(front, quote(line.path))
  elseif line.cost > 0 then
    return ("%s --only %s"):format(front, quote(line.path))
  end
end

local function picture_of(own, line)
  local picture = own.pictures[line.path]
  return {
    path = line.path,
    hash = line.hash,
    state = line.state,
    reason = line.reason,
    cost = line.cost,
    command = command_of(own.manifest.file:match("[^/]*$"), line),
    prompt = picture and picture.request.prompt or "",
    ratio = picture and picture.request.ratio,
    axes = picture and picture.axes or {},
    candidates = picture and candidates_of(own, picture) or text.list(),
  }
end

local function data_of(own, lines, view)
  local names, pictures = {}, text.list()
  for _, line in ipairs(lines) do
    local picture = picture_of(own, line)
    pictures[#pictures + 1] = picture
    for name in pairs(picture.axes) do
      names[name] = true
    end
  end
  return {
    title = own.manifest.file:match("([^/]*/[^/]*)$") or own.manifest.file,
    view = view,
    decides = true,
    axes = text.list(check.keys(names)),
    pictures = pictures,
  }
end

--- Writes the page, and gives its path.
---@param path string of the manifest
---@param options table
---@param view "review"|"grid"
---@return string|nil file
---@return gptimage2.Error|nil err
function review.write(path, options, view)
  local own, err = project.open(path, options)
  local ok
  if own then
    ok, err = own.store:prepare()
  end
  if not ok then
    return nil, err
  end
  local made
  made, err = plan.of(own, attempts.none(), options)
  if not made then
    return nil, err
  end
  local html = pages.render(data_of(own, made.lines, view), core.digest.sha256)
  local file = own.store.roots[1] .. "index.html"
  ok, err = core.disk.write(file, html, true)
  if not ok then
    return failure.of(err, { file = file }, "store_failed")
  end
  return file
end

return review
