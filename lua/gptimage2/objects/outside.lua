--- What may come from outside of the program: the key, the URLs, the names of files, some of them
--- by the environment. What is wrong with one gives `nil, err`, and never shows it: it may be
--- secret.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local outside = {}

local BASE_URL = "https://gptimage2.ai"
local MAX_KEY = 4096 -- bytes
local MAX_URL = core.limits.url -- bytes
--- A variable of the environment; an empty one counts as not set. A program with more rights than
--- its caller (setuid) takes none: the caller could have its key sent elsewhere.
local function from_environment(name)
  local value = not core.is_privileged() and os.getenv(name)
  return value and value ~= "" and value or nil
end

local function auth_error(code, message)
  return nil,
    core.error({
      kind = "auth",
      code = code,
      field = "api_key",
      message = message,
      retryable = false,
      sent = "no",
      charged = "no",
    })
end

--- The key. It is shown in no message, whatever is wrong with it.
---@param given string|nil
---@return string|nil key
---@return gptimage2.Error|nil err
function outside.api_key(given)
  local key = given or from_environment("GPTIMAGE2_API_KEY")
  local origin = given and "option 'api_key'" or "the variable GPTIMAGE2_API_KEY"
  if not key or key == "" then
    return auth_error(
      "api_key_missing",
      "there is no API key: create one on the Keys page of https://gptimage2.ai and set the "
        .. "environment variable GPTIMAGE2_API_KEY (or the option 'api_key'); to try things out "
        .. 'without an account, use require("gptimage2.sandbox"), which needs none'
    )
  end
  if #key > MAX_KEY then
    local message = "the API key in %s is over %d bytes long"
    return auth_error("api_key_invalid", message:format(origin, MAX_KEY))
  end
  if not check.visible_ascii(key) then
    local message = "the API key in %s holds a space, a line break or another character that no "
      .. "key has; copy it again"
    return auth_error("api_key_invalid", message:format(origin))
  end
  return key
end

--- Why a URL cannot be the service's; nil and its parts when it can. The URL itself is not shown:
--- it may hold a password.
local function base_url_fault(url)
  if #url > MAX_URL then
    return ("is over %d bytes long"):format(MAX_URL)
  elseif not check.visible_ascii(url) then
    return "holds a space, a control character or a letter beyond ASCII"
  elseif url:find("[?#]") then
    return "must have no query and no fragment"
  end
  local parts, why = core.url(url)
  if not parts then
    return "is not an absolute http(s) URL: " .. tostring(why)
  elseif parts.userinfo then
    return "must have no user name and no password"
  elseif parts.scheme ~= "https" and parts.scheme ~= "http" then
    return "must begin with https://"
  end
  return nil, parts
end

--- Where the service is, without a slash at its end.
---@param given string|nil
---@param allow_http boolean|nil
---@return string|nil url
---@return gptimage2.Error|nil err
function outside.base_url(given, allow_http)
  local url = given or from_environment("GPTIMAGE2_BASE_URL") or BASE_URL
  local origin = given and "option 'base_url' " or "the variable GPTIMAGE2_BASE_URL "
  local fault, parts = base_url_fault(url)
  if fault then
    return check.invalid("invalid_base_url", "base_url", origin .. fault)
  end
  if parts.scheme == "http" and not parts.loopback and not allow_http then
    local message = "%sbegins with http://, and the API key would travel in the clear; use "
      .. "https://, or allow_http = true where the network is trusted"
    return check.invalid("insecure_base_url", "base_url", message:format(origin))
  end
  return (url:gsub("/+$", ""))
end

local PROXY_SCHEMES = {
  http = true,
  https = true,
  socks4 = true,
  socks4a = true,
  socks5 = true,
  socks5h = true,
}

--- Whether a text is the URL of a proxy: libcurl would take nearly anything for one, and find out
--- with the first job that it is none.
local function is_proxy_url(url)
  local scheme, rest = url:match("^(%a[%w+.-]*)://(.*)$")
  if not scheme or not PROXY_SCHEMES[scheme:lower()] or not check.visible_ascii(url) then
    return false
  end
  local authority, path = rest:match("^([^/?#]*)(.*)$")
  local address = authority:match("([^@]*)$")
  local host, port = address:match("^(%[[%x:.]+%])(.*)$")
  if not host then
    host, port = address:match("^([^:%[%]]+)(.*)$")
  end
  if not host or (path ~= "" and path ~= "/") then
    return false
  end
  local number = tonumber(port:match("^:(%d+)$"))
  return port == "" or (number ~= nil and number >= 1 and number <= 65535)
end

--- The URL itself is not shown: it may hold a password.
---@param proxy string|nil
---@return gptimage2.Error|nil err
function outside.proxy_error(proxy)
  if proxy == nil or proxy == "" or is_proxy_url(proxy) then
    return nil
  end
  local message = "option 'proxy' is not the URL of a proxy, such as http://host:3128 (or https, "
    .. "socks4, socks4a, socks5, socks5h; a user name and a password percent-encoded)"
  return select(2, check.invalid("invalid_proxy", "proxy", message))
end

--- Why the file cannot be read, or nil. libcurl would only say that nobody can be trusted.
---@param path string
---@return gptimage2.Error|nil err
function outside.ca_file_error(path)
  local file, why = nil, path .. ": there is no such file"
  if core.file_id(path, true) then -- a FIFO would keep who opens it
    file, why = io.open(path, "rb")
  end
  if file then
    file:close()
  end
  return why
    and core.error({
      kind = "tls",
      code = "ca_file_unreadable",
      field = "ca_file",
      message = "the file of option 'ca_file' cannot be read: " .. why,
      retryable = false,
      sent = "no",
      charged = "no",
    })
end

--- A ledger outlives its program: SQLite's names for databases that do not are no paths.
---@param path string
---@return boolean|nil ok
---@return gptimage2.Error|nil err
function outside.ledger(path)
  if path == ":memory:" or path:find("^[Ff][Ii][Ll][Ee]:") then
    local message = "option 'ledger' must be the path of a file, which outlives the program, and "
      .. "not '%s' (a file of that name is './%s')"
    local shown = check.show(path)
    return check.invalid("invalid_ledger", "ledger", message:format(shown, shown))
  end
  return true
end

return outside
