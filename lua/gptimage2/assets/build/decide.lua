--- What a person decides about a picture. Each changes the lock alone, and the file where another
--- picture is accepted. Sends nothing.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local lines = require("gptimage2.assets.build.lines")
local run_of = require("gptimage2.assets.build.run")
local contents = require("gptimage2.files.contents")
local states = require("gptimage2.assets.plan.states")

local decide = {}

local MAX_PICTURE = 512 * 1024 * 1024 -- bytes

local function refuse(run, path, message)
  return failure.new("not_decidable", message, { file = run.project.manifest.file, field = path })
end

--- The picture of the manifest at a path.
local function picture_of(run, path)
  local picture = run.project.pictures[path]
  if picture then
    return picture
  end
  local names = check.keys(run.project.pictures)
  local message = "the manifest has no picture '%s'%s"
  return refuse(run, path, message:format(check.show(path), check.did_you_mean(path, names)))
end

--- Opens the manifest, decides about one picture, and closes it.
local function with_picture(path, name, options, use)
  local ok, err, late = run_of.with(path, options, function(run)
    local picture, err = picture_of(run, name)
    if not picture then
      return nil, err
    end
    return use(run, picture)
  end)
  if not ok or late then
    return nil, err or late
  end
  return true
end

--- The line of a picture, if it is about what the manifest asks for now.
local function current(run, picture)
  local line = run.project.lock.lines[picture.path]
  if line and line.of == picture.hash then -- what was accepted is asked for again
    lines.turn_to(line, picture.hash)
  end
  if line and line.hash == picture.hash then
    return line
  end
  local message = "nothing was made for what the manifest asks for now: build it"
  return refuse(run, picture.path, message)
end

