--- A request by the options of a command line: the prompt, its pieces and references, and the
--- request's fields.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local options = require("gptimage2.command.parts.options")
local problem = require("gptimage2.command.parts.problem")
local prompt = require("gptimage2.prompt")
local ratios = require("gptimage2.request.ratios")
local request = require("gptimage2.request.request")

local asked = {}

local PIECES = {
  { "subject", "What the picture shows." },
  { "style", "How it looks: a style, a medium." },
  { "light", "The light." },
  { "frame", "The frame: close-up, from above." },
  { "text", "What must stand in the picture." },
}
local PURPOSES = { subject = true, palette = true, composition = true, material = true }

local FIELDS = { "ratio", "count", "lighting", "camera", "negative" }

--- The options and the prompt.
---@param command table of argparse
function asked.define(command)
  command:argument("prompt", "The whole prompt, or its subject where there are pieces."):args("?")
  for _, piece in ipairs(PIECES) do
    command:option("--" .. piece[1], piece[2] .. " Repeatable."):argname("<text>"):count("*")
  end
  command
    :option("--ref", "A reference image; of a purpose: subject, palette, composition, material.")
    :argname("<[purpose=]url>")
    :count("*")
    :target("refs")
  command
    :option("--ratio", "The ratio of the sides: " .. table.concat(ratios.DOCUMENTED, ", ") .. ".")
    :argname("<w:h>")
  command
    :option("--count", "How many pictures, 1 to 4 (1).")
    :argname("<n>")
    :convert(options.whole("--count", 1, request.MAX_COUNT))
  command:option("--preset", "A style of the service: cinematic, studio-product."):argname("<slug>")
  command:option("--lighting", "A light of the service."):argname("<slug>")
  command:option("--camera", "A camera of the service."):argname("<slug>")
  command:option("--negative", "What must not be in the picture."):argname("<text>")
end

--- References as the builder wants them, or a plain list where none has a purpose.
local function read_refs(list)
  local refs, plain = {}, {}
  for _, word in ipairs(list) do
    local purpose, url = word:match("^(%l+)=(.*)$")
    if purpose and not PURPOSES[purpose] then
      local message = "--ref: '%s' is no purpose: subject, palette, composition or material"
      return nil, problem.usage(message:format(purpose))
    elseif purpose then
      refs[purpose] = refs[purpose] or {}
      table.insert(refs[purpose], url)
    else
      plain[#plain + 1] = word
    end
  end
  if plain[1] and next(refs) then
    return nil, problem.usage("--ref: with a purpose for one of them, all need one")
  end
  return { refs = next(refs) and refs or nil, plain = plain[1] and plain or nil }
end

--- The pieces of the prompt; nil and the error.
local function read_pieces(args, refs)
  local pieces = { refs = refs }
  for _, piece in ipairs(PIECES) do
    local list = args[piece[1]]
    pieces[piece[1]] = list[1] and list or nil
  end
  if args.prompt and pieces.subject then
    return nil, problem.usage("a prompt and --subject together: give one of them")
  end
  pieces.subject = pieces.subject or args.prompt
  if not pieces.subject then
    return nil, problem.usage("a prompt is needed, or --subject")
  end
  return pieces
end

--- The field of an error, as the command line calls it.
local function rename(err)
  if err.field == "style" then
    err.field = "preset"
  end
  return err
end

--- The prompt's text and the request, checked as before any create.
---@param args table
---@return table|nil normalised
---@return table|nil err
function asked.read(args)
  local refs, err = read_refs(args.refs)
  local pieces
  if refs then
    pieces, err = read_pieces(args, refs.refs)
  end
  if not pieces then
    return nil, err
  end
  local fields = { image_urls = refs.plain, style = args.preset }
  for _, name in ipairs(FIELDS) do
    fields[name] = args[name]
  end
  local ok, made = pcall(function()
    return prompt(pieces):request(fields)
  end)
  if not ok then
    return nil, problem.usage(check.words_of(made))
  end
  local normalised
  normalised, err = request.normalise(made, {})
  return normalised, err and rename(err)
end

--- The request's bytes, as they are sent.
---@param normalised table
---@return string
function asked.body(normalised)
  return core.encode_request(normalised)
end

--- Credits.
---@param normalised table
---@return integer
function asked.cost(normalised)
  return request.cost(normalised)
end

return asked
