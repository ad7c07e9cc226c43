-- What logs/audit.log says of a request: who, what, how many credits, which job. nginx itself
-- writes the line (see log_format in nginx.conf). A key or a token is in none of them; prompts are
-- not either, unless you say so here.
local PROMPTS = false

local audit = {}

function audit.customer(customer)
  ngx.var.who = customer.name
end

function audit.job(job, paid)
  ngx.var.job = job.name
  ngx.var.service_job = job.id or "-"
  ngx.var.paid = tostring(paid or 0)
end

function audit.request(request)
  local text = "%d bytes, %s, %d"
  ngx.var.note = text:format(#request.prompt, request.ratio, request.count)
    .. (PROMPTS and ": " .. request.prompt or "")
end

-- Why a request got no job: the kind and the code of gptimage2's error, or a word of ours.
function audit.refusal(why)
  ngx.var.note = ngx.var.note .. " " .. why
end

return audit
