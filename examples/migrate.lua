-- From a dall-e-3 style call, with width and height, to this service.
--
-- Run it with  lua5.4 examples/migrate.lua
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, which costs nothing.
local gptimage2 = require("gptimage2")
local migrate = require("gptimage2.migrate")

local function check(value, err)
  if value == nil then
    io.stderr:write("migrate: ", tostring(err), "\n")
    os.exit(1, true)
  end
  return value
end

local options = {}
local sandbox
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = check(require("gptimage2.sandbox").start())
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
end

-- What the program sent before.
local old = {
  model = "dall-e-3",
  prompt = 'a shop front at night with the sign "OPEN 24H"',
  width = 1792,
  height = 1024,
  n = 2,
  quality = "hd",
}

-- What it sends now, and a sentence for everything that is not the same any more.
local request, notes = migrate.request(old)
check(request, notes)
for _, note in ipairs(notes) do
  print("note:    " .. note)
end
print(("request: mode by default, ratio %s, count %d"):format(request.ratio, request.count))

-- The old answer held the URLs. This one holds a job, which the client polls to its end.
local client = check(gptimage2.new(options))
local job = check(client:generate(request))
for _, result in ipairs(job.results) do
  print("image:   " .. result.image_url)
end
for _, path in ipairs(check(job:save("out"))) do
  print("saved:   " .. path)
end
