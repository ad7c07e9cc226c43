--- What is to fail: a line for each attempt, with its name, the thread, and the faults.
---
--- Arguments: "short" or "long", and the folder of the runs, where `record` was.

local form, folder = arg[1], arg[2]

--- How each call can fail; a number is what it returns without having done anything.
--- stylua: ignore start
local ERRORS = {
  -- files
  openat = { "EMFILE", "EIO", "ENOSPC", "EACCES", "EINTR" },
  read = { "EIO", "EINTR" },
  pread64 = { "EIO", "EINTR" },
  write = { "ENOSPC", "EIO", "EINTR" },
  pwrite64 = { "ENOSPC", "EIO", "EINTR", 0 },
  fsync = { "EIO", "ENOSPC" },
  fdatasync = { "EIO", "ENOSPC" },
  ftruncate = { "EIO", "ENOSPC", "EINTR" },
  fallocate = { "ENOSPC", "EINTR" },
  renameat2 = { "EIO", "ENOSPC", "ENOSYS" },
  linkat = { "EIO" },
  unlink = { "EIO" },
  unlinkat = { "EIO" },
  fchmod = { "EIO", "EPERM" },
  fchown = { "EPERM" },
  mkdir = { "EACCES", "ENOSPC" },
  newfstatat = { "EIO", "EACCES" },
  fstat = { "EIO" },
  lseek = { "EIO" },
  access = { "EACCES" },
  getcwd = { "EACCES" },
  readlink = { "EACCES" },
  fcntl = { "EAGAIN", "EIO", "ENOLCK", "EINTR" },
  sync_file_range = { "EIO" },
  mmap = { "ENOMEM" },
  -- network
  socket = { "EMFILE", "ENOBUFS" },
  socketpair = { "EMFILE" },
  pipe2 = { "EMFILE" },
  setsockopt = { "ENOBUFS" },
  getsockopt = { "ENOBUFS" },
  getsockname = { "ENOTCONN" },
  getpeername = { "ENOTCONN" },
  bind = { "EACCES" },
  connect = { "ECONNREFUSED", "ENETUNREACH", "EINTR" },
  sendto = { "ECONNRESET", "EPIPE", "EAGAIN", "EINTR" },
  recvfrom = { "ECONNRESET", "EAGAIN", "EINTR", 0 },
  -- the threads' own
  epoll_create1 = { "EMFILE" },
  epoll_ctl = { "ENOMEM" },
  epoll_wait = { "EINTR" },
  eventfd2 = { "EMFILE" },
  poll = { "EINTR", "ENOMEM" },
  getrandom = { "EAGAIN", "EINTR" },
  clone3 = { "EAGAIN" },
}
--- stylua: ignore end

--- An eventfd is written and read whole or not at all; the kernel knows no disk there.
local EVENTFD = "anon_inode:[eventfd]"

--- Faults together: the way round one call, and what fails on that way.
local TOGETHER = {
  { "renameat2:ENOSYS:1+", "linkat:EIO:1" },
  { "renameat2:ENOSYS:1+", "linkat:ENOSPC:1+" },
  { "renameat2:ENOSYS:1+", "unlinkat:EIO:1" },
  { "fsync:EIO:1+", "unlinkat:EIO:1+" },
  { "pwrite64:EIO:1+", "sendto:ECONNRESET:1+" },
  { "pwrite64:ENOSPC:4+", "fdatasync:EIO:1+" },
}

--- Bytes a file may have: the write that crosses it is cut short, the next one fails.
local LIMITS_MOST, LIMITS_STEP = 80000, 1500

--- How many attempts of the long form the short one takes of each kind.
local SHORT = { once = 2, ever = 2, limit = 5 }
local LONG = { once = 12, ever = 5, limit = 1000 }
local most = form == "short" and SHORT or LONG

local function emit(thread, ...)
  local name = table.concat({ thread, ... }, "."):gsub(":", "-"):gsub("%+", "p")
  print(name, thread, ...)
end

--- The calls of a recorded run: name -> list of their lines.
local function recorded(path)
  local found = {}
  for line in io.lines(path) do
    local call = line:match("^([%w_]+)%(")
    if call then
      found[call] = found[call] or {}
      table.insert(found[call], line)
    end
  end
  return found
end

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

--- `count` places of a list, spread evenly, the first one among them.
local function spread(list, count)
  local taken = {}
  count = math.min(count, #list)
  for i = 1, count do
    taken[i] = list[1 + (i - 1) * #list // count]
  end
  return taken
end

--- The places of a call where `failure` is possible.
local function possible(lines, failure)
  local places = {}
  for k, line in ipairs(lines) do
    if failure == "EINTR" or not line:find(EVENTFD, 1, true) then
      places[#places + 1] = k
    end
  end
  return places
end

--- One call of one thread. An interruption comes ten times in a row at most: for ever it would be a
--- thread that never runs.
local function fail(thread, call, lines)
  for _, failure in ipairs(ERRORS[call]) do
    local places = possible(lines, failure)
    local what = ("%s:%s:"):format(call, failure)
    for _, k in ipairs(spread(places, most.once)) do
      emit(thread, what .. k)
    end
    for _, k in ipairs(spread(places, most.ever)) do
      emit(thread, what .. (failure == "EINTR" and ("%d..%d"):format(k, k + 9) or k .. "+"))
    end
  end
end

for _, thread in ipairs({ "main", "io" }) do
  local calls = recorded(("%s/record-%s/trace"):format(folder, thread))
  for _, call in ipairs(sorted_keys(calls)) do
    if ERRORS[call] then
      fail(thread, call, calls[call])
    else
      io.stderr:write(("  left alone: %s of the %s thread, %d times\n"):format(call, thread, #calls[call]))
    end
  end
end
for _, faults in ipairs(TOGETHER) do
  emit("io", table.unpack(faults))
end
local sizes = {}
for size = 100, LIMITS_MOST, LIMITS_STEP do
  sizes[#sizes + 1] = size
end
for _, size in ipairs(spread(sizes, most.limit)) do
  emit("limit", tostring(size))
end
