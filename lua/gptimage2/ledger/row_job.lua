--- The job of a row: whose it is, what was asked, and what the core is to know of it to go on.

local core = require("gptimage2.core")

local row_job = {}

local WIRE = { imageUrls = "image_urls" }

--- The list, if it is one of strings: the core counts on it.
local function strings(list)
  for _, value in ipairs(type(list) == "table" and list or { 0 }) do
    if type(value) ~= "string" then
      return nil
    end
  end
  return list
end

--- The request as it was before it was encoded. Anybody may have written to the file: of a row
--- without its request there is what the other columns say.
---@param row table
---@return table
function row_job.request(row)
  local request = { mode = row.mode, prompt = row.prompt, ratio = row.ratio }
  for name, value in pairs(row.body and core.decode(row.body) or {}) do
    request[WIRE[name] or name] = value
  end
  request.image_urls = strings(request.image_urls)
  request.count = row.count
  return request
end

--- The metadata that the program gave the job.
---@param row table
---@return table<string, string>|nil
function row_job.metadata(row)
  return row.metadata and core.decode(row.metadata) or nil
end

--- Whether a row is of the client's service, however both spell its URL.
---@param row table
---@param config { base_url: string } the client's
---@return boolean
function row_job.is_of_service(row, config)
  return core.service(row.base_url) == core.service(config.base_url)
end

--- Whether a row is of the client's account. One that version 0.1 wrote tells none, and is: that
--- version knew one account only, and nobody else would take up what it left.
---@param row table
---@param config { account: string } the client's
---@param any_key? boolean other accounts' rows as well
---@return boolean
function row_job.is_own(row, config, any_key)
  return any_key or row.account == nil or row.account == config.account
end

--- The id the service gave. Version 0.1 wrote it after the raw answer, which may be all there is:
--- of one that was cut off the beginning is enough; one that is broken is not trusted, nor one that
--- was no success. Who sends a row today writes its attempt, and the id with the answer: an answer
--- without one tells nothing then. The id that an earlier create was given stays until another is.
---@param row table
---@return string|nil
function row_job.id(row)
  if row.job_id or row.attempt_id then
    return row.job_id
  end
  if row.state ~= "accepted" and (row.http_status < 200 or row.http_status > 299) then
    return nil
  end
  local reply = row.answer and core.decode_reply(row.answer) or {}
  return reply.id
end

--- What the core is to know of a recorded job. `config`: of the client that takes it up.
---@param row table
---@param config? table
---@return table
function row_job.options(row, config)
  local another = config and row.account ~= config.account
  return {
    former = another and row.account or nil, -- it stays so unless this client's key is good for it
    idempotency_key = row.key,
    request = row_job.request(row),
    metadata = row_job.metadata(row),
    tenant = row.tenant,
    body = row.body,
    vouched = row.charged == "yes", -- else its id may be anybody's word
  }
end

return row_job
