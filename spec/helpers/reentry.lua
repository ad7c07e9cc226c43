--- Calls every public function of the library, from wherever the host's code may run.
---
--- Which functions there are is read from the annotations in library/; each has its arguments here,
--- so that a new one cannot be forgotten. For processes of their own: see reentry_spec.

local assets = require("gptimage2.assets")
local core = require("gptimage2.core")
local gptimage2 = require("gptimage2")
local sandbox = require("gptimage2.sandbox")

local reentry = {}

local REQUEST = { prompt = "a cup" }

local MANIFEST = [[return { pictures = { ["a.png"] = { subject = "a cup" } } }]]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

--- Lists of names: "class.function" for all functions, and the fields of clients and jobs.
---@return string[] functions
---@return table<string, string[]> fields
function reentry.names()
  local functions, fields, class, variables = {}, { Client = {}, Job = {} }, nil, {}
  for _, file in ipairs({ "", "/assets", "/migrate", "/prompt", "/sandbox" }) do
    for line in read(("library/gptimage2%s.lua"):format(file)):gmatch("[^\n]+") do
      local variable = line:match("^local ([%w_]+) = {}")
      local owner, name = line:match("^function ([%w_]+)[.:]([%w_]+)%(")
      local field = line:match("^%-%-%-@field ([%w_]+)")
      class = line:match("^%-%-%-@class ([%w.]+)") or class
      if variable then
        variables[variable] = class:match("[^.]+$")
      elseif owner then
        functions[#functions + 1] = variables[owner] .. "." .. name
      elseif field and fields[class:match("[^.]+$")] then
        table.insert(fields[class:match("[^.]+$")], field)
      end
    end
  end
  return functions, fields
end

local FUNCTIONS, FIELDS = reentry.names()

--- What the functions are called with.
local world = {}

--- Seconds for a job of a new client; nil is the default.
reentry.timeout = nil

local function new_client(more)
  local options = {
    api_key = world.box.api_key,
    base_url = world.box.url,
    poll = { first = 0.01, interval = 0.01, max = 0.01 },
    verify_references = false,
    max_active = 64,
    timeout = reentry.timeout,
    ledger = more and more.ledger,
    on_event = more and more.on_event,
  }
  return gptimage2.new(options)
end

reentry.new_client = new_client

local function touch(object, fields)
  for _, name in ipairs(fields) do
    world.seen = object[name]
  end
  return tostring(object)
end

--- A job that the service never finishes.
local function going()
  if not world.going or world.going:done() then
    world.going = world.idle:submit(REQUEST)
  end
  return world.going
end

local function sleeper()
  world.sleeper = world.sleeper or gptimage2.spawn(gptimage2.sleep, 1e6)
  return world.sleeper
end

local function call_close()
  local old = world.client
  old:close()
  old:close()
  world.client = new_client() or old
  return old
end

--- Gives what `gptimage2.step` gave.
local function call_step()
  world.refused = select(2, gptimage2.step(0.001))
  return gptimage2.step()
end

local function call_start()
  local box = sandbox.start({ image_size = 16 })
  return box and box:stop()
end

--- "class.function" -> a call of it.
local CALLS = {
  ["gptimage2.new"] = function()
    return new_client():close()
  end,
  ["gptimage2.step"] = call_step,
  ["gptimage2.pending"] = gptimage2.pending,
  ["gptimage2.busy"] = gptimage2.busy,
  ["gptimage2.fd"] = gptimage2.fd,
  ["gptimage2.now"] = gptimage2.now,
  ["gptimage2.spawn"] = function()
    return gptimage2.spawn(function()
      world.client:generate(REQUEST)
    end)
  end,
  ["gptimage2.run"] = function()
    if core.is_handling() then
      return gptimage2.run()
    end
    return gptimage2.spawn(pcall, gptimage2.run) -- the sleeper never ends
  end,
  ["gptimage2.sleep"] = function()
    return gptimage2.sleep(0.001)
  end,
  ["gptimage2.use"] = function()
    return gptimage2.use("auto")
  end,
  ["Client.generate"] = function()
    return world.client:generate(REQUEST)
  end,
  ["Client.submit"] = function()
    return world.client:submit(REQUEST, { save = world.dir })
  end,
  ["Client.create"] = function()
    return world.client:create(REQUEST)
  end,
  ["Client.poll"] = function()
    return world.client:poll(world.job.id)
  end,
  ["Client.wait"] = function()
    return world.client:wait(world.job.id)
  end,
  ["Client.job"] = function()
    return world.client:job("abc")
  end,
  ["Client.cost"] = function()
    return world.client:cost(REQUEST)
  end,
  ["Client.expect"] = function()
    return world.client:expect(REQUEST)
  end,
  ["Client.jobs"] = function()
    return world.client:jobs()
  end,
  ["Client.recover"] = function()
    return world.recorded:recover()
  end,
  ["Client.resolve"] = function()
    return world.recorded:resolve("no such key", "abandon")
  end,
  ["Client.history"] = function()
    return world.recorded:history()
  end,
  ["Client.tenant"] = function()
    return world.recorded:tenant("acme", { weight = 2 })
  end,
  ["Client.close"] = call_close,
  ["Job.wait"] = function()
    return going():wait(0.001)
  end,
  ["Job.finished"] = function()
    return world.job:finished()
  end,
  ["Job.on_done"] = function()
    world.job:on_done(function() end)
    return going():on_done(function() end)
  end,
  ["Job.answer"] = function()
    return world.job:answer()
  end,
  ["Error.http_status"] = function()
    local _, err = world.client:cost({})
    return err:http_status()
  end,
  ["Job.done"] = function()
    return going():done()
  end,
  ["Job.cancel"] = function()
    return going():cancel()
  end,
  ["Job.save"] = function()
    return world.job:save(world.dir)
  end,
  ["Job.data"] = function()
    return world.job:data(1)
  end,
  ["Job.raw"] = function()
    return world.job:raw()
  end,
  ["Task.wait"] = function()
    return sleeper():wait(0.001)
  end,
  ["Task.done"] = function()
    return sleeper():done()
  end,
  ["AssetsModule.plan"] = function()
    return assets.plan(world.dir .. "/pictures.lua")
  end,
  ["AssetsModule.check"] = function()
    return assets.check(world.dir .. "/pictures.lua")
  end,
  ["AssetsModule.decide"] = function()
    return assets.decide(world.dir .. "/none.lua", { version = 1 })
  end,
  ["AssetsModule.review"] = function()
    return assets.review(world.dir .. "/none.lua")
  end,
  ["AssetsModule.grid"] = function()
    return assets.grid(world.dir .. "/none.lua")
  end,
  ["AssetsModule.gallery"] = function()
    return assets.gallery(world.dir .. "/none")
  end,
  ["AssetsModule.open"] = function()
    local art = assets.open(world.dir .. "/pictures.lua")
    return art and art:close()
  end,
  ["Art.path"] = function()
    return world.art and world.art:path("a.png")
  end,
  ["Art.close"] = function()
    local art = world.art
    world.art = assets.open(world.dir .. "/pictures.lua")
    return art and art:close()
  end,
  ["AssetsModule.ledger"] = function()
    return assets.ledger(world.dir .. "/pictures.lua")
  end,
  -- Those that lock the folder would wait for themselves in a finalizer: they find no manifest.
  ["AssetsModule.build"] = function()
    return assets.build(world.dir .. "/none.lua", { client = world.recorded })
  end,
  ["AssetsModule.accept"] = function()
    return assets.accept(world.dir .. "/none.lua", "a.png", 1)
  end,
  ["AssetsModule.reject"] = function()
    return assets.reject(world.dir .. "/none.lua", "a.png", 1)
  end,
  ["AssetsModule.again"] = function()
    return assets.again(world.dir .. "/none.lua", "a.png")
  end,
  ["AssetsModule.pin"] = function()
    return assets.pin(world.dir .. "/none.lua", "a.png")
  end,
  ["AssetsModule.unpin"] = function()
    return assets.unpin(world.dir .. "/none.lua", "a.png")
  end,
  ["AssetsModule.derive"] = function()
    return assets.derive(world.dir .. "/none.lua")
  end,
  ["AssetsModule.gc"] = function()
    return assets.gc(world.dir .. "/none.lua")
  end,
  ["MigrateModule.ratio"] = function()
    return gptimage2.migrate.ratio(16, 9)
  end,
  ["MigrateModule.request"] = function()
    return gptimage2.migrate.request({ prompt = "a cup", size = "1024x1024" })
  end,
  ["PromptModule.is"] = function()
    return gptimage2.prompt.is(world.prompt)
  end,
  ["PromptModule.image_urls"] = function()
    return gptimage2.prompt.image_urls(world.prompt)
  end,
  ["PromptModule.template"] = function()
    return gptimage2.prompt.template("a {animal}")
  end,
  ["PromptModule.variants"] = function()
    return gptimage2.prompt.variants({ subject = { "a cup", "a bowl" } })
  end,
  ["Prompt.with"] = function()
    return world.prompt:with({ light = "dusk" })
  end,
  ["Prompt.request"] = function()
    return world.prompt:request({})
  end,
  ["Template.fill"] = function()
    return world.template:fill({ animal = "cat" })
  end,
  ["Template.names"] = function()
    return world.template:names()
  end,
  ["SandboxModule.start"] = call_start,
  ["SandboxModule.faults"] = sandbox.faults,
  ["Sandbox.fault"] = function()
    return world.spare:fault({ on = "create", action = "hang" })
  end,
  ["Sandbox.clear"] = function()
    return world.spare:clear()
  end,
  ["Sandbox.advance"] = function()
    return world.spare:advance(1)
  end,
  ["Sandbox.reference"] = function()
    return world.spare:reference("cup")
  end,
  ["Sandbox.ledger"] = function()
    return world.box:ledger()
  end,
  ["Sandbox.stop"] = function()
    return world.spare:stop()
  end,
  ["fields of a client"] = function()
    return touch(world.client, FIELDS.Client)
  end,
  ["fields of a job"] = function()
    touch(going(), FIELDS.Job)
    return touch(world.job, FIELDS.Job)
  end,
}

for _, name in ipairs({ "fields of a client", "fields of a job" }) do
  FUNCTIONS[#FUNCTIONS + 1] = name
end

--- Those that wait, and so are refused while an event is taken in.
local WAITS = {
  ["AssetsModule.build"] = true,
  ["gptimage2.run"] = true,
  ["gptimage2.sleep"] = true,
  ["Client.generate"] = true,
  ["Client.create"] = true,
  ["Client.poll"] = true,
  ["Client.wait"] = true,
  ["Client.recover"] = true,
  ["Client.resolve"] = true,
  ["Client.history"] = true,
  ["Client.tenant"] = true,
  ["Job.wait"] = true,
  ["Job.save"] = true,
  ["Job.data"] = true,
  ["Task.wait"] = true,
}

--- Functions without a call here, and calls of no function.
---@return string[]
function reentry.forgotten()
  local left, list = {}, {}
  for name in pairs(CALLS) do
    left[name] = true
  end
  for _, name in ipairs(FUNCTIONS) do
    if not CALLS[name] then
      list[#list + 1] = name
    end
    left[name] = nil
  end
  for name in pairs(left) do
    list[#list + 1] = name
  end
  return list
end

--- How many functions there are.
reentry.count = #FUNCTIONS

--- Whether an event is being taken in.
reentry.is_handling = core.is_handling

local problems = {}

local function complain(name, ...)
  problems[#problems + 1] = name .. ": " .. table.concat({ ... }, " ")
end

--- What was seen that is wrong, or "".
function reentry.problems()
  return table.concat(problems, "\n")
end

--- Does what a call that waits did there say so?
local function check_refused(name, result, err)
  local code = type(err) == "table" and err.code
  if result ~= nil or code ~= "cannot_wait_here" then
    complain(name, "gave", tostring(result), tostring(err))
  end
end

local function check_step(handled)
  if handled ~= 0 then
    complain("step", "handled", tostring(handled))
  end
  check_refused("step(timeout)", nil, world.refused)
end

--- Calls the n-th function (they go round). `checked`: here nothing can be waited for.
function reentry.call(n, checked)
  local name = FUNCTIONS[(n - 1) % #FUNCTIONS + 1]
  local ok, result, err = pcall(CALLS[name])
  if not ok then
    complain(name, "raised", tostring(result))
  elseif checked and WAITS[name] then
    check_refused(name, result, err)
  elseif checked and name == "gptimage2.step" then
    check_step(result)
  end
end

--- Calls all, whatever they say.
function reentry.call_all()
  for _, name in ipairs(FUNCTIONS) do
    pcall(CALLS[name])
  end
end

--- What the functions are called with is made, in a folder for files.
---@param dir string
---@param options? table for the client: on_event
function reentry.open(dir, options)
  world.dir = dir
  local manifest = assert(io.open(dir .. "/pictures.lua", "wb"))
  manifest:write(MANIFEST)
  manifest:close()
  world.box = assert(sandbox.start({ duration = 0, image_size = 16, credits = 1e9 }))
  world.slow = assert(sandbox.start({ duration = 1e9, credits = 1e9, api_key = world.box.api_key }))
  world.spare = assert(sandbox.start())
  world.idle = assert(gptimage2.new({
    api_key = world.slow.api_key,
    base_url = world.slow.url,
    max_active = 8,
  }))
  world.recorded = assert(new_client({ ledger = dir .. "/r.db" }))
  world.client = assert(new_client(options))
  world.art = assert(assets.open(dir .. "/pictures.lua"))
  world.job = assert(world.client:generate(REQUEST))
  world.prompt = gptimage2.prompt({ subject = "a cup" })
  world.template = gptimage2.prompt.template("a {animal}")
  sleeper()
  return world
end

--- A value with a finalizer, on each Lua.
---@param finalizer function
function reentry.garbage(finalizer)
  if newproxy then
    local proxy = newproxy(true) -- luacheck: ignore 113
    getmetatable(proxy).__gc = finalizer
    return proxy
  end
  return setmetatable({}, { __gc = finalizer })
end

--- Sets a parameter of the collector; from Lua 5.5 on the call has another name.
local function tune(name, value)
  if not pcall(collectgarbage, "set" .. name, value) then
    collectgarbage("param", name, value)
    collectgarbage("param", "stepsize", 1) -- a step for each allocation
  end
end

--- From now on there is always garbage whose finalizer calls `fn`, at nearly any allocation.
---@param fn function raises nothing
---@return function stop
function reentry.finalize_always(fn)
  local on = true
  local function again()
    if on then
      reentry.garbage(again)
      fn()
    end
  end
  local stepmul = 100000
  if _VERSION >= "Lua 5.4" then
    collectgarbage("incremental") -- the interpreter itself begins with the other one
    stepmul = 1000 -- the most it can keep
  end
  tune("pause", 1)
  tune("stepmul", stepmul)
  reentry.garbage(again)
  collectgarbage() -- the pause begins anew
  return function()
    on = false
    tune("pause", 200)
    tune("stepmul", 200)
  end
end

--- A job from submit to its end, and whether all is well afterwards.
function reentry.is_usable()
  local client = assert(new_client())
  local job = assert(client:generate(REQUEST))
  local woken
  local task = gptimage2.spawn(function()
    gptimage2.sleep(0.001)
    woken = client:generate(REQUEST)
  end)
  task:wait()
  client:close()
  return job.status == "succeeded" and woken ~= nil and woken.status == "succeeded"
end

return reentry
