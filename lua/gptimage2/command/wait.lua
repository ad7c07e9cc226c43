--- `gptimage2 wait`: takes jobs up by their ids, from any process before, and saves their pictures.

local codes = require("gptimage2.command.parts.codes")
local gptimage2 = require("gptimage2")
local jobs = require("gptimage2.command.parts.jobs")
local options = require("gptimage2.command.parts.options")

local wait = {}

wait.summary = "Waits for jobs by their ids, and saves their pictures."
wait.examples = { "gptimage2 wait 4f1c2a -o out" }

--- Its options and arguments.
---@param command table of argparse
function wait.define(command)
  command:argument("job", "The id of a job."):args("+")
  jobs.define(command)
  jobs.define_ledger(command)
  options.service(command)
  options.json(command)
end

--- Waits for one, and saves it.
local function fetch(client, id, place, results)
  local job, err = client:wait(id)
  if job then
    job:save(place[1], { overwrite = place.overwrite })
  end
  results[id] = { job = job, error = err }
end

--- Tells of all that have ended; gives the exit code.
local function show(ids, results, out, args)
  local errors, made = {}, 0
  for _, id in ipairs(ids) do
    local result = results[id]
    if result and result.job then
      jobs.show(result.job, out, args)
      made = made + (result.job.save_error and 0 or 1)
    elseif result then
      out:fail(result.error, { job = id })
    end
    errors[#errors + 1] = result and (result.error or result.job.save_error)
  end
  if errors[1] and not errors[2] and made == 0 then
    return codes.of(errors[1])
  end
  return codes.of_all(errors, made > 0)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function wait.run(args, out)
  local client, err = jobs.client(args)
  if not client then
    return out:fail(err)
  end
  local place, results = jobs.place(args), {}
  local _, _, interrupted = jobs.run(client, out, function()
    local tasks = {}
    for i, id in ipairs(args.job) do
      tasks[i] = gptimage2.spawn(fetch, client, id, place, results)
    end
    for _, one in ipairs(tasks) do
      one:wait()
    end
  end)
  return interrupted or show(args.job, results, out, args)
end

return wait
