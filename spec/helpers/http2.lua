--- The HTTP/2 server of spec/lib/http2, as a process of its own.
---
--- Use: `local box = http2.start("--limit 4")`, then a client of `box`; at the end `box:stop()`.

local http2 = {}

local BUILD = assert(os.getenv("GPTIMAGE2_SPEC_LUA")):match("^(.*)/lua/[^/]+/lua$")
local PROGRAM = BUILD .. "/tools/http2-server"

--- Whether it could be built here: it needs nghttp2.
function http2.is_there()
  local file = io.open(PROGRAM, "rb")
  if file then
    file:close()
  end
  return file ~= nil
end

local mt = {}
mt.__index = mt

--- Starts it with further options (see server.c).
---@param options? string
---@return table server `url`, `ca_file`, and an `api_key` that it does not look at
function http2.start(options)
  local self = { books = os.tmpname(), api_key = "sk-http2" }
  self.pipe = assert(io.popen(("%s %s %s 2>&1"):format(PROGRAM, self.books, options or "")))
  self.url, self.ca_file = tostring(self.pipe:read("*l")):match("^(https%S+) (%S+)$")
  assert(self.url, "the server did not start")
  return setmetatable(self, mt)
end

--- How often it did each thing, by its first word.
---@return table<string, integer>
function mt:counts()
  local counts = setmetatable({}, {
    __index = function()
      return 0
    end,
  })
  for line in io.lines(self.books) do
    local what = line:match("^%S+")
    counts[what] = counts[what] + 1
  end
  return counts
end

--- The idempotency keys of the creates that it took, each of which is paid: key -> how often.
---@return table<string, integer>
function mt:taken()
  local keys = {}
  for line in io.lines(self.books) do
    local key = line:match("^taken (%S+)$")
    if key then
      keys[key] = (keys[key] or 0) + 1
    end
  end
  return keys
end

function mt:stop()
  self.pipe:close()
  os.remove(self.books)
end

return http2
