--- The pages of the manual as LDoc's topics, and what they link to: pages.lua <folder of topics>
--- <folder of the manual>. Run in the checkout; prints the topics' names for LDoc. A link from page
--- to page stays one; a file of the checkout is shown on a page of its own; a picture is copied.

package.path = "doc/html/?.lua;" .. package.path
local highlight = require("highlight")
local markdown = require("markdown")

local topics, manual = assert(arg[1]), assert(arg[2])

--- All pages, in the order of the contents: group, and path -> name.
local GROUPS = {
  { "Guides", "start", "prompts", "games", "servers", "pipelines", "trouble", "migrating" },
  { "Reference", "api", "money", "builds", "program", "hosts", "sandbox", "security" },
  { "Project", "design" },
}
local BESIDE = { -- of the last group: path, name, title where it is not the page's own
  { "README.md", "readme", "Readme" },
  { "examples/README.md", "examples" },
  { "CHANGELOG.md", "changelog" },
  { "CONTRIBUTING.md", "contributing" },
  { "SECURITY.md", "holes", "Reporting a hole" },
  { "spec/README.md", "tests" },
}

local pages, by_path = {}, {}

local function add(group, path, name, title)
  local page = { group = group, path = path, name = name, title = title }
  pages[#pages + 1] = page
  by_path[path] = page
end

for i, group in ipairs(GROUPS) do
  for j = 2, #group do
    add(group[1], ("doc/%s%s.md"):format(i == 1 and "guide/" or "", group[j]), group[j])
  end
end
for _, one in ipairs(BESIDE) do
  add("Project", one[1], one[2], one[3])
end

--- What a file holds; nil of a folder.
local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- A path without its dots.
local function plain(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    if part == ".." then
      table.remove(parts)
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return table.concat(parts, "/")
end

local shown = {} -- files that have a page

local FILE_PAGE = [[
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>%s</title>
<link rel="stylesheet" href="../ldoc.css">
</head>
<body class="source">
<main>
<p><a href="../index.html">gptimage2</a></p>
<h1>%s</h1>
%s
</main>
</body>
</html>
]]

--- The page of a file, from where pages are; nil of a folder.
local function file_page(path)
  local name = path:gsub("/", "-")
  local text = read(path)
  if text and not shown[path] then
    shown[path] = true
    local language = path:match("%.(%a+)$") or ""
    local html = FILE_PAGE:format(path, path, (highlight.block(text, language):gsub("%%", "%%%%")))
    write(("%s/files/%s.html"):format(manual, name), html)
  end
  return text and ("../files/%s.html"):format(name)
end

local function picture(path)
  local name = path:match("[^/]+$")
  write(("%s/images/%s"):format(manual, name), read(path))
  return "../images/" .. name
end

--- Where the links of a page lead.
local function links_of(page)
  local base = page.path:match("^.*/") or ""
  return function(target)
    if target:find("^https?:") or target:find("^#") then
      return target
    end
    local path, anchor = target:match("^([^#]*)(.*)$")
    path = plain(base .. path)
    if by_path[path] then
      return by_path[path].name .. ".html" .. anchor
    elseif path:find("%.png$") or path:find("%.webp$") then
      return picture(path)
    end
    return file_page(path)
  end
end

--- The first sentence of a page, as HTML, for the list of all.
local function summary(text)
  local first = (text:match("^%s*([^\n].-)\n\n") or ""):gsub("\n", " ")
  first = first:match("^(.-[.])%s") or first
  local made = markdown.html(first, function() end)
  return made:match("^<p>(.*)</p>$") or ""
end

for _, page in ipairs(pages) do
  local text = read(page.path)
  local title, rest = text:match("^# ([^\n]*)\n(.*)$")
  local html = markdown.html(rest, links_of(page))
  local head = ("# %s\n<!--%s|%s-->\n"):format(page.title or title, page.group, summary(rest))
  html = html:gsub("@{", "&#64;{")
  local topic = topics .. "/" .. page.name
  write(topic, head .. html .. "\n")
  print(("%q,"):format(topic))
end
