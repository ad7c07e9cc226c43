--- The making of one picture that a game has asked for. Waits; for tasks.

local candidate = require("gptimage2.assets.build.candidate")
local core = require("gptimage2.core")
local failure = require("gptimage2.assets.failure")
local items = require("gptimage2.assets.build.items")
local naps = require("gptimage2.waiting.naps")
local outcome = require("gptimage2.assets.build.outcome")
local plan = require("gptimage2.assets.plan")
local purse = require("gptimage2.assets.game.purse")
local restore = require("gptimage2.assets.build.restore")
local slices = require("gptimage2.assets.store.slices")
local telling = require("gptimage2.assets.game.telling")

local making = {}

--- As `assets.build` without options: what changed stays as it is.
local KEEP = { stale = "keep" }

--- A pause: the rest is done in a later step.
function making.pause()
  naps.sleep(0)
end

--- The digests of files that are not known yet, slice by slice.
local looked = {}

function looked:digest(path) -- luacheck: ignore 212
  local kind = core.disk.look(path)
  return kind == "file" and slices.digest(path, making.pause) or kind
end

--- One candidate; nil where the run was closed meanwhile.
local function make_item(self, run, item)
  local what, err
  if run.final then
    what, err = "failed", run.final
  else
    what, err = candidate.make(run, item)
  end
  if run.closed then
    return nil
  end
  what, err = outcome.conclude(run, item, what, err, KEEP)
  if item.pays and not item.spent then
    purse.give_back(self, run, item)
  end
  run.final = run.final or run.stopped and err or nil
  return what, err
end

--- Makes what is missing of a line of the plan; nil where the run was closed, and the error of the
--- last one that failed.
local function make_items(self, run, line)
  local list, failed = {}, nil
  items.add(run, run.found, line, list)
  for i, item in ipairs(list) do
    local what, err = make_item(self, run, item)
    if not what then
      return nil
    end
    failed = err or failed
    telling.of_all(self, run, item.hash, i == #list and failed or nil)
  end
  return true, failed
end

--- What can be done for nothing.
local function make_free(run, line, picture)
  if line.state == "lost" then
    return restore.file(run, picture)
  elseif restore.may_settle[line.state] and outcome.may_settle(run, picture, KEEP) then
    return run:settle(picture)
  end
  return true
end

--- Why a picture will not come.
local function reason_of(self, path, line)
  local place = { file = self.project.manifest.file, field = path }
  return select(2, failure.new("not_decidable", line.state .. ": " .. line.reason, place))
end

--- One picture that was asked for: the error for which it will not come, or nil where the run was
--- closed, or it was told of already.
local function make(self, run, path)
  local own = run.project
  local picture = own.pictures[path]
  local line = plan.line(own, run.found, picture, looked, KEEP.stale)
  making.pause()
  local ok, err = not own.store.fault, own.store.fault
  if ok then
    ok, err = make_free(run, line, picture)
  end
  err = not ok and err or purse.reserve(self, run, line)
  if err then
    return err
  end
  making.pause()
  ok, err = make_items(self, run, line)
  if ok then
    telling.of(self, path, err)
  end
  if not ok or self.told[path] then
    return nil
  end
  return reason_of(self, path, plan.line(own, run.found, picture, looked, KEEP.stale))
end

--- Makes a picture, and tells of it. Others that ask for the very same wait for it; they may ask
--- for more candidates.
---@param self gptimage2.assets.Maker
---@param run gptimage2.assets.Run
---@param path string
function making.picture(self, run, path)
  local hash = run.project.pictures[path].hash
  if run.twins[hash] then
    table.insert(run.twins[hash], path)
    return
  end
  run.twins[hash] = {}
  local err = make(self, run, path)
  if not run.closed then
    telling.of(self, path, err)
  end
  local twins = run.twins[hash]
  run.twins[hash] = nil
  for _, twin in ipairs(twins) do
    self.queue:put_back(twin)
  end
end

return making
