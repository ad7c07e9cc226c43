--- Rows of a client's ledger, as they stand in the file.
---
--- There may be many, each with a raw answer: they come by pages, of which one is in memory at a
--- time.

local core = require("gptimage2.core")

local rows = {}

--- The first page, of the very file that the client opened, whatever became of its path.
---@param config { ledger: string, ledger_file: string, any_owner: boolean? } the client's
---@param filter table see core.ledger_rows
---@return table[]|nil page with a reader as `rest` where there may be more
---@return gptimage2.Error|nil err
function rows.read(config, filter)
  filter.file, filter.any_owner = config.ledger_file, config.any_owner
  return core.ledger_rows(config.ledger, filter)
end

--- Gives each page to `use` until that gives something back: that then. Nil and the error where the
--- file cannot be read.
---@param config table
---@param filter table
---@param use fun(page: table[]): any
---@return any found
---@return gptimage2.Error|nil err
function rows.pages(config, filter, use)
  local page, err = rows.read(config, filter)
  while page do
    local rest = page.rest
    local found = use(page)
    if found then
      if rest then
        rest:close()
      end
      return found
    elseif not rest then
      return nil
    end
    page, err = rest:rows()
  end
  return nil, err
end

--- Gives each row to `use` until that gives something back: that then. Nil and the error where the
--- file cannot be read.
---@param config table
---@param filter table
---@param use fun(row: table): any
---@return any found
---@return gptimage2.Error|nil err
function rows.each(config, filter, use)
  return rows.pages(config, filter, function(page)
    for _, row in ipairs(page) do
      local found = use(row)
      if found then
        return found
      end
    end
  end)
end

--- Who finds many rows by their keys, one by one, all as of one moment; to be closed.
---@param config { ledger: string, ledger_file: string?, any_owner: boolean? } the client's
---@return table|nil finder with find(key) -> row, or nil, or nil and an error; and close()
---@return gptimage2.Error|nil err
function rows.finder(config)
  local which = { file = config.ledger_file, any_owner = config.any_owner }
  return core.ledger_finder(config.ledger, which)
end

return rows
