--- What a host does whose memory runs out somewhere: two jobs, their files, the history, the end.
--- Each step may fail; the host notes what it was told and goes on, but never submits again.

local host, url, folder, name, start = ...

--- Seconds that one wait may take.
local PATIENCE = 6
--- Times a step that raised is tried again.
local TRIES = 3

--- Whether the jobs are recorded; where they are not, the engine reads the answers to creates.
local RECORDS = start ~= "plain"

if start == "load" then
  host.arm()
end
host.stage("require")
local gptimage2 = require("gptimage2")

local OPTIONS = {
  base_url = url,
  api_key = "sandbox",
  ledger = RECORDS and folder .. "/" .. name .. ".db" or nil,
  timeout = 5,
  connect_timeout = 2,
  request_timeout = 4,
  max_attempts = 2,
  poll = { first = 0.01, interval = 0.01, max = 0.02 },
  verify_references = true,
  allow_private_references = true,
}
local PLAIN = { prompt = name .. "-a" }
local EDIT = { prompt = name .. "-b", image_urls = { url .. "/reference/cup.png" } }
local METADATA = { metadata = { scene = "7" } }
local client, first, second, rows
local place = folder .. "/" .. name
local failed = 0

--- What an error says, without a table or a new text of our own.
local function tell(err)
  host.note("told", type(err) == "table" and err.kind or "raised")
  if type(err) == "table" then
    host.note("code", err.code)
    host.note("message", err.message)
  else
    host.note("message", err)
  end
end

--- Runs a step, and again when it raised and `again` says so.
local function attempt(stage, step, again)
  host.stage(stage)
  for _ = 1, again and TRIES or 1 do
    local ok, result, err = pcall(step)
    if ok and result then
      return result
    end
    failed = failed + 1
    if not ok then
      err = result
    end
    if not pcall(tell, err) then
      host.note("told", "raised")
      host.note("message", "not enough memory to tell")
    end
    if ok then
      return nil
    end
  end
end

local function make()
  local err
  client, err = gptimage2.new(OPTIONS)
  return client, err
end

local function submit_first()
  local err
  first, err = client:submit(PLAIN, METADATA)
  return first, err
end

local function submit_second()
  local err
  second, err = client:submit(EDIT)
  return second, err
end

local function wait_first()
  return first:wait(PATIENCE)
end

local function wait_second()
  return second:wait(PATIENCE)
end

local function save_first()
  return first:save(place)
end

local function save_second()
  return second:data(1)
end

local function history()
  local err
  rows, err = client:history()
  return rows, err
end

local function close()
  client:close()
  return true
end

local function step()
  gptimage2.step(0.05)
end

--- Until nothing is going on any more; a host that can do nothing gives up.
local function drain()
  local stop = gptimage2.now() + PATIENCE
  local raised = 0
  while gptimage2.pending() > 0 and gptimage2.now() < stop and raised < 20 do
    raised = pcall(step) and 0 or raised + 1
  end
  if gptimage2.pending() > 0 then
    host.note(raised > 0 and "gave_up" or "hung", "pending")
  end
  return true
end

--- How the job stands, and what its error says about the money.
local function note_job(which, job)
  host.note(which, job.status)
  host.note(which .. "_charged", job.error and job.error.charged or "unsaid")
end

if start ~= "load" then
  host.arm()
end
attempt("new", make)
if client then
  local sent_first = attempt("submit", submit_first)
  local sent_second = attempt("submit b", submit_second)
  host.note("submitted", sent_first and "a" or "-")
  host.note("submitted", sent_second and "b" or "-")
  if first then
    attempt("wait", wait_first, true)
    note_job("a", first)
    if first.status == "succeeded" then
      attempt("save", save_first)
    end
  end
  if second then
    attempt("wait b", wait_second, true)
    note_job("b", second)
    if second.status == "succeeded" then
      attempt("data", save_second)
    end
  end
  attempt("drain", drain)
  if RECORDS then
    attempt("history", history)
    host.note("rows", rows and tostring(#rows) or "none")
  end
  attempt("close", close, true)
  attempt("drain closed", drain)
end
host.note("errors", failed > 0 and "some" or "none")
