--- Servers of others that embed Lua, each in a folder of its own, on a port of its own, and in the
--- foreground: it ends with the test, by its number.
---
--- Use: `after_each(server.clean)`.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local host = require("spec.host")
local support = require("spec.support")

local server = {}

server.HUP, server.QUIT, server.KILL, server.USR1, server.TERM = 1, 3, 9, 10, 15

local LIMIT = 60 -- seconds

--- The build that runs this spec has one for each Lua; the host's is another one than ours.
local BUILD = assert(os.getenv("GPTIMAGE2_SPEC_LUA")):match("^(.*)/lua/[^/]+/lua$")
server.BUILD = BUILD
server.ROOT = folder.run("pwd")

local running = {}

local mt = {}
mt.__index = mt

--- Whether this build has the module for that Lua.
---@param version string "jit", "5.3"
---@return boolean
function server.has_module(version)
  return folder.read(("%s/lua/%s/gptimage2/core.so"):format(BUILD, version)) ~= nil
end

--- The variables that let a host's Lua find the module, for a shell.
---@param version string
---@param more? string a further place for Lua files
---@return string
function server.paths(version, more)
  local path = ("%s/lua/?.lua;%s/lua/?/init.lua;%s;"):format(server.ROOT, server.ROOT, more or "")
  local cpath = ("%s/lua/%s/?.so;;"):format(BUILD, version)
  local text = "env -u LUA_INIT -u LUA_PATH_5_3 -u LUA_CPATH_5_3 LUA_PATH=%s LUA_CPATH=%s"
  return text:format(folder.quote(path), folder.quote(cpath))
end

--- The process's own number is that of the program: the shell is replaced by it.
---@param dir string where it runs; what it writes is in its file `output`
---@param command string for the shell
---@param url string where it answers
---@return table server
function server.start(dir, command, url)
  local words = ("cd %s && exec %s"):format(folder.quote(dir), command)
  local pid = host.start(dir .. "/output", "/bin/sh", "-c", words)
  local self = setmetatable({ pid = pid, dir = dir, url = url }, mt)
  running[#running + 1] = self
  return self
end

--- Waits until it answers there, with whatever.
---@param path string
function mt:await(path)
  local limit = host.now() + LIMIT
  while curl.fetch(self.url .. path).status == 0 do
    assert(not self:ended(), "it has ended: " .. self:output())
    assert(host.now() < limit, "it does not answer: " .. self:output())
    host.pause(0.02)
  end
end

---@return string
function mt:output()
  return folder.read(self.dir .. "/output") or ""
end

---@param number integer
function mt:signal(number)
  assert(host.signal(self.pid, number))
end

--- Its exit code, once it has ended.
---@return integer|nil
function mt:ended()
  self.code = self.code or host.ended(self.pid)
  return self.code
end

--- Waits for its end.
---@return integer code
function mt:finish()
  local limit = host.now() + LIMIT
  while not self:ended() do
    assert(host.now() < limit, "it does not end")
    host.pause(0.01)
  end
  return self.code
end

--- The numbers of its children.
---@return integer[]
function mt:children()
  local list = {}
  local path = ("/proc/%d/task/%d/children"):format(self.pid, self.pid)
  for number in (folder.read(path) or ""):gmatch("%d+") do
    list[#list + 1] = tonumber(number)
  end
  return list
end

--- The seconds of a processor that a process has used.
---@param pid integer
---@return number
function server.cpu(pid)
  local stat = assert(folder.read(("/proc/%d/stat"):format(pid)))
  local user, system = stat:match("%) %S" .. (" %S+"):rep(10) .. " (%d+) (%d+)")
  return (tonumber(user) + tonumber(system)) / 100
end

--- Ends what a test has left running, its children, too.
function server.clean()
  while running[1] do
    local self = table.remove(running)
    if not self:ended() then
      local children = self:children()
      self:signal(server.TERM)
      local limit = host.now() + 5
      while not self:ended() and host.now() < limit do
        host.pause(0.01)
      end
      if not self:ended() then
        table.insert(children, self.pid)
        for _, pid in ipairs(children) do
          host.signal(pid, server.KILL)
        end
        self:finish()
      end
    end
  end
  folder.clean()
  support.clean()
end

return server
