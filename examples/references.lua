-- Image-to-image: one new picture from references that have one purpose each.
--
-- Run it with  lua5.4 examples/references.lua [SUBJECT_URL PALETTE_URL]
-- Without the variable GPTIMAGE2_API_KEY it uses the sandbox, and pictures that the sandbox serves.
local gptimage2 = require("gptimage2")

local function check(value, err)
  if value == nil then
    io.stderr:write("references: ", tostring(err), "\n")
    os.exit(1, true)
  end
  return value
end

local subject, palette = arg[1], arg[2]
local options = {}
local sandbox
if (os.getenv("GPTIMAGE2_API_KEY") or "") == "" then
  sandbox = check(require("gptimage2.sandbox").start({ image_size = 512 }))
  options.base_url, options.api_key = sandbox.url, sandbox.api_key
  subject = subject or sandbox:reference("subject")
  palette = palette or sandbox:reference("palette")
  -- References at private addresses are refused; the sandbox's are on this machine.
  options.allow_private_references = true
elseif not palette then
  io.stderr:write("usage: lua5.4 examples/references.lua SUBJECT_URL PALETTE_URL\n")
  os.exit(2, true)
end

-- The builder puts the URLs in order and writes the sentence that says which one is for what.
local prompt = gptimage2.prompt({
  subject = "the product on a marble counter",
  light = "morning light",
  refs = { subject = subject, palette = palette },
})

local client = check(gptimage2.new(options))
local request = prompt:request({ ratio = "1:1", negative = "people, hands" })
print(("asking for:   %s (%d credits)"):format(request.prompt, check(client:cost(request))))

-- Each reference is looked at before a credit is spent: one that is no image costs nothing.
local job, err = client:generate(request)
if not job and err.code == "reference_unreachable" then
  io.stderr:write("references: please check ", err.field, ": ", err.message, "\n")
  os.exit(1, true)
end
job = check(job, err)
for _, path in ipairs(check(job:save("out"))) do
  print("saved:        " .. path)
end
