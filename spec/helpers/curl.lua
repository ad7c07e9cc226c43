--- The curl program as the client of a sandbox: the sandbox is tested without the module it stands
--- in for. Every curl ends after a minute.

local curl = {}

local JSON = "-H 'Content-Type: application/json' "

--- What begins every command line. LD_PRELOAD (sanitizers) is for the Lua process, not for curl.
curl.COMMAND = "LD_PRELOAD= LD_LIBRARY_PATH= curl --silent --noproxy '*' --max-time 60 "

--- What begins a request with a JSON body.
curl.JSON = JSON

---@param path string
---@return string
function curl.read_file(path)
  local file = assert(io.open(path, "rb"))
  local bytes = file:read("*a")
  file:close()
  return bytes
end

---@param command string for the shell
---@return string output both streams
function curl.run(command)
  local pipe = assert(io.popen(command .. " 2>&1"))
  local output = pipe:read("*a")
  pipe:close()
  return output
end

--- One exchange.
---@param arguments string for the shell
---@return table { status, exit (curl's code), time (seconds to the first byte), body, head }
function curl.fetch(arguments)
  local body, head = os.tmpname(), os.tmpname()
  local format = "%{http_code} %{exitcode} %{time_starttransfer}"
  local files = ("--output %s --dump-header %s --write-out '%s' "):format(body, head, format)
  local output = curl.run(curl.COMMAND .. files .. arguments)
  local status, exit, time = output:match("(%d+) (%d+) ([%d.,]+)%s*$")
  assert(status, "the curl program did not run: " .. output)
  local result = { status = tonumber(status), exit = tonumber(exit), output = output }
  result.time = tonumber((time:gsub(",", ".")))
  result.body, result.head = curl.read_file(body), curl.read_file(head):lower()
  os.remove(body)
  os.remove(head)
  return result
end

---@param box table a sandbox
---@param body string JSON without single quotes
---@param extra? string further arguments
---@return string arguments
function curl.create_arguments(box, body, extra)
  local key = ("-H 'Authorization: Bearer %s' "):format(box.api_key)
  return key .. JSON .. (extra or "") .. (" --data '%s' %s/api/generate"):format(body, box.url)
end

--- Creates a job.
function curl.create(box, body, extra)
  return curl.fetch(curl.create_arguments(box, body or '{"prompt":"a cup"}', extra))
end

function curl.poll_arguments(box, id)
  return ("-H 'Authorization: Bearer %s' %s/api/generate/%s"):format(box.api_key, box.url, id)
end

function curl.poll(box, id)
  return curl.fetch(curl.poll_arguments(box, id))
end

--- A string or number somewhere in a JSON text, or nil.
function curl.field(body, name)
  local start = '"' .. name .. '":'
  return body:match(start .. '"([^"]*)"') or tonumber(body:match(start .. "(%-?%d+)"))
end

--- How often a pattern is in a text.
---@param text string
---@param pattern string
---@return integer
function curl.count(text, pattern)
  local _, n = text:gsub(pattern, "")
  return n
end

return curl
