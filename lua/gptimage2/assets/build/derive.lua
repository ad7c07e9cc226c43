--- The post-step of a picture: `derive = { "convert", "{in}", "-resize", "256x256", "{out}" }`. Run
--- without a shell, in the manifest's folder, on a copy; what it makes goes into the store, too.

local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local contents = require("gptimage2.files.contents")

local derive = {}

local TIMEOUT = 300 -- seconds
local MAX_PICTURE = 512 * 1024 * 1024 -- bytes

--- The command with its places filled in.
local function fill(argv, source, target)
  local filled = {}
  for i, word in ipairs(argv) do
    filled[i] = word:gsub("{(%l+)}", { ["in"] = source, out = target })
  end
  return filled
end

--- A copy of an object for the command, which may write to what it is given.
local function copy_in(store, digest, path)
  local object = store:object(digest)
  local bytes = object and contents.read(object, MAX_PICTURE)
  if not bytes then
    local message = "no store has the picture " .. digest
    return failure.new("store_failed", message, { file = path })
  end
  local kind = core.disk.image_kind(object) or "bin"
  local source = ("%sderive-%s.%s"):format(store:incoming(), digest:sub(1, 16), kind)
  local ok, err = core.disk.write(source, bytes, true)
  if not ok then
    return failure.of(err, { file = source }, "store_failed")
  end
  return source
end

local function failed(picture, why)
  local message = "derive of '%s': %s: %s"
  return failure.new(
    "derive_failed",
    message:format(picture.path, core.printable(picture.derive[1]), why),
    { field = picture.path }
  )
end

--- Is it what the command was to write? What that is, is the command's; nothing at all is not.
local function is_output(target)
  local what, size = core.disk.look(target)
  if what ~= "file" then
    return nil, "it wrote no {out}"
  elseif size == 0 then
    return nil, "it wrote an empty {out}"
  end
  return true
end

--- Nothing more is begun. The picture is in the store, and the next build goes on from there.
local function stopped(picture)
  return core.error({
    kind = "closed",
    code = "closed",
    message = ("derive of '%s': the build was asked to end"):format(picture.path),
    field = picture.path,
    retryable = true,
    sent = "no",
    charged = "no",
  })
end

--- Runs the command of a picture on an object: the digest of what it made, which is in the store.
---@param own gptimage2.assets.Project
---@param picture table
---@param digest string of the original
---@return string|nil digest
---@return gptimage2.Error|nil err
local function run(own, picture, digest)
  if own.stop and own.stop() then
    return nil, stopped(picture)
  end
  local source, err = copy_in(own.store, digest, picture.path)
  if not source then
    return nil, err
  end
  local kind = picture.path:match("%.(%w+)$") or "out"
  local target = ("%sderived-%s.%s"):format(own.store:incoming(), digest:sub(1, 16), kind)
  os.remove(target)
  local argv = fill(picture.derive, source, target)
  local base = own.manifest.base
  local ok, why = core.run_program(argv, TIMEOUT, base ~= "" and base or nil, own.stop)
  os.remove(source)
  if ok then
    ok, why = is_output(target)
  end
  if not ok then
    os.remove(target)
    return failed(picture, why)
  end
  return own.store:take(target)
end

--- The digest of what belongs to a picture's path, by the digest of its original.
---@param own gptimage2.assets.Project
---@param picture table
---@param original string
---@return string|nil digest
---@return gptimage2.Error|nil err
function derive.file(own, picture, original)
  if not picture.derive then
    return original
  end
  return run(own, picture, original)
end

--- Derives an accepted picture anew. The file is touched only where its bytes change, and only
--- where it is what was accepted.
---@param own gptimage2.assets.Project
---@param picture table
---@param line gptimage2.assets.Line
---@return "changed"|"same"|nil
---@return gptimage2.Error|nil err
function derive.again(own, picture, line)
  local to = own.manifest.base .. picture.path
  local there = core.disk.look(to) and (core.digest.sha256_file(to) or "other")
  if there ~= line.file then
    return failure.new(
      "derive_failed",
      ("the file of '%s' is not what was accepted"):format(picture.path),
      { field = picture.path }
    )
  end
  local digest, err = derive.file(own, picture, line.original or line.file)
  if digest and digest ~= line.file then
    local ok
    ok, err = own.store:deliver(digest, to, true)
    digest = ok and digest
  end
  if not digest then
    return nil, err
  end
  local same = digest == line.file
  line.file, line.derive = digest, picture.derive_id
  return same and "same" or "changed"
end

--- Whether a picture has a file of ours that could be derived.
---@param picture table
---@param line gptimage2.assets.Line|nil
---@return boolean
function derive.is_possible(picture, line)
  return line ~= nil
    and (line.n or 0) > 0
    and line.hash == picture.hash
    and not line.of
    and not (line.pin or picture.pin)
end

return derive
