--- Fetching one image of a job, to a file or into memory.
---
--- The engine downloads. Image URLs may expire: where a host says that there is nothing (any more),
--- the job is polled once, quietly, for a new URL. What is begun here goes on by `fetch.advance`,
--- which may be broken off and called again anywhere: see resume.lua.

local core = require("gptimage2.core")
local resume = require("gptimage2.files.resume")
local waiters = require("gptimage2.waiting.waiters")

local fetch = {}

local methods = {}
local mt = { __index = methods, __name = "gptimage2.Fetch" }

--- Seconds after the job's end in which a host may not have its image yet.
local FRESH = 30

--- Answers of image hosts that a new URL may help against.
local EXPIRED = { [400] = true, [401] = true, [403] = true, [404] = true, [410] = true }

--- What the images of one call share: the job is polled at most once for all of them.
---@param job gptimage2.Job
---@return table renewal
function fetch.renewal(job)
  return { job = job, poll = nil, ended = false, why = nil }
end

--- What the poll brought: new URLs, or why there are none.
local function take(renewal, poll)
  local results = renewal.job.results
  for n, result in ipairs(poll.status == "succeeded" and poll.results or {}) do
    if results[n] then
      results[n].image_url = result.image_url
    end
  end
  renewal.why = poll.error
  renewal.ended = true
end

--- Whether the job was polled; `go_on` is called when it will be.
local function is_renewed(renewal, go_on)
  if renewal.ended then
    return true
  end
  local poll, err = renewal.poll, nil
  if not poll then
    local job = renewal.job
    local opts = { id = job.id, quiet = true, holder = renewal, key = "poll" }
    poll, err = core.submit(job.client, "poll", opts)
  end
  if not poll then
    renewal.why = err
    renewal.ended = true
  elseif poll:done() then
    take(renewal, poll)
  else
    waiters.on_done(poll, go_on)
  end
  return renewal.ended
end

--- Whether the host may only not have its image yet.
local function is_on_its_way(self, err)
  return self.fresh and (err.status == 403 or err.status == 404)
end

--- The error of a fetch after the poll, with what was done.
local function explained(self, err)
  local why = self.renewal.why
  local said = "; the service was asked for a new URL, and gave the same"
  if self.renewed then
    said = "; that is a new URL, for the service was asked once more"
  elseif why then
    said = "; the service gave no new URL: " .. why.message
  end
  local whole = {}
  for field, value in pairs(err) do
    whole[field] = value
  end
  whole.message = err.message .. said
  whole.retryable = err.retryable or is_on_its_way(self, err) or why ~= nil and why.retryable
  return core.error(whole)
end

local function url_of(self)
  return self.job.results[self.n].image_url
end

local function finish(self, value, err)
  self.value, self.err = value, err
  self.ended = true
  return true
end

--- The download, which is begun unless it was.
local function download_of(self)
  local key = self.renewed and "second" or "first"
  if self[key] then
    return self[key]
  end
  local job = self.job
  self.fresh = core.wall() - (job.created_at + job.elapsed) < FRESH
  self.url = url_of(self)
  return core.download(
    job.client,
    self.url,
    self.place,
    self.overwrite,
    self.seconds,
    self.fresh,
    self.place and job.idempotency_key, -- the ledger is told of files
    self.n,
    self,
    key
  )
end

--- Goes on as far as that is possible now; `go_on` is called when there is more to do.
---@param self table of `fetch.new`
---@param go_on function
---@return boolean ended
function fetch.advance(self, go_on)
  if self.ended then
    return true
  end
  local download, err = download_of(self)
  if not download then
    return finish(self, nil, err)
  elseif not download:done() then
    waiters.on_done(download, go_on)
    return false
  end
  local value
  value, err = download:result()
  if value then
    self.job.results[self.n].format = download:format()
    return finish(self, value)
  elseif not EXPIRED[err.status or 0] then
    return finish(self, nil, err)
  elseif self.renewed then
    return finish(self, nil, explained(self, err))
  elseif not is_renewed(self.renewal, go_on) then
    return false
  elseif url_of(self) == self.url then
    return finish(self, nil, explained(self, err))
  end
  self.renewed = true -- once more, under the new URL
  return fetch.advance(self, go_on)
end

--- Whether it has a value or an error.
function methods:done()
  return self.ended
end

--- A fetch of image `n` of a job that has succeeded, which `fetch.advance` begins. Once it has
--- ended it has its `value`, or its `err`. The result's `format` is set.
---@param job gptimage2.Job
---@param n integer
---@param how { place: string?, overwrite: boolean?, seconds: number } place: nil for memory
---@param renewal table of `fetch.renewal`
---@return table
function fetch.new(job, n, how, renewal)
  return setmetatable({
    job = job,
    n = n,
    place = how.place,
    overwrite = how.overwrite,
    seconds = how.seconds,
    renewal = renewal,
    renewed = false,
    ended = false,
  }, mt)
end

local function advance_alone(self)
  if fetch.advance(self, self.go_on) then
    waiters.finished(self)
  end
end

local function give_up(self, raised)
  finish(self, nil, resume.failure(self.job, raised))
  waiters.finished(self)
end

--- Fetches image `n` into memory, by itself.
---@param job gptimage2.Job
---@param n integer
---@param seconds number
---@return table fetch
function fetch.start(job, n, seconds)
  local self = fetch.new(job, n, { seconds = seconds }, fetch.renewal(job))
  self.go_on = resume.new(self, advance_alone, give_up)
  self.go_on()
  return self
end

return fetch
