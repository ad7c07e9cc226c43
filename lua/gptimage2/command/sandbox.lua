--- `gptimage2 sandbox`: the sandbox as a program, for hosts that fork, block or begin anew.

local check = require("gptimage2.check")
local gptimage2 = require("gptimage2")
local json = require("gptimage2.files.json")

local sandbox = {}

local HELP = [[
usage: gptimage2 sandbox [options]

Starts a stand-in for the service on 127.0.0.1, with credits of its own; prints a line of JSON with
its "url" and its "api_key" (and "ca_file" with --tls) when it is there, and runs until it is ended.

  --port <n>             0: one that is free (0)
  --api-key <key>        the key it accepts (sandbox)
  --credits <n>          of the account (500)
  --free-per-day <n>     free images a day (0)
  --duration <seconds>   until a job is done (1)
  --image-size <pixels>  of the longer side (1024)
  --image-bytes <n>      every image is a file of this size
  --no-idempotency       a repeated idempotency key makes another job
  --tls                  https, with a certificate of its own
  --certificate <kind>   with --tls: good, expired, wrong_host or self_signed
  --fault <rule>         misbehave: on=create,action=status,status=402 (may be repeated; see the
                         documentation of the sandbox)

example: gptimage2 sandbox --port 8080 --duration 0.5
]]

--- Option -> its name for `start`, and whether a value follows: "number", "text", or what it sets.
local OPTIONS = {
  port = { "port", "number" },
  ["api-key"] = { "api_key", "text" },
  credits = { "credits", "number" },
  ["free-per-day"] = { "free_per_day", "number" },
  duration = { "duration", "number" },
  ["image-size"] = { "image_size", "number" },
  ["image-bytes"] = { "image_bytes", "number" },
  ["no-idempotency"] = { "idempotency", false },
  tls = { "tls", true },
  certificate = { "certificate", "text" },
}

--- A value of a rule: a number, true, false, or a text; `inf` is for ever.
local function read_value(text)
  if text == "true" or text == "false" then
    return text == "true"
  elseif text == "inf" then
    return math.huge
  end
  return tonumber(text) or text
end

local function read_rule(text)
  local rule = {}
  for part in text:gmatch("[^,]+") do
    local name, value = part:match("^([%w_]+)=(.*)$")
    if not name then
      return nil, ("--fault: '%s' is not name=value"):format(part)
    end
    rule[name] = read_value(value)
  end
  return rule
end

local function unknown(arg)
  local names = { "fault", "help" }
  for name in pairs(OPTIONS) do
    names[#names + 1] = name
  end
  local near = check.suggest(arg:gsub("^%-%-", ""), names)
  return ("unknown option '%s'"):format(arg)
    .. (near and ("; did you mean '--%s'?"):format(near) or "")
end

--- One option, from args[i] on. Gives the place of the next, or nil and what is wrong.
local function read_option(args, i, options, rules)
  local name, value = args[i]:match("^%-%-([%w-]+)=(.*)$")
  name = name or args[i]:match("^%-%-([%w-]+)$")
  local known = OPTIONS[name]
  if not known and name ~= "fault" then
    return nil, unknown(args[i])
  elseif known and type(known[2]) == "boolean" then
    options[known[1]] = known[2]
    return i + 1
  end
  local next_one = i + (value and 1 or 2)
  value = value or args[i + 1]
  if not value then
    return nil, ("--%s needs a value"):format(name)
  elseif name == "fault" then
    local rule, why = read_rule(value)
    rules[#rules + 1] = rule
    return rule and next_one, why
  elseif known[2] == "number" and not tonumber(value) then
    return nil, ("--%s needs a number, not '%s'"):format(name, value)
  end
  options[known[1]] = known[2] == "number" and tonumber(value) or value
  return next_one
end

local function read(args)
  local options, rules, i = {}, {}, 1
  while args[i] do
    local next_one, why = read_option(args, i, options, rules)
    if not next_one then
      return nil, why
    end
    i = next_one
  end
  return options, rules
end

local function fail(message, status)
  io.stderr:write(("gptimage2 sandbox: %s\n"):format((tostring(message):gsub("^.-:%d+: ", ""))))
  return status
end

--- The sandbox with its faults, or nil and what is wrong.
local function start(module, options, rules)
  local ok, box, err = pcall(module.start, options)
  if not ok or not box then
    return nil, ok and err or box
  end
  for _, rule in ipairs(rules) do
    ok, err = pcall(box.fault, box, rule)
    if not ok then
      box:stop()
      return nil, err
    end
  end
  return box
end

local function announce(box)
  local fields = { url = box.url, api_key = box.api_key, ca_file = box.ca_file }
  io.stdout:write(json.object(fields, { "url", "api_key", "ca_file" }), "\n")
  io.stdout:flush()
end

--- Runs it until it is ended: Ctrl-C is an end like any other.
---@param args string[]
---@return integer status
function sandbox.main(args)
  for _, arg in ipairs(args) do
    if arg == "--help" or arg == "-h" then
      io.stdout:write(HELP)
      return 0
    end
  end
  local options, rules = read(args)
  if not options then
    return fail(rules, 2)
  end
  local loaded, module = pcall(require, "gptimage2.sandbox")
  if not loaded then
    return fail("the sandbox is not installed: luarocks install gptimage2-sandbox", 1)
  end
  local box, why = start(module, options, rules)
  if not box then
    return fail(why, 1)
  end
  announce(box)
  pcall(gptimage2.sleep, math.huge)
  box:stop()
  return 130
end

return sandbox
