--- What else programs do with a ledger whose memory runs out: jobs that are cancelled, two clients
--- on one engine, jobs settled by hand, references that are looked at, pictures that are saved. A
--- scene is a list of steps: each may fail; the host goes on with the next and never submits again.
---
--- What they bring about when nothing fails is in report.lua.

local tools, host, url, folder, name, start = ...

local gptimage2 = require("gptimage2")
local silent_port = require("spec.host").silent_port

--- The URL of a service with TLS is followed by its certificate's file.
local base_url, ca_file = url:match("^(.-),(.*)$")
base_url = base_url or url

local place = folder .. "/" .. name

-- With a slot for each: putting one there takes no memory.
local clients = { one = false, two = false, other = false }
local jobs = { a = false, b = false, c = false, found = false }

local function options_of(more)
  local options = {
    base_url = base_url,
    ca_file = ca_file,
    api_key = "sandbox",
    ledger = place .. ".db",
    timeout = 5,
    connect_timeout = 2,
    request_timeout = 4,
    max_attempts = 2,
    poll = { first = 0.01, interval = 0.01, max = 0.02 },
    verify_references = true,
    allow_private_references = true,
  }
  for option, value in pairs(more or {}) do
    options[option] = value
  end
  return options
end

local function plain(options)
  options.ledger = nil
  return options
end

-- The steps. Each gives something true, or nil and the error; it has nothing to do where what it
-- needs was not to be had.

local function open(which, options)
  return function()
    local client, err = gptimage2.new(options)
    clients[which] = client or false
    return client, err
  end
end

local function close(which)
  return function()
    if clients[which] then
      clients[which]:close()
    end
    return true
  end
end

local function submit(which, client, request, options)
  request = request or {}
  request.prompt = name .. "-" .. which
  return function()
    if not clients[client] then
      return true
    end
    local job, err = clients[client]:submit(request, options)
    jobs[which] = job or false
    if job then
      host.note("submitted", which)
    end
    return job, err
  end
end

local function wait(which)
  return function()
    if not jobs[which] then
      return true
    end
    return jobs[which]:wait(tools.PATIENCE)
  end
end

--- Waits for a job that fails with this kind; "unsent" is noted when it says that it was not sent.
local function fail(which, kind)
  return function()
    if not jobs[which] then
      return true
    end
    local job, err = jobs[which]:wait(tools.PATIENCE)
    if not job and err.kind == kind then
      if err.sent == "no" then
        host.note("unsent", which)
      end
      return true
    end
    return job, err
  end
end

--- Until its create is under way, and so many seconds more.
local function go_on(which, seconds)
  return function()
    local job, stop = jobs[which], gptimage2.now() + tools.PATIENCE
    while job and job.status == "queued" and gptimage2.now() < stop do
      gptimage2.step(0.01)
    end
    stop = gptimage2.now() + seconds
    while gptimage2.now() < stop do
      gptimage2.step(0.005)
    end
    return true
  end
end

--- `unsent`: its create cannot have been let go yet.
local function cancel(which, unsent)
  return function()
    local job = jobs[which]
    if not job then
      return true
    elseif job:done() then
      return nil, job.error
    end
    job:cancel()
    if unsent then
      host.note("unsent", which)
    end
    return true
  end
end

--- Nothing was sent by this client.
local function spent_nothing(which)
  return function()
    if clients[which] and clients[which].spent ~= 0 then
      host.note("wrong", "spent")
    end
    return true
  end
end

local function save(which, pattern, options, code)
  return function()
    local job = jobs[which]
    if not job or job.status ~= "succeeded" then
      return true
    end
    local paths, err = job:save(pattern, options)
    if code and err and err.code == code then
      return true
    end
    return paths, err
  end
end

local function saved(which)
  return function()
    return not (jobs[which] and jobs[which].save_error), jobs[which] and jobs[which].save_error
  end
end

local function data(which)
  return function()
    local job = jobs[which]
    if not job or job.status ~= "succeeded" then
      return true
    end
    return job:data(1)
  end
end

local function recover(which)
  return function()
    if not clients[which] then
      return true
    end
    return clients[which]:recover()
  end
end

--- `what`: "resend", "abandon", or "found": under the id of the job that was found.
local function resolve(which, client, what)
  return function()
    if not (clients[client] and jobs[which]) or what == "found" and not jobs.found then
      return true
    end
    local how = what == "found" and jobs.found.id or what
    local job, err = clients[client]:resolve(jobs[which].idempotency_key, how)
    jobs[which] = job or jobs[which]
    return job, err
  end
end

--- Finds the job in the account, as a person would: here by asking for it once more, of a service
--- that honours keys, without the ledger.
local function find(which, client)
  return function()
    if not (clients[client] and jobs[which]) then
      return true
    end
    local request = { prompt = name .. "-" .. which }
    local options = { idempotency_key = jobs[which].idempotency_key }
    local job, err = clients[client]:generate(request, options)
    jobs.found = job or false
    return job, err
  end
