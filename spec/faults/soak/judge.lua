--- Compares what the client says became of each job with the service's own books and with the
--- ledger.

local judge = {}

--- What the service made: prompt number -> list of { status, paid, id, posts }.
---@param path string as server.lua wrote it
---@return table<integer, table[]>
function judge.read_books(path)
  local books = {}
  for line in io.lines(path) do
    local number, status, paid, id, posts = line:match("^(%d+) (%S+) (%S+) (%S+) (%d+)$")
    number = math.tointeger(tonumber(number))
    books[number] = books[number] or {}
    table.insert(books[number], {
      status = status,
      paid = paid == "true",
      id = id,
      posts = math.tointeger(tonumber(posts)),
    })
  end
  return books
end

--- What the client said last of each job: number -> { status, id, kind }.
---@param path string
---@return table<integer, table>
function judge.read_fates(path)
  local fates = {}
  for line in io.lines(path) do
    local number, status, id, kind = line:match("^(%d+) (%S+) (%S+) (%S+)$")
    fates[math.tointeger(tonumber(number))] = { status = status, id = id, kind = kind }
  end
  return fates
end

--- The ledger's rows, a page at a time: number -> { status, id }.
---@param client gptimage2.Client
---@return table<integer, table>
function judge.read_ledger(client)
  local PAGE = 5000
  local rows, latest = {}, nil
  while true do
    local new = 0
    local page = assert(client:history({ ["until"] = latest, limit = PAGE }))
    for _, row in ipairs(page) do
      local number = math.tointeger(tonumber(row.idempotency_key:match("%d+$")))
      if not rows[number] then
        rows[number], new = { status = row.status, id = row.id or "-" }, new + 1
      end
      latest = row.created_at
    end
    if new == 0 then
      return rows
    end
  end
end

--- The paid one of the service's jobs for a prompt, and how many are paid.
local function paid_one(made)
  local paid, count = nil, 0
  for _, job in ipairs(made) do
    if job.paid then
      paid, count = job, count + 1
    end
  end
  return paid, count
end

--- Why a job counts as lost, or nil.
local function loss(fate, row, made)
  local paid = paid_one(made)
  if not fate then
    return "it never ended"
  elseif not row then
    return "it is not in the ledger"
  elseif row.status ~= fate.status or row.id ~= fate.id then
    return ("the ledger says %s %s, the client %s %s"):format(
      row.status,
      row.id,
      fate.status,
      fate.id
    )
  elseif paid and (fate.status ~= "succeeded" or fate.id ~= paid.id) then
    return "it is paid and the client says " .. fate.status .. " " .. fate.kind
  elseif not paid and fate.status == "succeeded" then
    return "the client says succeeded and it was never paid"
  elseif fate.status == "unknown" then
    return "the client does not know"
  end
end

--- Judges all jobs.
---@param total integer
---@param fates table
---@param rows table
---@param books table
---@return { lost: integer, paid_twice: integer, jobs_paid: integer, repeated: integer } verdict
---@return string[] complaints at most ten
function judge.all(total, fates, rows, books)
  local verdict = { lost = 0, paid_twice = 0, jobs_paid = 0, repeated = 0 }
  local complaints = {}
  local function complain(number, why)
    if #complaints < 10 then
      complaints[#complaints + 1] = ("job %d: %s"):format(number, why)
    end
  end
  for number = 1, total do
    local made = books[number] or {}
    local _, count = paid_one(made)
    local why = loss(fates[number], rows[number], made)
    verdict.jobs_paid = verdict.jobs_paid + count
    verdict.repeated = verdict.repeated + (made[1] and made[1].posts > 1 and 1 or 0)
    if count > 1 then
      verdict.paid_twice = verdict.paid_twice + 1
      complain(number, ("it was paid %d times"):format(count))
    end
    if why then
      verdict.lost = verdict.lost + 1
      complain(number, why)
    end
  end
  return verdict, complaints
end

return judge
