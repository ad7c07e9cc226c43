--- The runner: a set of requests against one ledger with one budget. Each picture is on the disk as
--- soon as it is there; whatever ends the program, the same call finishes it.

local candidate = require("gptimage2.assets.build.candidate")
local checking = require("gptimage2.assets.plan.check")
local core = require("gptimage2.core")
local derive = require("gptimage2.assets.build.derive")
local failure = require("gptimage2.assets.failure")
local failures = require("gptimage2.waiting.failures")
local guard = require("gptimage2.assets.store.guard")
local lines = require("gptimage2.assets.build.lines")
local plan = require("gptimage2.assets.plan")
local plan_file = require("gptimage2.assets.plan.file")
local purse = require("gptimage2.assets.build.purse")
local restore = require("gptimage2.assets.build.restore")
local run_of = require("gptimage2.assets.build.run")
local states = require("gptimage2.assets.plan.states")
local task = require("gptimage2.waiting.task")
local wait = require("gptimage2.waiting.wait")

local build = {}

local WORKERS_MORE = 4 -- than jobs at once: those that save
local WORKERS_MAX = 256

--- What nothing else would come of, either: nothing more is sent.
local FINAL = { auth = true, budget = true, credits = true, closed = true, ledger = true }

--- What is known of a candidate. One that the lock says was made, and that waits, is fetched again
--- where no store has its very bytes.
local function candidate_of(own, found, same, hash, n)
  local known = plan.candidate(own, found, same, hash, n)
  if not same or n > (same.made or 0) then
    return known
  elseif same.n == n and not same.of or same.rejected and same.rejected[n] then
    return { t = known.t } -- nobody waits for it
  end
  if known.object and not own.store:object(known.object) then
    known.object = nil
  end
  local job = known.record and known.record.job
  if not known.row and not known.object and job then
    known.row = { meaning = "paid", job = job }
  end
  return known
end

