--- `gptimage2 poll`: asks once how jobs are.

local codes = require("gptimage2.command.parts.codes")
local jobs = require("gptimage2.command.parts.jobs")
local options = require("gptimage2.command.parts.options")
local record = require("gptimage2.command.parts.record")
local text = require("gptimage2.command.parts.text")

local poll = {}

poll.summary = "Asks once how jobs are, and does not wait."
poll.examples = { "gptimage2 poll 4f1c2a --json" }

--- Its options and arguments.
---@param command table of argparse
function poll.define(command)
  command:argument("job", "The id of a job."):args("+")
  jobs.define_ledger(command)
  options.service(command)
  options.json(command)
end

local function show(job, out)
  local urls = {}
  for i, result in ipairs(job.results or {}) do
    urls[i] = result.image_url
  end
  out:line(("%s  %s"):format(text.clean(job.id), job.status))
  for _, url in ipairs(urls) do
    out:line("  " .. text.clean(url))
  end
  out:object({ type = "job", job = job.id, status = job.status, image_urls = record.list(urls) })
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function poll.run(args, out)
  local client, err = jobs.client(args)
  if not client then
    return out:fail(err)
  end
  local results = {}
  local _, _, interrupted = jobs.run(client, out, function()
    for i, id in ipairs(args.job) do
      local job, why = client:poll(id)
      results[i] = { job = job, error = why }
    end
  end)
  local errors, known = {}, 0
  for i, id in ipairs(args.job) do
    local result = results[i] or {}
    if result.job then
      show(result.job, out)
      known = known + 1
    elseif result.error then
      out:fail(result.error, { job = id })
    end
    errors[#errors + 1] = result.error
  end
  local status = #errors == 1 and known == 0 and codes.of(errors[1])
    or codes.of_all(errors, known > 0)
  return interrupted or status
end

return poll
