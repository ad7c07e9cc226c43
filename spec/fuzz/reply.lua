-- The life of a job, told by the service: whatever it answers, the job ends once, nothing that may
-- have been paid is said to be free, what is shown can be printed, and the key is never shown.
--
-- The input: a letter for the mode, one for the settings, then records that end with \xFF: a letter
-- for what happens, one for its details, and a body.

local core = require("gptimage2.core")
local double = (...)()

local KEY = "sk-secret-0123456789"
local ID = "job_known-1"
local MODES = { g = "generate", c = "create", p = "poll", r = "resume" }
local RETRY = { "safe", "documented", "idempotent" }
local STATUSES = { 200, 202, 201, 400, 401, 402, 403, 404, 409, 410, 429, 500, 503, 302, 408, 204 }
local KINDS = {
  validation = 1,
  credits = 1,
  auth = 1,
  not_found = 1,
  rate_limit = 1,
  server = 1,
  network = 1,
  tls = 1,
  timeout = 1,
  cancelled = 1,
  closed = 1,
  lost = 1,
  job_failed = 1,
  protocol = 1,
}
local CHARGED = { yes = 1, no = 1, unknown = 1, refund_expected = 1 }
local FINAL = { succeeded = 1, failed = 1, cancelled = 1, unknown = 1 }
local GOING = { queued = 1, creating = 1, pending = 1, running = 1 }

local function is_printable(text)
  return not text:find("[%z\1-\8\11-\31\127]") and not text:find("\xC2[\x80-\x9F]")
end

local function check_secret(text)
  assert(not text:find(KEY, 1, true), "the key is shown")
end

local function check_text(text, name)
  assert(type(text) == "string", name .. " is no text")
  assert(is_printable(text), name .. " cannot be printed")
  check_secret(text)
end

