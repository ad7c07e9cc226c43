-- A game's frame loop that never stalls: all it does for the pictures is to call `step`.
--
-- Run it with  lua5.4 examples/frame_loop.lua
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, which costs nothing.
local gptimage2 = require("gptimage2")

local FRAME = 1 / 60 -- seconds

local options = {}
local sandbox
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = assert(require("gptimage2.sandbox").start({ image_size = 512 }))
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
end

-- Events come inside `step`. At "saved" a game would make a texture of e.paths[1].
local frame = 0
function options.on_event(e)
  print(("frame %4d  %-8s %-9s %s"):format(frame, e.metadata.name, e.type, e.message or e.status))
end

local client, why = gptimage2.new(options)
assert(client, tostring(why))
local jobs = {}
for _, name in ipairs({ "door", "window", "chimney" }) do
  local request = { prompt = "a " .. name .. ", isometric game art", ratio = "1:1" }
  -- `submit` returns at once; the engine makes the job and saves the files.
  local job, err = client:submit(request, { save = "out", metadata = { name = name } })
  assert(job, tostring(err))
  jobs[#jobs + 1] = job
end

local worst, sum = 0, 0
local next_frame = gptimage2.now()
while gptimage2.pending() > 0 do
  frame = frame + 1
  local before = gptimage2.now()
  gptimage2.step()
  local took = gptimage2.now() - before
  worst, sum = math.max(worst, took), sum + took
  -- Here the game moves and draws. Then the display makes it wait for the next frame; this loop
  -- stands in for the display.
  next_frame = next_frame + FRAME
  repeat
  until gptimage2.now() >= next_frame
end

for _, job in ipairs(jobs) do
  print(job.files and job.files[1] or tostring(job.error or job.save_error))
end
local text = "%d frames, step took %.3f ms on average, %.3f ms at worst"
print(text:format(frame, sum / frame * 1000, worst * 1000))