end

local function history(which)
  return function()
    if not clients[which] then
      return true
    end
    local rows, err = clients[which]:history()
    host.note("rows", rows and tostring(#rows) or "none")
    return rows, err
  end
end

local function list(...)
  return { ... }
end

local scenes = {}

--- Before the guard of its request (in the queue, and while a proxy says nothing to the CONNECT),
--- and after it was sent: the service answers creates late.
function scenes.cancel()
  local silent = ("http://127.0.0.1:%d"):format(silent_port())
  return list(
    list("new", open("one", options_of({ proxy = silent, max_active = 1 }))),
    list("submit b", submit("b", "one")),
    list("in the handshake", go_on("b", 0.02)),
    list("submit a", submit("a", "one")),
    list("cancel a", cancel("a", true), true),
    list("cancel b", cancel("b", true), true),
    list("drain", tools.drain),
    list("spent", spent_nothing("one")),
    list("close", close("one"), true),
    list("drain closed", tools.drain),
    list("new again", open("two", options_of())),
    list("submit c", submit("c", "two")),
    list("sent", go_on("c", 0.02)),
    list("cancel c", cancel("c"), true),
    list("drain", tools.drain),
    list("history", history("two")),
    list("close", close("two"), true)
  )
end

--- One client with a ledger and one without.
function scenes.two()
  return list(
    list("new", open("one", options_of())),
    list("new two", open("two", plain(options_of()))),
    list("submit a", submit("a", "one")),
    list("submit c", submit("c", "two")),
    list("submit b", submit("b", "one")),
    list("wait", wait("a"), true),
    list("save", save("a", place)),
    list("wait c", wait("c"), true),
    list("data c", data("c")),
    list("close two", close("two"), true),
    list("wait b", wait("b"), true),
    list("drain", tools.drain),
    list("history", history("one")),
    list("close", close("one"), true)
  )
end

--- Three creates whose answers do not come in time, settled by the next client.
function scenes.resolve()
  local hasty = { request_timeout = 0.15, max_attempts = 1 }
  return list(
    list("new", open("one", options_of(hasty))),
    list("submit a", submit("a", "one")),
    list("submit b", submit("b", "one")),
    list("submit c", submit("c", "one")),
    list("lost a", fail("a", "lost"), true),
    list("lost b", fail("b", "lost"), true),
    list("lost c", fail("c", "lost"), true),
    list("close", close("one"), true),
    list("drain closed", tools.drain),
    list("new again", open("two", options_of())),
    list("recover", recover("two")),
    list("resend", resolve("a", "two", "resend")),
    list("abandon", resolve("b", "two", "abandon")),
    list("new other", open("other", plain(options_of()))),
    list("find", find("c", "other")),
    list("name", resolve("c", "two", "found")),
    list("wait a", wait("a"), true),
    list("wait c", wait("c"), true),
    list("drain", tools.drain),
    list("history", history("two")),
    list("close other", close("other"), true),
    list("close", close("two"), true)
  )
end

--- Two that are good, one that is no image, one that is not there.
function scenes.references()
  local function at(...)
    local urls = { ... }
    for i, path in ipairs(urls) do
      urls[i] = base_url .. path
    end
    return { image_urls = urls }
  end
  return list(
    list("new", open("one", options_of())),
    list("submit a", submit("a", "one", at("/reference/cup.png", "/reference/pot.png"))),
    list("submit b", submit("b", "one", at("/reference/cup.png", "/reference/cup.txt"))),
    list("submit c", submit("c", "one", at("/nowhere/cup.png"))),
    list("wait", wait("a"), true),
    list("refused b", fail("b", "validation"), true),
    list("refused c", fail("c", "validation"), true),
    list("data", data("a")),
    list("drain", tools.drain),
    list("history", history("one")),
    list("close", close("one"), true)
  )
end

--- By the option and by the method, over what is there, and into memory.
function scenes.saves()
  local picture = place .. "/b.{ext}"
  local kept = { save = place .. "/{id}-{n}.{ext}", metadata = { scene = "7" } }
  return list(
    list("new", open("one", options_of())),
    list("submit a", submit("a", "one", { count = 2 }, kept)),
    list("submit b", submit("b", "one")),
    list("wait", wait("a"), true),
    list("saved", saved("a")),
    list("wait b", wait("b"), true),
    list("save", save("b", picture)),
    list("save again", save("b", picture, nil, "file_exists")),
    list("overwrite", save("b", picture, { overwrite = true })),
    list("data", data("b")),
    list("drain", tools.drain),
    list("history", history("one")),
    list("close", close("one"), true)
  )
end

local steps = scenes[start]()
host.arm()
for _, step in ipairs(steps) do
  tools.attempt(step[1], step[2], step[3])
end
for _, which in ipairs({ "a", "b", "c" }) do
  if jobs[which] then
    tools.note_job(which, jobs[which])
  end
end
tools.attempt("drain closed", tools.drain)
tools.finish()
