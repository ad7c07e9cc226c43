--- `gptimage2 sandbox`: the sandbox as a program, for hosts that fork, block or begin anew.

local check = require("gptimage2.check")
local codes = require("gptimage2.command.parts.codes")
local json = require("gptimage2.files.json")
local loop = require("gptimage2.command.parts.loop")
local options = require("gptimage2.command.parts.options")
local problem = require("gptimage2.command.parts.problem")

local sandbox = {}

sandbox.summary = "A stand-in for the service on 127.0.0.1, for tests and trying out."
sandbox.description = "Starts a stand-in for the service on 127.0.0.1, with credits of its own; "
  .. 'prints a line of JSON with its "url" and its "api_key" (and "ca_file" with --tls) when it is '
  .. "there, and runs until it is ended."
sandbox.examples = {
  "gptimage2 sandbox --port 8080 --duration 0.5",
  "gptimage2 sandbox --fault on=create,action=status,status=402,times=1",
}

--- Option -> its name for `start`, the kind of its value, and what it is for.
local OPTIONS = {
  { "port", "port", "number", "A port; 0 is one that is free (0)." },
  { "api-key", "api_key", "text", "The key that it accepts (sandbox)." },
  { "credits", "credits", "number", "Credits of the account (500)." },
  { "free-per-day", "free_per_day", "number", "Free images a day (0)." },
  { "duration", "duration", "number", "Seconds until a job is done (1)." },
  { "image-size", "image_size", "number", "Pixels of the longer side (1024)." },
  { "image-bytes", "image_bytes", "number", "Every image is a file of this size." },
  { "certificate", "certificate", "text", "With --tls: good, expired, wrong_host, self_signed." },
}

local FAULT = "Misbehave: on=create,action=status,status=402. Repeatable; see the documentation of "
  .. "the sandbox."

--- Its options and arguments.
---@param command table of argparse
function sandbox.define(command)
  for _, option in ipairs(OPTIONS) do
    local name = "--" .. option[1]
    local made = command:option(name, option[4]):target(option[2])
    made:argname(option[3] == "number" and "<n>" or "<" .. option[1] .. ">")
    if option[3] == "number" then
      made:convert(options.number(name))
    end
  end
  command:flag("--no-idempotency", "A repeated idempotency key makes another job.")
  command:flag("--tls", "https, with a certificate of its own.")
  command:option("--fault", FAULT):argname("<rule>"):count("*"):target("faults")
  options.json(command)
end

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

--- The rules of `--fault`, or nil and what is wrong with one.
local function read_rules(texts)
  local rules = {}
  for i, text in ipairs(texts) do
    local rule, why = read_rule(text)
    if not rule then
      return nil, why
    end
    rules[i] = rule
  end
  return rules
end

--- What `start` takes.
local function read_options(args)
  local read = { tls = args.tls }
  for _, option in ipairs(OPTIONS) do
    read[option[2]] = args[option[2]]
  end
  if args.no_idempotency then
    read.idempotency = false
  end
  return read
end

--- The sandbox with its faults; nil and why there is none, or, third, what is wrong with the line.
local function start(module, wanted, rules)
  local ok, box, err = pcall(module.start, wanted)
  if not ok then
    return nil, nil, check.words_of(box)
  elseif not box then
    return nil, err
  end
  for _, rule in ipairs(rules) do
    ok, err = pcall(box.fault, box, rule)
    if not ok then
      box:stop()
      return nil, nil, "--fault: " .. check.words_of(err)
    end
  end
  return box
end

local function announce(box, out)
  local fields = { url = box.url, api_key = box.api_key, ca_file = box.ca_file }
  out:write(json.object(fields, { "url", "api_key", "ca_file" }) .. "\n")
end

--- Runs it until it is ended: Ctrl-C is an end like any other.
---@param args table
---@param out gptimage2.command.Output
---@return integer status
function sandbox.run(args, out)
  local rules, why = read_rules(args.faults)
  if not rules then
    return out:misuse(why)
  end
  local loaded, module = pcall(require, "gptimage2.sandbox")
  if not loaded then
    return out:fail(
      problem.new(
        "io",
        "no_sandbox",
        "the sandbox is not installed: luarocks install gptimage2-sandbox"
      )
    )
  end
  local box, err, misuse = start(module, read_options(args), rules)
  if misuse then
    return out:misuse(misuse)
  elseif not box then
    return out:fail(problem.new("io", "no_sandbox", check.words_of(err)))
  end
  announce(box, out)
  loop.until_interrupted()
  box:stop()
  return codes.interrupted
end

return sandbox
