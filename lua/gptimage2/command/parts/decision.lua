--- What the commands share by which a person decides about a picture: they change the lock, and
--- send nothing.

local codes = require("gptimage2.command.parts.codes")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local decision = {}

--- The options and the picture that all have.
---@param command table of argparse
---@param what? string about the picture's argument
function decision.define(command, what)
  command:argument("picture", what or "The path of a picture, as the manifest has it.")
  options.manifest(command)
  options.json(command)
end

--- What came of decisions so far.
---@param out gptimage2.command.Output
---@return table
function decision.new(out)
  return { out = out, errors = {}, done = 0 }
end

--- Tells one.
---@param self table
---@param what string "accepted"
---@param path string
---@param n integer|nil the candidate
---@param ok boolean|nil
---@param err table|nil
function decision.tell(self, what, path, n, ok, err)
  if not ok then
    self.errors[#self.errors + 1] = err
    self.out:fail(err, { path = path, n = n })
    return
  end
  self.done = self.done + 1
  local number = n and (" (candidate %d)"):format(n) or ""
  self.out:line(("%s: %s%s"):format(what, text.clean(path), number))
  self.out:object({ type = what, path = path, n = n })
end

--- The exit code of all.
---@param self table
---@return integer
function decision.status(self)
  if #self.errors == 1 and self.done == 0 then
    return codes.of(self.errors[1])
  end
  return codes.of_all(self.errors, self.done > 0)
end

--- A command that does one thing to one picture.
---@param name string
---@param act fun(manifest: string, picture: string, options: table): boolean|nil, table|nil
---@param what string "pinned"
---@param summary string
---@return table command
function decision.command(name, act, what, summary)
  local command = {
    summary = summary,
    examples = { ("gptimage2 %s cards/fire.png"):format(name) },
    define = decision.define,
  }
  function command.run(args, out)
    local self = decision.new(out)
    decision.tell(
      self,
      what,
      args.picture,
      nil,
      act(options.path(args), args.picture, { store = args.store })
    )
    return decision.status(self)
  end
  return command
end

return decision
