--- The service that a command talks to: a client by its options and the environment.

local gptimage2 = require("gptimage2")
local key = require("gptimage2.command.parts.key")
local problem = require("gptimage2.command.parts.problem")

local service = {}

--- What was raised about an option, in the words of a command line.
local function words_of(raised)
  local words = tostring(raised):match("%((.*)%)$") or tostring(raised)
  return (
    words:gsub("option 'poll%.unit'", "--poll-unit"):gsub("option '([%w_]+)'", function(name)
      return "--" .. name:gsub("_", "-")
    end)
  )
end

local NO_KEY = "there is no API key: create one on the Keys page of https://gptimage2.ai, and give "
  .. "it by the variable GPTIMAGE2_API_KEY, --key-file or --key-stdin; to try things out without "
  .. "an account there is `gptimage2 sandbox`"

--- The options of a client that a command line has.
---@param args table
---@return table|nil options
---@return table|nil err
function service.options(args)
  local api_key, err = key.read(args)
  if err then
    return nil, err
  end
  return {
    api_key = api_key,
    timeout = args.timeout,
    ca_file = args.ca_file,
    poll = args.poll_unit and { unit = args.poll_unit } or nil,
  }
end

--- A client with these options, and `more`.
---@param options table
---@param more? table
---@return gptimage2.Client|nil
---@return table|nil err
function service.client(options, more)
  local all = {}
  for _, part in ipairs({ options, more or {} }) do
    for name, value in pairs(part) do
      all[name] = value
    end
  end
  local ok, client, err = pcall(gptimage2.new, all)
  if not ok then
    return nil, problem.usage(words_of(client))
  elseif err and err.code == "api_key_missing" then
    err.message = NO_KEY
  elseif err and err.code == "insecure_base_url" then -- the program has no such option
    err.message = err.message:gsub(", or allow_http = true.*$", "")
  end
  return client, err
end

--- The options of a client that a command line has, with which one could be made: its key, too, is
--- no nonsense.
---@param args table
---@return table|nil options
---@return table|nil err
function service.check(args)
  local read, err = service.options(args)
  local client
  if read then
    client, err = service.client(read)
  end
  if not client then
    return nil, err
  end
  client:close()
  return read
end

return service
