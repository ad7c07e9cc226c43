--- The ledger from Lua: what was asked and paid, and taking up what was left unfinished.
---
--- The core gives rows as they stand in the file; here they become jobs again. Each client that has
--- a ledger loads all of it.

local history = require("gptimage2.ledger.history")
local recover = require("gptimage2.ledger.recover")
local resolve = require("gptimage2.ledger.resolve")
local tenants = require("gptimage2.ledger.tenants")

return {
  filter = history.filter,
  history = history.read,
  of_id = recover.of_id,
  recover = recover.all,
  check_settlement = resolve.check,
  resolve = resolve.settle,
  check_tenant = tenants.check,
  tenant = tenants.read,
}
