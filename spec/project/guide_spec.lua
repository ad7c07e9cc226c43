--- The guides: one page each, found from README, and the index of what can go wrong has all of it.

local folder = require("spec.folder")
local pages = require("spec.helpers.pages")

local LINES_MAX = 160
local NO_CODES = { http_status = true } -- told of an event

--- kind -> the set of the codes in the last of its cells that has any.
local function codes_by_kind(text, column)
  local found, kind = {}, nil
  for row in text:gmatch("\n(| [^\n]+ |)") do
    local cells = {}
    for cell in row:sub(2):gmatch(" *(.-) *|") do
      cells[#cells + 1] = cell
    end
    kind = cells[1]:match("^`([%l_]+)`$") or cells[1] == "" and kind or nil
    if kind and cells[column] then
      found[kind] = found[kind] or {}
      for code in cells[column]:gmatch("`([%l_]+)`") do
        found[kind][code] = true
      end
    end
  end
  return found
end

describe("the guides", function()
  after_each(folder.clean)

  it("are short, and README names each", function()
    local there = folder.run("ls doc/guide")
    local count = 0
    for name in there:gmatch("%S+") do
      count = count + 1
      local text = folder.read("doc/guide/" .. name)
      local _, lines = text:gsub("\n", "")
      assert.is_true(lines <= LINES_MAX, name)
      assert.truthy(pages.README:find("](doc/guide/" .. name .. ")", 1, true), name)
    end
    assert.equal(count, #pages.GUIDES)
  end)

  it("tell of every kind and code of errors what is known of the money", function()
    local interface = folder.read("doc/api.md"):match("\n## Errors\n(.-)\n## ")
    interface = interface:match("| kind | when |.*")
    local told = codes_by_kind(folder.read("doc/guide/trouble.md"), 2)
    for kind, codes in pairs(codes_by_kind(interface, 4)) do
      assert.truthy(told[kind], kind .. " is not told of")
      for code in pairs(codes) do
        local is_code = code:find("_", 1, true) and not NO_CODES[code]
        assert.is_true(told[kind][code] or not is_code, ("%s/%s is not told of"):format(kind, code))
      end
      for code in pairs(told[kind]) do
        assert.truthy(codes[code], ("%s/%s is not in doc/api.md"):format(kind, code))
      end
    end
  end)
end)
