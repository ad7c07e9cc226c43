--- Files that were accepted and are lost: from a store, or by the id of the job that made them.
--- Waits.

local derive = require("gptimage2.assets.build.derive")
local failure = require("gptimage2.assets.failure")
local plan = require("gptimage2.assets.plan")

local restore = {}

--- The states in which the store may have more than the lock tells.
restore.may_settle =
  { cached = true, new = true, failed = true, stale = true, in_flight = true, unknown = true }

--- Fetches the picture of a job again; it must be the very one.
local function fetch(run, line)
  local store = run.project.store
  local id = plan.job(run.project, run.found, line)
  if not id then
    local message = "no store has the picture, and nobody knows its job"
    return failure.new("store_failed", message, { file = line.path })
  end
  local job, err = run.client:wait(id)
  local paths
  if job then
    local name = ("%srestored-%s.{ext}"):format(store:incoming(), line.original or line.file)
    paths, err = job:save(name, { overwrite = true, sidecar = false })
  end
  if not paths then
    return nil, err
  end
  local digest
  digest, err = store:take(paths[1])
  if digest and digest ~= line.file and digest ~= line.original then
    local message = "job %s gives other bytes than were accepted"
    return failure.new("store_failed", message:format(id), { file = line.path })
  end
  return digest, err
end

--- The digest of the original, which a store has then.
local function original_of(run, line)
  if line.original and run.project.store:object(line.original) then
    return line.original
  end
  return fetch(run, line)
end

--- Brings the accepted file back.
---@param run gptimage2.assets.Run
---@param picture table
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function restore.file(run, picture)
  local own, line = run.project, run:line(picture.path)
  local digest, err = line.file, nil
  if not own.store:object(digest) then
    digest, err = original_of(run, line)
    if digest and digest ~= line.file then
      digest, err = derive.file(own, picture, digest)
    end
  end
  local ok
  if digest then
    ok, err = own.store:deliver(digest, own.manifest.base .. picture.path, false)
  end
  if ok and digest ~= line.file then
    line.file, line.derive = digest, picture.derive_id
  end
  return ok, err
end

return restore
