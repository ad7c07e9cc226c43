--- What users read, and sets of the names in it.

local folder = require("spec.folder")
local luassert = require("luassert")

local pages = {}

pages.README = folder.read("README.md")

--- The names of the guides, which are read first, and of the pages of the reference.
pages.GUIDES = { "start", "prompts", "games", "servers", "pipelines", "trouble", "migrating" }
local REFERENCE = { "api", "builds", "hosts", "money", "program", "sandbox", "security" }

--- The paths of all of them.
pages.NAMES = { "README.md" }
for _, name in ipairs(REFERENCE) do
  table.insert(pages.NAMES, ("doc/%s.md"):format(name))
end
for _, name in ipairs(pages.GUIDES) do
  table.insert(pages.NAMES, ("doc/guide/%s.md"):format(name))
end

--- All of it, as one text.
local function read_all()
  local texts = {}
  for i, path in ipairs(pages.NAMES) do
    texts[i] = assert(folder.read(path), path)
  end
  return table.concat(texts, "\n")
end

pages.ALL = read_all()

--- The set of the names in a list.
---@param list string[]
---@return table<string, true>
function pages.set_of(list)
  local set = {}
  for _, name in ipairs(list) do
    set[name] = true
  end
  return set
end

--- The set of a table's keys.
---@param tbl table
---@return table<string, true>
function pages.keys_of(tbl)
  local set = {}
  for name in pairs(tbl) do
    set[name] = true
  end
  return set
end

--- The sorted words of a set, which make a readable difference.
local function words(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return table.concat(list, " ")
end

--- Expects that two sets have the same names.
---@param there table<string, true>
---@param documented table<string, true>
---@param where string
function pages.assert_same_names(there, documented, where)
  luassert.equal(words(there), words(documented), where)
end

return pages
