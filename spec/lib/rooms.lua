--- The lint of the rooms: who may include whom, how large a room and a file may be. Prints what is
--- wrong, and fails then. Run in the checkout's folder: `lua spec/lib/rooms.lua`.

--- The rooms of src/engine and of src/sandbox, from the bottom up: each may include what is in it
--- and below it. Those of a line do not know each other.
local ORDER = {
  engine = {
    { "base" },
    { "files", "loop", "polls" },
    { "rules" },
    { "http", "store" },
    { "ledger" },
    { "core" },
    { "job", "ops" },
    { "" }, -- src/engine itself: the door and the thread
  },
  sandbox = {
    { "faults", "service" },
    { "image" },
    { "reply" }, -- what is sent
    { "server" },
    { "lua" },
    { "" }, -- the module
  },
}

local UNITS_MAX = 15 -- of a room: a .c and its .h are one
local LINES_MAX = 400
local TEST_LINES_MAX = 500

--- All of the engine that the binding may include.
local DOOR = {
  ["engine/engine.h"] = true,
  ["engine/version.h"] = true,
  ["engine/rules/api_reply.h"] = true, -- what a body says, to be shown
  ["engine/ledger/ledger_reader.h"] = true, -- history, on the host's thread
  -- Files and digests, which block: for builds, on the host's thread.
  ["engine/files/file.h"] = true,
  ["engine/files/file_failure.h"] = true,
  ["engine/files/file_limit.h"] = true,
  ["engine/files/file_lock.h"] = true,
  ["engine/files/image.h"] = true,
  ["engine/files/twin.h"] = true,
  ["engine/store/digest.h"] = true,
}

--- What only the engine's own files may know.
local LIBRARIES = { "curl/", "sqlite3.h", "sodium.h", "engine/" }

--- What both sides use.
local COMMON = "engine/base/"

local problems = {}

