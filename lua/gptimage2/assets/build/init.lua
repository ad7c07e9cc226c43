--- The runner: a set of requests against one ledger with one budget. Each picture is on the disk as
--- soon as it is there; whatever ends the program, the same call finishes it.

local candidate = require("gptimage2.assets.build.candidate")
local core = require("gptimage2.core")
local derive = require("gptimage2.assets.build.derive")
local failure = require("gptimage2.assets.failure")
local failures = require("gptimage2.waiting.failures")
local guard = require("gptimage2.assets.store.guard")
local items = require("gptimage2.assets.build.items")
local leftovers = require("gptimage2.assets.plan.leftovers")
local outcome = require("gptimage2.assets.build.outcome")
local plan = require("gptimage2.assets.plan")
local plan_file = require("gptimage2.assets.plan.file")
local purse = require("gptimage2.assets.build.purse")
local restore = require("gptimage2.assets.build.restore")
local run_of = require("gptimage2.assets.build.run")
local states = require("gptimage2.assets.plan.states")
local task = require("gptimage2.waiting.task")

local build = {}

local WORKERS_MORE = 4 -- than jobs at once: those that save
local WORKERS_MAX = 256

--- Whether nothing more begins: somebody has said so, or what he was asked with has raised.
local function is_stopped(run, options)
  for _, worker in ipairs(run.workers) do
    run.stopped = run.stopped or worker.failed
  end
  run.stopped = run.stopped or options.stop ~= nil and options.stop() == true
  return run.stopped
end

local function work(run, options)
  while run.items[run.next_item] and not is_stopped(run, options) do
    local item = run.items[run.next_item]
    run.next_item = run.next_item + 1
    if item.abandon then
      candidate.abandon(run, item.abandon)
      run.done = run.done + 1
    else
      local what, err = candidate.make(run, item)
      if not run.closed then
        outcome.conclude(run, item, what, err, options)
      end
    end
  end
end

