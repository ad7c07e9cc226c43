--- Pictures as a build: `require("gptimage2.assets")`. A manifest says which pictures there are; a
--- plan what making them would cost, and why.

require("gptimage2") -- clients, and all that waits

local build = require("gptimage2.assets.build")
local check = require("gptimage2.check")
local checking = require("gptimage2.assets.plan.check")
local plan = require("gptimage2.assets.plan")
local core = require("gptimage2.core")
local decide = require("gptimage2.assets.build.decide")
local plan_file = require("gptimage2.assets.plan.file")
local decided = require("gptimage2.assets.build.decisions")
local gallery = require("gptimage2.assets.show.gallery")
local game = require("gptimage2.assets.game")
local project = require("gptimage2.assets.project")
local review = require("gptimage2.assets.show.review")
local settings = require("gptimage2.objects.settings")
local store = require("gptimage2.assets.store")
local tidy = require("gptimage2.assets.build.tidy")
local wait = require("gptimage2.waiting.wait")

---@class gptimage2.AssetsModule
local assets = {}

local function spec_with(more)
  local spec = {}
  for _, part in ipairs({ project.SPEC, more }) do
    for name, value in pairs(part) do
      spec[name] = value
    end
  end
  return spec
end

local function no_ledger()
  return core.error({
    kind = "ledger",
    code = "no_ledger",
    message = "a build needs a client with a ledger: give gptimage2.new the option 'ledger', "
      .. "such as gptimage2.assets.ledger(manifest)",
    sent = "no",
    charged = "no",
  })
end

local PLAN_SPEC = spec_with({
  ledger = "string",
  stale = "string",
  only = "string or table",
  retry = "string",
  out = "string",
})
local CHECK_SPEC = spec_with({ only = "string or table" })

--- What a build of this manifest would do: each picture with its state, the reason and the credits.
--- Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.PlanOptions
---@return gptimage2.Plan|nil
---@return gptimage2.Error|nil err
function assets.plan(path, options)
  check.argument(path, 1, "plan", "string")
  options = project.options(options, "plan", 2, PLAN_SPEC)
  local self, err = project.open(path, options)
  if not self then
    return nil, err
  end
  self.ledger = options.ledger or self.ledger
  local found
  found, err = plan.attempts(self)
  if not found then
    return nil, err
  end
  local made, ok
  made, err = plan.of(self, found, options)
  ok = made ~= nil
  if ok and options.out then
    ok, err = plan_file.write(self, made, options)
  end
  return ok and made or nil, err
end

--- Whether all pictures are there, accepted and as they should be. Needs no key, no network and no
--- ledger.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return gptimage2.Check|nil
---@return gptimage2.Error|nil err
function assets.check(path, options)
  check.argument(path, 1, "check", "string")
  options = project.options(options, "check", 2, CHECK_SPEC)
  local self, err = project.open(path, options)
  if not self then
    return nil, err
  end
  return checking.of(self, options)
end

local BUILD_SPEC = spec_with({
  budget = "number",
  cutoff = "string",
  stale = "string",
  only = "string or table",
  plan = "string",
  on_progress = "function",
  stop = "function",
})
BUILD_SPEC.base_url = nil

local function check_build(options)
  local cutoff = options.cutoff
  if not options.client then
    check.fail(2, "build", "option 'client' is needed: gptimage2.new{ ledger = … }", 3)
  elseif cutoff ~= nil and cutoff ~= "hard" and cutoff ~= "soft" then
    local hint = check.did_you_mean(cutoff, { "hard", "soft" })
    check.fail(2, "build", "option 'cutoff' must be 'hard' or 'soft'" .. hint, 3)
  elseif options.budget and not (options.budget >= 0) then -- luacheck: ignore
    check.fail(2, "build", "option 'budget' must be a number of credits, 0 or more", 3)
  elseif options.plan and (options.only or options.stale) then
    check.fail(2, "build", "options 'only' and 'stale' are those of the plan", 3)
  end
end

--- Makes what the plan says. Waits. Each picture is on the disk as soon as it is there; whatever
--- ends the program, the same call finishes it.
---@param path string of the manifest
---@param options gptimage2.BuildOptions
---@return gptimage2.BuildReport|nil
---@return gptimage2.Error|nil err
function assets.build(path, options)
  check.argument(path, 1, "build", "string")
  options = project.options(options, "build", 2, BUILD_SPEC)
  check_build(options)
  local config = settings.get(options.client)
  local ok, err = settings.check_open(options.client)
  err = not ok and err or wait.refusal()
  if not err and not config.ledger then
    err = no_ledger()
  end
  if err then
    return nil, err
  end
  return build.of(path, options)
end

--- Checks the arguments that all decisions have.
local function read_decision(path, picture, options, argn, fname)
  check.argument(path, 1, fname, "string", 3)
  check.argument(picture, 2, fname, "string", 3)
  return project.options(options, fname, argn, project.SPEC, 4)
end

--- The number of a candidate; nil where none is given.
local function read_candidate(n, fname)
  local whole = check.integer(n)
  if n ~= nil and (not whole or whole < 1) then
    check.fail(3, fname, "the number of a candidate expected", 3)
  end
  return whole
end

--- Accepts a candidate: the only one that waits, that with a number, `"keep"` (the picture that is
--- there, for the request as it is now) or `"edited"` (the file as it is now).
---@param path string of the manifest
---@param picture string its path
---@param what? integer|"keep"|"edited"
---@param options? gptimage2.AssetsOptions
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function assets.accept(path, picture, what, options)
  options = read_decision(path, picture, options, 4, "accept")
  if what ~= "keep" and what ~= "edited" then
    what = read_candidate(what, "accept")
  end
  return decide.accept(path, picture, what, options)
