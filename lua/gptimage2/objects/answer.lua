--- A job as the service itself tells of one: the JSON of its documentation.

local check = require("gptimage2.check")
local core = require("gptimage2.core")

local answer = {}

local BALANCE = {
  { "paidCredits", "paid_credits" },
  { "freeImagesRemaining", "free_images_remaining" },
  { "totalImages", "total_images" },
  { "freeImagesPerDay", "free_images_per_day" },
}

--- What is only ours (cancelled, unknown) says nothing of the service's job: that goes on.
local STATUS = { pending = "pending", succeeded = "succeeded", failed = "failed" }

--- A flat object of texts. Not by cjson, which is gone where a Lua state is being closed.
local function object(fields)
  return table.concat(core.encode_map(fields))
end

local function text(value)
  return object({ [""] = value }):match('^{%s*"":%s*(.-)%s*}%s*$')
end

local function results_of(job)
  local list = {}
  for i, result in ipairs(job.results) do
    list[i] = object({
      imageUrl = result.image_url,
      seed = result.seed,
      finalPrompt = result.final_prompt,
    })
  end
  return "[" .. table.concat(list, ", ") .. "]"
end

local function balance_of(balance)
  local parts = {}
  for _, pair in ipairs(BALANCE) do
    local value = balance[pair[2]]
    if value then
      parts[#parts + 1] = ('"%s": %s'):format(pair[1], check.number(value, "%.14g"))
    end
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

--- The JSON; nil and an error where the service has not told of an id.
---@param job gptimage2.Job
---@return string|nil
---@return gptimage2.Error|nil err
function answer.of(job)
  if not job.id then
    local err = core.error({
      kind = "validation",
      code = "no_job_id",
      message = "the job has no id yet: the service has not told of one",
    })
    return nil, core.about(job, err)
  end
  local status = STATUS[job.status] or "running"
  local parts = { '"jobId": ' .. text(job.id), '"status": ' .. text(status) }
  if status == "succeeded" then
    parts[#parts + 1] = '"results": ' .. results_of(job)
  elseif status == "failed" then
    parts[#parts + 1] = '"error": ' .. text(job.error.code)
  end
  if job.balance then
    parts[#parts + 1] = '"balance": ' .. balance_of(job.balance)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

return answer
