--- A job as the service itself tells of one: the JSON of its documentation.

local core = require("gptimage2.core")
local json = require("gptimage2.files.json")

local answer = {}

local RESULT = { "imageUrl", "seed", "finalPrompt" }
local BALANCE = {
  { "paidCredits", "paid_credits" },
  { "freeImagesRemaining", "free_images_remaining" },
  { "totalImages", "total_images" },
  { "freeImagesPerDay", "free_images_per_day" },
}

--- What is only ours (cancelled, unknown) says nothing of the service's job: that goes on.
local STATUS = { pending = "pending", succeeded = "succeeded", failed = "failed" }

local function results_of(job)
  local list = {}
  for i, result in ipairs(job.results) do
    list[i] = json.object({
      imageUrl = result.image_url,
      seed = result.seed,
      finalPrompt = result.final_prompt,
    }, RESULT)
  end
  return "[" .. table.concat(list, ", ") .. "]"
end

local function balance_of(balance)
  local fields, names = {}, {}
  for i, pair in ipairs(BALANCE) do
    names[i] = pair[1]
    fields[pair[1]] = balance[pair[2]]
  end
  return json.object(fields, names)
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
  local parts = { '"jobId": ' .. json.encode(job.id), '"status": ' .. json.encode(status) }
  if status == "succeeded" then
    parts[#parts + 1] = '"results": ' .. results_of(job)
  elseif status == "failed" then
    parts[#parts + 1] = '"error": ' .. json.encode(job.error.code)
  end
  if job.balance then
    parts[#parts + 1] = '"balance": ' .. balance_of(job.balance)
  end
  return "{ " .. table.concat(parts, ", ") .. " }"
end

return answer
