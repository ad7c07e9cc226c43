-- What customers are told. Of an error that is not theirs they get its code alone: no text of the
-- service, and nothing about the account.
local audit = require("audit")
local cjson = require("cjson.safe")

local answers = {}

function answers.send(status, body)
  ngx.status = status
  ngx.header["Content-Type"] = "application/json"
  ngx.header["Cache-Control"] = "no-store"
  ngx.print(cjson.encode(body))
end

-- Refuses with a word of ours.
function answers.refuse(status, code, retry_after)
  ngx.header["Retry-After"] = retry_after and math.ceil(retry_after)
  ngx.header["WWW-Authenticate"] = status == 401 and "Bearer" or nil
  audit.refusal(code)
  answers.send(status, { error = code })
end

-- Passes on an error of gptimage2's; what it found wrong with the request itself is said in words.
function answers.fail(err)
  ngx.header["Retry-After"] = err.retry_after and math.ceil(err.retry_after)
  audit.refusal(err.kind .. "/" .. err.code)
  local words = err.kind == "validation" and err.sent ~= "yes" and err.message or nil
  answers.send(err:http_status(), { error = err.code, message = words, field = err.field })
end

return answers