local function check_id(id)
  assert(type(id) == "string" and #id <= 256, "the id is no id")
  assert(not id:find("[%c%s\\\128-\255]"), "the id does not fit into a path")
  assert(id:find("^[^./]") and not ("/" .. id .. "/"):find("/%.%.?/"), "the id leads elsewhere")
  assert(not id:find("[key]", 1, true), "the id held the key")
  check_secret(id)
end

local function check_error(job, err)
  assert(KINDS[err.kind], "an unknown kind")
  check_text(err.code, "the code")
  check_text(err.message, "the message")
  check_text(tostring(err), "the error")
  assert(CHARGED[err.charged], "charged is not told")
  assert(err.sent == nil or err.sent == "yes" or err.sent == "no", "sent is strange")
  assert(err.job_id == job.id, "the error's id is another")
  assert(err.body == nil or #err.body <= 4096, "the body is long")
  check_secret(err.body or "")
end

local function check_results(results)
  assert(#results >= 1 and #results <= 64, "the number of results")
  for _, result in ipairs(results) do
    check_text(result.image_url, "the URL")
    check_text(result.seed or "", "the seed")
    check_text(result.final_prompt or "", "the prompt")
  end
end

--- What must hold at any time.
local function check_job(job, world)
  local status, err = job.status, job.error
  if job.id then
    check_id(job.id)
    assert(not world.id or job.id == world.id, "the id changed")
    world.id = job.id
  end
  check_secret(job:raw())
  check_secret(tostring(job))
  for _, number in pairs(job.balance or {}) do
    assert(type(number) == "number" and number == number, "the balance is no number")
  end
  if not job:done() then
    assert(GOING[status], "not done, and yet " .. status)
    assert(err == nil, "not done, with an error")
    return
  end
  if err then
    assert(FINAL[status], "an error, and yet " .. status)
    check_error(job, err)
  end
  assert((status == "succeeded") == (job.results ~= nil), "success and results")
  if status == "succeeded" then
    check_results(job.results)
  end
  assert(err or status == "succeeded" or world.once, "over without a reason")
  assert(not world.final or world.final == status, "it ended twice")
  world.final = status
end

--- Notes what the engine knows, before a step lets go of the job.
local function note(world)
  local doubt, sent = double.known()
  if doubt ~= nil then
    world.doubt, world.sent = doubt, sent
  end
end

--- What must hold about the money.
local function check_money(job, world)
  local err = job.error
  local spent = world.client.spent
  assert(spent == 0 or spent == world.cost, "credits came from nowhere")
  if err and err.charged == "no" then
    assert(not world.doubt and not job.id, "free, but perhaps paid")
  end
  local given = world.cost == 0 -- its id is the host's word
  if err and err.charged == "unknown" and world.settled then
    assert(world.doubt or given, "in doubt for no reason")
  end
  if err and err.charged == "yes" and given then
    assert(world.answered, "paid by hearsay")
  end
  if err and err.sent == "no" then
    assert(not world.sent, "sent, but said not to be")
  end
  -- What an earlier process may have paid stays doubtful; this one's reservation goes.
  if world.cost > 0 and spent == 0 and not world.before then
    assert(err and (err.charged == "no" or err.charged == "refund_expected"), "given back")
  end
end

local function new_client(settings, on_event)
  return core.client({
    base_url = "https://example.com",
    api_key = KEY,
    user_agent = "fuzz",
    retry = RETRY[settings % 3 + 1],
    max_attempts = 1 + settings // 3 % 4,
    max_active = 1,
    verify_references = settings & 1 == 1,
    on_event = settings & 64 == 0 and on_event or nil,
  })
end

local function submit(world, mode, settings)
  world.once = mode == "create" or mode == "poll"
  local options = { timeout = 100 }
  if mode == "generate" or mode == "create" then
    options.request = { prompt = "a cat", count = 2 }
    options.request.image_urls = settings & 32 ~= 0 and { "https://example.com/a.png" } or nil
    options.idempotency_key = settings & 16 ~= 0 and "mine" or nil
    options.maybe_charged = settings & 128 ~= 0
    world.before = options.maybe_charged
    world.cost = 20
  else
    options.id = ID
    world.id = ID
  end
  return assert(core.submit(world.client, mode, options))
end

--- One record: what happens, and then a step.
local function happen(job, what, how, body, world)
  if what == "x" then
    core.cancel(job)
  elseif what == "k" then
    double.checked(how % 4 > 0)
  elseif what == "t" then
    double.pass(how % 64 * 2)
  elseif what == "e" then
    world.raises = true
  else
    local status = STATUSES[how % 16 + 1]
    local wait = how & 64 ~= 0 and how % 90 or -1
    local kind = ("alnh"):find(what, 1, true) or 1
    world.answered = world.answered or kind == 1 and status >= 200 and status < 300
    double.pass(0)
    double.reply(kind == 3 and 1 or kind == 2 and 2 or kind - 1, status, wait, how & 32 ~= 0, body)
  end
end

local function as_it_is(handled)
  return handled
end

local function step(world)
  repeat
    local ok, result = pcall(core.step, as_it_is)
    assert(ok or result == "raised", result)
  until ok and result == 0
  local pending = double.known() ~= nil and 1 or 0
  assert(core.pending() == pending, "pending counts wrong")
  world.settled = pending == 0
end

local function new_world(settings)
  local world = { cost = 0 }
  world.client = new_client(settings, function(event)
    assert(not world.told, "an event after the last one")
    local status = event.status -- of HTTP, where it is about a retry
    assert(event.type == "retry" or status == event.job.status, "another status")
    world.told = FINAL[event.type] and event.type
    if world.raises then
      world.raises = false
      error("raised", 0)
    end
  end)
  return world
end

--- However it went, the job comes to rest.
local function settle(job, world)
  core.cancel(job)
  double.reply(2, 0, -1, false, "")
  note(world)
  step(world)
  check_job(job, world)
  check_money(job, world)
  assert(core.pending() == 0 and job:done(), "it does not end")
end

return function(input)
  local mode = MODES[input:sub(1, 1)] or "generate"
  local settings = input:byte(2) or 0
  local world = new_world(settings)
  local job = submit(world, mode, settings)
  for record in input:sub(3):gmatch("([^\xFF]+)") do
    happen(job, record:sub(1, 1), record:byte(2) or 0, record:sub(3), world)
    note(world)
    step(world)
    check_job(job, world)
    check_money(job, world)
  end
  settle(job, world)
  world.client:close()
end
