--- A folder with a manifest, for the specs of builds.

local assets = require("gptimage2.assets")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local pictures = {}

local mt = {}
mt.__index = mt

--- Writes the manifest: the fields of each picture as text, by its path.
---@param entries table<string, string>
---@param common? string fields for all
function mt:write(entries, common)
  local parts = { "return { " .. (common and common .. ", " or "") .. "pictures = {\n" }
  for path, fields in pairs(entries) do
    parts[#parts + 1] = ('  ["%s"] = { %s },\n'):format(path, fields)
  end
  parts[#parts + 1] = "} }\n"
  folder.write(self.manifest, table.concat(parts))
end

--- A client of a sandbox with the ledger of this folder; the one before is closed.
---@param box table
---@param options? table
function mt:connect(box, options)
  if self.client then
    self.client:close()
    support.step_until(function() -- a create that is out keeps the ledger
      return gptimage2.pending() == 0
    end)
  end
  local all = { ledger = assert(assets.ledger(self.manifest)) }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  self.client = support.client(box, all)
  return self
end

--- Builds; gives the report, or nil and the error.
---@param options? table
function mt:build(options)
  local all = { client = self.client }
  for name, value in pairs(options or {}) do
    all[name] = value
  end
  return assets.build(self.manifest, all)
end

--- "path state" of each line of a plan, joined.
---@param plan? table default the one of now
function mt:states(plan)
  plan = plan or assert(assets.plan(self.manifest, { client = self.client }))
  local parts = {}
  for i, line in ipairs(plan.lines) do
    parts[i] = line.path .. " " .. line.state
  end
  return table.concat(parts, ", ")
end

--- The lock, but for what is another in each run.
function mt:lock()
  local text = folder.read(self.base .. "pictures.lock")
  text = text:gsub('"salt":"%x+"', '"salt":""'):gsub('"job":"[^"]+"', '"job":""')
  text = text:gsub('"seed":"%d+"', '"seed":""'):gsub('"time":%d+', '"time":0')
  return (
    text:gsub('"(%a+)":"%x+"', function(name)
      return (name == "original" or name == "file") and '"' .. name .. '":""' or nil
    end)
  )
end

function mt:read(path)
  return folder.read(self.base .. path)
end

--- A new folder.
---@param entries? table
---@param common? string
function pictures.new(entries, common)
  local base = folder.new() .. "/"
  local made = setmetatable({ base = base, manifest = base .. "pictures.lua" }, mt)
  made:write(entries or { ["a.png"] = "subject = 'a fox'" }, common)
  return made
end

--- A folder of which one picture is under way at the service, and three wait in the ledger, never
--- sent; and the report of the build that ended so.
---@param box table
---@param common? string fields for all
function pictures.interrupted(box, common)
  local entries = {}
  for i = 1, 4 do
    entries[("p%d.png"):format(i)] = ("subject = 'number %d'"):format(i)
  end
  local art = pictures.new(entries):connect(box, { max_active = 1 })
  local before = #box:ledger().jobs
  local task = gptimage2.spawn(function()
    return art:build()
  end)
  support.step_until(function()
    return #box:ledger().jobs > before
  end)
  art.client:close()
  local report = assert(task:wait())
  art:write(entries, common)
  return art:connect(box), report
end

--- How many pictures a sandbox was paid for, and did not give back.
---@param box table
---@return integer
function pictures.paid(box)
  local count = 0
  for _, job in ipairs(box:ledger().jobs) do
    count = count + (job.refunded and 0 or job.credits)
  end
  return count
end

return pictures