--- Does all that waits, and comes back when it is done. An error of the host's ends it: then
--- nothing more begins.
local function work_all(run, options)
  run.workers = {}
  local count = math.min((run.project.config.max_active or 8) + WORKERS_MORE, WORKERS_MAX)
  for i = 1, math.min(count, #run.items) do
    run.workers[i] = task.spawn(work, run, options)
  end
  local failed = task.settle(run.workers)
  if failed then
    error(failed.error, 0)
  end
end

--- What costs nothing: pictures that a store has, and files that are lost.
local function do_free(run, made_plan, options)
  for _, line in ipairs(made_plan.lines) do
    local picture = run.project.pictures[line.path]
    local ok, err = true, nil
    if line.derives then
      ok, err = derive.again(run.project, picture, run:line(line.path))
    elseif line.state == "lost" then
      ok, err = restore.file(run, picture)
    elseif
      picture
      and (restore.may_settle[line.state] or run.remade[line.path])
      and outcome.may_settle(run, picture, options)
    then
      ok, err = run:settle(picture)
    end
    if not ok then
      run.failed[#run.failed + 1] = { path = line.path, error = err }
    elseif line.derives then
      run.tell({ type = "derived", path = line.path })
    elseif line.brings then
      run.restored = run.restored + 1
      run.tell({ type = "restored", path = line.path })
    end
  end
end

local function prepare(run, found, made_plan)
  run.items, run.next_item = {}, 1
  for _, line in ipairs(made_plan.lines) do
    local nothing = states.ALL[line.state]
      or line.state == "lost" and not line.make[1]
      or line.state == "edited"
    if run.project.pictures[line.path] and not nothing then
      items.add(run, found, line, run.items)
    end
  end
  items.add_leftovers(run, found, run.items)
  run.total = #run.items
end

--- What a build may spend: of a plan in a file what is left of it, after its builds so far.
local function budget_of(run, options)
  if not run.begun then
    return options.budget or math.huge
  end
  local left, err = run.begun:left(options.planned.cost, run.found.spent)
  return left and math.min(left, options.budget), err
end

--- The plan, if it may be done.
local function allowed_plan(run, options)
  local err, most, made_plan, ok
  run.found, err = plan.attempts(run.project)
  if run.found then
    most, err = budget_of(run, options)
  end
  if most then
    made_plan, err = plan.of(run.project, run.found, options)
  end
  if made_plan then
    ok, err = purse.check(made_plan, { budget = most, cutoff = options.cutoff })
  end
  return made_plan, ok, err
end

--- All of it, with the lock held.
local function go(run, options)
  local made_plan, ok, err = allowed_plan(run, options)
  if not ok then
    return nil, err
  end
  run.over = ok == "over"
  ok, err = items.replace_gone(run, made_plan.lines)
  if not ok then
    return nil, err
  end
  prepare(run, run.found, made_plan)
  do_free(run, made_plan, options)
  work_all(run, options)
  return made_plan
end

--- What may have been paid, with the key that settles it, and the error where it is of this build.
local function list_unknown(run, after)
  local list = {}
  for _, line in ipairs(after.lines) do
    for _, attempt in ipairs(line.unknown or {}) do
      local one = { path = line.path, n = attempt.n, key = attempt.key, reason = attempt.reason }
      for _, known in ipairs(run.unknown) do
        if known.path == one.path and known.n == one.n then
          one.error = known.error
        end
      end
      list[#list + 1] = one
    end
  end
  return list
end

--- What this build has spent, and what did not come back.
local function credits_of(run)
  local credits = run.credits
  for _, item in ipairs(run.items) do
    credits = credits + (candidate.was_sent_late(run, item) and core.limits.credits_each or 0)
  end
  return credits
end

--- States in which something is left that no further build of this kind makes good.
local UNDONE = { unknown = true, in_flight = true, taken = true, gone = true }

--- What was never sent, and whose picture has come from elsewhere meanwhile: nobody is to pay it.
local function give_up_rest(run, found)
  for _, one in ipairs(leftovers.to_give_up(run.project, found)) do
    one.row.is_ours = not candidate.abandon(run, one.row.key)
  end
end

--- What a build came to.
local function report(run, options)
  local found, err = plan.attempts(run.project)
  if not found then
    return nil, err
  end
  give_up_rest(run, found)
  local after
  after, err = plan.of(run.project, found, options)
  if not after then
    return nil, err
  end
  local all = not run.over and not run.failed[1] and not run.unknown[1]
  for _, line in ipairs(after.lines) do
    all = all and not line.make[1] and not UNDONE[line.state]
  end
  return {
    ok = all,
    made = run.made,
    restored = run.restored,
    credits = credits_of(run),
    failed = run.failed,
    unknown = list_unknown(run, after),
    warnings = run.warnings,
    over = run.over,
    plan = after,
  }
end

--- The options of a build that does what a plan in a file says, and spends no more.
local function options_of_plan(options)
  local head, err = plan_file.read(options.plan)
  if not head then
    return nil, err
  end
  local read = {}
  for name, value in pairs(options) do
    read[name] = value
  end
  read.planned, read.stale, read.only = head, head.stale, head.only
  read.budget = math.min(head.cost, options.budget or math.huge)
  return read
end

--- The lock does not say what was made; the stores and the ledger do, and nothing is lost.
local function add_lock_error(result, err)
  local message = "the lock could not be written (%s): what was made is in the store, and the same "
    .. "build writes the lock and pays for nothing again"
  local front = ("%s:%s: "):format(err.file or "", err.line or "")
  local why = err.message:sub(1, #front) == front and err.message:sub(#front + 1) or err.message
  local place = { file = err.file, line = err.line }
  result.ok = false
  result.lock_error = select(2, failure.new(err.code, message:format(why), place))
  return result
end

--- The program's `on_progress`, whose errors go where all errors of handlers go.
local function guarded(options)
  local client = options.client
  return options.on_progress
      and core.guard(options.on_progress, function(err)
        failures.keep(err, "on_progress", { client = client })
      end)
    or function() end
end

--- Does it, and says what it came to.
local function make_all(run, options, tell)
  function run.tell(event)
    guard.tell(run.project.store:lock_file(), tell, event)
  end
  run.project.stop = options.stop -- commands of pictures heed it, too
  run:index()
  local made_plan, err = go(run, options)
  if not made_plan then
    return nil, err
  end
  return report(run, options)
end

--- Builds. See `assets.build`.
---@param path string
---@param options table
---@return table|nil report
---@return gptimage2.Error|nil err
function build.of(path, options)
  local tell = guarded(options)
  if options.plan then
    local read, err = options_of_plan(options)
    if not read then
      return nil, err
    end
    options = read
  end
  local result, why, late = run_of.with(path, options, function(run)
    return make_all(run, options, tell)
  end, tell)
  if late and result then
    return add_lock_error(result, late)
  end
  return result, why or late
end

return build
