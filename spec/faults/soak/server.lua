--- The soak's server: a sandbox in a process of its own, whose books are the judge. It honours
--- idempotency keys.
---
--- Takes lines from stdin: `fault <n>` adds the n-th rule of faults.lua, `clear` forgets those that
--- have hit nothing yet, `books <path>` writes what was made and paid. Prints its URL and its key
--- at the start, and a line after each `clear` and `books`; ends when its stdin does.

local faults = require("spec.faults.soak.faults")
local sandbox = require("gptimage2.sandbox")

local KEY = "sk-soak-0123456789abcdef"
local box = assert(sandbox.start({
  api_key = KEY,
  credits = 1e12,
  duration = 0.02,
  image_size = 32,
}))

local function say(line)
  io.stdout:write(line, "\n")
  io.stdout:flush()
end

--- One line a job: its prompt's number, status, whether it stays paid, its id, how many POSTs.
local function write_books(path)
  local file = assert(io.open(path, "w"))
  for _, job in ipairs(box:ledger().jobs) do
    local paid = job.credits > 0 and not job.refunded
    local number = job.prompt:match("%d+")
    local line = ("%s %s %s %s %d\n"):format(number, job.status, paid, job.id, job.posts)
    assert(file:write(line))
  end
  assert(file:close())
end

say(box.url)
say(KEY)
for line in io.stdin:lines() do
  local word, rest = line:match("^(%S+) ?(.*)$")
  if word == "fault" then
    box:fault(faults.at(math.tointeger(rest)))
  elseif word == "clear" then
    box:clear()
    say("cleared")
  elseif word == "books" then
    write_books(rest)
    say("written")
  end
end
box:stop()
