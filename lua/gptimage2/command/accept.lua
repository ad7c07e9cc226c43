--- `gptimage2 accept`: one candidate is the picture; or what somebody decided on a page.

local assets = require("gptimage2.assets")
local decision = require("gptimage2.command.parts.decision")
local decisions = require("gptimage2.command.parts.decisions")
local options = require("gptimage2.command.parts.options")

local accept = {}

accept.summary = "Accepts a candidate, the picture as it is, or the decisions of a page."
accept.description = "Puts a candidate to the picture's path: the only one that waits, or that "
  .. "with a number. A file that ends in .json has the decisions of a review page."
accept.examples = {
  "gptimage2 accept textures/brick.png 2",
  "gptimage2 accept decisions.json",
  "gptimage2 accept cards/fire.png --edited",
}

--- Its options and arguments.
---@param command table of argparse
function accept.define(command)
  decision.define(command, "The path of a picture, as the manifest has it, or decisions.json.")
  options.candidate(command)
  command:mutex(
    command:flag("--keep", "The picture that is there, for the request as it is now."),
    command:flag("--edited", "The file as it is now.")
  )
end

--- What is accepted of a picture.
local function what_of(args)
  return args.keep and "keep" or args.edited and "edited" or args.n
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function accept.run(args, out)
  local what, self = what_of(args), decision.new(out)
  if args.n and what ~= args.n then
    return out:misuse("a number of a candidate and --keep or --edited do not go together")
  elseif args.picture:find("%.json$") and not what then
    return decisions.run(args, self)
  end
  local asked = { store = args.store }
  local ok, err = assets.accept(options.path(args), args.picture, what, asked)
  decision.tell(self, "accepted", args.picture, args.n, ok, err)
  return decision.status(self)
end

return accept
