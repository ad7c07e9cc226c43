--- What costs nothing and needs no service: the post-steps again, and files that the manifest asks
--- for no more.

local core = require("gptimage2.core")
local derive = require("gptimage2.assets.build.derive")
local globs = require("gptimage2.assets.plan.globs")
local paths = require("gptimage2.assets.manifest.paths")
local run_of = require("gptimage2.assets.build.run")

local tidy = {}

--- Opens a manifest, does something with it, and closes it: what that gave, or nil and the error.
local function with_run(path, options, use)
  local result, err, late = run_of.with(path, options, use)
  return not late and result or nil, err or late
end

--- Derives all accepted pictures that have a `derive`. See `assets.derive`.
---@param path string
---@param options table
---@return table|nil report
---@return gptimage2.Error|nil err
function tidy.derive(path, options)
  local is_asked = globs.matcher(options.only)
  return with_run(path, options, function(run)
    local report = { ok = true, changed = {}, same = {}, failed = {} }
    for _, picture in ipairs(run.project.manifest.pictures) do
      local line = run.project.lock.lines[picture.path]
      local wanted = picture.derive or line and line.derive
      if wanted and is_asked(picture.path) and derive.is_possible(picture, line) then
        local what, err = derive.again(run.project, picture, line)
        local list = what and report[what] or report.failed
        list[#list + 1] = what and picture.path or { path = picture.path, error = err }
        report.ok = report.ok and what ~= nil
        run:write_lock()
      end
    end
    return report
  end)
end

--- Why the file of an orphan stays; nil where it may go: its bytes are those that were accepted.
local function kept_for(run, line, seen)
  local base = run.project.manifest.base
  local file = base .. line.path
  local blocked, what = paths.blocked(base, line.path, seen)
  if blocked then
    return ("its folder is a %s"):format(what)
  elseif core.disk.look(file) and core.digest.sha256_file(file) ~= line.file then
    return "it is not what was accepted"
  end
end

--- Deletes one, and forgets it.
local function remove(run, line, options, report)
  local file = run.project.manifest.base .. line.path
  local ok, why = true, nil
  if core.disk.look(file) and not options.dry then
    ok, why = os.remove(file)
  end
  if not ok then
    report.kept[#report.kept + 1] = { path = line.path, reason = tostring(why) }
    return
  end
  report.removed[#report.removed + 1] = line.path
  if not options.dry then
    run.project.lock.lines[line.path] = nil
  end
end

local function orphans_of(run, options)
  local list, is_asked = {}, globs.matcher(options.only)
  for path, line in pairs(run.project.lock.lines) do
    if not run.project.pictures[path] and is_asked(path) then
      list[#list + 1] = line
    end
  end
  table.sort(list, function(a, b)
    return a.path < b.path
  end)
  return list
end

--- Deletes the files of orphans, and their lines of the lock. The stores keep their pictures. See
--- `assets.gc`.
---@param path string
---@param options table
---@return table|nil report
---@return gptimage2.Error|nil err
function tidy.gc(path, options)
  return with_run(path, options, function(run)
    local report, seen = { removed = {}, kept = {} }, {}
    for _, line in ipairs(orphans_of(run, options)) do
      local why = kept_for(run, line, seen)
      if why then
        report.kept[#report.kept + 1] = { path = line.path, reason = why }
      else
        remove(run, line, options, report)
      end
    end
    return report
  end)
end

return tidy
