--- HAProxy, and examples/haproxy in it.

local folder = require("spec.folder")
local server = require("spec.helpers.server")
local support = require("spec.support")

local haproxy = {}

local ROUTES = { "at_load", "generate", "waits", "tasks", "handlers", "run", "pending", "sleeps" }

--- Why there is none to be had; nil where there is.
---@return string|nil why
function haproxy.missing()
  local said = folder.run("PATH=$PATH:/usr/sbin haproxy -vv")
  local version = said:match("Built with Lua version : Lua (%d%.%d)")
  if not version then
    return "no haproxy with Lua is installed"
  elseif not server.has_module(version) then
    return "this build has no module for Lua " .. version .. ", which haproxy has"
  end
  haproxy.lua = version
end

local function replace(text, old, new)
  local from, to = text:find(old, 1, true)
  assert(from and not text:find(old, to + 1, true), "not once in the configuration: " .. old)
  return text:sub(1, from - 1) .. new .. text:sub(to + 1)
end

--- Places for the functions of haproxy_routes.lua beside the example's own.
local function configuration(port, edit)
  local conf = folder.read(server.ROOT .. "/examples/haproxy/haproxy.cfg")
  local load = "lua-load render.lua"
  local routes = {}
  for i, name in ipairs(ROUTES) do
    routes[i] = ("  http-request use-service lua.spec_%s if { path /spec/%s }\n"):format(name, name)
  end
  conf = replace(conf, "bind 127.0.0.1:8080", "bind 127.0.0.1:" .. port)
  conf = replace(conf, load, load .. "\n  lua-load haproxy_routes.lua\n  nbthread 1")
  for _, kind in ipairs({ "lua.spec_fetch", "str(x),lua.spec_converter" }) do
    routes[#routes + 1] = ("  http-request set-var(txn.a) %s if { path /spec/%s }\n"):format(
      kind,
      kind:match("spec_(%a+)")
    )
  end
  local ping = "  http-request return status 200"
  conf = replace(conf, ping, table.concat(routes) .. ping)
  return edit and edit(conf, replace) or conf
end

--- Starts the example, with a sandbox as its service.
---@param box table
---@param options { customers: string, flags: string?, edit: function? }
---@return table server
function haproxy.start(box, options)
  local dir = folder.new()
  local copy = "cp %s/examples/haproxy/* %s/spec/helpers/haproxy_routes.lua %s"
  folder.run(copy:format(server.ROOT, server.ROOT, dir))
  local _, port = support.nowhere()
  folder.write(dir .. "/haproxy.cfg", configuration(port, options.edit))
  folder.write(dir .. "/customers.map", options.customers)
  local text = "%s PATH=$PATH:/usr/sbin GPTIMAGE2_API_KEY=%s GPTIMAGE2_BASE_URL=%s "
    .. "haproxy %s -f haproxy.cfg"
  local paths = server.paths(haproxy.lua)
  local command = text:format(paths, box.api_key, box.url, options.flags or "")
  local self = server.start(dir, command, "http://127.0.0.1:" .. port)
  self:await("/ping")
  return self
end

--- A customer's line of customers.map.
---@param name string
---@return string
function haproxy.customer(name)
  local hash = folder.run(("printf %%s %s | sha256sum | cut -c1-64"):format("token-of-" .. name))
  return ("%s %s\n"):format(hash, name)
end

return haproxy
