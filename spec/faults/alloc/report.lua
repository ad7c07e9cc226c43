--- What came of the faults: reads the hosts' lines, judges them by the sandbox's books, prints.

local report = {}

local COLUMNS = { "lua", "engine", "libcurl", "SQLite", "lua-cjson" }
--- States of the ledger that say: this was, or may have been, paid.
local KNOWN = {
  sent = true,
  accepted = true,
  unknown = true,
  succeeded = true,
  cancelled = true,
  abandoned = true,
}

local PIPELINE = { a = "succeeded", b = "succeeded", rows = "2" }

--- What becomes of the jobs of each scenario when nothing fails, and how many rows there are.
--- `plain` are those that no ledger knows, `posts` how often one may be sent.
local SCENES = {
  load = PIPELINE,
  work = PIPELINE,
  plain = { a = "succeeded", b = "succeeded", plain = { a = true, b = true } },
  cancel = { a = "cancelled", b = "cancelled", c = "cancelled", rows = "3" },
  two = { a = "succeeded", b = "succeeded", c = "succeeded", rows = "2", plain = { c = true } },
  resolve = { a = "succeeded", b = "cancelled", c = "succeeded", rows = "3", posts = 2 },
  references = { a = "succeeded", b = "failed", c = "failed", rows = "3" },
  saves = { a = "succeeded", b = "succeeded", rows = "2" },
}
local JOBS = { "a", "b", "c" }
--- What an error says that is about memory: its own words, SQLite's, libcurl's, lua-cjson's.
local WORDS = { "memory", "Memory" }

local total = { faults = 0, lost = 0, twice = 0, bad = 0 }

