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

--- The pages: the class whose functions are the page's own, and what it is. Other classes are where
--- these stand in library/, or where BELONGS says.
local PAGES = {
  { "gptimage2", "gptimage2", 'What `require("gptimage2")` gives.' },
  { "client", "Client", "A client: the settings of one account. `gptimage2.new` makes it." },
  { "job", "Job", "A job, its results and its events. `client:generate` and others make it." },
  { "error", "Error", "What calls give beside nil, and the kinds of it." },
  { "gptimage2.loops", "Loops", "The loops of hosts, for `gptimage2.use`." },
  { "gptimage2.prompt", "PromptModule", 'The prompt builder: `require("gptimage2.prompt")`.' },
  { "gptimage2.assets", "AssetsModule", 'Pictures as a build: `require("gptimage2.assets")`.' },
  { "gptimage2.migrate", "MigrateModule", 'From other calls: `require("gptimage2.migrate")`.' },
  { "gptimage2.sandbox", "SandboxModule", 'The sandbox: `require("gptimage2.sandbox")`.' },
}

--- Classes of library/gptimage2.lua that have a page of their own, or are on one.
local BELONGS = {
  client = "Options PollOptions Request JobOptions SaveAs SaveOptions Balance HistoryFilter "
    .. "HistoryRow",
  job = "Status Result Paths Event EventType",
  error = "Kind",
  ["gptimage2.loops"] = "Loop LoopName WaitLoop",
}

local page_of, own = {}, {} -- class -> page; the classes that pages are of
local has_methods = {} -- classes
for _, page in ipairs(PAGES) do
  page_of[page[2]], own[page[2]] = page[1], true
end
for page, names in pairs(BELONGS) do
  for name in names:gmatch("%S+") do
    page_of[name] = page
  end
end

local outputs, out = {}, nil

--- LDoc takes comments as HTML.
local function html(text)
  text = text:gsub("&", "&amp;"):gsub("<", "&lt;"):gsub(">", "&gt;")
  text = text:gsub("doc/(%l+)%.md", '<a href="../manual/%1.html">%0</a>')
  return (text:gsub("`([^`]+)`", "<code>%1</code>"))
end

--- A type, with links to the classes in it.
local function type_html(text)
  local made = html(text):gsub("gptimage2%.(%u%w*)", function(name)
    local anchor = own[name] and "" or (has_methods[name] and "#Class_" or "#") .. name
    return ('<a href="%s.html%s">%s</a>'):format(assert(page_of[name], name), anchor, name)
  end)
  return ('<code class="type">%s</code>'):format(made)
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
  return thing.kind ~= "" and type_html(thing.kind) .. " " or ""
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

local function put_class(doc, name)
  if own[name] then
    if #doc.fields > 0 then
      put_text({ text = { "Fields." } })
      put("-- @table fields")
      put_fields(doc.fields)
    end
  elseif has_methods[name] then
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

--- Calls `on_class(doc, name, variable)` and `on_function(doc, line, variable)` for what a file of
--- library/ has.
local function read_library(path, on_class, on_function)
  local comment, class = {}, nil
  for line in io.lines("library/" .. path .. ".lua") do
    local text = line:match("^%-%-%-(.*)$")
    if text then
      table.insert(comment, text)
    else
      local doc = read_comment(comment)
      if doc.class or doc.alias then
        local name = (doc.class or doc.alias):gsub("^gptimage2%.", "")
        class = { doc = doc, name = name }
      end
      local variable = line:match("^local ([%w_]+) = {}")
      if class and (variable or line == "") then
        on_class(class.doc, class.name, variable)
        class = nil
      elseif line:find("^function ") then
        on_function(doc, line, line:match("^function ([%w_]+)"))
      end
      comment = {}
    end
  end
end

local function nothing() end

local folder = assert(arg[1], "which folder?")
for _, page in ipairs(PAGES) do
  out = assert(io.open(("%s/%s.lua"):format(folder, page[1]), "w"))
  outputs[page[1]] = out
  put("--- %s\n-- @module %s\n", html(page[3]), page[1])
end
for _, path in ipairs(FILES) do -- first: links may lead to what comes later
  local home = path:gsub("/", ".")
  read_library(path, function(_, name, variable)
    page_of[name] = page_of[name] or home
    has_methods[name] = variable
  end, nothing)
end
for _, path in ipairs(FILES) do
  local classes = {} -- by their variables
  read_library(path, function(doc, name, variable)
    classes[variable or ""] = name
    out = outputs[page_of[name]]
    put_class(doc, name)
  end, function(doc, line, variable)
    out = outputs[page_of[classes[variable]]]
    put_function(doc, line)
  end)
end
for _, file in pairs(outputs) do
  file:close()
end
