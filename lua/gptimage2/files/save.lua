--- Saving: all images of a job to files, and a sidecar that says what they are.
---
--- The engine downloads and writes; this file only says what goes where, and puts the ends
--- together. It is done inside of steps, by `advance`, which may be broken off and called again
--- anywhere: see resume.lua.

local core = require("gptimage2.core")
local events = require("gptimage2.files.events")
local fetch = require("gptimage2.files.fetch")
local naming = require("gptimage2.files.naming")
local resume = require("gptimage2.files.resume")
local sidecar = require("gptimage2.files.sidecar")
local wait = require("gptimage2.waiting.wait")
local waiters = require("gptimage2.waiting.waiters")

local save = {}

local methods = {}
local mt = { __index = methods, __name = "gptimage2.Save" }

--- Job -> what this process has saved of it: image (0 is the sidecar) -> the place that was
--- planned -> the path it got, and which file it is. A save that is repeated leaves alone what is
--- there.
local written = core.kept.written or setmetatable({}, { __mode = "k" })
core.kept.written = written

--- Job -> the last of its saves that has not ended. They are done one after the other: so one finds
--- what the one before has saved, whatever the folder is called.
local under_way = core.kept.under_way or {}
core.kept.under_way = under_way

local function recall(job, n)
  return written[job] and written[job][n] or {}
end

--- In one assignment: a hook or a finalizer may save the same job in the middle of this.
local function remember(job, n, place, path)
  local saved = { path = path, id = core.file_id(path) }
  written[job] = written[job] or {}
  written[job][n] = written[job][n] or {}
  written[job][n][place] = saved
end

--- Whether the file at `path` is one that was saved as `n`, as it was then: folders have many
--- names, and a number of a file that is gone may be another's.
local function is_own(job, n, path)
  local id = core.file_id(path)
  for _, saved in pairs(id and recall(job, n) or {}) do
    if saved.id == id then
      return true
    end
  end
  return false
end

