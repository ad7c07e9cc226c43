--- Saving: all images of a job to files, and a sidecar that says what they are.
---
--- The engine downloads and writes; this file only says what goes where, and puts the ends
--- together. It runs on callbacks, so that it needs no coroutine of its own.

local check = require("gptimage2.check")
local core = require("gptimage2.core")
local events = require("gptimage2.events")
local fetch = require("gptimage2.fetch")
local json = require("gptimage2.json")
local naming = require("gptimage2.naming")
local REQUEST = require("gptimage2.request").FIELDS
local wait = require("gptimage2.wait")

local save = {}

local methods = {}
local mt = { __index = methods, __name = "gptimage2.Save" }

--- Job -> what this process has saved of it: image (0 is the sidecar) -> a list of what was
--- planned, the path it got, and which file it is. A save that is repeated leaves alone what is
--- there.
local written = core.kept.written or setmetatable({}, { __mode = "k" })
core.kept.written = written

local function recall(job, n)
  return written[job] and written[job][n] or {}
end

local function remember(job, n, place, path)
  local list = recall(job, n)
  written[job] = written[job] or {}
  written[job][n] = list
  for i = #list, 1, -1 do
    if list[i].place == place then
      table.remove(list, i)
    end
  end
  list[#list + 1] = { place = place, path = path, id = core.file_id(path) }
end

--- Whether the file at `path` is one that was saved as `n`, as it was then: folders have many
--- names, and a number of a file that is gone may be another's.
local function is_own(job, n, path)
  local id = core.file_id(path)
  for _, saved in ipairs(id and recall(job, n) or {}) do
    if saved.id == id then
      return true
    end
  end
  return false
end

local function is_there(path)
  local file = io.open(path, "rb")
  return file ~= nil and file:close()
end

--- The path that the engine gives an image of this kind.
local function with_kind(place, format)
  local folder = place:match("^.*/") or ""
  return folder .. place:sub(#folder + 1):gsub("{ext}", format)
end

--- The path of image `n` if it was saved there before, and still is.
local function saved_before(job, n, place)
  for _, saved in ipairs(recall(job, n)) do
    if saved.place == place and is_there(saved.path) then
      return saved.path
    end
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

--- The paths as they were asked for, while that leads to them.
local function as_asked(self, paths)
  if self.base == "" or core.here() ~= self.base then
    return paths
  end
  local short = {}
  for i, path in ipairs(paths) do
    short[i] = path:sub(#self.base + 1)
  end
  return short
end

--- Made now: then there may be no memory to make it.
save.NO_MEMORY = core.error({
  kind = "io",
  code = "out_of_memory",
  message = "this program had no memory left while it saved; the images may be there",
})

--- Whether all files are there, or the saving has failed.
function methods:done()
  return self.ended
end

--- The paths, or nil and the error.
function methods:result()
  if self.err then
    return nil, self.err
  end
  return self.paths
end

local RESULT = { "file", "format", "image_url", "seed", "final_prompt" }

--- A line of a sidecar, in the order in which they are added.
local function add_line(pieces, key, value)
  if value ~= nil then
    pieces[#pieces + 1] = (pieces[1] and ",\n  %s: " or "{\n  %s: "):format(json.encode(key))
    pieces[#pieces + 1] = value
  end
end

--- A file's name as JSON can hold it: names are bytes, and need not be UTF-8. Those that are not
--- have their bytes beyond ASCII written out.
local function readable(name)
  if not check.utf8_error(name) then
    return name
  end
  return (name:gsub("[\128-\255]", function(c)
    return ("\\x%02X"):format(c:byte())
  end))
end

--- The images, each on a line of its own.
local function add_images(pieces, job, paths)
  add_line(pieces, "results", "[\n    ")
  for i, result in ipairs(job.results) do
    pieces[#pieces + 1] = i > 1 and ",\n    " or ""
    pieces[#pieces + 1] = json.object({
      file = readable(paths[i]:match("[^/]*$")),
      format = result.format,
      image_url = result.image_url,
      seed = result.seed,
      final_prompt = result.final_prompt,
    }, RESULT)
  end
  pieces[#pieces + 1] = "\n  ]"
end

local function iso_time(seconds)
  return os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds))
end

--- What the sidecar says: enough to know, years later, what was asked, paid and received. In
--- pieces, for all of it together would be one large allocation inside of somebody's frame.
local function sidecar_pieces(job, paths)
  local pieces = {}
  local request = job.request
  add_line(pieces, "id", json.encode(job.id))
  add_line(pieces, "created_at", json.encode(iso_time(job.created_at)))
  add_line(pieces, "elapsed", check.number(job.elapsed, "%.3f"))
  add_line(pieces, "cost", json.encode(job.cost))
  add_line(pieces, "ratio", request and request.ratio and json.encode(request.ratio))
  add_line(pieces, "count", json.encode(request and request.count or #job.results))
  add_line(pieces, "idempotency_key", job.idempotency_key and json.encode(job.idempotency_key))
  add_line(pieces, "request", request and json.object(request, REQUEST))
  local metadata = job.metadata
  add_line(pieces, "metadata", metadata and json.object(metadata))
  add_images(pieces, job, paths)
  pieces[#pieces + 1] = "\n}\n"
  return pieces
end

--- The paths know what kind of images lie there, whatever their names say: `paths.formats`. Beside
--- the list, so that it stays one of texts alone.
local function with_formats(self)
  local formats = {}
  for i, result in ipairs(self.job.results) do
    formats[i] = result.format
  end
  return setmetatable(self.paths, { __index = { formats = formats } })
end

--- The ledger learns where the pictures are.
local function record_files(self)
  local key = self.job.idempotency_key
  if not (key and self.recorded) then
    return
  end
  for n, path in ipairs(self.paths) do
    core.note(self.job.client, key, { n = n, path = path })
  end
end

local function finish(self, err)
  if err then
    core.about(self.job, err).paths = as_asked(self, self.saved)
    self.err = err
  end
  self.ended = true
  if not err then
    record_files(self)
    self.paths = as_asked(self, self.paths)
    with_formats(self)
  end
  core.saved(self.job, not err and self.paths or nil, err)
  wait.finished(self)
  self.told = true
  if not err then
    events.tell(self.job, "saved", self.paths)
  end
end

--- Does a part of the saving that a step calls. Whatever happens there, the saving ends.
local function guard(self, part, ...)
  local ok, raised = pcall(part, self, ...)
  if ok then
    return
  end
  if not self.told then
    self.err = self.err or save.NO_MEMORY
    self.ended = true
    core.saved(self.job, nil, self.err)
    wait.finished(self)
    self.told = true
  end
  error(raised, 0)
end

local function after_sidecar(self, writing)
  local ok, failed = writing:result()
  if ok then
    remember(self.job, 0, self.sidecar, self.sidecar)
  end
  finish(self, failed)
end

local function write_sidecar(self)
  local pieces = sidecar_pieces(self.job, self.paths)
  local own = is_own(self.job, 0, self.sidecar)
  local writing, err = core.write(self.sidecar, pieces, self.overwrite or own)
  if not writing then
    return finish(self, err)
  end
  wait.on_done(writing, function()
    if not self.ended then
      guard(self, after_sidecar, writing)
    end
  end)
end

--- The first error in the order of the images is the saving's.
local function first_error(self)
  for i = 1, #self.places do
    if self.errors[i] then
      return self.errors[i]
    end
  end
end

--- All images are there, or have failed.
local function conclude(self)
  for i = 1, #self.places do
    self.saved[#self.saved + 1] = self.paths[i]
  end
  local err = first_error(self)
  if err or not self.sidecar then
    return finish(self, err)
  end
  write_sidecar(self)
end

--- Image `i` is at `path`, or has failed. An error in the middle of a step may have it told twice,
--- which counts once.
local function arrive(self, i, path, err)
  if self.arrived[i] then
    return
  end
  self.arrived[i] = true
  self.left = self.left - 1
  self.errors[i] = err
  if path and not self.paths[i] then
    self.paths[i] = path
    remember(self.job, i, self.places[i], path)
  end
  if self.left == 0 then
    conclude(self)
  end
end

--- Starts to fetch image `i`, unless it is there from before: then the next step has it.
local function start_image(self, i)
  local job, place = self.job, self.places[i]
  local path = not self.overwrite and saved_before(job, i, place) or nil
  if path then
    self.paths[i] = path
    local rest, err = core.sleep(0)
    if not rest then
      return nil, err
    end
    wait.on_done(rest, function()
      guard(self, arrive, i, path)
    end)
    return true
  end
  local how = { place = place, overwrite = self.overwrite, seconds = self.seconds }
  return fetch.start(job, i, how, self.renewal, function(...)
    guard(self, arrive, i, ...)
  end)
end

local function seeds_of(job)
  local seeds = {}
  for i, result in ipairs(job.results) do
    seeds[i] = result.seed or ""
  end
  return seeds
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

--- Starts to save all images of a job that has succeeded.
---@param job gptimage2.Job
---@param where string a folder or a pattern
---@param options { overwrite: boolean, sidecar: boolean, base: string? } base: see `save.base`
---@param config { timeout: number, ledger: string? } the client's: seconds for each download
---@return table|nil handle with done() and result()
---@return gptimage2.Error|nil err
function save.start(job, where, options, config)
  local err = save.refusal(job)
  if err then
    return nil, err
  end
  local fields = { id = job.id, created_at = job.created_at, seeds = seeds_of(job) }
  local base = options.base or save.base(where)
  local paths, sidecar = naming.plan(where, core.is_folder(base .. where), fields, #job.results)
  if not paths then
    return nil, core.about(job, sidecar)
  end
  for i, path in ipairs(paths) do
    paths[i] = base .. path
  end
  local self = setmetatable({
    job = job,
    overwrite = options.overwrite,
    sidecar = options.sidecar and base .. sidecar or nil,
    base = base,
    places = paths,
    renewal = fetch.renewal(job),
    seconds = config.timeout,
    errors = {},
    arrived = {},
    paths = {},
    saved = {},
    left = #paths,
    recorded = config.ledger ~= nil,
    ended = false,
  }, mt)
  for i = 1, #paths do
    local started, failed = start_image(self, i)
    if not started then -- the others go on, and are told of
      self.errors[i] = failed
      self.left = self.left - 1
    end
  end
  if self.left == 0 then
    return nil, core.about(job, first_error(self))
  end
  return self
end

return save
