--- After the run: takes up what its ledger knows, and tells how every job in it stands, and which
--- files are not whole.

local host, url, folder, name = ...
local path = folder .. "/" .. name .. ".db"
local base_url, ca_file = url:match("^(.-),(.*)$")

local file = io.open(path, "rb")
if not file then
  return
end
file:close()

local gptimage2 = require("gptimage2")
local client = assert(gptimage2.new({
  base_url = base_url or url,
  ca_file = ca_file,
  api_key = "sandbox",
  ledger = path,
  timeout = 10,
  poll = { first = 0.01, interval = 0.01, max = 0.02 },
}))
for _, job in ipairs(assert(client:recover())) do
  job:wait(15)
end

local function is_whole(picture)
  local image = io.open(picture, "rb")
  local bytes = image and image:read("a") or ""
  if image then
    image:close()
  end
  return bytes:sub(1, 8) == "\137PNG\r\n\26\n" and bytes:sub(-8, -5) == "IEND"
end

for _, row in ipairs(assert(client:history())) do
  host.note("row", ("%s %s %s"):format(row.request.prompt, row.state, row.charged))
  for _, picture in ipairs(row.files) do
    if not is_whole(picture) then
      host.note("half", picture)
    end
  end
end
client:close()
local left = assert(io.popen(("find '%s/%s' -name '.*.part' 2>/dev/null"):format(folder, name)))
for part in left:lines() do
  host.note("half", part)
end
left:close()
