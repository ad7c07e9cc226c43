--- `gptimage2 plan`: what a build would do, what that costs and why. Needs no key and no network.

local assets = require("gptimage2.assets")
local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local plan_view = require("gptimage2.command.parts.plan_view")

local plan = {}

plan.summary = "What a build would do, what it costs and why."
plan.description = "Shows each picture of the manifest with its state, the credits that a build "
  .. "would spend on it, and the reason. Sends nothing, and needs no key. Exit code 2: something "
  .. "is to be done, or to be decided."
plan.examples = {
  "gptimage2 plan",
  "gptimage2 plan --only 'icons/*' --stale make",
  "gptimage2 plan -o plan.jsonl && gptimage2 build plan.jsonl",
}

--- Its options and arguments.
---@param command table of argparse
function plan.define(command)
  command:option("-o --output", "Write the plan to a file, which build takes."):argname("<file>")
  options.manifest(command)
  options.only(command)
  options.stale(command)
  options.retry(command, "that of the manifest, else documented")
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function plan.run(args, out)
  local made, err = assets.plan(options.path(args), {
    store = args.store,
    stale = args.stale,
    only = options.globs(args),
    retry = args.retry,
    out = args.output,
  })
  if not made then
    return out:fail(err)
  end
  plan_view.show(made, out)
  return made.clean and codes.done or codes.usage
end

return plan
