--- `gptimage2 resolve`: a person says what became of a create that may have been paid.

local codes = require("gptimage2.command.parts.codes")
local jobs = require("gptimage2.command.parts.jobs")
local ledgers = require("gptimage2.command.parts.ledgers")
local options = require("gptimage2.command.parts.options")
local text = require("gptimage2.command.parts.text")

local resolve = {}

resolve.summary = "Says what became of a create that may have been paid."
resolve.description = "Look at your account first. `resend` sends the same bytes under the same "
  .. "key once more, and may pay a second time where the service ignores keys; `abandon` does "
  .. "nothing more; a job id that you found is polled to its end, and its pictures are saved."
resolve.examples = {
  "gptimage2 resolve 0b6a7f9be2bc1826 abandon",
  "gptimage2 resolve 0b6a7f9be2bc1826 1de5357a-0200 -o out",
}

--- Its options and arguments.
---@param command table of argparse
function resolve.define(command)
  command:argument("key", "The idempotency key of its row.")
  command:argument("what", "resend, abandon, or a job id.")
  ledgers.define(command)
  command:flag("--any-key", "Also a row of another key: the key was changed.")
  jobs.define(command)
  options.service(command)
  options.json(command)
end

local function settle(client, args)
  local job, err = client:resolve(args.key, args.what, { any_key = args.any_key })
  if job and args.what ~= "abandon" and job:wait() then
    job:save(jobs.place(args)[1], { overwrite = args.overwrite })
  end
  return job, err
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function resolve.run(args, out)
  local job, status = ledgers.run(args, out, function(client)
    return settle(client, args)
  end)
  if not job then
    return status
  elseif args.what == "abandon" then
    out:line("abandoned: " .. text.clean(args.key))
    out:object({ type = "abandoned", key = args.key, exit = codes.done })
    return codes.done
  end
  return jobs.show(job, out, args)
end

return resolve
