--- Compares what came of a case with what the table expects, and with the sandbox's books.

local judge = {}

local MODES = { safe = 1, documented = 2, idempotent = 3 }

--- "kind/code"; a code may go on with what is escaped.
local function fits(expected, outcome)
  return outcome == expected or outcome:sub(1, #expected + 2) == expected .. "\\x"
end

--- How often a create is sent, what comes of it, what it says of the money, and how many jobs the
--- service charges for: what the row says of this mode, this number of hits and this service.
local function expected_create(plan, row)
  local sent = row[2][MODES[plan.mode]]
  local hits = plan.rule.first and 2 or 1 -- attempts that fail when the fault hits once
  local over = plan.times == 1 and sent > hits -- the fault is gone, an attempt is left
  local failed = over and hits or sent
  local works = plan.work and failed or 0
  local paid = works + (over and 1 or 0)
  if plan.keys == "honoured" then
    paid = math.min(paid, 1)
  end
  local refunded = row[4] == "refund_expected"
  return {
    posts = sent,
    outcome = over and "ok" or row[3],
    charged = not over and row[4] or nil,
    paid = paid,
    spent = (not over and (row[4] == "no" or refunded)) and 0 or 10,
    twice = row[5],
  }
end

local function expected_poll(plan, row)
  local told = row[plan.times == 1 and 2 or 3]
  local failed = told:find("^job_failed/") ~= nil
  return {
    posts = 1,
    outcome = told,
    charged = told ~= "ok" and (failed and "refund_expected" or "yes") or nil,
    paid = plan.rule.action == "fail" and 0 or 1,
    spent = failed and 0 or 10,
  }
end

local function expected_image(plan, row)
  return { posts = 1, outcome = row[plan.times == 1 and 2 or 3], paid = 1, spent = 10 }
end

local function expected_tls(plan, row)
  if plan.on == "image" then
    return { posts = 1, outcome = row[4], paid = 1, spent = 10, asked = 0 }
  elseif plan.on == "poll" then
    return { posts = 0, outcome = row[3], paid = 0, spent = 0, asked = 0 }
  end
  return { posts = 0, outcome = row[2], charged = "no", paid = 0, spent = 0, asked = 0 }
end

local EXPECTED = { create = expected_create, poll = expected_poll, image = expected_image }

--- Why money that was paid is lost on the client, or nil.
local function loss(found)
  local err = found.err
  if not err then
    return found.job and not found.ids[found.job.id] and "the job is not the service's" or nil
  elseif found.paid > 0 and (err.charged == nil or err.charged == "no") then
    return "it was paid, and the error says " .. tostring(err.charged)
  elseif found.paid > 0 and not (err.idempotency_key or err.job_id) then
    return "it was paid, and the error has neither key nor id"
  end
end

--- The first difference, or nil.
local function difference(expected, found)
  if not fits(expected.outcome, found.outcome) then
    return ("%s instead of %s"):format(found.outcome, expected.outcome)
  end
  for _, name in ipairs({ "posts", "paid", "spent", "asked" }) do
    if expected[name] and expected[name] ~= found[name] then
      return ("%s is %s instead of %s"):format(name, found[name], expected[name])
    end
  end
  local charged = found.err and found.err.charged
  if expected.charged and charged ~= expected.charged then
    return ("charged is %s instead of %s"):format(charged, expected.charged)
  end
  local shown = tostring(found.err or found.save_err or ""):gsub("[\t\n]", " ")
  if shown:find("%c") then
    return "the error shows control characters"
  end
  return found.wrong
end

--- Judges a case.
---@param plan table see case.lua
---@param row table of expected.lua
---@param found table what case.run gave
---@return table verdict lost, paid_twice (booleans), wrong (text or nil), allowed (paid twice, and
--- the table says so)
function judge.case(plan, row, found)
  local expected = (plan.flaw and expected_tls or EXPECTED[plan.on])(plan, row)
  local lost = loss(found)
  local twice = found.paid > 1
  return {
    lost = lost ~= nil,
    paid_twice = twice and not (expected.twice and plan.keys == "ignored"),
    allowed = twice and expected.twice,
    wrong = lost or difference(expected, found),
  }
end

return judge
