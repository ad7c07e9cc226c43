--- The event that the Lua side tells; the core tells the others in the same form.

local core = require("gptimage2.core")

local events = {}

--- Calls the on_event of the job's client, where there is one, unless `teller` has told this
--- before. Inside a step only.
---@param teller table
---@param job gptimage2.Job
---@param kind string the event's type
---@param paths? string[] for "saved"
function events.tell(teller, job, kind, paths)
  local handler = core.handler(job)
  if handler then
    core.once(teller, "told_" .. kind, handler, {
      type = kind,
      job = job,
      id = job.id,
      time = core.wall(),
      status = job.status,
      error = job.error,
      balance = job.balance,
      metadata = job.metadata,
      paths = paths,
    })
  end
end

return events
