--- Fetching one image of a job, to a file or into memory.
---
--- The engine downloads. Image URLs may expire: where a host says that there is nothing (any more),
--- the job is polled once, quietly, for a new URL. It runs on callbacks, as saving does.

local core = require("gptimage2.core")
local wait = require("gptimage2.wait")

local fetch = {}

--- Seconds after the job's end in which a host may not have its image yet.
local FRESH = 30

--- Answers of image hosts that a new URL may help against.
local EXPIRED = { [400] = true, [401] = true, [403] = true, [404] = true, [410] = true }

--- What the images of one call share: the job is polled at most once for all of them.
---@param job gptimage2.Job
---@return table renewal
function fetch.renewal(job)
  return { job = job, waiting = {}, asked = false, ended = false, why = nil }
end

--- What the poll brought: new URLs, or why there are none.
local function take(renewal, poll)
  local results = renewal.job.results
  for n, result in ipairs(poll.status == "succeeded" and poll.results or {}) do
    if results[n] then
      results[n].image_url = result.image_url
    end
  end
  renewal.why = poll.error and poll.error.message
end

local function end_renewal(renewal, poll)
  renewal.ended = true
  if poll then
    take(renewal, poll)
  end
  local waiting = renewal.waiting
  renewal.waiting = {}
  for _, go_on in ipairs(waiting) do
    go_on()
  end
end

--- Calls `go_on` once the job was polled: in a later step, or now.
local function renew(renewal, go_on)
  if renewal.ended then
    return go_on()
  end
  renewal.waiting[#renewal.waiting + 1] = go_on
  if renewal.asked then
    return
  end
  renewal.asked = true
  local job = renewal.job
  local poll, err = core.submit(job.client, "poll", { id = job.id, quiet = true })
  if not poll then
    renewal.why = err.message
    return end_renewal(renewal)
  end
  wait.on_done(poll, function()
    end_renewal(renewal, poll)
  end)
end

--- The error of a fetch after the poll, with what was done.
local function explained(self, err)
  if self.renewed then
    err.message = err.message .. "; that is a new URL, for the service was asked once more"
  elseif self.renewal.why then
    err.message = err.message .. "; the service gave no new URL: " .. self.renewal.why
  else
    err.message = err.message .. "; the service was asked for a new URL, and gave the same"
  end
  return err
end

local function url_of(self)
  return self.job.results[self.n].image_url
end

local begin

--- The download has failed: once more under a new URL, if there is one.
local function try_renewed(self, err)
  if url_of(self) == self.url then
    return self.on_end(nil, explained(self, err))
  end
  self.renewed = true
  local started, failed = begin(self)
  if not started then
    self.on_end(nil, failed)
  end
end

local function conclude(self, download)
  local value, err = download:result()
  if value then
    self.job.results[self.n].format = download:format()
    return self.on_end(value)
  elseif not EXPIRED[err.status or 0] then
    return self.on_end(nil, err)
  elseif self.renewed then
    return self.on_end(nil, explained(self, err))
  end
  renew(self.renewal, function()
    try_renewed(self, err)
  end)
end

function begin(self)
  local job = self.job
  local fresh = core.wall() - (job.created_at + job.elapsed) < FRESH
  self.url = url_of(self)
  local download, err =
    core.download(job.client, self.url, self.place, self.overwrite, self.seconds, fresh)
  if not download then
    return nil, err
  end
  wait.on_done(download, function()
    conclude(self, download)
  end)
  return true
end

--- Starts to fetch image `n` of a job that has succeeded. `on_end(value)` or `on_end(nil, err)` is
--- called once, in a later step; not if it cannot be started. The result's `format` is set.
---@param job gptimage2.Job
---@param n integer
---@param how { place: string?, overwrite: boolean?, seconds: number } place: nil for memory
---@param renewal table of `fetch.renewal`
---@param on_end function
---@return true|nil
---@return gptimage2.Error|nil err
function fetch.start(job, n, how, renewal, on_end)
  return begin({
    job = job,
    n = n,
    place = how.place,
    overwrite = how.overwrite,
    seconds = how.seconds,
    renewal = renewal,
    renewed = false,
    on_end = on_end,
  })
end

return fetch
