--- What nginx runs for spec/hosts/nginx_loop_spec.lua: copied into its folder, with a location for
--- each function.

local gptimage2 = require("gptimage2")

local ngx = rawget(_G, "ngx")

local routes = {}

local client

local function one()
  local poll = { first = 0.02, interval = 0.02, max = 0.02 }
  client = client or assert(gptimage2.new({ poll = poll, max_active = 400, max_connections = 60 }))
  return client
end

--- So the same in every phase that this is called in.
function routes.generate()
  local job, err = one():generate({ prompt = "a cup" })
  ngx.say(job and job.status or tostring(err))
end

function routes.waits()
  -- The time may run out between the look at it and the wait.
  require("gptimage2.loops.nginx").suspend({}, -0.001)
  local job = assert(one():submit({ prompt = "a cup" }))
  local began = ngx.now()
  local done, err = job:wait(0.3)
  ngx.update_time()
  local waited = ngx.now() - began
  ngx.say(("%s %s %s"):format(tostring(done), err and err.kind, tostring(waited >= 0.25)))
end

function routes.tasks()
  local failed = gptimage2.spawn(function()
    gptimage2.sleep(0.02)
    error("a task's own trouble")
  end)
  local task = gptimage2.spawn(function(prompt)
    return assert(one():generate({ prompt = prompt })).status
  end, "a cup")
  local alone = gptimage2.spawn(function()
    gptimage2.sleep(0.01)
    error("nobody waits for this")
  end)
  local ok = pcall(failed.wait, failed)
  ngx.say(("%s %s %s"):format(tostring(ok), task:wait(), tostring(alone:done())))
end

--- The task goes on after the request's end, in turns of its own, too.
function routes.outlives()
  gptimage2.spawn(function()
    local job = assert(one():generate({ prompt = "a cup" }))
    coroutine.yield()
    gptimage2.sleep(0.05)
    local ok, err = pcall(ngx.req.get_method)
    local told = ("%s %s %s"):format(job.status, tostring(ok), tostring(err))
    ngx.shared.requests:set("note outlives", told)
  end)
  ngx.say("started")
end

--- A handler that raises is no business of who waits.
function routes.handlers()
  local function on_event()
    error("a handler's own trouble")
  end
  local other = assert(gptimage2.new({ on_event = on_event }))
  local job = assert(other:submit({ prompt = "a bowl" }))
  routes.generate()
  local ok = pcall(job.wait, job)
  ngx.say(type(ok))
end

function routes.threads()
  local threads, said = {}, {}
  for i = 1, 5 do
    threads[i] = ngx.thread.spawn(function()
      return assert(one():generate({ prompt = "a cup" })).status
    end)
  end
  for i = 1, 5 do
    said[i] = select(2, ngx.thread.wait(threads[i]))
  end
  local co = coroutine.wrap(function()
    return assert(one():generate({ prompt = "a cup" })).status
  end)
  ngx.say(table.concat(said, " "), " ", co())
end

function routes.run()
  ngx.say(gptimage2.run(function()
    return assert(one():generate({ prompt = "a cup" })).status
  end))
end

--- In a phase that cannot wait: what a wait says is kept, and a submit goes its way.
function routes.note(phase)
  local ok, err = pcall(one().generate, one(), { prompt = "never sent" })
  local job = one():submit({ prompt = "from " .. phase })
  local text = ("%s %s %s"):format(tostring(ok), tostring(err), job and "submitted" or "nothing")
  ngx.shared.requests:set("note " .. phase, text)
end

function routes.noted(phase)
  ngx.say(ngx.shared.requests:get("note " .. phase) or "nothing yet")
end

--- Who has gone away is told: nginx drops the request's coroutine.
function routes.abandoned()
  assert(ngx.on_abort(function()
    ngx.exit(499)
  end))
  routes.generate()
end

--- Fills its stack with tables of its own, and looks at them once those who have gone would have
--- been woken.
local function is_untouched(depth)
  local a, b, c, d, e, f = {}, {}, {}, {}, {}, {}
  local rest = true
  if depth > 0 then
    rest = is_untouched(depth - 1)
  else
    ngx.sleep(2.5)
  end
  return rest and not (next(a) or next(b) or next(c) or next(d) or next(e) or next(f))
end

function routes.others()
  ngx.say(is_untouched(20) and "untouched" or "touched")
end

function routes.state()
  ngx.say(("%d timers, %d pending"):format(ngx.timer.running_count(), gptimage2.pending()))
end

return routes