local function split(line)
  local words = {}
  for word in (line .. "\t"):gmatch("([^\t]*)\t") do
    words[#words + 1] = word
  end
  return words
end

--- Tag -> list of its texts.
local function read_notes(words, first)
  local notes = {}
  for i = first, #words do
    local tag, text = words[i]:match("^([^=]*)=(.*)$")
    if tag then
      notes[tag] = notes[tag] or {}
      table.insert(notes[tag], text)
    end
  end
  return notes
end

--- Reads one line of a host into `runs`: n -> what happened.
function report.read(line, runs)
  local words = split(line)
  local n = tonumber(words[2])
  if words[1] ~= "run" and words[1] ~= "back" or not n then
    io.stdout:write("  host: ", line, "\n")
    return
  end
  local found = {
    n = n,
    ended = words[3] == "ended",
    fired = words[4] == "fired",
    stage = words[5],
    signal = tonumber(words[6]),
    calls = {},
    held = {},
  }
  for i = 1, #COLUMNS do
    found.calls[i] = tonumber(words[5 + 2 * i])
    found.held[i] = tonumber(words[6 + 2 * i])
  end
  found.notes = read_notes(words, 7 + 2 * #COLUMNS)
  if words[1] == "run" then
    runs[n] = found
  elseif runs[n] then
    runs[n].back = found
  end
end

--- Prompt -> { jobs made for it, POSTs seen for it }.
local function books_of(jobs)
  local books = {}
  for _, job in ipairs(jobs) do
    local prompt = job.prompt:match("^[%w-]+")
    local page = books[prompt] or { jobs = 0, posts = 0 }
    page.jobs = page.jobs + 1
    page.posts = page.posts + job.posts
    books[prompt] = page
  end
  return books
end

local function has(list, text)
  for _, item in ipairs(list or {}) do
    if item == text then
      return true
    end
  end
  return false
end

--- Everything went as if nothing had happened.
local function is_whole(run, scene)
  for _, which in ipairs(JOBS) do
    if scene[which] and not has(run.notes[which], scene[which]) then
      return false
    end
  end
  return has(run.notes.errors, "none") and (not scene.rows or has(run.notes.rows, scene.rows))
end

local function speaks_of_memory(run)
  for _, tag in ipairs({ "message", "code", "raised", "warning" }) do
    for _, text in ipairs(run.notes[tag] or {}) do
      for _, word in ipairs(WORDS) do
        if text:find(word, 1, true) then
          return true
        end
      end
    end
  end
  return false
end

--- The run as words, for who looks into a failure.
local function show(run)
  local parts = {}
  for tag, list in pairs(run.notes) do
    parts[#parts + 1] = tag .. "=" .. table.concat(list, " / ")
  end
  table.sort(parts)
  return table.concat(parts, "; ")
end

function report.problem_of_faultless(plan, run)
  if not run.ended or not is_whole(run, SCENES[plan.start]) then
    return ("ended at %s (signal %d): %s"):format(run.stage, run.signal, show(run))
  end
  for i = 1, 4 do
    if run.held[i] ~= 0 then
      return ("it leaves %d of %s"):format(run.held[i], COLUMNS[i])
    end
  end
end

function report.tally(plan, calls, faultless)
  return {
    plan = plan,
    scene = SCENES[plan.start],
    calls = calls,
    cjson = faultless.calls[5],
    counts = {},
    codes = {},
    problems = {},
  }
end

local function add(tally, what)
  tally.counts[what] = (tally.counts[what] or 0) + 1
end

local function problem(tally, run, what)
  add(tally, what)
  table.insert(tally.problems, ("%s, n = %d, at %s: %s"):format(what, run.n, run.stage, show(run)))
end

--- The ledger's row for `prompt` after the recovery: its state and `charged`.
local function row_of(run, prompt)
  for _, row in ipairs(run.back and run.back.notes.row or {}) do
    local found, state, charged = row:match("^(%S+) (%S+) (%S+)")
    if found == prompt then
      return state, charged
    end
  end
end

--- Whether a paid job is known: by the ledger or, where there is none, by what its host was told.
local function is_known(tally, run, prompt, which)
  if not (tally.scene.plain and tally.scene.plain[which]) then
    local state, charged = row_of(run, prompt)
    return KNOWN[state or ""] and charged ~= "no"
  end
  return not has(run.notes[which .. "_charged"], "no") and not has(run.notes[which], "failed")
end

local function judge_money(tally, run, name, books)
  for _, which in ipairs(JOBS) do
    local prompt = ("%s-%d-%s"):format(name, run.n, which)
    local page = books[prompt]
    if page and (page.jobs > 1 or page.posts > (tally.scene.posts or 1)) then
      total.twice = total.twice + 1
      problem(tally, run, "paid twice")
    end
    if page and not is_known(tally, run, prompt, which) then
      total.lost = total.lost + 1
      problem(tally, run, "lost (" .. tostring(row_of(run, prompt)) .. ")")
    end
    if page and not run.notes.raised and not has(run.notes.submitted, which) then
      problem(tally, run, "paid, but submit gave no job (" .. which .. ")")
    end
    if page and has(run.notes.unsent, which) then
      problem(tally, run, "sent, though it was told that it was not (" .. which .. ")")
    end
  end
end

--- Live blocks of the pools that no fault of ours may leave behind.
local function judge_leaks(tally, run)
  for i = 1, 4 do
    if run.held[i] ~= 0 then
      problem(tally, run, ("leak: %d of %s"):format(run.held[i], COLUMNS[i]))
    end
  end
end

local function note_codes(tally, run)
  for _, code in ipairs(run.notes.code or {}) do
    tally.codes[code] = (tally.codes[code] or 0) + 1
  end
end

local function judge_run(tally, run)
  if not run.ended then
    problem(tally, run, run.signal == 14 and "hang" or "crash (signal " .. run.signal .. ")")
  elseif run.notes.hung then
    problem(tally, run, "hang (pending)")
  elseif is_whole(run, tally.scene) then
    add(tally, "unnoticed")
  elseif speaks_of_memory(run) then
    add(tally, "told")
  elseif has(run.notes.errors, "some") or run.notes.raised then
    add(tally, "told otherwise")
    tally.example = tally.example or ("n = %d: %s"):format(run.n, show(run))
  else
    problem(tally, run, "silent")
  end
  if run.ended then
    judge_leaks(tally, run)
  end
  if run.notes.wrong then
    problem(tally, run, "wrong: " .. table.concat(run.notes.wrong, ", "))
  end
  if run.back and run.back.notes.half then
    problem(tally, run, "not whole: " .. table.concat(run.back.notes.half, ", "))
  end
  if not run.back or not run.back.ended or run.back.notes.raised then
    problem(tally, run, "no recovery (" .. (run.back and show(run.back) or "none") .. ")")
  end
  note_codes(tally, run)
end

--- Judges all runs against what the service has in its books.
function report.judge(tally, runs, jobs)
  local plan = tally.plan
  local books = books_of(jobs)
  local name = ("%s-%s-%s"):format(plan.pool, plan.mode, plan.start)
  for _, run in pairs(runs) do
    if run.fired or not run.ended then -- one that died had no time to say
      total.faults = total.faults + 1
      add(tally, "injected")
      judge_run(tally, run)
    else
      add(tally, "not reached")
    end
    judge_money(tally, run, name, books)
  end
end

local function listed(counts)
  local names, parts = {}, {}
  for name in pairs(counts) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    parts[i] = ("%d %s"):format(counts[name], name)
  end
  return table.concat(parts, ", ")
end

function report.print(tally)
  local plan = tally.plan
  local line = "%-7s %-8s from %s: %d allocations (%d of lua-cjson let pass); %s\n"
  io.stdout:write(
    line:format(plan.pool, plan.mode, plan.start, tally.calls, tally.cjson, listed(tally.counts))
  )
  if next(tally.codes) then
    io.stdout:write("        codes: ", listed(tally.codes), "\n")
  end
  if tally.example then
    io.stdout:write("        told otherwise, for example ", tally.example, "\n")
  end
  for i, text in ipairs(tally.problems) do
    total.bad = total.bad + 1
    if i <= 12 then
      io.stdout:write("  !! ", text, "\n")
    end
  end
  io.stdout:flush()
end

--- The last line; true when all is well.
function report.finish()
  if total.bad > 0 then
    io.stdout:write(("%d problems\n"):format(total.bad))
  end
  local line = "%d faults injected, %d lost, %d paid twice\n"
  io.stdout:write(line:format(total.faults, total.lost, total.twice))
  return total.bad == 0
end

return report
