--- What spec/hosts/nvim_spec.lua does inside of Neovim: one scene a run, named by SPEC_SCENE. It
--- writes what it saw into the file SPEC_REPORT, a line `name=value` each, and quits.
local gptimage2 = require("gptimage2")

local uv = vim.loop
local scenes, seen = {}, {}

--- What vim.notify was given, as the user reads it.
local notes = {}
vim.notify = function(text) -- luacheck: ignore
  notes[#notes + 1] = text
end

local function quit()
  local file = assert(io.open(vim.env.SPEC_REPORT, "w"))
  seen.notes = table.concat(notes, "|")
  seen.pending = gptimage2.pending()
  for name, value in pairs(seen) do
    file:write(name, "=", (tostring(value):gsub("\n", "\\n")), "\n")
  end
  file:close()
  vim.cmd("qa!")
end

--- Calls `after` in the main loop once `is_so()`.
local function once(is_so, after)
  local timer = uv.new_timer()
  timer:start(
    1,
    5,
    vim.schedule_wrap(function()
      if timer:is_active() and is_so() then
        timer:stop()
        after()
      end
    end)
  )
end

local function lines()
  return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), "|")
end

--- A beat of 10 ms in the editor's loop: gives a function that tells the longest gap, in ms.
local function beat()
  local timer, last, worst = uv.new_timer(), uv.hrtime(), 0
  timer:start(10, 10, function()
    local now = uv.hrtime()
    worst, last = math.max(worst, now - last), now
  end)
  return function()
    timer:close()
    return worst / 1e6
  end
end

local function new_client(options)
  local quick = { poll = { first = 0.02, interval = 0.02, max = 0.02 }, max_active = 50 }
  return assert(gptimage2.new(vim.tbl_extend("force", quick, options or {})))
end

local function ask(client, n)
  return assert(client:generate({ prompt = "picture " .. n }))
end

--- Outside of coroutines.
function scenes.main()
  local ticks, timer = 0, uv.new_timer()
  timer:start(10, 10, function()
    ticks = ticks + 1
  end)
  local job = ask(new_client(), 1)
  timer:close()
  vim.api.nvim_buf_set_lines(0, 0, -1, false, { "after the wait" })
  seen.status, seen.ticked = job.status, ticks > 5
  local _, err = new_client():generate({ prompt = "too slow" }, { timeout = 0.1 })
  seen.timeout = err and err.code
  quit()
end

--- Counts how often the loop is started, less how often it is stopped.
local function count_starts()
  local loop, running = gptimage2.loops.nvim, 0
  local start = loop.start
  function loop.start(step)
    local stop = start(step)
    running = running + 1
    return function()
      running = running - 1
      stop()
    end
  end
  return function()
    return running
  end
end

--- Fifty coroutines at once, each editing the buffer afterwards.
function scenes.fifty()
  local running = count_starts()
  local client, done, gap = new_client(), 0, beat()
  for i = 1, 50 do
    coroutine.wrap(function()
      ask(client, i)
      vim.api.nvim_buf_set_lines(0, -1, -1, false, { "picture " .. i })
      done = done + 1
    end)()
  end
  once(function()
    return done == 50
  end, function()
    seen.lines, seen.gap = vim.api.nvim_buf_line_count(0) - 1, gap()
    seen.running = running() -- this is later than the step that ended the last
    quit()
  end)
end

--- CPU of the whole process for a thousand jobs at once, each with a coroutine that waits.
local function thousand(after)
  local client, done, began = new_client({ max_active = 1000 }), 0, os.clock()
  for i = 1, 1000 do
    coroutine.wrap(function()
      ask(client, i)
      done = done + 1
    end)()
  end
  after(function()
    return done == 1000
  end, function()
    seen.cpu = os.clock() - began
    quit()
  end)
end

function scenes.thousand()
  thousand(once)
end

--- The same in a plain loop of steps.
function scenes.thousand_plain()
  gptimage2.use("yield")
  thousand(function(is_so, over)
    while not is_so() do
      gptimage2.step(0.1)
    end
    over()
  end)
end

--- The same time without us.
function scenes.idle()
  local gap = beat()
  vim.defer_fn(function()
    seen.gap = gap()
    quit()
  end, tonumber(vim.env.SPEC_MS))
end

--- The editor handles nothing for a second (a prompt that waits for a key), while jobs end: CPU
--- of that time.
function scenes.busy()
  local client, done = new_client(), 0
  for i = 1, 20 do
    coroutine.wrap(function()
      ask(client, i)
      done = done + 1
    end)()
  end
  local began = os.clock()
  local only_fast = true
  vim.wait(1000, function()
    return false
  end, 100, only_fast)
  seen.cpu, seen.done = os.clock() - began, done
  once(function()
    return done == 20
  end, quit)
end

