--- What the pipeline and the scenes share: steps that may fail, and what the host was told of them.

local host = ...

--- Times a step that raised is tried again.
local TRIES = 3

local tools = {
  PATIENCE = 6, -- seconds that one wait may take
  failed = 0, -- steps
}

--- What an error says, without a table or a new text of our own.
local function tell(err)
  host.note("told", type(err) == "table" and err.kind or "raised")
  if type(err) == "table" then
    host.note("code", err.code)
    host.note("message", err.message)
  else
    host.note("message", err)
  end
end

--- Runs a step, and again when it raised and `again` says so.
function tools.attempt(stage, step, again)
  host.stage(stage)
  for _ = 1, again and TRIES or 1 do
    local ok, result, err = pcall(step)
    if ok and result then
      return result
    end
    tools.failed = tools.failed + 1
    if not ok then
      err = result
    end
    if not pcall(tell, err) then
      host.note("told", "raised")
      host.note("message", "not enough memory to tell")
    end
    if ok then
      return nil
    end
  end
end

--- The step that lets go on what is still going on; a host that can do nothing gives up.
function tools.drain()
  local gptimage2 = package.loaded.gptimage2
  local stop = gptimage2.now() + tools.PATIENCE
  local raised = 0
  while gptimage2.pending() > 0 and gptimage2.now() < stop and raised < 20 do
    raised = pcall(gptimage2.step, 0.05) and 0 or raised + 1
  end
  if gptimage2.pending() > 0 then
    host.note(raised > 0 and "gave_up" or "hung", "pending")
  end
  return true
end

--- How the job stands, and what its error says about the money.
function tools.note_job(which, job)
  host.note(which, job.status)
  host.note(which .. "_charged", job.error and job.error.charged or "unsaid")
end

--- The end of every scenario.
function tools.finish()
  host.note("errors", tools.failed > 0 and "some" or "none")
end

return tools
