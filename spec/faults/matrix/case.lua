--- One case of the matrix: a sandbox that misbehaves, a client that asks it for a picture, and what
--- came of it. `case.run` waits like any task.

local gptimage2 = require("gptimage2")
local sandbox_module = require("gptimage2.sandbox")

local case = {}

local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW") and 4 or 1
local CUP = { prompt = "a cup" }
local KEY = "sk-matrix-0123456789abcdef"
local UNKNOWN_ID = "00000000-0000-4000-8000-000000000001"

--- Faults that end by a time limit only: seconds for one exchange, and for a download.
local SILENT = { hang = true, stall = true, drip = true }
local SWIFT = 5000 -- bytes a second: a drip that ends by itself
local EXCHANGE = 3 * SLOW
local DOWNLOAD = 2.5 * SLOW
--- Seconds until a job that cannot be polled is given up.
local DEADLINE = 4 * SLOW
local PLENTY = 100 * SLOW

local function start(options)
  options.api_key = KEY
  options.duration = 0
  options.image_size = 32
  return assert(sandbox_module.start(options))
end

local function is_silent(rule)
  return rule and SILENT[rule.action] and (rule.bytes or 0) < SWIFT
end

--- A client of `url`. Two attempts are allowed, or as many as the rule says.
local function client_of(url, plan, more)
  local silent = is_silent(plan.rule)
  local options = {
    api_key = KEY,
    base_url = url,
    retry = plan.mode,
    max_attempts = plan.attempts or 2,
    poll = { first = 0.02, interval = 0.02, max = 0.02 },
    request_timeout = silent and EXCHANGE or PLENTY,
    timeout = plan.on == "image" and silent and DOWNLOAD or PLENTY,
    verify_references = false,
  }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return assert(gptimage2.new(options))
end

local function add_fault(box, plan)
  local rule = {}
  for name, value in pairs(plan.rule) do
    rule[name] = value
  end
  if rule.first then
    box:fault({ on = "create", action = "status", status = rule.first })
  end
  rule.first, rule.brief = nil, nil
  rule.on = rule.on or plan.on
  rule.times = plan.times
  box:fault(rule)
end

--- What the sandbox's books say.
local function read_books(box, found)
  local books = box:ledger()
  found.posts = books.requests.create
  found.made = #books.jobs
  found.paid, found.ids = 0, {}
  for _, made in ipairs(books.jobs) do
    found.paid = found.paid + (made.refunded and 0 or 1)
    found.ids[made.id] = true
  end
end

--- "ok", or "kind/code".
local function outcome(result, err)
  return result and "ok" or err.kind .. "/" .. err.code
end

--- A job that was given up goes on when the service answers again.
local function take_up(client, err)
  if not err.job_id then
    return "the error has no job id"
  end
  local job, failed = client:wait(err.job_id, PLENTY)
  return not job and "taking it up again: " .. tostring(failed) or nil
end

--- Makes the picture; polls that fail end at the deadline.
local function generate(client, box, plan, found)
  local job, err = client:generate(CUP, { timeout = plan.late and DEADLINE or PLENTY })
  found.outcome, found.err, found.job = outcome(job, err), err, job
  found.spent = client.spent
  read_books(box, found)
  if plan.on == "poll" and err and err.kind ~= "job_failed" then
    box:clear()
    found.wrong = take_up(client, err)
  end
end

--- Saves it; what failed can be saved once the fault is gone.
local function save(client, box, plan, found)
  local job, err = client:generate(CUP, { timeout = PLENTY })
  found.job = job
  found.spent = client.spent
  if not job then
    found.outcome, found.err = outcome(job, err), err
    return read_books(box, found)
  end
  local where = plan.folder .. "/picture-{n}.{ext}"
  local paths, failed = job:save(where, { sidecar = false })
  found.outcome, found.save_err = outcome(paths, failed), failed
  read_books(box, found)
  if plan.on == "image" and not paths and plan.rule then
    box:clear()
    local again, why = job:save(where, { sidecar = false })
    found.wrong = not again and "saving again: " .. tostring(why) or nil
  end
  found.saves = plan.rule and 1 or 0
end

local function try(plan, found)
  local box = start({ idempotency = plan.keys == "honoured" })
  add_fault(box, plan)
  local client = client_of(box.url, plan)
  local attempt = plan.on == "image" and save or generate
  local ok, message = xpcall(attempt, debug.traceback, client, box, plan, found)
  client:close()
  box:stop()
  assert(ok, message)
end

--- A server whose TLS is wrong: its URL, the authority to trust, and how to stop it.
local function bad_server(flaw)
  if flaw == "none" or flaw == "nobody" then
    local box = start({})
    if flaw == "nobody" then
      box:stop()
    end
    return box, (box.url:gsub("^http:", "https:")), nil
  end
  local box = start({ tls = true, certificate = flaw })
  return box, box.url, box.ca_file
end

--- A good service whose picture is at the bad server.
local function save_from(bad, url, ca_file, plan, found)
  local box = start({})
  local picture = url .. "/generated/picture.png"
  local body = ('{"status":"succeeded","results":[{"imageUrl":"%s","seed":"1"}]}'):format(picture)
  box:fault({ on = "poll", action = "body", body = body, times = math.huge })
  local client = client_of(box.url, plan, { ca_file = ca_file })
  save(client, box, plan, found)
  found.asked = bad:ledger().requests.image
  client:close()
  box:stop()
end

local function try_tls(plan, found)
  local bad, url, ca_file = bad_server(plan.flaw)
  if plan.on == "image" then
    save_from(bad, url, ca_file, plan, found)
  else
    local timeout = plan.late and DEADLINE or PLENTY
    local client = client_of(url, plan, { ca_file = ca_file, timeout = timeout })
    local job, err
    if plan.on == "poll" then
      job, err = client:wait(UNKNOWN_ID)
    else
      job, err = client:generate(CUP)
    end
    found.outcome, found.err, found.job, found.spent = outcome(job, err), err, job, client.spent
    read_books(bad, found)
    local requests = bad:ledger().requests
    found.asked = requests.create + requests.poll
    client:close()
  end
  bad:stop()
end

--- Runs a case.
---@param plan table mode, on, rule and times, or flaw; keys ("honoured" or "ignored"), attempts,
--- folder, late (it ends at its deadline)
---@return table found outcome ("ok" or "kind/code"), err (of the job), save_err, job, spent, posts,
--- made and paid (jobs at the server), ids (of these), wrong (what a second try met), asked (what
--- reached a server whose TLS is wrong), saves (files that must be there)
function case.run(plan)
  local found = { saves = 0 }
  if plan.flaw then
    try_tls(plan, found)
  else
    try(plan, found)
  end
  return found
end

return case