--- In a callback of the loop: an error outside of a coroutine, none in one.
function scenes.fast()
  local client, timer = new_client(), uv.new_timer()
  timer:start(1, 0, function()
    timer:close()
    seen.in_fast = vim.in_fast_event()
    local ok, err = pcall(ask, client, 1)
    seen.main_ok, seen.main_error = ok, err
    seen.jobs = #client:jobs()
    coroutine.wrap(function()
      seen.status = ask(client, 2).status
      seen.fast_after = vim.in_fast_event()
      vim.api.nvim_buf_set_lines(0, 0, -1, false, { "edited" })
    end)()
  end)
  once(function()
    return seen.status
  end, quit)
end

--- Errors of a task and of on_event: nobody else is hurt, and the loop goes on.
function scenes.errors()
  local errors, done = {}, 0
  gptimage2.on_error = function(err, what)
    errors[#errors + 1] = what .. ": " .. tostring(err):match("boom %a+")
  end
  local bad = new_client({
    on_event = function(e)
      if e.type == "created" then
        error("boom event")
      end
    end,
  })
  gptimage2.spawn(function()
    gptimage2.sleep(0.02)
    error("boom task")
  end)
  for i = 1, 2 do
    coroutine.wrap(function()
      ask(i == 1 and bad or new_client(), i)
      done = done + 1
    end)()
  end
  once(function()
    return done == 2 and #errors == 2
  end, function()
    table.sort(errors)
    seen.errors, seen.done = table.concat(errors, ","), done
    -- All is over: the loop has started and stopped, and can once more.
    seen.again = ask(new_client(), 3).status
    quit()
  end)
end

--- What goes on in a step lets the editor turn until another one is done.
function scenes.nested()
  local client, second = new_client(), nil
  coroutine.wrap(function()
    ask(client, 1)
    coroutine.wrap(function()
      second = ask(client, 2).status
    end)()
    seen.waited = vim.wait(20000, function()
      return second
    end, 10)
    seen.second = second
  end)()
  once(function()
    return seen.waited ~= nil
  end, quit)
end

--- Cancelled, timed out, a task, run: each in the editor's loop.
function scenes.ends()
  local client = new_client()
  coroutine.wrap(function()
    local job = assert(client:submit({ prompt = "one to cancel" }))
    vim.defer_fn(function()
      job:cancel()
    end, 30)
    local _, err = job:wait()
    seen.cancelled = err.kind
    job = assert(client:submit({ prompt = "one to wait for" }))
    _, err = job:wait(0.03)
    seen.timed_out = err.code
    seen.waited = assert(job:wait()).status
  end)()
  seen.run = gptimage2.run(function()
    return ask(client, 4).status
  end)
  once(function()
    return seen.waited
  end, quit)
end

--- Quits while thirty jobs are in flight.
function scenes.leave()
  local client = new_client()
  for i = 1, 30 do
    coroutine.wrap(function()
      ask(client, i)
    end)()
  end
  once(function()
    return #client:jobs() == 30 and client:jobs()[1].id
  end, quit)
end

--- `:GptImage`, with keys typed meanwhile.
function scenes.plugin()
  local gap = beat()
  require("gptimage2_nvim").setup({
    client = { poll = { first = 0.05, interval = 0.05, max = 0.05 } },
  })
  vim.cmd("GptImage A [red] boat, at dawn")
  seen.asked = lines()
  vim.api.nvim_input("ohow fast I type<Esc>")
  once(function()
    return lines():find("type|", 1, true)
  end, function()
    seen.typed = lines()
  end)
  once(function()
    return seen.typed and (lines():find("![", 1, true) or notes[1])
  end, function()
    seen.text, seen.gap = lines(), gap()
    vim.cmd("checkhealth gptimage2_nvim")
    seen.health = lines()
    quit()
  end)
end

--- What fails is told, and leaves no trace in the text.
function scenes.plugin_error()
  vim.cmd("GptImage a heron")
  once(function()
    return notes[1]
  end, function()
    seen.text = lines()
    local marks = vim.api.nvim_create_namespace("gptimage2")
    seen.marks = #vim.api.nvim_buf_get_extmarks(0, marks, 0, -1, {})
    quit()
  end)
end

--- The picture comes when there is no place for its link any more.
function scenes.plugin_late()
  vim.cmd("GptImage a heron")
  vim.bo.modifiable = false
  once(function()
    return notes[1]
  end, function()
    seen.text, seen.modifiable = lines(), notes[1]
    vim.cmd("GptImage an owl")
    vim.cmd("enew | bwipeout! 1")
    once(function()
      return notes[2]
    end, function()
      seen.gone = notes[2]
      quit()
    end)
  end)
end

-- In the main loop, as a user's keys would; what a scene raises ends it.
vim.schedule(function()
  local ok, err = xpcall(scenes[vim.env.SPEC_SCENE], debug.traceback)
  if not ok then
    io.stderr:write(err, "\n")
    vim.cmd("cquit")
  end
end)
