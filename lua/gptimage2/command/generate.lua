--- `gptimage2 generate`: one request, its pictures as files. Run twice it is two pictures.

local jobs = require("gptimage2.command.parts.jobs")
local options = require("gptimage2.command.parts.options")
local request = require("gptimage2.command.parts.request")

local generate = {}

generate.summary = "Makes pictures of a prompt, and saves them. Run twice it is two pictures."
generate.description = "Everything is checked before a credit is spent; each picture costs 10. "
  .. "Where the answer to the create never comes its key is told: look at your account before you "
  .. "run it again."
generate.examples = {
  'gptimage2 generate "a lighthouse at dusk" --ratio 16:9 -o out',
  'gptimage2 generate --subject "a cup" --style woodcut --text "OPEN" -o "{date}-{n}.{ext}"',
  'gptimage2 generate "the product on marble" --ref subject=https://example.com/cup.png',
}

--- Its options and arguments.
---@param command table of argparse
function generate.define(command)
  request.define(command)
  jobs.define(command)
  jobs.define_ledger(command)
  options.retry(command)
  options.service(command)
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function generate.run(args, out)
  local asked, err = request.read(args)
  local client
  if asked then
    client, err = jobs.client(args)
  end
  if not client then
    return out:fail(err)
  end
  local job, why, interrupted = jobs.run(client, out, function()
    return client:generate(asked, { save = jobs.place(args) })
  end)
  if job then
    local status = jobs.show(job, out, args)
    return interrupted or status
  elseif why and not (interrupted and why.kind == "cancelled") then
    local status = jobs.fail(why, out)
    return interrupted or status
  end
  return interrupted
end

return generate