--- The items of a line of the plan: what is begun, and what is to be made.
local function add_items(run, found, line, items)
  local own = run.project
  local picture, known_line = own.pictures[line.path], own.lock.lines[line.path]
  local same = known_line and known_line.hash == line.hash and known_line or nil
  local making = {}
  for _, n in ipairs(line.make) do
    making[n] = true
  end
  local most = math.max(states.most_wanted(picture.candidates, same), line.make[#line.make] or 0)
  for n = 1, most do
    local known = candidate_of(own, found, same, line.hash, n)
    local row = known.row
    local begun = row and (row.meaning == "open" or row.meaning == "paid") and not known.object
    local id = line.hash .. n
    if not run.asked[id] and (begun or making[n] and not row) then
      run.asked[id] = true
      items[#items + 1] = {
        path = line.path,
        hash = line.hash,
        n = n,
        t = known.t,
        row = begun and row or nil,
        record = known.record,
        picture = picture,
      }
    end
  end
end

--- What cannot be had any more and is made again: the lock says so before anything is sent.
local function replace_gone(run, made_plan)
  local changed = false
  for _, line in ipairs(made_plan.lines) do
    local known_line = run.project.lock.lines[line.path]
    if line.state == "gone" and line.make[1] then
      local last = line.make[#line.make]
      if line.lost then
        lines.replace(known_line, line.lost, last)
        changed = true
      end
      if not line.lost or not known_line.n then
        run.remade[line.path] = last
      end
    end
  end
  return not changed or run:write_lock(true)
end

--- What was begun for a request that the manifest does not ask for any more. What the service has
--- is paid, and is taken into the store; what was never sent is given up.
local function add_former_row(run, hash, n, t, row, items)
  local record = run.project.store:record(hash, n)
  local is_there = record and record.object
  if row.state == "intent" then
    items[#items + 1] = { path = row.path, hash = hash, n = n, t = t, abandon = row.key }
  elseif row.job and not is_there and (row.meaning == "open" or row.meaning == "paid") then
    items[#items + 1] = { path = row.path, hash = hash, n = n, t = t, row = row, record = record }
  end
end

local function add_former(run, found, items)
  for hash, of_hash in pairs(found.by_hash) do
    for n, of_n in pairs(not run.by_hash[hash] and of_hash or {}) do
      for t, row in pairs(of_n) do
        add_former_row(run, hash, n, t, row, items)
      end
    end
  end
end

--- May a picture take the place of the one that was accepted?
local function may_settle(run, picture, options)
  local line = run.project.lock.lines[picture.path]
  local replaces = line and line.n and line.hash ~= picture.hash and line.of ~= picture.hash
  return not replaces or options.stale == "make"
end

local function note(run, kind, item, err)
  run.done = run.done + 1
  run.tell({
    type = kind,
    path = item.path,
    n = item.n,
    done = run.done,
    total = run.total,
    credits = run.credits,
    error = err,
  })
end

--- A picture may be of another kind than its name says: that is for a person to mend.
local function warn(run, path)
  if run.project.pictures[path].derive then
    return
  end
  local reason = checking.wrong_type(run.project.manifest.base .. path)
  if reason then
    run.warnings[#run.warnings + 1] = { path = path, reason = reason }
  end
end

--- All pictures of a request: two that ask for the very same have the same.
local function settle_all(run, hash, options)
  local failed
  for _, picture in ipairs(run.by_hash[hash] or {}) do
    if may_settle(run, picture, options) then
      local ok, err = run:settle(picture)
      failed = failed or not ok and err or nil
      warn(run, picture.path)
    end
  end
  return failed
end

--- What became of an item.
local function conclude(run, item, outcome, err, options)
  if outcome == "made" then
    run.made = run.made + 1
    run.credits = run.credits + (item.row and 0 or core.limits.credits_each)
    err = settle_all(run, item.hash, options)
    outcome = err and "later" or "made"
    run:write_lock()
  end
  if outcome ~= "made" and item.picture then
    local list = outcome == "unknown" and run.unknown or run.failed
    list[#list + 1] = { path = item.path, n = item.n, error = err }
  end
  if err and FINAL[err.kind] then
    run.stopped = true
  end
  note(run, outcome == "later" and "failed" or outcome, item, err)
end

--- Whether nothing more begins.
local function is_stopped(run, options)
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
      local outcome, err = candidate.make(run, item)
      if not run.closed then
        conclude(run, item, outcome, err, options)
      end
    end
  end
end

--- Does all that waits, and comes back when it is done. An error of the host's ends it: then
--- nothing more begins.
local function work_all(run, options)
  local workers = {}
  local count = math.min((run.project.config.max_active or 8) + WORKERS_MORE, WORKERS_MAX)
  for i = 1, math.min(count, #run.items) do
    workers[i] = task.spawn(work, run, options)
  end
  for _, worker in ipairs(workers) do
    worker:wait()
  end
end

--- Lua 5.1 cannot yield across pcall.
local function protected(run, fn, ...)
  if not wait.blocks() and _VERSION == "Lua 5.1" and not rawget(_G, "jit") then
    fn(run, ...)
    return true
  end
  return pcall(fn, run, ...)
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
      run.restored = run.restored + (ok and 1 or 0)
    elseif
      picture
      and (restore.may_settle[line.state] or run.remade[line.path])
      and may_settle(run, picture, options)
    then
      ok, err = run:settle(picture)
    end
    if not ok then
      run.failed[#run.failed + 1] = { path = line.path, error = err }
    elseif line.derives then
      run.tell({ type = "derived", path = line.path })
    elseif line.state == "lost" or line.state == "cached" then
      run.tell({ type = "restored", path = line.path })
    end
  end
end

local function prepare(run, found, made_plan)
  run.items, run.next_item, run.by_hash, run.asked = {}, 1, {}, {}
  for _, picture in ipairs(run.project.manifest.pictures) do
    local same = run.by_hash[picture.hash] or {}
    run.by_hash[picture.hash] = same
    same[#same + 1] = picture
  end
  for _, line in ipairs(made_plan.lines) do
    local nothing = states.ALL[line.state] or line.state == "lost" or line.state == "edited"
    if run.project.pictures[line.path] and not nothing then
      add_items(run, found, line, run.items)
    end
  end
  add_former(run, found, run.items)
  run.total = #run.items
end

--- All of it, with the lock held.
local function go(run, options)
  local found, err = plan.attempts(run.project)
  if not found then
    return nil, err
  end
  run.found = found
  local made_plan = plan.of(run.project, found, options)
  local ok
  ok, err = purse.check(made_plan, options)
  if not ok then
    return nil, err
  end
  run.over = ok == "over"
  ok, err = replace_gone(run, made_plan)
  if not ok then
    return nil, err
  end
  prepare(run, found, made_plan)
  local well, raised = protected(run, do_free, made_plan, options)
  if well then
    well, raised = protected(run, work_all, options)
  end
  run.stopped = true -- tasks that are left begin nothing more
  if not well then
    run:close()
    error(raised, 0)
  end
  return made_plan
end

--- What may have been paid, with the key that settles it, and the error where it is of this build.
local function list_unknown(run, after)
  local list = {}
  for _, line in ipairs(after.lines) do
    for _, attempt in ipairs(line.unknown or {}) do
      local one = { path = line.path, n = attempt.n, key = attempt.key, reason = line.reason }
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

--- States in which something is left that no further build of this kind makes good.
local UNDONE = { unknown = true, in_flight = true, taken = true, gone = true }

--- What a build came to.
local function report(run, options)
  local found, err = plan.attempts(run.project)
  if not found then
    return nil, err
  end
  local after = plan.of(run.project, found, options)
  local all = not run.over and not run.failed[1] and not run.unknown[1]
  for _, line in ipairs(after.lines) do
    all = all and not line.make[1] and not UNDONE[line.state]
  end
  return {
    ok = all,
    made = run.made,
    restored = run.restored,
    credits = run.credits,
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
  result.ok = false
  result.lock_error =
    select(2, failure.new("store_failed", message:format(err.message), { file = err.file }))
  return result
end

--- Builds. See `assets.build`.
---@param path string
---@param options table
---@return table|nil report
---@return gptimage2.Error|nil err
function build.of(path, options)
  local tell = options.on_progress and core.guard(options.on_progress, failures.keep)
    or function() end
  local run, err
  if options.plan then
    options, err = options_of_plan(options)
  end
  if options then
    run, err = run_of.open(path, options, tell)
  end
  if not run then
    return nil, err
  end
  function run.tell(event)
    guard.tell(run.project.store:lock_file(), tell, event)
  end
  run.done, run.total = 0, 0
  run.made, run.restored, run.credits, run.failed, run.unknown = 0, 0, 0, {}, {}
  run.warnings = {}
  local made_plan, why = go(run, options)
  local result
  if made_plan then
    result, why = report(run, options)
  end
  local ok
  ok, err = run:close()
  if not ok and result then
    return add_lock_error(result, err)
  end
  return result, why
end

return build
