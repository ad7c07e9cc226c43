--- Markdown as our pages use it, as HTML: headings, paragraphs, lists, tables, blocks of code;
--- code, links, images, and words that stand out. No blank line is in what it makes: LDoc would
--- take it for the end of a paragraph.

local highlight = require("highlight")

local markdown = {}

--- What a heading is called in links to it, as forges have it.
---@param title string
---@return string
function markdown.anchor(title)
  return (title:lower():gsub("[^%w -]", ""):gsub(" ", "-"))
end

--- What is between two places of a line, as HTML. `link` gives where a link leads, or nil.
local function inline(text, link)
  local kept = {}
  local function keep(made)
    kept[#kept + 1] = made
    return ("\1%d\2"):format(#kept)
  end
  text = text:gsub("`([^`]+)`", function(code)
    return keep("<code>" .. highlight.escape(code) .. "</code>")
  end)
  text = highlight.escape(text)
  text = text:gsub("!%[([^%]]*)%]%(([^)]+)%)", function(alt, target)
    return keep(('<img src="%s" alt="%s">'):format(link(target) or "", alt))
  end)
  text = text:gsub("%[([^%]]*)%]%(([^)]+)%)", function(label, target)
    local href = link(target)
    return href and ('<a href="%s">%s</a>'):format(keep(href), label) or label
  end)
  text = text:gsub("%*%*(.-)%*%*", "<strong>%1</strong>"):gsub("%*(%S[^*]*)%*", "<em>%1</em>")
  repeat -- a link may be within what was kept
    local count
    text, count = text:gsub("\1(%d+)\2", function(n)
      return kept[tonumber(n)]
    end)
  until count == 0
  return (text:gsub("\\|", "|"))
end

--- The lines, and where one reads in them.
local Reader = {}
Reader.__index = Reader

function Reader:peek()
  return self.lines[self.at]
end

function Reader:next()
  self.at = self.at + 1
  return self.lines[self.at - 1]
end

function Reader:put(...)
  self.out[#self.out + 1] = string.format(...)
end

function Reader:inline(text)
  return inline(text, self.link)
end

local function cells_of(row)
  local cells = {}
  local text = row:gsub("\\|", "\3"):gsub("^| *", "")
  for cell in text:gmatch("(.-) *| *") do
    cells[#cells + 1] = (cell:gsub("\3", "|"))
  end
  return cells
end

local function put_row(reader, tag, row)
  local made = {}
  for _, cell in ipairs(cells_of(row)) do
    made[#made + 1] = ("<%s>%s</%s>"):format(tag, reader:inline(cell), tag)
  end
  reader.out[#reader.out + 1] = "<tr>" .. table.concat(made) .. "</tr>"
end

local function table_of(reader)
  reader:put('<div class="wide"><table>')
  put_row(reader, "th", reader:next())
  reader:next() -- the line below the head
  while (reader:peek() or ""):find("^|") do
    put_row(reader, "td", reader:next())
  end
  reader:put("</table></div>")
end

local function code(reader)
  local info, lines = reader:next():match("^```(.*)$"), {}
  while reader:peek() and not reader:peek():find("^```") do
    lines[#lines + 1] = reader:next()
  end
  reader:next()
  reader.out[#reader.out + 1] = highlight.block(table.concat(lines, "\n"), info)
end

local function heading(reader)
  local marks, title = reader:next():match("^(#+) (.*)$")
  local anchor = markdown.anchor(title)
  reader:put('<h%d id="%s">%s</h%d>', #marks, anchor, reader:inline(title), #marks)
end

--- What begins here goes on until a line of these patterns.
local function text_until(reader, ...)
  local parts = { reader:next() }
  while reader:peek() do
    for _, pattern in ipairs({ "^%s*$", "^```", "^|", ... }) do
      if reader:peek():find(pattern) then
        return table.concat(parts, "\n")
      end
    end
    parts[#parts + 1] = reader:next():match("^%s*(.*)$")
  end
  return table.concat(parts, "\n")
end

local function list(reader, tag, mark)
  reader:put("<%s>", tag)
  while reader:peek() and (reader:peek():find(mark) or reader:peek():find("^%s*$")) do
    if reader:peek():find(mark) then
      local text = text_until(reader, mark, "^#"):gsub(mark, "", 1)
      reader:put("<li>%s</li>", reader:inline(text))
    elseif (reader.lines[reader.at + 1] or ""):find(mark) then
      reader:next() -- a blank line between two of them
    else
      break
    end
  end
  reader:put("</%s>", tag)
end

--- What a block is, by its first line.
local BLOCKS = {
  { "^```", code },
  { "^#+ ", heading },
  { "^|", table_of },
  {
    "^%- ",
    function(reader)
      list(reader, "ul", "^%- ")
    end,
  },
  {
    "^%d+%. ",
    function(reader)
      list(reader, "ol", "^%d+%. ")
    end,
  },
  {
    "",
    function(reader)
      reader:put("<p>%s</p>", reader:inline(text_until(reader, "^%- ", "^#")))
    end,
  },
}

--- A page as HTML.
---@param text string
---@param link fun(target: string): string|nil where a link leads in HTML; nil: nowhere
---@return string html
function markdown.html(text, link)
  local reader = setmetatable({ lines = {}, at = 1, out = {}, link = link }, Reader)
  for line in (text .. "\n"):gmatch("(.-)\n") do
    reader.lines[#reader.lines + 1] = line
  end
  while reader:peek() do
    if reader:peek() == "" then
      reader:next()
    else
      for _, block in ipairs(BLOCKS) do
        if reader:peek():find(block[1]) then
          block[2](reader)
          break
        end
      end
    end
  end
  return table.concat(reader.out, "\n")
end

return markdown
