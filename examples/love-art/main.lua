-- A game that starts with stand-ins; its pictures come in while it runs, and no frame is late.
-- LÖVE 11.
--   love examples/love-art                          the sandbox: costs nothing
--   GPTIMAGE2_API_KEY=... love examples/love-art    the service: 10 credits for each picture, once
--   love examples/love-art shipped                  as players have it: no key, no network
-- The module must be installed for Lua 5.1, whose modules LÖVE's LuaJIT loads.
local assets = require("gptimage2.assets")
local gptimage2 = require("gptimage2")
local jit = require("jit")
local village = require("village")

local BUDGET = 100 -- credits, for a run of the game
local NAMES = { "bakery", "bridge", "cottage", "mill", "tower", "well" }

local art, client
local sandbox -- luacheck: ignore (it lives as long as it is held)

-- A stand-in or a picture, for the thread that decodes it. Returns at once.
local function ask(path)
  local file, is_there = art:path(path)
  if file then
    love.thread.getChannel("wanted"):push({ path = path, file = file, is_there = is_there })
  else
    village.note = ": " .. tostring(is_there)
  end
end

-- The manifest lies where it can be written beside; a game of yours may keep it in its own folder.
local function manifest()
  love.filesystem.write("pictures.lua", love.filesystem.read("pictures.lua"))
  return love.filesystem.getSaveDirectory() .. "/pictures.lua"
end

-- Who makes what is missing. Its ledger knows what was paid, whatever ends the game.
local function connect(path)
  local options = { ledger = assert(assets.ledger(path)) }
  if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
    sandbox = assert(require("gptimage2.sandbox").start({ duration = 3 }))
    options.base_url, options.api_key = sandbox.url, sandbox.api_key
  end
  local made, why = gptimage2.new(options)
  return assert(made, tostring(why))
end

function love.load(words)
  village.load()
  love.thread.newThread("decode.lua"):start()
  local path = manifest()
  client = words[1] ~= "shipped" and connect(path) or nil
  art = assert(assets.open(path, {
    client = client,
    budget = client and BUDGET,
    on_change = ask,
    on_error = function(missing, err)
      village.note = (": %s: %s"):format(missing, tostring(err))
    end,
  }))
  for _, name in ipairs(NAMES) do
    village.add("art/" .. name .. ".png", name)
    ask("art/" .. name .. ".png") -- at once: the picture, or a checker with its name
  end
end

function love.update(seconds)
  jit.off() -- LuaJIT would compile what runs once a picture, for milliseconds, in a frame
  gptimage2.step() -- all that a frame does for the pictures
  jit.on()
  local one = love.thread.getChannel("decoded"):pop()
  if one then -- one a frame: it goes to the graphics card now
    village.show(one.path, love.graphics.newImage(one.data), one.is_there)
  end
  village.update(seconds)
end

function love.threaderror(_, message)
  village.note = ": " .. message
end

function love.draw()
  local balance = client and client.balance
  village.draw(balance and balance.paid_credits)
end

function love.quit()
  art:close() -- what is under way is taken up by the next run
  love.thread.getChannel("wanted"):push("stop")
end
