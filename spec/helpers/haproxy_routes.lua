--- What HAProxy runs for spec/hosts/haproxy_spec.lua: a service for each function.

local gptimage2 = require("gptimage2")

local core = rawget(_G, "core") -- HAProxy's

local routes = {}

-- How often somebody sleeps: nobody does, once nobody waits.
local sleeps, msleep = 0, core.msleep
function core.msleep(milliseconds)
  sleeps = sleeps + 1
  return msleep(milliseconds)
end

function routes.sleeps()
  return tostring(sleeps)
end

-- (libmicrohttpd 0.9.75, the sandbox's, can stand still where exactly 128 of its connections have
-- something to read: two states have fewer.)
local poll = { first = 0.02, interval = 0.02, max = 0.02 }
local client = assert(gptimage2.new({ poll = poll, max_active = 400, max_connections = 60 }))

-- While the configuration is read nothing can wait.
local ok, why = pcall(client.generate, client, { prompt = "at load" })
local at_load = ("%s %s"):format(tostring(ok), tostring(why))

function routes.at_load()
  return at_load
end

function routes.generate()
  local job, err = client:generate({ prompt = "a cup" })
  return job and job.status or tostring(err)
end

function routes.waits()
  local job = assert(client:submit({ prompt = "a cup" }))
  local began = gptimage2.now()
  local done, err = job:wait(0.3)
  local waited = gptimage2.now() - began
  return ("%s %s %s"):format(tostring(done), err and err.kind, tostring(waited >= 0.25))
end

function routes.tasks()
  local failed = gptimage2.spawn(function()
    gptimage2.sleep(0.02)
    error("a task's own trouble")
  end)
  local task = gptimage2.spawn(function(prompt)
    return assert(client:generate({ prompt = prompt })).status
  end, "a cup")
  gptimage2.spawn(function()
    gptimage2.sleep(0.01)
    error("nobody waits for this")
  end)
  local well = pcall(failed.wait, failed)
  return ("%s %s"):format(tostring(well), task:wait())
end

function routes.handlers()
  local function on_event()
    error("a handler's own trouble")
  end
  local other = assert(gptimage2.new({ on_event = on_event }))
  local job = assert(other:submit({ prompt = "a bowl" }))
  local said = routes.generate()
  pcall(job.wait, job)
  return said
end

function routes.run()
  return gptimage2.run(routes.generate)
end

function routes.pending()
  return tostring(gptimage2.pending())
end

-- HAProxy ends these where they yield.
core.register_fetches("spec_fetch", routes.generate)
core.register_converters("spec_converter", routes.generate)

for name, route in pairs(routes) do
  core.register_service("spec_" .. name, "http", function(applet)
    local text = route()
    applet:set_status(200)
    applet:add_header("content-length", tostring(#text))
    applet:start_response()
    applet:send(text)
  end)
end
