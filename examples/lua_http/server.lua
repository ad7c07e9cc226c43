-- A route for pictures in a server of your own, on lua-http (and so on cqueues). To run it:
--   1. apt install lua-http (in Debian for LuaJIT, Lua 5.1 and 5.2), or luarocks install http
--   2. GPTIMAGE2_API_KEY=... luajit examples/lua_http/server.lua 8080
--   3. curl --data 'a lighthouse in the fog' http://127.0.0.1:8080/render
-- It answers anybody on this machine: see examples/nginx for customers, limits and credits.
local gptimage2 = require("gptimage2")
local new_headers = require("http.headers").new
local http_server = require("http.server")

local client, why = gptimage2.new({ max_active = 32 })
assert(client, tostring(why))

local function answer(stream, status, text)
  local head = new_headers()
  head:append(":status", tostring(status))
  head:append("content-type", "text/plain")
  head:append("cache-control", "no-store")
  assert(stream:write_headers(head, false))
  assert(stream:write_chunk(text .. "\n", true))
end

-- Each request has a thread of cqueues: it waits here, and the others go on.
local function render(stream)
  local job, err = client:generate({ prompt = stream:get_body_as_string(10) or "" })
  if job then
    return answer(stream, 200, job.results[1].image_url)
  end
  answer(stream, err:http_status(), err.code)
end

local server = assert(http_server.listen({
  host = "127.0.0.1",
  port = tonumber(arg[1] or 8080),
  onstream = function(_, stream)
    local head = assert(stream:get_headers())
    if head:get(":method") == "POST" and head:get(":path") == "/render" then
      return render(stream)
    end
    answer(stream, 404, "POST a prompt to /render")
  end,
  onerror = function(_, _, what, err) -- a client that has gone away ends no server
    io.stderr:write(what, ": ", tostring(err), "\n")
  end,
}))
assert(server:loop())