--- The path that the engine gives an image of this kind.
local function with_kind(place, format)
  local folder = place:match("^.*/") or ""
  return folder .. place:sub(#folder + 1):gsub("{ext}", format)
end

--- The path of image `n` if it was saved there before, and that file is as it was.
local function saved_before(job, n, place)
  local saved = recall(job, n)[place]
  if saved and saved.id and saved.id == core.file_id(saved.path) then
    return saved.path
  end
  local path = with_kind(place, job.results[n].format or "")
  return is_own(job, n, path) and path or nil
end

--- The folder in front of a relative place, as long as the program is in it: it may be elsewhere by
--- the time the images are there. "" where there is none, or it has no name.
---@param where string
---@return string
function save.base(where)
  return where:sub(1, 1) ~= "/" and core.here() or ""
end

--- The paths as they were asked for, while that leads to them: a new list.
local function as_asked(self, paths)
  local from = self.base ~= "" and core.here() == self.base and #self.base or 0
  local short = {}
  for i, path in ipairs(paths) do
    short[i] = path:sub(from + 1)
  end
  return short
end

--- Whether all files are there, or the saving has failed.
function methods:done()
  return self.ended
end

--- The paths, or nil and the error.
function methods:result()
  if self.err then
    return nil, self.err
  end
  return self.answer
end

--- The paths know what kind of images lie there, whatever their names say: `paths.formats`. Beside
--- the list, so that it stays one of texts alone.
local function with_formats(job, paths)
  local formats = {}
  for i, result in ipairs(job.results) do
    formats[i] = result.format
  end
  return setmetatable(paths, { __index = { formats = formats } })
end

--- Those of the images that are there, in their order.
local function paths_of(self)
  local paths = {}
  for _, image in ipairs(self.images or {}) do
    paths[#paths + 1] = image.value
  end
  return paths
end

--- What came of it is known; `err` nil: all files are there.
local function settle(self, err)
  local paths = paths_of(self)
  if err then
    core.about(self.job, err).paths = as_asked(self, paths)
    self.err = err
  else
    self.answer = with_formats(self.job, as_asked(self, paths))
  end
  self.settled = true
end

--- It has ended: the job and all that wait are told.
local function tell(self)
  local job = self.job
  if not self.ended then
    if self.settled then
      core.saved(job, self.answer, self.err)
    end
    self.ended = true
  end
  if under_way[job] == self then
    under_way[job] = nil
  end
  waiters.finished(self)
  if self.answer then
    events.tell(self, job, "saved", self.answer)
  end
  self.over = true
end

--- Where each image goes, as it is known once the job has succeeded: true, or nil and the error.
local function plan(self)
  if self.places then
    return true
  end
  local job, seeds = self.job, {}
  for i, result in ipairs(job.results) do
    seeds[i] = result.seed or ""
  end
  local fields = { id = job.id, created_at = job.created_at, seeds = seeds }
  local is_dir = core.is_folder(self.base .. self.where)
  local places, beside = naming.plan(self.where, is_dir, fields, #job.results)
  if not places then
    return nil, beside
  end
  for i, place in ipairs(places) do
    places[i] = self.base .. place
  end
  self.beside = self.wants_sidecar and self.base .. beside or nil
  self.places = places
  return true
end

--- The images: those that are there from before have their value already.
local function images_of(self)
  local job, images = self.job, {}
  local renewal = fetch.renewal(job)
  for i, place in ipairs(self.places) do
    local how = { place = place, overwrite = self.overwrite, seconds = self.config.timeout }
    local image = fetch.new(job, i, how, renewal)
    image.value = not self.overwrite and saved_before(job, i, place) or nil
    image.ended = image.value ~= nil
    images[i] = image
  end
  return images
end

--- Whether all images are there, or have failed. One that cannot be started leaves the others to
--- their end.
local function are_fetched(self)
  local all = true
  for i, image in ipairs(self.images) do
    if not fetch.advance(image, self.go_on) then
      all = false
    elseif image.value and not image.noted then
      remember(self.job, i, self.places[i], image.value)
      image.noted = true
    end
  end
  return all
end

--- The first error in the order of the images is the saving's.
local function first_error(self)
  for _, image in ipairs(self.images) do
    if image.err then
      return image.err
    end
  end
end

--- The sidecar, which is begun unless it was.
local function writing_of(self)
  if self.writing then
    return self.writing
  end
  local pieces = sidecar.pieces(self.job, paths_of(self))
  local own = is_own(self.job, 0, self.beside)
    or self.renew == true and sidecar.files(self.beside, self.job.id) ~= nil
  return core.write(self.beside, pieces, self.overwrite or own, self, "writing")
end

--- Whether the sidecar is there, or has failed; and why that.
local function is_described(self)
  local writing, err = writing_of(self)
  if not writing then
    return true, err
  elseif not writing:done() then
    waiters.on_done(writing, self.go_on)
    return false
  end
  local ok
  ok, err = writing:result()
  if ok then
    remember(self.job, 0, self.beside, self.beside)
  end
  return true, err
end

--- Does what can be done now, until it is settled.
local function work(self)
  local ok, err = plan(self)
  if not ok then
    return settle(self, err)
  end
  self.images = self.images or images_of(self)
  if not are_fetched(self) then
    return
  end
  err = first_error(self)
  local described = true
  if not err and self.beside then
    described, err = is_described(self)
  end
  if described then
    settle(self, err)
  end
end

local function advance(self)
  local job, before = self.job, self.before
  if self.over then
    return
  elseif not job:done() then
    return waiters.on_done(job, self.go_on)
  elseif before and not before:done() then
    return waiters.on_done(before, self.go_on)
  end
  self.before = nil
  if job.status ~= "succeeded" then
    return tell(self)
  end
  if not self.settled then
    work(self)
  end
  if self.settled then
    tell(self)
  end
end

local function give_up(self, raised)
  if not self.settled then
    self.err = resume.failure(self.job, raised)
    self.settled = true
  end
  tell(self)
end

--- Can images of this job be saved at all?
---@param job gptimage2.Job
---@return gptimage2.Error|nil err
function save.refusal(job)
  if job.status == "succeeded" then
    return nil
  end
  local err = core.error({
    kind = "validation",
    code = "not_succeeded",
    message = "the job has no images to save: its status is " .. job.status,
  })
  return core.about(job, err)
end

--- A save of all images of a job, which begins with `save.tie` or `save.start`.
---@param where string a folder or a pattern
---@param options { overwrite: boolean, sidecar: boolean, renew: boolean?, base: string? } renew: a
--- sidecar of this job is replaced, whatever files it names; base: see `save.base`
---@param config { timeout: number } the client's: seconds for each download
---@return table handle with done() and result()
function save.new(where, options, config)
  local self = setmetatable({
    where = where,
    overwrite = options.overwrite,
    wants_sidecar = options.sidecar,
    renew = options.renew,
    base = options.base or save.base(where),
    config = config,
    ended = false,
  }, mt)
  self.go_on = resume.new(self, advance, give_up)
  return self
end

--- The job that is made of these options is saved as soon as it has succeeded: the core remembers
--- that before the engine has the job.
---@param self table of `save.new`
---@param opts table of `core.submit`
function save.tie(self, opts)
  opts.by_job = waiters.at_end(self.go_on)
  opts.by_job[under_way] = self
  opts.holder, opts.key = self, "job"
end

--- Those before it go on by themselves; but for one that this very call comes in the middle of (in
--- a hook, in a finalizer), which cannot before it has returned. So they are called once more.
local function push_on(self)
  local before = self.before
  while before do
    core.later(before.go_on, true)
    before = before.before
  end
end

--- Starts to save all images of a job that has succeeded: the next step begins, unless there are
--- saves of the job before it.
---@param job gptimage2.Job
---@param where string
---@param options table see `save.new`
---@param config table see `save.new`
---@return table|nil handle with done() and result()
---@return gptimage2.Error|nil err
function save.start(job, where, options, config)
  local err = save.refusal(job)
  if err then
    return nil, err
  end
  local self = save.new(where, options, config)
  self.job = job
  local ok
  ok, err = plan(self)
  if not ok then
    return nil, core.about(job, err)
  end
  core.line_up(under_way, job, self, self.go_on)
  if wait.blocks() then
    push_on(self)
  end
  return self
end

return save