local function complain(...)
  problems[#problems + 1] = string.format(...)
end

local function list(command)
  local pipe = assert(io.popen(command))
  local names = {}
  for name in pipe:lines() do
    names[#names + 1] = name
  end
  assert(pipe:close())
  table.sort(names)
  return names
end

local function starts_with(text, head)
  return text:sub(1, #head) == head
end

--- A source file: its folder, its unit, what it includes and how many lines it has.
local function read(path)
  local file = { path = path, includes = {}, lines = 0 }
  file.folder, file.name = path:match("^(.*)/([^/]+)$")
  file.unit = path:gsub("%.[ch]$", "")
  for line in io.lines(path) do
    file.lines = file.lines + 1
    file.includes[#file.includes + 1] = line:match('^#include ["<]([^">]+)[">]')
  end
  return file
end

local function read_all()
  local files, by_path = list("find src -name '*.[ch]'"), {}
  for i, path in ipairs(files) do
    files[i] = read(path)
    by_path[path] = files[i]
  end
  return files, by_path
end

--- The file of ours that an include names, or nil.
local function find(by_path, file, include)
  return by_path[file.folder .. "/" .. include] or by_path["src/" .. include]
end

--- The house ("engine" or "sandbox", nil for others) and the room of a file.
local function room_of(file)
  local house, rest = file.path:match("^src/(%l+)/(.*)$")
  if ORDER[house] then
    return house, rest:match("^(%l+)/") or ""
  end
end

local function level_of(house, room)
  for level, rooms in ipairs(ORDER[house]) do
    for _, name in ipairs(rooms) do
      if name == room then
        return level
      end
    end
  end
  complain("src/%s/%s: it has no place in the order of the rooms", house, room)
  return 0
end

local function knows_lua(house, room)
  return house == "sandbox" and (room == "lua" or room == "")
end

--- What a file of a room includes; `other` is the file where it is one of ours.
local function check_include(file, include, other)
  local house, room = room_of(file)
  local its_house, its_room
  if other then
    its_house, its_room = room_of(other)
  end
  local below = its_room == room
  if its_house == house and not below then
    below = level_of(house, its_room) < level_of(house, room)
  end
  if (include:find("^lua") or include == "lauxlib.h") and not knows_lua(house, room) then
    complain("%s: it knows no Lua: %s", file.path, include)
  elseif other and its_house ~= house then
    if house == "engine" or not starts_with(include, COMMON) then
      complain("%s: another house: %s", file.path, include)
    end
  elseif other and not below then
    complain("%s: %s is not below it", file.path, include)
  end
end

local function check_order(files, by_path)
  for _, file in ipairs(files) do
    for _, include in ipairs(room_of(file) and file.includes or {}) do
      check_include(file, include, find(by_path, file, include))
    end
  end
end

local function check_door(files)
  for _, file in ipairs(files) do
    for _, include in ipairs(starts_with(file.path, "src/lua/") and file.includes or {}) do
      local open = DOOR[include] or starts_with(include, COMMON)
      for _, library in ipairs(open and {} or LIBRARIES) do
        if starts_with(include, library) then
          complain("%s: only engine.h is the door: %s", file.path, include)
        end
      end
    end
  end
end

--- What comes through the door, includes of includes: no library of the engine's.
local function check_behind_door(files, by_path)
  local seen, queue = {}, {}
  for _, file in ipairs(files) do
    if starts_with(file.path, "src/lua/") then
      queue[#queue + 1] = file
    end
  end
  while #queue > 0 do
    local file = table.remove(queue)
    for _, include in ipairs(seen[file.path] and {} or file.includes) do
      local library = starts_with(include, "curl/") or include == "sqlite3.h"
      if library or include == "sodium.h" then
        complain("%s: the binding gets to see it: %s", file.path, include)
      end
      queue[#queue + 1] = find(by_path, file, include)
    end
    seen[file.path] = true
  end
end

local function graph(files, by_path)
  local units = {}
  for _, file in ipairs(files) do
    units[file.unit] = units[file.unit] or {}
    for _, include in ipairs(file.includes) do
      local other = find(by_path, file, include)
      if other and other.unit ~= file.unit then
        units[file.unit][other.unit] = true
      end
    end
  end
  return units
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return names
end

--- Goes down from `unit`; `path` are those above it.
local function walk(units, unit, path, done)
  for i, above in ipairs(path) do
    if above == unit then
      complain("a circle: %s > %s", table.concat(path, " > ", i), unit)
      return
    end
  end
  if done[unit] then
    return
  end
  path[#path + 1] = unit
  for _, other in ipairs(sorted(units[unit] or {})) do
    walk(units, other, path, done)
  end
  path[#path] = nil
  done[unit] = true
end

local function check_circles(files, by_path)
  local units, done = graph(files, by_path), {}
  for _, unit in ipairs(sorted(units)) do
    walk(units, unit, {}, done)
  end
end

local function check_rooms(files)
  local rooms = {}
  for _, file in ipairs(files) do
    rooms[file.folder] = rooms[file.folder] or {}
    rooms[file.folder][file.unit] = true
  end
  for folder, units in pairs(rooms) do
    local count = #sorted(units)
    if count > UNITS_MAX then
      complain("%s: %d units, and %d are many", folder, count, UNITS_MAX)
    end
  end
end

local function check_lines(paths, most)
  for _, path in ipairs(paths) do
    local file = read(path)
    if file.lines > most then
      complain("%s: %d lines, and %d are many", path, file.lines, most)
    end
  end
end

local files, by_path = read_all()
check_order(files, by_path)
check_door(files)
check_behind_door(files, by_path)
check_circles(files, by_path)
check_rooms(files)
check_lines(list("find src -name '*.[ch]'; find lua -name '*.lua'"), LINES_MAX)
check_lines(list("find spec -name '*_spec.lua'; find spec/c -name '*.[ch]'"), TEST_LINES_MAX)
for _, problem in ipairs(problems) do
  print(problem)
end
os.exit(#problems == 0)
