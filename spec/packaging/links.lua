-- Whether all links of a manual in HTML lead somewhere, and no Markdown is left in its text:
-- links.lua <folder>. Prints what is wrong.
local root = assert(arg[1])

local pages = {} -- path -> its text and the ids in it; false: no such file

local function read(path)
  if pages[path] == nil then
    local file = io.open(path, "rb")
    local text = file and file:read("*a")
    pages[path] = text and { text = text, ids = {} } or false
    for id in (text or ""):gmatch(' id="([^"]+)"') do
      pages[path].ids[id] = true
    end
  end
  return pages[path]
end

--- A path without its dots.
local function plain(path)
  repeat
    local count
    path, count = path:gsub("[^/]+/%.%./", "", 1)
  until count == 0
  return path
end

local links, wrong = 0, 0

local function complain(...)
  wrong = wrong + 1
  print(string.format(...))
end

local list = assert(io.popen(("find '%s' -name '*.html'"):format(root)))
for path in list:lines() do
  local folder = path:match("^.*/")
  local text = assert(read(path)).text:gsub("<pre>.-</pre>", "")
  for link in text:gmatch(' [hs]r[ec]f?="([^"]*)"') do
    if not link:find("^https?:") then
      links = links + 1
      local target, id = link:match("^([^#]*)#?(.*)$")
      local page = read(target == "" and path or plain(folder .. target))
      if link == "" or not page or id ~= "" and not page.ids[id] then
        complain("%s: %s leads nowhere", path, link)
      end
    end
  end
  local words = text:gsub("<code.->.-</code>", "")
  for _, mark in ipairs({ "](", "**", "`" }) do
    local at = words:find(mark, 1, true)
    if at then
      complain("%s: Markdown is left at %q", path, words:sub(at, at + 40))
    end
  end
end
list:close()
assert(links > 100, "hardly any links")
os.exit(wrong == 0 and 0 or 1)
