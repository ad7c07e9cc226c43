-- Writes what LDoc reads, from the annotations in library/: reference.lua <folder>
--
-- The annotations are those of the Lua language server; LDoc has other tags for the same. A class
-- becomes a type with its methods, or, without methods, a table of its fields.
local FILES = {
  "gptimage2",
  "gptimage2/prompt",
  "gptimage2/migrate",
  "gptimage2/assets",
  "gptimage2/sandbox",
}

local out

--- LDoc takes comments as HTML.
local function html(text)
  text = text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")
  return (text:gsub("`([^`]+)`", "<code>%1</code>"))
end

local function put(format, ...)
  out:write(format:format(...), "\n")
end

--- Splits "type the rest" behind the type, which may hold blanks within brackets.
local function split_type(text)
  local depth, quoted = 0, false
  for i = 1, #text do
    local c = text:sub(i, i)
    if c == '"' then
      quoted = not quoted
    elseif c:find("[<{(]") then
      depth = depth + 1
    elseif c:find("[>})]") then
      depth = depth - 1
    elseif c == " " and depth == 0 and not quoted and text:sub(i - 1, i - 1) ~= ":" then
      return text:sub(1, i - 1), text:sub(i + 1)
    end
  end
  return text, ""
end

--- The lines of one comment, taken apart.
local function read_comment(lines)
  local doc = { text = {}, params = {}, returns = {}, fields = {}, values = {} }
  local last, above
  for _, line in ipairs(lines) do
    local tag, rest = line:match("^@(%w+) ?(.*)$")
    if tag == "param" or tag == "field" then
      local name, optional, after = rest:match("^([%w_.]+)(%??) (.*)$")
      local kind, about = split_type(after or "")
      last = { name = name or rest, optional = optional == "?", kind = kind, about = about }
      if tag == "field" and above then
        last.about, above = above .. " " .. about, nil
      end
      table.insert(tag == "param" and doc.params or doc.fields, last)
    elseif tag == "return" then
      local kind, about = split_type(rest)
      last = { kind = kind, about = about }
      table.insert(doc.returns, last)
    elseif tag then
      doc[tag] = rest:match("^[%w_.]+")
      last = nil
    elseif line:find("^| ") then
      local value, about = line:match('^| ("[^"]*") ?(.*)$')
      table.insert(doc.values, { name = value or line:sub(3), kind = "", about = about or "" })
    elseif doc.class and not doc.alias and #doc.returns == 0 then
      above = (above and above .. " " or "") .. line
    elseif last then
      last.about = last.about .. " " .. line
    else
      table.insert(doc.text, line)
    end
  end
  return doc
end

local function kind_of(thing)
  return thing.kind ~= "" and html(("`%s` "):format(thing.kind)) or ""
end

local function put_text(doc, title)
  put("--- %s", html(doc.text[1] or title))
  for i = 2, #doc.text do
    put("-- %s", html(doc.text[i]))
  end
end

local function put_fields(fields)
  for _, field in ipairs(fields) do
    local name = field.name:gsub('"', "")
    local opt = field.optional and "[opt]" or ""
    put("-- @field%s %s %s%s", opt, name, kind_of(field), html(field.about))
  end
end

local function put_function(doc, declaration)
  put_text(doc, "")
  for _, param in ipairs(doc.params) do
    local opt = param.optional and "[opt]" or ""
    put("-- @param%s %s %s%s", opt, param.name, kind_of(param), html(param.about))
  end
  for _, result in ipairs(doc.returns) do
    put("-- @return %s%s", kind_of(result), html(result.about))
  end
  put("%s\n", declaration)
end

local function put_class(doc, name, is_module, has_methods)
  if is_module then
    put_text({ text = { "Fields of the module." } })
    put("-- @table fields")
    put_fields(doc.fields)
  elseif has_methods then
    put_text(doc, name)
    put("-- @type %s\n", name)
    if #doc.fields > 0 then
      put("--- Fields.\n-- @table %s.fields", name)
      put_fields(doc.fields)
    end
  else
    put("--- @section end\n")
    put_text(doc, name)
    put("-- @table %s", name)
    put_fields(#doc.values > 0 and doc.values or doc.fields)
  end
  put("")
end

local function convert(path)
  local comment, class = {}, nil
  local seen_module = false
  for line in io.lines("library/" .. path .. ".lua") do
    local text = line:match("^%-%-%-(.*)$")
    if text then
      table.insert(comment, text)
    else
      local doc = read_comment(comment)
      if doc.class or doc.alias then
        class = { doc = doc, name = (doc.class or doc.alias):gsub("^gptimage2%.?", "") }
      end
      local variable = line:match("^local [%w_]+ = {}")
      if class and (variable or line == "") then
        local is_module = variable and not seen_module
        seen_module = seen_module or is_module
        put_class(class.doc, class.name, is_module, variable)
        class = nil
      elseif line:find("^function ") then
        put_function(doc, line)
      end
      comment = {}
    end
  end
end

local folder = assert(arg[1], "which folder?")
for _, path in ipairs(FILES) do
  local name = path:gsub("/", ".")
  out = assert(io.open(("%s/%s.lua"):format(folder, name), "w"))
  put('--- What <code>require("%s")</code> gives.\n-- @module %s\n', name, name)
  convert(path)
  out:close()
end
