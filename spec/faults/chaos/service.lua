--- The service of a chaos run, in a process of its own: nobody kills it, and its books are the
--- judge's.
---
--- Arguments: "honours" or "ignores" (the idempotency keys), "tls" or "plain", and a seed for what
--- goes wrong. Prints its URL and its certificate's file ("-": none). Then takes lines from stdin:
--- `trouble <n>` lets n further requests go wrong, `calm` forgets those that have hit nothing yet,
--- `books <path>` writes what was made, each answered by a line. Ends with its input.
--- A line of the books: prompt, job id, credits kept, times it was posted; tabs between.

local sandbox = require("gptimage2.sandbox")

local honours, tls = arg[1] == "honours", arg[2] == "tls"
math.randomseed(math.tointeger(tonumber(arg[3])) or 1)

local service = assert(sandbox.start({
  api_key = "chaos-run",
  credits = 1000000000,
  duration = 0.03,
  idempotency = honours,
  image_size = 32,
  tls = tls,
}))

local WAIT = { ["Retry-After"] = "0" }

local TROUBLE = {
  { on = "create", action = "status", status = 429, headers = WAIT },
  { on = "create", action = "status", status = 503, work = false },
  { on = "create", action = "reset", work = false },
  { on = "create", action = "reset", work = true },
  { on = "create", action = "close", work = true },
  { on = "create", action = "truncate", bytes = 0, work = true },
  { on = "create", action = "truncate", bytes = 20, work = true },
  { on = "create", action = "delay", seconds = 0.2 },
  { on = "create", action = "hang" },
  { on = "create", action = "malformed" },
  { on = "poll", action = "status", status = 500 },
  { on = "poll", action = "status", status = 404 },
  { on = "poll", action = "reset" },
  { on = "poll", action = "malformed" },
  { on = "poll", action = "delay", seconds = 0.2 },
  { on = "job", action = "fail", error = "generation_failed" },
  { on = "image", action = "reset" },
}
--- Whoever repeats after it where keys are ignored has chosen to.
if honours then
  TROUBLE[#TROUBLE + 1] = { on = "create", action = "status", status = 504, work = true }
end

--- Written to the socket itself.
if not tls then
  TROUBLE[#TROUBLE + 1] = { on = "create", action = "cut", bytes = 200, work = true }
  TROUBLE[#TROUBLE + 1] = { on = "create", action = "cut", bytes = 260, work = true }
end

local function say(line)
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

local function add_trouble(count)
  for _ = 1, count do
    local rule = {}
    for name, value in pairs(TROUBLE[math.random(#TROUBLE)]) do
      rule[name] = value
    end
    rule.after = math.random(0, 4)
    service:fault(rule)
  end
  return "added"
end

local function write_books(path)
  local file = assert(io.open(path, "w"))
  for _, job in ipairs(service:ledger().jobs) do
    local kept = job.refunded and 0 or job.credits
    file:write(("%s\t%s\t%d\t%d\n"):format(job.prompt, job.id, kept, job.posts))
  end
  assert(file:close())
  return "written"
end

say(service.url)
say(service.ca_file or "-")
for line in io.lines() do
  local word, rest = line:match("^(%S+) ?(.*)$")
  if word == "trouble" then
    say(add_trouble(tonumber(rest)))
  elseif word == "calm" then
    service:clear()
    say("calm")
  elseif word == "books" then
    say(write_books(rest))
  end
end
service:stop()
