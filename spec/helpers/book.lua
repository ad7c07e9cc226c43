--- Ledgers for specs: clients that write one, a look at the file, and what a crash would leave.
---
--- Use with `after_each(support.clean)` and, after it, `after_each(folder.clean)`.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local book = {}

--- A path where no ledger is yet.
---@return string
function book.path()
  return folder.new() .. "/renders.db"
end

--- A client with a ledger, its sandbox, and the ledger's path.
---@param options? gptimage2.Options
---@param box_options? table
---@return gptimage2.Client client
---@return table sandbox
---@return string path
function book.pair(options, box_options)
  options = options or {}
  options.ledger = options.ledger or book.path()
  local client, box = support.pair(options, box_options)
  return client, box, options.ledger
end

--- A further client, of the ledger at `path`.
---@param box table
---@param path string
---@param options? gptimage2.Options
---@return gptimage2.Client
function book.open(box, path, options)
  options = options or {}
  options.ledger = path
  return support.client(box, options)
end

--- A further client, or nil and why there is none: what `gptimage2.new` says.
---@param box table
---@param path string
---@param options? gptimage2.Options
---@return gptimage2.Client? client
---@return gptimage2.Error? err
function book.try(box, path, options)
  options = options or {}
  options.api_key, options.base_url, options.ledger = box.api_key, box.url, path
  return gptimage2.new(options)
end

--- A whole ledger with one job that nobody has open.
---@return string path
---@return table sandbox
function book.closed()
  local client, box, path = book.pair()
  assert(client:generate({ prompt = "a cup" }))
  client:close()
  support.step_until(function() -- the last one who closes it removes the log
    return not folder.read(path .. "-wal")
  end)
  return path, box
end

--- The rows as they stand in the file, oldest first.
---@param path string
---@return table[]
function book.rows(path)
  return assert(core.ledger_rows(path, {}))
end

--- The row with this key, or the only one.
---@param path string
---@param key? string
---@return table
function book.row(path, key)
  local rows = assert(core.ledger_rows(path, { key = key }))
  assert(#rows == 1, #rows .. " rows")
  return rows[1]
end

--- Steps until the row with this key, or the only one, is in that state. What the host has read in
--- an answer is recorded after it was told.
---@param path string
---@param state string
---@param key? string
---@return table row
function book.settled(path, state, key)
  return support.step_until(function()
    local row = book.row(path, key)
    return row.state == state and row
  end)
end

--- Copies the ledger as it is on the disk now: what a process leaves that dies at this moment.
--- By another process: one that opens and closes the file loses the locks it has on it.
---@param path string
---@return string copy
function book.crash(path)
  local copy = book.path()
  local command = "cp %s %s && if [ -e %s ]; then cp %s %s; fi"
  local from, to = folder.quote(path), folder.quote(copy)
  local said = folder.run(command:format(from, to, from .. "-wal", from .. "-wal", to .. "-wal"))
  assert(said == "", said)
  return copy
end

--- Asks the database itself. Raises what it answers with an error; one that is busy is waited for:
--- a client that is closed lets its file go a moment later.
---@param path string
---@param sql string
---@return string output of the sqlite3 program
function book.query(path, sql)
  local command = "sqlite3 -cmd '.timeout 60000' %s %s || echo FAILED"
  local output = folder.run(command:format(folder.quote(path), folder.quote(sql)))
  if output:find("FAILED$") then
    error(output, 2)
  end
  return output
end

return book
