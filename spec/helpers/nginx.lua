--- nginx with its Lua module, and examples/nginx in it.

local folder = require("spec.folder")
local server = require("spec.helpers.server")
local support = require("spec.support")

local nginx = {}

local found, missing

--- The program, and the folder it was unpacked in; false and why where there is none.
---@return { program: string, root: string|nil }|false
---@return string|nil why
function nginx.find()
  if found == nil then
    local place = folder.quote(server.BUILD .. "/hosts/nginx")
    local said = folder.run("spec/lib/nginx.sh " .. place .. " && echo found")
    local program, root = said:match("(/[^\n]*)\n(.-)\n?found$")
    found = program and { program = program, root = root ~= "" and root or nil } or false
    missing = not found and said or nil
    if found and not server.has_module("jit") then
      found, missing = false, "this build has no module for LuaJIT"
    end
  end
  return found, missing
end

--- Replaces the one place in a text; a plain string each.
function nginx.replace(text, old, new)
  local from, to = text:find(old, 1, true)
  assert(from, "the configuration has no " .. old)
  assert(not text:find(old, to + 1, true), "the configuration has it twice: " .. old)
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

local function modules_of(root)
  local text = "load_module %s/usr/lib/nginx/modules/%s.so;\n"
  return text:format(root, "ndk_http_module") .. text:format(root, "ngx_http_lua_module")
end

local function configuration(edit, port, workers)
  local conf = folder.read(server.ROOT .. "/examples/nginx/nginx.conf")
  conf = nginx.replace(conf, "listen 127.0.0.1:8080", "listen 127.0.0.1:" .. port)
  conf = nginx.replace(conf, "worker_processes auto", "worker_processes " .. (workers or 1))
  if found.root then
    conf = nginx.replace(conf, "include /etc/nginx/modules-enabled/*.conf;", modules_of(found.root))
  end
  return edit and edit(conf) or conf
end

local function command_of(box, dir)
  local root, more, libraries = found.root, nil, ""
  if root then
    more = root .. "/usr/share/lua/5.1/?.lua"
    libraries = "LD_LIBRARY_PATH=" .. folder.run(("echo %s/usr/lib/*-linux-*"):format(root))
  end
  local user = folder.run("id -u") == "0" and "user root;" or ""
  local text = "%s %s GPTIMAGE2_API_KEY=%s GPTIMAGE2_BASE_URL=%s %s -p %s -e logs/error.log "
    .. "-c %s/nginx.conf -g 'daemon off; %s'"
  local quoted = folder.quote(dir)
  local paths = server.paths("jit", more)
  return text:format(
    paths,
    libraries,
    box.api_key,
    box.url,
    folder.quote(found.program),
    quoted,
    quoted,
    user
  )
end

--- A customer's line of customers.txt.
---@param name string
---@param credits integer
---@param per_minute integer
---@return string
function nginx.customer(name, credits, per_minute)
  local hash = folder.run(("printf %%s %s | sha256sum | cut -c1-64"):format(nginx.token(name)))
  return ("%s %s %d %d\n"):format(name, hash, credits, per_minute)
end

---@param name string
---@return string
function nginx.token(name)
  return "token-of-" .. name
end

--- Starts the example, with a sandbox as its service.
---@param box table
---@param options { customers: string?, edit: (fun(conf: string): string)?, workers: integer? }
---@return table server
function nginx.start(box, options)
  local dir = folder.new()
  folder.run(("cp %s/examples/nginx/* %s && mkdir %s/logs"):format(server.ROOT, dir, dir))
  local _, port = support.nowhere()
  folder.write(dir .. "/nginx.conf", configuration(options.edit, port, options.workers))
  folder.write(dir .. "/customers.txt", options.customers or "")
  local url = "http://127.0.0.1:" .. port
  local self = server.start(dir, command_of(box, dir), url)
  self:await("/ping")
  return self
end

--- All that it has written.
---@param self table
---@return string
function nginx.logs(self)
  return folder.run(("cat %s/logs/*.log %s/output"):format(self.dir, self.dir))
end

return nginx
