--- Compares the service's books with what the ledger says at the end, and with every claim about
--- money that a life was told.

local judge = {}

local COMPLAINTS_MOST = 20

--- States in which the service may have a job of which nobody asks any more.
local GIVEN_UP = { cancelled = true, abandoned = true, unknown = true }

local function fields(line)
  local list = {}
  for field in (line .. "\t"):gmatch("([^\t]*)\t") do
    list[#list + 1] = field
  end
  return list
end

local function lines(path)
  local file = io.open(path)
  return file and file:lines() or function() end
end

--- Prompt -> { paid = jobs whose credits were kept, made = jobs, posts, ids = set of the paid }.
local function read_books(path)
  local books = {}
  for line in lines(path) do
    local prompt, id, kept, posts = table.unpack(fields(line))
    local entry = books[prompt] or { paid = 0, made = 0, posts = 0, ids = {} }
    books[prompt] = entry
    entry.made = entry.made + 1
    entry.posts = entry.posts + tonumber(posts)
    entry.ids[id] = true
    entry.paid = entry.paid + (tonumber(kept) > 0 and 1 or 0)
  end
  return books
end

--- Prompt -> { state, charged, id }.
local function read_report(path)
  local rows = {}
  for line in lines(path) do
    local prompt, state, charged, id = table.unpack(fields(line))
    rows[prompt] = { state = state, charged = charged, id = id }
  end
  return rows
end

--- What is wrong with the row of a job that was paid, or nil.
local function fault_of_paid(row, paid, must_finish)
  if not row then
    return "lost", "it is paid, and not in the ledger"
  elseif row.charged == "no" then
    return "lost", "it is paid, and the ledger says that it is not"
  elseif row.state == "succeeded" then
    if not paid.ids[row.id] then
      return "lost", "the ledger names another job"
    end
  elseif not GIVEN_UP[row.state] then
    return "lost", "it is paid, and its state at the end is " .. row.state
  elseif must_finish and row.state == "unknown" then
    return "lost", "the service honours keys, and it was not finished"
  end
end

--- What is wrong with a row, whatever was paid, or nil.
local function fault_of_row(row, books)
  local entry = books and books.made > 0
  if row.state == "succeeded" and not entry then
    return "the ledger says succeeded, and the service has no such job"
  elseif row.state == "intent" or row.state == "sent" or row.state == "accepted" then
    return "it was not settled: " .. row.state
  end
end

--- Judges one scenario.
---@param folder string where lives left `told` and `report`, and the service `books`
---@param may_pay_twice boolean the mode may repeat what the service does not recognise
---@param must_finish boolean what may have been sent is sent again, under keys that are honoured
---@return table verdict jobs, paid, told, lost, twice, apart (paid twice as the mode may)
---@return string[] complaints
function judge.scenario(folder, may_pay_twice, must_finish)
  local books, rows = read_books(folder .. "/books"), read_report(folder .. "/report")
  local verdict = { jobs = 0, paid = 0, told = 0, lost = 0, twice = 0, apart = 0 }
  local complaints = {}
  local function complain(which, prompt, why)
    verdict[which] = verdict[which] + 1
    if #complaints < COMPLAINTS_MOST then
      complaints[#complaints + 1] = ("  %s: %s: %s"):format(which:upper(), prompt, why)
    end
  end
  for prompt, entry in pairs(books) do
    verdict.paid = verdict.paid + (entry.paid > 0 and 1 or 0)
    if entry.paid > 1 then
      complain(may_pay_twice and "apart" or "twice", prompt, entry.paid .. " jobs were paid")
    end
    if entry.paid > 0 and not (may_pay_twice and entry.made > 1) then
      local which, why = fault_of_paid(rows[prompt], entry, must_finish)
      if which then
        complain(which, prompt, why)
      end
    end
  end
  for prompt, row in pairs(rows) do
    verdict.jobs = verdict.jobs + 1
    local why = fault_of_row(row, books[prompt])
    if why then
      complain("lost", prompt, why)
    end
  end
  for line in lines(folder .. "/told") do
    local prompt, by, charged = table.unpack(fields(line))
    verdict.told = verdict.told + 1
    -- Of a job that its client was closed on it is true until somebody recovers it.
    local final = not by:find("/client_closed$")
    if final and charged == "no" and books[prompt] and books[prompt].paid > 0 then
      complain("lost", prompt, "it is paid, and " .. by .. " said that it was not")
    end
  end
  if verdict.jobs == 0 then
    complain("lost", "the report", "it is missing, or the ledger is empty")
  end
  return verdict, complaints
end

return judge
