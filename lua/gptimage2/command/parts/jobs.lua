--- Jobs under way for one command: progress, the end by Ctrl-C, and what came of them.

local codes = require("gptimage2.command.parts.codes")
local gptimage2 = require("gptimage2")
local loop = require("gptimage2.command.parts.loop")
local preview = require("gptimage2.command.parts.preview")
local progress = require("gptimage2.command.parts.progress")
local screen = require("gptimage2.command.parts.screen")
local service = require("gptimage2.command.parts.service")
local text = require("gptimage2.command.parts.text")
local watch = require("gptimage2.command.parts.watch")

local jobs = {}

---@class gptimage2.command.Jobs
---@field client gptimage2.Client
---@field out gptimage2.command.Output
local Jobs = {}
Jobs.__index = Jobs

--- The options that all have which wait for jobs and save their pictures.
---@param command table of argparse
function jobs.define(command)
  command
    :option("-o --output", "A folder, or a name with {id}, {n}, {seed}, {ext}, {date} (.).")
    :argname("<place>")
  command:flag("--overwrite", "Replace files that are there.")
  command:flag("--preview", "Show the pictures in the terminal, where that can be.")
end

--- The ledger that these commands use: none, unless one is named.
---@param command table of argparse
function jobs.define_ledger(command)
  command
    :option("--ledger", "A ledger that remembers every paid job (GPTIMAGE2_LEDGER).")
    :argname("<file>")
end

--- The ledger that is named; nil where none is.
---@param args table
---@return string|nil
function jobs.named_ledger(args)
  local ledger = args.ledger or os.getenv("GPTIMAGE2_LEDGER") or ""
  return ledger ~= "" and ledger or nil
end

--- A client for such a command; nil and the error.
---@param args table
---@param ledger? string default the one that is named
---@return gptimage2.Client|nil
---@return table|nil err
function jobs.client(args, ledger)
  local read, err = service.options(args)
  if not read then
    return nil, err
  end
  ledger = ledger or jobs.named_ledger(args)
  return service.client(read, { ledger = ledger, retry = args.retry, budget = args.budget })
end

--- Where the pictures go, as `save` has it.
---@param args table
---@return table
function jobs.place(args)
  return { args.output or ".", overwrite = args.overwrite }
end

--- What is drawn while it goes on.
function Jobs:state()
  local state = watch.state(self.client, self.began)
  state.remaining = progress.remaining(state, #state.jobs, nil)
  return state
end

--- Nothing more begins: what waits here for its turn is not sent.
function Jobs:interrupt()
  self.stopping = true
  self.out:note("ending: what is under way is finished; once more ends at once")
  gptimage2.step()
  for _, job in ipairs(self.client:jobs()) do
    if job.status == "queued" then
      job:cancel()
    end
  end
end

--- True: it is interrupted, creates are answered and files are written.
function Jobs:tick()
  if self.out.screen then
    self.out.screen:draw(function()
      return self:state()
    end)
  end
  if not self.stopping then
    return false
  end
  local list = self.client:jobs()
  for _, job in ipairs(list) do
    if job.status == "creating" or job.status == "queued" then
      return false
    end
  end
  return list[1] ~= nil and gptimage2.pending() <= #list -- without any it comes to its own end
end

--- What goes on at the service without us.
function Jobs:show_in_flight()
  for _, job in ipairs(self.client:jobs()) do
    if job.id then
      local id = text.clean(job.id)
      self.out:line(("in flight: job %s; gptimage2 wait %s fetches it"):format(id, id))
      self.out:object({ type = "in_flight", job = job.id })
    end
  end
end

--- Runs `body` as a task, with progress; gives what it gives, or nil and the exit code where it was
--- interrupted.
---@param client gptimage2.Client
---@param out gptimage2.command.Output
---@param body fun(): any
---@return any
---@return any
function jobs.run(client, out, body)
  local self = setmetatable({ client = client, out = out, began = gptimage2.now() }, Jobs)
  out.screen = screen.new()
  local result, err = loop.run(body, self)
  if out.screen then
    out.screen:clear()
    out.screen = nil
  end
  if self.stopping then
    self:show_in_flight()
    out:object({ type = "interrupted", exit = codes.interrupted })
    return result, err, codes.interrupted
  end
  return result, err
end

--- The files of a job, one each.
local function show_files(job, out, args)
  for i, path in ipairs(job.files or {}) do
    local result = job.results[i] or {}
    out:line("saved: " .. text.clean(path))
    out:object({
      type = "picture",
      path = path,
      job = job.id,
      n = i,
      seed = result.seed,
      final_prompt = result.final_prompt,
    })
    if args.preview then
      preview.show(path, out)
    end
  end
end

--- Tells an error; gives its exit code. What is paid and is not here can be had by its id: without
--- a ledger nobody else knows that.
---@param err table
---@param out gptimage2.command.Output
---@param id string|nil of the job, where that has made its pictures
---@return integer status
function jobs.fail(err, out, id)
  local status = out:fail(err, { job = id })
  id = id or err.charged == "yes" and err.job_id or nil
  if id then
    id = text.clean(id)
    out:note(("job %s is paid: gptimage2 wait %s fetches its pictures"):format(id, id))
  end
  return status
end

--- Tells what came of a job; gives the exit code.
---@param job gptimage2.Job
---@param out gptimage2.command.Output
---@param args table
---@return integer status
function jobs.show(job, out, args)
  show_files(job, out, args)
  local err = job.save_error or job.error
  local status = err and jobs.fail(err, out, job.save_error and job.id) or codes.done
  local left = job.balance and job.balance.paid_credits
  out:object({
    type = "job",
    job = job.id,
    status = job.status,
    cost = job.cost,
    credits_left = left,
    exit = status,
  })
  return status
end

return jobs