end

--- Rejects a candidate; without a number all that were not accepted.
---@param path string of the manifest
---@param picture string its path
---@param n? integer
---@param options? gptimage2.AssetsOptions
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function assets.reject(path, picture, n, options)
  options = read_decision(path, picture, options, 4, "reject")
  return decide.reject(path, picture, read_candidate(n, "reject"), options)
end

--- Asks for one more candidate, which the next build makes. An accepted one stays meanwhile.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function assets.again(path, picture, options)
  options = read_decision(path, picture, options, 3, "again")
  return decide.again(path, picture, options)
end

--- Pins a picture: no build touches it, whatever the manifest says.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function assets.pin(path, picture, options)
  options = read_decision(path, picture, options, 3, "pin")
  return decide.pin(path, picture, true, options)
end

--- Lets a pinned picture go. The manifest's own `pin` wins.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function assets.unpin(path, picture, options)
  options = read_decision(path, picture, options, 3, "unpin")
  return decide.pin(path, picture, false, options)
end

local DERIVE_SPEC = spec_with({ only = "string or table" })
local GC_SPEC = spec_with({ only = "string or table", dry = "boolean" })

--- Runs the `derive` of all accepted pictures again. Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.DeriveOptions
---@return gptimage2.DeriveReport|nil
---@return gptimage2.Error|nil err
function assets.derive(path, options)
  check.argument(path, 1, "derive", "string")
  return tidy.derive(path, project.options(options, "derive", 2, DERIVE_SPEC))
end

--- Deletes the files of pictures that the manifest does not ask for any more, where their bytes are
--- those that were accepted. Sends nothing, and touches no store.
---@param path string of the manifest
---@param options? gptimage2.GcOptions
---@return gptimage2.GcReport|nil
---@return gptimage2.Error|nil err
function assets.gc(path, options)
  check.argument(path, 1, "gc", "string")
  return tidy.gc(path, project.options(options, "gc", 2, GC_SPEC))
end

--- Applies what a page of `assets.review` has saved: `decisions.json`, as its text or as a table.
--- What was decided about a request that changed since is refused; the rest goes on.
---@param path string of the manifest
---@param decisions string|table
---@param options? gptimage2.AssetsOptions
---@return gptimage2.Decided|nil
---@return gptimage2.Error|nil err
function assets.decide(path, decisions, options)
  check.argument(path, 1, "decide", "string")
  if type(decisions) ~= "string" then
    check.argument(decisions, 2, "decide", "table")
  end
  options = project.options(options, "decide", 3, project.SPEC)
  local made, err = decided.read(decisions)
  if not made then
    return nil, err
  end
  return decide.apply(path, made, options)
end

local PAGE_SPEC = spec_with({ only = "string or table" })

--- Writes a page to choose from: `index.html` in the manifest's own store, beside the pictures. It
--- shows candidates side by side, and what is not made yet. Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.review(path, options)
  check.argument(path, 1, "review", "string")
  options = project.options(options, "review", 2, PAGE_SPEC)
  return review.write(path, options, "review")
end

--- The same page, which begins with the grid: pictures by the axes of `each`.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.grid(path, options)
  check.argument(path, 1, "grid", "string")
  options = project.options(options, "grid", 2, PAGE_SPEC)
  return review.write(path, options, "grid")
end

--- Writes a page of all pictures in a folder, `index.html` in it, with what their sidecars tell.
---@param dir string
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.gallery(dir)
  check.argument(dir, 1, "gallery", "string")
  return gallery.write(dir)
end

local OPEN_SPEC = {
  client = "userdata",
  budget = "number",
  store = "string",
  standins = "string",
  on_change = "function",
  on_error = "function",
}

local function check_open(options)
  if options.client and not options.budget then
    check.fail(2, "open", "option 'budget' is needed with a client: credits, 0 or more", 3)
  elseif options.budget and not (options.budget >= 0) then -- luacheck: ignore
    check.fail(2, "open", "option 'budget' must be a number of credits, 0 or more", 3)
  end
end

--- The pictures of a manifest in a game. `art:path(path)` gives the file where it is there, else at
--- once a stand-in. With a client what was asked for and is missing is made, in that order, two at
--- a time, while `step` is called; `on_change(path)` tells when it is there. Without a client it
--- reads the lock and looks at files, and nothing else.
---@param path string of the manifest
---@param options? gptimage2.OpenOptions
---@return gptimage2.Art|nil
---@return gptimage2.Error|nil err
function assets.open(path, options)
  check.argument(path, 1, "open", "string")
  options = project.options(options, "open", 2, OPEN_SPEC)
  check_open(options)
  local config = options.client and settings.get(options.client)
  local ok, err = true, nil
  if config then
    ok, err = settings.check_open(options.client)
  end
  if ok and config and not config.ledger then
    ok, err = false, no_ledger()
  end
  if not ok then
    return nil, err
  end
  return game.open(path, options)
end

--- The path of the ledger in a manifest's own store, whose folder is made: for
--- `gptimage2.new{ ledger = … }`.
---@param path string of the manifest
---@return string|nil ledger
---@return gptimage2.Error|nil err
function assets.ledger(path)
  check.argument(path, 1, "ledger", "string")
  local base = path:match("^(.*/)[^/]*$") or ""
  local made = store.open(base)
  local ok, err = made:prepare()
  if not ok then
    return nil, err
  end
  return made.roots[1] .. "ledger.db"
end

return assets
