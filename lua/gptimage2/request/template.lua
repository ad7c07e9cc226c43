--- Texts with placeholders: what `gptimage2.prompt.template` makes. Pure.

local check = require("gptimage2.check")

local template = {}

--- Splits a template into literal text and names: { "a ", {name="animal"}, " in ", ... }.
local function parse_template(text)
  local parts, names, at = {}, {}, 1
  while at <= #text do
    local brace = text:find("[{}]", at)
    parts[#parts + 1] = text:sub(at, (brace or #text + 1) - 1)
    if not brace then
      break
    end
    local char, name = text:sub(brace, brace), text:match("^{([%a_][%w_]*)}", brace)
    if text:sub(brace + 1, brace + 1) == char then
      parts[#parts + 1], at = char, brace + 2
    elseif name then
      parts[#parts + 1], at = { name = name }, brace + #name + 2
      if not names[name] then
        names[#names + 1], names[name] = name, true
      end
    else
      return nil, brace
    end
  end
  return parts, names
end

local function quoted_list(names)
  local shown = {}
  for i, name in ipairs(names) do
    shown[i] = "{" .. name .. "}"
  end
  return check.enumerate(shown)
end

local function check_fill(values, names)
  for _, key in ipairs(check.keys(values)) do
    if type(key) ~= "string" or not names[key] then
      local has = names[1] and "it has " .. quoted_list(names) or "it has none"
      local message = ("the template has no placeholder '%s'%s"):format(
        check.show(key),
        check.did_you_mean(key, names)
      )
      local field = type(key) == "string" and key or nil
      return check.invalid("placeholder_unknown", field, message .. " (" .. has .. ")")
    end
  end
  local missing = {}
  for _, name in ipairs(names) do
    if values[name] == nil then
      missing[#missing + 1] = name
    end
  end
  if missing[1] then
    local message = "no value for " .. quoted_list(missing) .. " of the template"
    return check.invalid("placeholder_missing", missing[1], message)
  end
  return true
end

local function is_prompt(value)
  return type(value) == "table" and getmetatable(value) == "gptimage2.Prompt"
end

--- A value's text; raises for what has none.
local function fill_text(value, name, level)
  if type(value) == "number" then
    return check.number(value)
  elseif type(value) == "string" or is_prompt(value) then
    return tostring(value)
  end
  local why = "value of '%s' must be a string, a number or a prompt, got %s"
  check.fail(1, "fill", why:format(name, type(value)), level + 1)
end

local methods = {}
local mt = { __name = "gptimage2.Template", __index = methods }
local parsed_of = setmetatable({}, { __mode = "k" })

local function fill(made, values, level)
  check.argument(values, 1, "fill", "table", level + 1)
  local parsed = parsed_of[made]
  local ok, err = check_fill(values, parsed.names)
  if not ok then
    return nil, err
  end
  local out = {}
  for i, part in ipairs(parsed.parts) do
    local is_text = type(part) == "string"
    out[i] = is_text and part or fill_text(values[part.name], part.name, level + 1)
  end
  return table.concat(out)
end

--- The text with every placeholder replaced; values are set in as they are, braces included. The
--- same as calling the template. Errors: `placeholder_unknown`, `placeholder_missing`.
---@param values table<string, string|number|gptimage2.Prompt>
---@return string|nil text
---@return gptimage2.Error|nil err
function methods:fill(values)
  local text, err = fill(self, values, 2)
  return text, err
end

--- The names of the placeholders, in the order they first appear.
---@return string[]
function methods:names()
  local copied = {}
  for i, name in ipairs(parsed_of[self].names) do
    copied[i] = name
  end
  return copied
end

function mt.__call(made, values)
  local text, err = fill(made, values, 2)
  return text, err
end

function mt.__tostring(made)
  return parsed_of[made].source
end

--- A text with placeholders: `prompt.template("a {animal} in {place}")`. Names are letters, digits
--- and "_"; "{{" and "}}" stand for a brace. Call it with a table of values to get the text.
--- Errors: `placeholder_invalid` for a brace that belongs to no placeholder.
---@param text string
---@return gptimage2.Template|nil template
---@return gptimage2.Error|nil err
function template.new(text)
  check.argument(text, 1, "template", "string")
  local parts, names = parse_template(text)
  if not parts then
    local message = "the brace at byte %d opens or closes no placeholder; "
      .. "placeholders look like {name}, a brace itself is written {{ or }}"
    return check.invalid("placeholder_invalid", nil, message:format(names))
  end
  local made = setmetatable({}, mt)
  parsed_of[made] = { source = text, parts = parts, names = names }
  return made
end

return template
