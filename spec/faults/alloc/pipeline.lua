--- Two jobs, one of them with a reference, their files, the history, the end. Each step may fail;
--- the host notes what it was told and goes on, but never submits again.

local tools, host, url, folder, name, start = ...
local attempt, note_job = tools.attempt, tools.note_job

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
  return first:wait(tools.PATIENCE)
end

local function wait_second()
  return second:wait(tools.PATIENCE)
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
  attempt("drain", tools.drain)
  if RECORDS then
    attempt("history", history)
    host.note("rows", rows and tostring(#rows) or "none")
  end
  attempt("close", close, true)
  attempt("drain closed", tools.drain)
end
tools.finish()
