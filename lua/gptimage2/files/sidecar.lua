--- Sidecars: the text beside the images of a job, which says what they are.

local check = require("gptimage2.check")
local contents = require("gptimage2.files.contents")
local core = require("gptimage2.core")
local json = require("gptimage2.files.json")
local REQUEST = require("gptimage2.request.request").FIELDS

local sidecar = {}

local MAX = 1024 * 1024 -- bytes; ours are smaller by far

local RESULT = { "file", "format", "image_url", "seed", "final_prompt" }

--- A line of a sidecar, in the order in which they are added.
local function add_line(pieces, key, value)
  if value ~= nil then
    pieces[#pieces + 1] = (pieces[1] and ",\n  %s: " or "{\n  %s: "):format(json.encode(key))
    pieces[#pieces + 1] = value
  end
end

--- Fields of the user's, of which there may be thousands.
local function add_map(pieces, key, map)
  local parts = core.encode_map(map)
  add_line(pieces, key, parts and "" or json.object(map))
  for i = 1, parts and #parts or 0 do
    pieces[#pieces + 1] = parts[i]
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
---@param job gptimage2.Job
---@param paths string[]
---@return string[]
function sidecar.pieces(job, paths)
  local pieces = {}
  local request = job.request
  add_line(pieces, "id", json.encode(job.id))
  add_line(pieces, "created_at", json.encode(iso_time(job.created_at)))
  add_line(pieces, "elapsed", check.number(job.elapsed, "%.3f"))
  add_line(pieces, "cost", json.encode(job.cost))
  add_line(pieces, "ratio", request and request.ratio and json.encode(request.ratio))
  add_line(pieces, "count", json.encode(request and request.count or #job.results))
  add_line(pieces, "idempotency_key", job.idempotency_key and json.encode(job.idempotency_key))
  add_line(pieces, "tenant", job.tenant and json.encode(job.tenant))
  add_line(pieces, "request", request and json.object(request, REQUEST))
  local metadata = job.metadata
  if metadata then
    add_map(pieces, "metadata", metadata)
  end
  add_images(pieces, job, paths)
  pieces[#pieces + 1] = "\n}\n"
  return pieces
end

--- The names of the files that a sidecar of this job has; nil where there is none of it.
---@param path string
---@param id string
---@return table<string, true>|nil
function sidecar.files(path, id)
  local text = core.disk.look(path) == "file" and contents.read(path, MAX)
  local fields = text and core.decode(text)
  if type(fields) ~= "table" or fields.id ~= id or type(fields.results) ~= "table" then
    return nil
  end
  local found = {}
  for _, result in ipairs(fields.results) do
    if type(result) == "table" and type(result.file) == "string" then
      found[result.file] = true
    end
  end
  return found
end

return sidecar
