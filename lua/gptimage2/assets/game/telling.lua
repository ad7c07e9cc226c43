--- What a game is told: of each picture that it has asked for once, that it is there, or why it
--- will not come.

local core = require("gptimage2.core")
local failures = require("gptimage2.waiting.failures")
local guard = require("gptimage2.assets.store.guard")

local telling = {}

--- What a hook raises goes where all errors of handlers go.
---@param hook function|nil
---@param what string its name
---@param client gptimage2.Client
---@return function|nil
function telling.guarded(hook, what, client)
  return hook
    and core.guard(function(news)
      hook(news.path, news.err)
    end, function(err)
      failures.keep(err, what, { client = client })
    end)
end

--- Calls a hook of the game's, which may not wait for its own folder.
local function tell(self, hook, path, err)
  if hook and not self.closed then
    guard.tell(self.project.store:lock_file(), hook, { path = path, err = err })
  end
  self.told[path] = true -- now: whatever came before is tried again
  self.accidents = 0
end

--- Tells of a picture that is there, or of the error for which it is not; of each once.
---@param self gptimage2.assets.Maker
---@param path string
---@param err gptimage2.Error|nil
function telling.of(self, path, err)
  if not self.asked[path] or self.told[path] then
    return
  elseif core.disk.look(self.project.manifest.base .. path) == "file" then
    tell(self, self.on_change, path)
  elseif err then
    tell(self, self.on_error, path, err)
  end
end

--- Tells of all pictures that have one request.
---@param self gptimage2.assets.Maker
---@param run gptimage2.assets.Run
---@param hash string
---@param err gptimage2.Error|nil
function telling.of_all(self, run, hash, err)
  for _, picture in ipairs(run.by_hash[hash] or {}) do
    telling.of(self, picture.path, err)
  end
end

--- What waits cannot be made: nothing can.
---@param self gptimage2.assets.Maker
---@param err gptimage2.Error
function telling.of_rest(self, err)
  local path = self.queue:take()
  while path and not self.closed do
    telling.of(self, path, err)
    path = self.queue:take()
  end
end

return telling
