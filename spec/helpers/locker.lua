--- Somebody else with a ledger open: the program sqlite3.
---
--- Use with `after_each(locker.clean)`, before that of the folders.

local folder = require("spec.folder")

local locker = {}

local lockers = {}

--- Somebody who can take SQLite's write lock on the file, or change it.
---@param path string
---@return { lock: fun(), lock_out: fun(), release: fun(), run: fun(sql: string), close: fun() }
function locker.new(path)
  local log = os.tmpname()
  local command = "sqlite3 -cmd '.timeout 60000' %s >%s 2>&1" -- we may be writing at that moment
  local pipe = io.popen(command:format(folder.quote(path), log), "w")
  local self = {}
  local function say(sql, answer)
    pipe:write(sql, ";\nSELECT '", answer, "';\n")
    pipe:flush()
    while not folder.read(log):find(answer, 1, true) do
    end
  end
  local runs = 0
  function self.lock()
    say("BEGIN IMMEDIATE", "held")
  end
  function self.lock_out() -- readers, too
    say("PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE; SELECT count(*) FROM jobs", "out")
  end
  function self.release()
    say("ROLLBACK; PRAGMA locking_mode = NORMAL; SELECT count(*) FROM jobs", "free")
  end
  function self.run(sql)
    runs = runs + 1
    say(sql, "done " .. runs .. ";")
  end
  function self.close()
    pipe:close()
    os.remove(log)
  end
  say("SELECT count(*) FROM jobs", "ready")
  lockers[#lockers + 1] = self
  return self
end

--- The same, and the lock is taken. Gives what releases it.
---@param path string
---@return fun()
function locker.hold(path)
  local self = locker.new(path)
  self.lock()
  return self.release
end

--- Lets go of all.
function locker.clean()
  while lockers[1] do
    table.remove(lockers).close()
  end
end

return locker
