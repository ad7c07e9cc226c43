--- Takes out one safeguard after the other on a copy of the tree, and shows that some test fails
--- for each.
---
--- Arguments: the copy; its build folder; k/n, to take every n-th mutant from the k-th on; then
--- nothing (all), `short` (the sample), or names. Prints a line for each mutant. Exit status 1 when
--- one was not caught, did not compile, or its test fails without it, too.

local rows = require("spec.faults.mutants.table")

local SOURCE, BUILD = assert(arg[1]), assert(arg[2])
local LIMIT = 120 -- seconds for one test: a mutant that hangs is caught, too

local function quote(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function write(path, text)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  assert(file:close())
end

--- Whether a command succeeds, and what it said.
local function run(command)
  local pipe = assert(io.popen("{ " .. command .. "\n} 2>&1 </dev/null"))
  local output = pipe:read("a")
  return pipe:close() == true, output
end

--- What a test needs to be built, and how it is run. Tests are written `c <name>` for
--- spec/c/*/<name>_test.c, `spec <name>` for spec/*/<name>_spec.lua, and `spec <name>: <pattern>`
--- for those whose name matches.
local function read_test(test)
  local kind, name, pattern = test:match("^(%a+) ([%w_]+):? ?(.*)$")
  assert(kind, test)
  if kind == "c" then
    local target = "c-plain-" .. name
    return { target = target, command = ("timeout %d %s/%s"):format(LIMIT, quote(BUILD), target) }
  end
  local filter = pattern ~= "" and " --filter=" .. quote(pattern) or ""
  local command = 'cd %s && timeout %d %s/lua/5.4/lua "$(command -v busted)"%s spec/*/%s_spec.lua'
  return {
    target = "lua-5.4",
    command = command:format(quote(SOURCE), LIMIT, quote(BUILD), filter, name),
    name = name,
    pattern = pattern,
  }
end

local function build(target)
  return run(("cmake --build %s --target %s"):format(quote(BUILD), target))
end

local function list_of(value)
  return type(value) == "table" and value or { value }
end

--- `text` with `to` at the one place where `from` stands.
local function replace(row, text, from, to)
  local first, last = text:find(from, 1, true)
  assert(first, row.name .. ": the place is not there any more")
  assert(not text:find(from, last + 1, true), row.name .. ": there are several such places")
  return text:sub(1, first - 1) .. to .. text:sub(last + 1)
end

local function apply(row)
  local path = SOURCE .. "/" .. row.file
  local before = read(path)
  local after, to = before, list_of(row.to)
  for i, from in ipairs(list_of(row.from)) do
    after = replace(row, after, from, to[i])
  end
  write(path, after)
  return function()
    write(path, before)
  end
end

local sound = {}

--- Each test must pass without any mutant; and must run something.
local function check_sound(test)
  if sound[test] == nil then
    local how = read_test(test)
    local ok, output = build(how.target)
    if ok then
      ok, output = run(how.command)
    end
    if ok and output:find("\n0 successes", 1, true) then
      ok = false
    end
    sound[test] = { ok = ok, output = output }
  end
  return sound[test].ok, sound[test].output
end

--- The test that notices, or nil and why there is none.
local function try(row)
  for _, test in ipairs(row.tests) do
    local how = read_test(test)
    local compiled, said = build(how.target)
    if not compiled then
      return nil, "does not compile: " .. said:sub(-600)
    end
    if not run(how.command) then
      return test
    end
  end
  return nil, "NOT CAUGHT"
end

local function test_row(row)
  for _, test in ipairs(row.tests) do
    local ok, output = check_sound(test)
    if not ok then
      return nil, ("its test fails without it, too: %s\n%s"):format(test, output:sub(-1500))
    end
  end
  local applied, revert = pcall(apply, row)
  if not applied then
    return nil, revert
  end
  local done, test, why = pcall(try, row)
  revert()
  if not done then
    return nil, tostring(test)
  end
  return test, why
end

--- The rows that are asked for, and of them every n-th.
local function wanted()
  local part, parts = arg[3]:match("^(%d+)/(%d+)$")
  local list, count = {}, 0
  for _, row in ipairs(rows) do
    local named = not arg[4] or (arg[4] == "short" and row.short)
    for i = 4, #arg do
      named = named or arg[i] == row.name
    end
    count = count + (named and 1 or 0)
    if named and count % tonumber(parts) == tonumber(part) then
      list[#list + 1] = row
    end
  end
  return list
end

local caught, all = 0, wanted()
for _, row in ipairs(all) do
  local began = os.time()
  local test, why = test_row(row)
  print(
    ("%-44s %s (%d s)"):format(row.name, test and "caught by " .. test or why, os.time() - began)
  )
  io.stdout:flush()
  caught = caught + (test and 1 or 0)
end
print(("%d mutants, %d caught"):format(#all, caught))
os.exit(caught == #all, true)
