-- Type a prompt, press Enter: the picture fades in, and no frame is late meanwhile. LÖVE 11.
--   love examples/love                            the sandbox: costs nothing
--   GPTIMAGE2_API_KEY=... love examples/love      the service: 10 credits for each picture
-- The module must be installed for Lua 5.1, whose modules LÖVE's LuaJIT loads.
local gptimage2 = require("gptimage2")
local draw = require("draw")
local utf8 = require("utf8")

local client, sandbox -- luacheck: ignore sandbox (it lives as long as it is held)
local jobs = {} -- those that are not shown yet, oldest first
local decoder -- the thread that decodes the first job's picture
local scene = { text = "a lighthouse at dusk", note = "Enter makes a picture", clock = 0 }

function love.load()
  love.keyboard.setKeyRepeat(true)
  draw.load()
  local options = {}
  if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
    sandbox = assert(require("gptimage2.sandbox").start({ duration = 2 }))
    options.base_url, options.api_key = sandbox.url, sandbox.api_key
  end
  client = assert(gptimage2.new(options))
end

-- Returns at once: the engine makes the picture, and saves it past Lua.
local function ask(prompt)
  local folder = love.filesystem.getSaveDirectory() .. "/pictures"
  local job, err = client:submit({ prompt = prompt, ratio = "4:3" }, { save = folder })
  scene.note = tostring(err)
  table.insert(jobs, job)
end

local function drop(note)
  table.remove(jobs, 1)
  decoder = nil
  scene.note = note
end

local function look_at(job)
  local err = job.error or job.save_error
  if err then
    drop(tostring(err))
  elseif job.files and not decoder then
    decoder = love.thread.newThread("decode.lua")
    decoder:start(job.files[1])
  else
    scene.note = ("%s, %.1f s"):format(job.status, job.elapsed)
  end
end

-- The new picture covers the one before while it fades in.
local function show(data)
  scene.before = scene.picture
  scene.picture = { image = love.graphics.newImage(data), prompt = jobs[1].request.prompt, age = 0 }
  drop("Enter makes a picture")
end

function love.update(seconds)
  gptimage2.step() -- all that a frame does for the pictures
  if jobs[1] then
    look_at(jobs[1])
  end
  local data = love.thread.getChannel("decoded"):pop()
  if data then
    show(data)
  end
  scene.clock = scene.clock + seconds
  if scene.picture then
    scene.picture.age = scene.picture.age + seconds
  end
end

function love.threaderror(_, message)
  drop(message)
end

function love.draw()
  local balance = client.balance
  draw.scene(scene, #jobs, balance and balance.paid_credits)
end

function love.textinput(typed)
  scene.text = scene.text .. typed
end

function love.keypressed(key)
  if key == "backspace" then
    scene.text = scene.text:sub(1, (utf8.offset(scene.text, -1) or 1) - 1)
  elseif key == "return" and scene.text:find("%S") then
    ask(scene.text)
    scene.text = ""
  elseif key == "escape" then
    love.event.quit()
  end
end
