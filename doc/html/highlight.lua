--- Code as HTML: comments, strings and keywords of Lua stand out; of a shell what is typed.

local highlight = {}

local KEYWORDS = {}
for word in
  ([[and break do else elseif end false for function goto if in local nil not or
  repeat return then true until while]]):gmatch("%l+")
do
  KEYWORDS[word] = true
end

--- What of Lua begins at a place: pattern -> class. The first that fits counts.
local TOKENS = {
  { "^%-%-%[%[.-%]%]", "comment" },
  { "^%-%-[^\n]*", "comment" },
  { '^"[^"\n]*"', "string" },
  { "^'[^'\n]*'", "string" },
  { "^%[%[.-%]%]", "string" },
  { "^[%a_][%w_]*" },
  { "^%s+" },
  { "^." },
}

--- Text as HTML shows it.
---@param text string
---@return string
function highlight.escape(text)
  local names = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }
  return (text:gsub('[&<>"]', names))
end

local function mark(class, text)
  return ('<span class="%s">%s</span>'):format(class, highlight.escape(text))
end

local function lua(text)
  local parts, at = {}, 1
  while at <= #text do
    for _, token in ipairs(TOKENS) do
      local word = text:match(token[1], at)
      if word then
        local class = token[2] or KEYWORDS[word] and "keyword"
        parts[#parts + 1] = class and mark(class, word) or highlight.escape(word)
        at = at + #word
        break
      end
    end
  end
  return table.concat(parts)
end

local function console(text)
  return (
    ("\n" .. highlight.escape(text))
      :gsub("\n(%$ )([^\n]*)", '\n<span class="comment">%1</span><span class="typed">%2</span>')
      :sub(2)
  )
end

local LANGUAGES = { lua = lua, console = console }

--- A block of code. Blank lines hold a blank: LDoc makes paragraphs of others.
---@param text string
---@param info string what stands behind the fence: "lua", "lua pictures.lua", "console" ...
---@return string
function highlight.block(text, info)
  local language = (info:match("^%a+") or ""):lower()
  local made = (LANGUAGES[language] or highlight.escape)(text:gsub("\n$", ""))
  repeat
    local count
    made, count = made:gsub("\n\n", "\n&#32;\n")
  until count == 0
  local file = info:match("^lua (%S+%.lua)$")
  local title = file and ('<p class="file">%s</p>\n'):format(file) or ""
  return ("%s<pre>%s</pre>"):format(title, made)
end

return highlight
