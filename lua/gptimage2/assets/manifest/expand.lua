--- One entry for each combination of its axes: `each = { item = { "sword", "shield" } }`. Pure.

local check = require("gptimage2.check")
local failure = require("gptimage2.assets.failure")
local template = require("gptimage2.request.template")

local expand = {}

local MAX_PRODUCT = 100000

--- A value of an axis as text: a number reads the same in every Lua.
local function text_of(value)
  return type(value) == "number" and check.number(value, "%.14g") or value
end

local function read_axis(name, list, place)
  if type(name) ~= "string" or not name:find("^[%a_][%w_]*$") then
    local message = ("each: '%s' is no name of an axis: letters, digits and '_'"):format(
      check.show(name)
    )
    return failure.new("manifest_error", message, place)
  end
  local good, values = check.is_list(list) and list[1] ~= nil, {}
  for i, value in ipairs(good and list or {}) do
    good = good and (type(value) == "string" or type(value) == "number")
    values[i] = text_of(value)
  end
  if good then
    return values
  end
  local message = "each.%s must be a list of texts or numbers, not empty"
  return failure.new("manifest_error", message:format(name), place)
end

--- The axes, their names sorted; the empty list where there are none.
local function read_axes(each, place)
  if type(each) ~= "table" then
    local message = "each must be a table of lists, such as { item = { 'sword', 'shield' } }"
    return failure.new("manifest_error", message, place)
  end
  local axes, product = {}, 1
  for _, name in ipairs(check.keys(each)) do
    local values, err = read_axis(name, each[name], place)
    if not values then
      return nil, err
    end
    axes[#axes + 1] = { name = name, values = values }
    product = product * #values
    if product > MAX_PRODUCT then
      local message = ("each gives more than %d pictures"):format(MAX_PRODUCT)
      return failure.new("manifest_error", message, place)
    end
  end
  if axes[1] then
    return axes
  end
  return failure.new("manifest_error", "each has no axis", place)
end

--- A text with its placeholders filled in.
local function fill(text, values, names, where)
  local made, err = template.new(text)
  if not made then
    return failure.of(err, where, "manifest_error")
  end
  local used = {}
  for _, name in ipairs(made:names()) do
    if values[name] == nil then
      local message = ("there is no axis '%s' in each%s"):format(
        name,
        check.did_you_mean(name, names)
      )
      return failure.new("unknown_placeholder", message, where)
    end
    used[name] = values[name]
  end
  return (made:fill(used))
end

--- A copy of a value in which all texts are filled in.
local function fill_all(value, values, names, where)
  if type(value) == "string" then
    return fill(value, values, names, where)
  elseif type(value) ~= "table" then
    return value
  end
  local copied = {}
  for key, inner in pairs(value) do
    local filled, err = fill_all(inner, values, names, where)
    if err then
      return nil, err
    end
    copied[key] = filled
  end
  return copied
end

--- The values for `derive`, whose own placeholders stay.
local function values_of_derive(values, names, where)
  local all = { ["in"] = "{in}", out = "{out}" }
  for _, name in ipairs(names) do
    if all[name] then
      local message = "an axis cannot be called '%s' where there is a derive"
      return failure.new("manifest_error", message:format(name), where)
    end
    all[name] = values[name]
  end
  return all
end

--- The fields of an entry but for `each`, filled in.
local function fill_fields(entry, values, names, place)
  local filled = {}
  for name, value in pairs(entry) do
    if name ~= "each" then
      local field = failure.field(place) .. "." .. tostring(name)
      local where = { file = place.file, line = place.line, field = field }
      local known, err = values, nil
      if name == "derive" then
        known, err = values_of_derive(values, names, where)
      end
      if known then
        filled[name], err = fill_all(value, known, names, where)
      end
      if err then
        return nil, err
      end
    end
  end
  return filled
end

--- Goes through the product, the last axis fastest.
local function next_values(axes, at)
  local i = #axes
  while i > 0 and at[i] == #axes[i].values do
    at[i], i = 1, i - 1
  end
  if i == 0 then
    return false
  end
  at[i] = at[i] + 1
  return true
end

--- The picture of one combination, `at`.
local function use_one(path, entry, place, use, axes, at, names)
  local values = {}
  for i, axis in ipairs(axes) do
    values[axis.name] = axis.values[at[i]]
  end
  local filled, err = fill(path, values, names, place)
  if not filled then
    return nil, err
  end
  local fields
  fields, err = fill_fields(entry, values, names, place)
  if not fields then
    return nil, err
  end
  return use(filled, fields, values)
end

--- Gives each picture of an entry to `use(path, fields)`; nil and the error where it cannot be
--- read, or use gives one.
---@param path string
---@param entry table
---@param place table
---@param use fun(path: string, fields: table, axes: table?): boolean|nil, gptimage2.Error|nil
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function expand.entry(path, entry, place, use)
  if entry.each == nil then
    return use(path, entry)
  end
  local axes, err = read_axes(entry.each, place)
  if not axes then
    return nil, err
  end
  local names, at = {}, {}
  for i, axis in ipairs(axes) do
    names[i], at[i] = axis.name, 1
  end
  repeat
    local ok
    ok, err = use_one(path, entry, place, use, axes, at, names)
    if not ok then
      return nil, err
    end
  until not next_values(axes, at)
  return true
end

return expand