--- The candidate that is meant: the one that was named, or the only one that waits.
local function candidate_of(run, picture, line, n)
  local made = line.made or 0
  if n then
    if n <= made then
      return n
    end
    return refuse(run, picture.path, ("it has %d candidates, and no number %d"):format(made, n))
  end
  local waiting = {}
  for other = 1, made do
    local accepted = line.n == other and not line.of
    if not accepted and not (line.rejected and line.rejected[other]) then
      waiting[#waiting + 1] = other
    end
  end
  if #waiting == 1 then
    return waiting[1]
  end
  local message = ("%d candidates wait: say which one"):format(#waiting)
  return refuse(run, picture.path, message)
end

local NO_FILE = {
  link = "a link lies at its path, and nothing is read through one: put the file itself there",
  folder = "a folder lies at its path, and no file",
  other = "what lies at its path is no file",
}

--- The bytes of the file at a picture's path.
local function read_edited(run, picture)
  local file = run.project.manifest.base .. picture.path
  local kind, size = core.disk.look(file)
  if kind ~= "file" then
    return refuse(run, picture.path, NO_FILE[kind] or "there is no file to accept")
  elseif size > MAX_PICTURE then
    return refuse(run, picture.path, "the file is larger than 512 MiB")
  end
  local bytes, why = contents.read(file, MAX_PICTURE)
  if not bytes then
    return refuse(run, picture.path, "the file: " .. why)
  end
  return bytes
end

--- Puts the file that somebody edited into the store, and takes it for the picture.
local function take_edited(run, picture)
  local own = run.project
  local bytes, err = read_edited(run, picture)
  if not bytes then
    return nil, err
  end
  local copy = own.store:incoming() .. "edited-" .. picture.hash
  local ok, digest
  ok, err = core.disk.write(copy, bytes, true)
  if not ok then
    return failure.of(err, { file = copy }, "store_failed")
  end
  digest, err = own.store:take(copy)
  if not digest then
    return nil, err
  end
  local line = run:line(picture.path)
  lines.turn_to(line, picture.hash)
  lines.keep(line, digest)
  return true
end

--- Takes the picture that is there for the request that the manifest has now.
local function keep(run, picture)
  local line = run.project.lock.lines[picture.path]
  if not line or not line.n or not line.file then
    return refuse(run, picture.path, "no picture was accepted that could be kept")
  end
  lines.turn_to(line, picture.hash)
  if line.of then
    lines.keep(line, line.file)
  end
  return true
end

--- The line of the picture as it is now, and which of its candidates is meant.
local function find_candidate(run, picture, what)
  local line, err = current(run, picture)
  local n
  if line then
    n, err = candidate_of(run, picture, line, what)
  end
  return n and line, n or err
end

--- Accepts a candidate of the picture as it is now.
local function accept_candidate(run, picture, what)
  local line, n = find_candidate(run, picture, what)
  if not line then
    return nil, n
  end
  return run:accept(picture, n, "not_decidable")
end

--- Accepts a candidate (the only one that waits, or `n`), the picture that is there (`keep`), or
--- the file as somebody edited it (`edited`).
function decide.accept(path, name, what, options)
  return with_picture(path, name, options, function(run, picture)
    if what == "keep" then
      return keep(run, picture)
    elseif what == "edited" then
      return take_edited(run, picture)
    end
    return accept_candidate(run, picture, what)
  end)
end

--- Rejects one of them.
local function reject_candidate(run, picture, what)
  local line, n = find_candidate(run, picture, what)
  if not line then
    return nil, n
  end
  lines.reject(line, n)
  return true
end

--- The picture that an entry is about; refused where its request is another one by now.
local function decided_picture(run, path, hashes)
  local picture, err = picture_of(run, path)
  if picture and hashes[path] and hashes[path] ~= picture.hash then
    return refuse(run, path, "its request changed since the page was written: write it again")
  end
  return picture, err
end

--- One decision; whoever is refused is told, and the others go on. Gives how many were done.
local function apply(run, found, one, made, use)
  local picture, err = decided_picture(run, one.path, made.hashes)
  local ok = picture
  if ok then
    ok, err = use(run, picture, one.n)
  end
  one.error = not ok and err or nil
  local list = ok and found.done or found.refused
  list[#list + 1] = one
  return ok and 1 or 0
end

--- All decisions, those that reject first.
local function apply_all(run, made)
  local found = { accepted = 0, rejected = 0, done = {}, refused = {} }
  for _, name in ipairs(check.keys(made.reject)) do
    for _, n in ipairs(made.reject[name]) do
      local one = { path = name, n = n, what = "rejected" }
      found.rejected = found.rejected + apply(run, found, one, made, reject_candidate)
    end
  end
  for _, name in ipairs(check.keys(made.accept)) do
    local one = { path = name, n = made.accept[name], what = "accepted" }
    found.accepted = found.accepted + apply(run, found, one, made, accept_candidate)
  end
  return found
end

--- Applies what a page has saved.
---@param path string of the manifest
---@param made gptimage2.assets.Decisions
---@param options table
---@return table|nil found { accepted, rejected, done, refused }
---@return gptimage2.Error|nil err
function decide.apply(path, made, options)
  local found, err, late = run_of.with(path, options, function(run)
    return apply_all(run, made)
  end)
  return not late and found or nil, err or late
end

--- Rejects a candidate, or all that were not accepted.
function decide.reject(path, name, n, options)
  return with_picture(path, name, options, function(run, picture)
    local line, err = current(run, picture)
    if line and n then
      n, err = candidate_of(run, picture, line, n)
      line = n and line
    end
    if not line then
      return nil, err
    elseif not n and not lines.can_reject(line) then
      return refuse(run, name, "no candidate waits; an accepted one is rejected by its number")
    end
    lines.reject(line, n)
    return true
  end)
end

--- Asks for one more candidate: the next build makes it.
function decide.again(path, name, options)
  return with_picture(path, name, options, function(run, picture)
    local line = run:line(name)
    local other = line.hash and line.hash ~= picture.hash and line.of ~= picture.hash
    if other and line.n then
      return refuse(run, name, "its request changed: build it with stale = 'make'")
    elseif other and line.made then -- they would be forgotten
      return refuse(run, name, "its request, or the service, changed: build it")
    end
    lines.turn_to(line, picture.hash)
    line.want = states.asked(picture.candidates, line) + 1
    return true
  end)
end

--- Pins a picture, or lets it go: the manifest's own `pin` wins.
function decide.pin(path, name, pin, options)
  return with_picture(path, name, options, function(run, picture)
    if not pin and picture.pin then
      return refuse(run, name, "the manifest pins it: take `pin` out of its entry")
    end
    run:line(name).pin = pin or nil
    return true
  end)
end

return decide
