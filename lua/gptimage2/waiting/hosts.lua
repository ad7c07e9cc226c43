--- The hosts that are known by name, and those of them that can be told for certain where a wait
--- begins. Never at load: many hosts load Lua before they are what they will be.

local hosts = {}

hosts.NAMES = {}
for _, name in ipairs({
  "copas",
  "cqueues",
  "glib",
  "haproxy",
  "luasocket",
  "luv",
  "nginx",
  "nmap",
  "nvim",
}) do
  hosts.NAMES[name] = true
end

--- The loop of this name; what the host lacks for it is raised.
---@param name string
---@return gptimage2.Loop
function hosts.load(name)
  return require("gptimage2.loops." .. name)
end

--- The loops by their names, each loaded when it is asked for.
hosts.loops = setmetatable({}, {
  __index = function(_, name)
    return hosts.NAMES[name] and hosts.load(name) or nil
  end,
})

--- A field of a global, looked at without waking what watches over globals.
local function global(name, field)
  local found = rawget(_G, name)
  return type(found) == "table" and rawget(found, field) or nil
end

--- A field of a module that the host has loaded. Some hosts take `package` away (Minetest).
local function loaded(name, field)
  local modules = global("package", "loaded")
  local found = type(modules) == "table" and modules[name]
  return type(found) == "table" and found[field] or nil
end

local function is_nginx()
  return type(global("ngx", "sleep")) == "function"
end

local function is_haproxy()
  return type(global("core", "msleep")) == "function"
    and type(global("core", "register_task")) == "function"
end

local function is_nvim()
  return global("vim", "schedule") ~= nil and type(rawget(_G, "vim").schedule_wrap) == "function"
end

local function is_cqueues()
  local running = loaded("cqueues", "running")
  return running ~= nil and running() ~= nil
end

local function is_copas()
  return loaded("copas", "running") == true
end

local function is_nmap()
  return loaded("nmap", "socket") ~= nil and loaded("stdnse", "sleep") ~= nil
end

local SIGNS = {
  { "nginx", is_nginx },
  { "haproxy", is_haproxy },
  { "nvim", is_nvim },
  { "cqueues", is_cqueues },
  { "copas", is_copas },
  { "nmap", is_nmap },
}

--- The loop of the host that this runs in, where that is certain.
---@return gptimage2.Loop|nil
function hosts.find()
  for _, sign in ipairs(SIGNS) do
    if sign[2]() then
      return hosts.load(sign[1])
    end
  end
end

return hosts
