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
  fsync = { "EIO", "ENOSPC", "EINTR" },
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
  fstatfs = { "EIO" },
  statx = { "EIO", "ENOSYS" },
  lseek = { "EIO" },
  access = { "EACCES" },
  getcwd = { "EACCES" },
  getdents64 = { "EIO" },
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
  poll = { "EINTR", "ENOMEM" },
  getrandom = { "EAGAIN", "EINTR" },
  clone3 = { "EAGAIN" },
}
--- stylua: ignore end

--- A byte for a pipe is written or not; the kernel knows no disk there.
local PIPE = "<pipe:["
local ON_PIPE = { read = true, write = true }

--- Who does not bear an interruption. Linux interrupts none of these on a local disk, and the I/O
--- thread takes no signals.
local IMPATIENT = {
  '%.so[.%d]*[">]', -- the dynamic linker
  '%.lua[">]', -- Lua's loading of sources
  "^fdatasync", -- SQLite's
  "^fcntl.*/%a+%.db[^.]", -- SQLite's
  "^fcntl.*F_[GS]ETF", -- flags: never interrupted
}

--- SQLite syncs folders while the ledger is opened, and does not bear an interruption there either.
local IMPATIENT_MAIN = "^fsync"

--- An attempt to connect that was interrupted counts as one that failed, and those are limited.
local ONE_INTERRUPTION = { connect = true }

--- libsodium asks for as long as the kernel has no random bytes yet: that passes.
local PASSES = { ["getrandom:EAGAIN:"] = true }

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

--- How many places of each call and error are taken, spread evenly, for how many errors of a call
--- the failure that lasts is tried, and how many limits.
local SHORT = {
  main = { once = 1, ever = 1, lasting = 1 },
  io = { once = 1, ever = 1, lasting = 1 },
  limits = 4,
}
local LONG = {
  main = { once = 12, ever = 5, lasting = math.huge },
  io = { once = 12, ever = 5, lasting = math.huge },
  limits = 1000,
}
local most = form == "short" and SHORT or LONG

--- Calls that are left alone: strace could only leave out a `close`, which Linux never does; the
--- others are about memory (mmap fails among the files), locks and who we are.
local LEFT_ALONE = {
  brk = true,
  close = true,
  futex = true,
  geteuid = true,
  getpid = true,
  madvise = true,
  mprotect = true,
  munmap = true,
  restart_syscall = true, -- a poll() that strace came into goes on
  rt_sigaction = true,
  rt_sigpending = true,
  rt_sigtimedwait = true,
  rt_sigprocmask = true,
  sysinfo = true,
  wait4 = true,
}

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

local function is_impatient(line, thread)
  if thread == "main" and line:find(IMPATIENT_MAIN) then
    return true
  end
  for _, pattern in ipairs(IMPATIENT) do
    if line:find(pattern) then
      return true
    end
  end
  return false
end

--- Giving a lock back never fails.
local UNLOCK = "F_UNLCK"

--- The places of a call where `failure` is possible.
local function possible(lines, failure, thread)
  local places = {}
  for k, line in ipairs(lines) do
    local call = line:match("^[%w_]+")
    if failure == "EINTR" and not is_impatient(line, thread) then
      places[#places + 1] = k
    elseif
      failure ~= "EINTR"
      and not line:find(UNLOCK, 1, true)
      and not (ON_PIPE[call] and line:find(PIPE, 1, true))
    then
      places[#places + 1] = k
    end
  end
  return places
end

--- The last of up to ten places in a row from `k` on.
local function last_of_burst(places, k)
  local last = k
  for _, place in ipairs(places) do
    if place == last + 1 and place < k + 10 then
      last = place
    end
  end
  return last
end

--- One call of one thread. An interruption comes ten times in a row at most: for ever it would be a
--- thread that never runs.
local function fail(thread, call, lines)
  for i, failure in ipairs(ERRORS[call]) do
    local places = possible(lines, failure, thread)
    local what = ("%s:%s:"):format(call, failure)
    for _, k in ipairs(spread(places, most[thread].once)) do
      emit(thread, what .. k)
    end
    local ever = i <= most[thread].lasting and most[thread].ever or 0
    for _, k in ipairs(spread(places, ever)) do
      if PASSES[what] or (failure ~= "EINTR" and thread == "main" and ON_PIPE[call]) then
        emit(thread, ("%s%d..%d"):format(what, k, last_of_burst(places, k)))
      elseif failure ~= "EINTR" then
        emit(thread, what .. k .. "+")
      elseif not ONE_INTERRUPTION[call] then
        emit(thread, ("%s%d..%d"):format(what, k, last_of_burst(places, k)))
      end
    end
  end
end

for _, thread in ipairs({ "main", "io" }) do
  local calls = recorded(("%s/record-%s/trace"):format(folder, thread))
  for _, call in ipairs(sorted_keys(calls)) do
    if ERRORS[call] then
      fail(thread, call, calls[call])
    elseif not LEFT_ALONE[call] then
      error(("nobody said how %s of the %s thread can fail"):format(call, thread), 0)
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
for _, size in ipairs(spread(sizes, most.limits)) do
  emit("limit", tostring(size))
end
