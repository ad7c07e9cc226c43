--- Ledgers as processes leave them that die, and what the service has by then.
---
--- Use with `after_each(support.clean)` and, after it, `after_each(folder.clean)`.

local book = require("spec.helpers.book")
local support = require("spec.support")

local remains = {}

local CUP = { prompt = "a cup" }

--- How many creates the sandbox has got.
---@param box table
---@return integer
function remains.posts(box)
  return box:ledger().requests.create
end

--- Until the service has that many jobs, whose time begins then: a request is counted before.
---@param box table
---@param count integer
function remains.made(box, count)
  support.step_until(function()
    return #box:ledger().jobs >= count
  end)
end

--- Until the service's answers to the creates have come: a client that is closed before that has
--- nothing to take up yet, but an answer to wait for.
---@param ... gptimage2.Job
function remains.accepted(...)
  for _, job in ipairs({ ... }) do
    support.step_until(function()
      return job.id
    end)
  end
end

--- The ledger of a process that died before its job could be sent, the key, and the port to which
--- it should have gone.
---@param request? table
---@param options? table
---@return string path
---@return string key
---@return integer port
function remains.intent(request, options)
  local url, port = support.nowhere()
  local path, copy = book.path(), nil
  local client = support.client({ url = url, api_key = support.KEY }, {
    ledger = path,
    on_event = function(event)
      if event.type == "retry" then
        copy = copy or book.crash(path)
      end
    end,
  })
  local job = assert(client:submit(request or CUP, options))
  support.step_until(function()
    return copy
  end)
  client:close()
  assert(book.row(copy).state == "intent")
  return copy, job.idempotency_key, port
end

--- The ledger of a process that died while its create was out, and the key. The service has made
--- the job.
---@param image? string names a reference image
---@return string path
---@return table sandbox
---@return string key
function remains.sent(image)
  local client, box, path = book.pair()
  box:fault({ on = "create", action = "hang", work = true })
  local request = { prompt = "a cup", image_urls = image and { box:reference(image) } }
  local job = assert(client:submit(request))
  support.step_until(function()
    return #box:ledger().jobs == 1
  end)
  local copy = book.crash(path)
  assert(book.row(copy).state == "sent")
  return copy, box, job.idempotency_key
end

--- The ledger of a process that died when its create was answered, before the host had read it.
---@return string path
---@return table sandbox
---@return gptimage2.Job job
function remains.answered()
  local path, copy = book.path(), nil
  local client, box = book.pair({
    ledger = path,
    on_event = function(event)
      if event.type == "created" then
        copy = copy or book.crash(path)
      end
    end,
  }, { duration = 1000 })
  local job = assert(client:submit(CUP))
  support.step_until(function()
    return copy
  end)
  -- It was version 0.1: that wrote the id once the host had read it, and no attempt.
  book.query(copy, "UPDATE jobs SET job_id = NULL, attempt_id = NULL")
  return copy, box, job
end

return remains
