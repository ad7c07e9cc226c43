--- The options that several commands have, each defined once.

local options = {}

--- A converter for a number, which says which option is wrong.
---@param name string
---@param least? number
---@return fun(text: string): number|nil, string|nil
function options.number(name, least)
  return function(text)
    local number = tonumber(text)
    if not number or number - number ~= 0 then
      return nil, ("%s needs a number, not '%s'"):format(name, text)
    elseif least and number < least then
      return nil, ("%s must be %s or more"):format(name, ("%d"):format(least))
    end
    return number
  end
end

--- The same, for one that `is_right` says yes to.
local function only(name, is_right, words)
  local read = options.number(name)
  return function(text)
    local number, why = read(text)
    if number and not is_right(number) then
      return nil, ("%s must be %s"):format(name, words)
    end
    return number, why
  end
end

local function is_above_0(number)
  return number > 0
end

local function is_unit(number)
  return number >= 0.001 and number <= 1
end

--- A converter for a whole number.
---@param name string
---@param least integer
---@param most? integer
---@return fun(text: string): integer|nil, string|nil
function options.whole(name, least, most)
  return function(text)
    local number = text:find("^%-?%d+$") and tonumber(text)
    if not number or number < least or most and number > most then
      local range = most and ("from %d to %d"):format(least, most) or ("from %d on"):format(least)
      return nil, ("%s needs a whole number %s, not '%s'"):format(name, range, text)
    end
    return math.floor(number)
  end
end

--- `--json`, which all have that say something.
---@param command table of argparse
function options.json(command)
  command:flag("--json", "One JSON object a line on standard output, and nothing else.")
end

--- Whose pictures it is about.
---@param command table
function options.manifest(command)
  command:option("-f --manifest", "The manifest (pictures.lua)."):argname("<file>")
  command:option("--store", "A further store of pictures (GPTIMAGE2_STORE)."):argname("<folder>")
end

--- The path of the manifest.
---@param args table
---@return string
function options.path(args)
  return args.manifest or "pictures.lua"
end

--- Which of them.
---@param command table
function options.only(command)
  command
    :option("--only", "Only these pictures: * and ? stop at a slash, ** does not. Repeatable.")
    :argname("<glob>")
    :count("*")
end

--- The globs of `--only`; nil where there are none.
---@param args table
---@return string[]|nil
function options.globs(args)
  return args.only[1] and args.only or nil
end

--- The number of a candidate.
---@param command table
function options.candidate(command)
  command
    :argument("n", "The number of the candidate.")
    :args("?")
    :convert(options.whole("the number of the candidate", 1))
end

--- Which failed creates are sent again.
---@param command table
---@param default? string in words
function options.retry(command, default)
  local words = ("Which failed creates are sent again (%s)."):format(default or "documented")
  command:option("--retry", words):choices({ "safe", "documented", "idempotent" })
end

--- Whether changed pictures are made again.
---@param command table
function options.stale(command)
  command
    :option("--stale", "Whether changed pictures, and those that are gone, are made again.")
    :choices({ "keep", "make" })
end

--- The service, and the key for it.
---@param command table
function options.service(command)
  command:mutex(
    command
      :option("--key-file", "A file with the API key, which nobody else may read (0600).")
      :argname("<file>"),
    command:flag("--key-stdin", "The API key is the first line of standard input.")
  )
  command
    :option("--timeout", "Seconds for a picture (600).")
    :argname("<seconds>")
    :convert(only("--timeout", is_above_0, "a number of seconds above 0"))
  command:option("--ca-file", "Certificates to trust, instead of the system's."):argname("<file>")
  command
    :option("--poll-unit", "0.001 to 1: all times of polls are so much shorter, for the sandbox.")
    :argname("<n>")
    :convert(only("--poll-unit", is_unit, "a number from 0.001 to 1"))
end

return options
