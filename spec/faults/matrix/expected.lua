--- What comes of every fault: the one table of the matrix.
---
--- A row begins with a rule of `sandbox:fault`. Each row is tried in the three retry modes, with
--- the fault hitting one request ("once") and hitting all of them ("for ever"), creates against a
--- service that honours idempotency keys and one that ignores them. A rule with `first` meets a
--- create whose first attempt was answered with that status; one that is `brief`, because it costs
--- much, is tried once, in one mode.
---
--- create: { rule, POSTs, "kind/code", charged }
---   POSTs    how often the create is sent while it fails, two attempts being allowed, in the
---            modes safe, documented, idempotent. A fault that hits once and leaves an attempt is
---            got over.
---   charged  what the error says of the money: "unknown" wherever a job may have been made.
---   `OK` instead of an error: the answer is understood in spite of it.
---   A fault meets a create after its work, unless the rule says `work = false`, or is a refusal
---   and does not say `work = true`. Where POSTs is 2 then, a service that ignores keys makes, and
---   charges, two: `TWICE` at the row's end says so; in any other row that would be our fault.
---   With keys honoured it is one charge at most, in every row.
---
--- poll: { rule, once, for ever }: the kind/code that the job ends with. image: the same of its
--- saving; the job has succeeded. Both are one POST and one charge in every row. A job that was
--- given up, and a picture that could not be saved, can be had once the fault is gone.

local expected = {}

local HUGE = math.huge
local OK = "ok"

--- POSTs in the modes safe, documented, idempotent.
local ONE = { 1, 1, 1 } -- never repeated
local LOST = { 1, 1, 2 } -- sent, no usable answer
local FAILED = { 1, 2, 2 } -- the service failed
local BUSY = { 2, 2, 2 } -- provably not done

local TWICE = true

local ELSEWHERE = "http://192.0.2.1/elsewhere"

local GONE = "lost/connection_lost"
local CUT = "lost/reply_cut_off"
local SILENT = "lost/reply_timeout"
local UNREADABLE = "protocol/unreadable_reply"
local TOO_LARGE = "protocol/reply_too_large"
local REDIRECTED = "protocol/redirected"

local LATE = "timeout/deadline_passed"
local NO_RESULTS = "protocol/results_missing"
local JOB_FAILED = "job_failed/generation_failed"

local REFUSED = "network/image_refused"
local LOST_IMAGE = "network/connection_lost"
local CUT_IMAGE = "network/reply_cut_off"
local NO_IMAGE = "protocol/not_an_image"
local LARGE_IMAGE = "protocol/image_too_large"
local BAD_URL = "protocol/image_url_refused"
local ENDLESS = "protocol/too_many_redirects"

local BAD_CERTIFICATE = "tls/certificate_refused"

local function status(code, more)
  local rule = { action = "status", status = code }
  for name, value in pairs(more or {}) do
    rule[name] = value
  end
  return rule
end

local DONE = { work = true }

expected.create = {
  -- the service says no
  { status(400), ONE, "validation/bad_request", "no" },
  { status(401), ONE, "auth/unauthorized", "no" },
  { status(402), ONE, "credits/insufficient_credits", "no" },
  { status(403), ONE, "auth/forbidden", "no" },
  { status(404), ONE, "not_found/not_found", "no" },
  { status(410), ONE, "not_found/gone", "no" },
  { status(422), ONE, "validation/sandbox_fault", "no" },
  { { action = "missing" }, ONE, "not_found/not_found", "no" },
  { { action = "escapes", status = 400, work = false }, ONE, "validation/content_policy", "no" },
  { status(429), BUSY, "rate_limit/rate_limited", "no" },
  -- the service fails, before the work and after it
  { status(408), FAILED, "server/request_timeout", "unknown" },
  { status(500), FAILED, "server/internal_error", "unknown" },
  { status(502), FAILED, "server/bad_gateway", "unknown" },
  { status(503), FAILED, "server/service_unavailable", "unknown" },
  { status(504), FAILED, "server/gateway_timeout", "unknown" },
  { status(501), ONE, "server/sandbox_fault", "unknown" },
  { status(500, DONE), FAILED, "server/internal_error", "unknown", TWICE },
  { status(502, DONE), FAILED, "server/bad_gateway", "unknown", TWICE },
  { status(503, DONE), FAILED, "server/service_unavailable", "unknown", TWICE },
  { status(504, DONE), FAILED, "server/gateway_timeout", "unknown", TWICE },
  { status(501, DONE), ONE, "server/sandbox_fault", "unknown" },
  { { action = "html" }, FAILED, "server/server_error", "unknown" },
  { { action = "html", work = true }, FAILED, "server/server_error", "unknown", TWICE },
  -- the key is known, from a first answer of 429: its job is still being made, or was another's
  {
    { action = "conflict", first = 429 },
    { 3, 3, 3 },
    "validation/idempotency_key_in_use",
    "unknown",
  },
  {
    { action = "conflict", first = 429, status = 422 },
    { 2, 2, 2 },
    "validation/idempotency_key_reused",
    "no",
  },
  { status(409), ONE, "validation/conflict", "unknown" },
  -- redirects are never followed, and who sends one may have done the work
  { { action = "redirect", to = "self", status = 301 }, ONE, REDIRECTED, "unknown" },
  { { action = "redirect", to = "chain", status = 302 }, ONE, REDIRECTED, "unknown" },
  { { action = "redirect", to = "host", status = 303 }, ONE, REDIRECTED, "unknown" },
  { { action = "redirect", to = "http", status = 307 }, ONE, REDIRECTED, "unknown" },
  { { action = "redirect", to = "https", status = 308 }, ONE, REDIRECTED, "unknown" },
  { { action = "redirect", location = ELSEWHERE }, ONE, REDIRECTED, "unknown" },
  -- no answer
  { { action = "reset", work = false }, LOST, GONE, "unknown" },
  { { action = "reset" }, LOST, GONE, "unknown", TWICE },
  { { action = "close", work = false }, LOST, GONE, "unknown" },
  { { action = "close" }, LOST, GONE, "unknown", TWICE },
  { { action = "hang", work = false }, LOST, SILENT, "unknown" },
  { { action = "hang" }, LOST, SILENT, "unknown", TWICE },
  -- the beginning of an answer, without the id and with it
  { { action = "cut", bytes = 5 }, LOST, GONE, "unknown", TWICE },
  { { action = "cut", bytes = 40 }, LOST, CUT, "unknown", TWICE },
  { { action = "cut", bytes = 40, work = false }, LOST, CUT, "unknown" },
  { { action = "cut", bytes = 40, reset = true }, LOST, GONE, "unknown", TWICE },
  { { action = "stall", bytes = 40, head = true }, LOST, SILENT, "unknown", TWICE },
  { { action = "stall" }, LOST, SILENT, "unknown", TWICE },
  { { action = "stall", bytes = 20 }, LOST, SILENT, "unknown", TWICE },
  { { action = "stall", bytes = 60 }, LOST, OK, nil, TWICE },
  { { action = "drip", bytes = 1 }, LOST, SILENT, "unknown", TWICE },
  { { action = "drip", bytes = 5000 }, ONE, OK },
  { { action = "truncate", bytes = 0 }, LOST, CUT, "unknown", TWICE },
  { { action = "truncate", bytes = 20 }, LOST, CUT, "unknown", TWICE },
  { { action = "truncate", bytes = 60 }, LOST, OK, nil, TWICE },
  { { action = "length", add = 10 }, LOST, OK, nil, TWICE },
  { { action = "length", value = "-7" }, LOST, GONE, "unknown", TWICE },
  { { action = "raw", body = "220 mail ESMTP\r\n" }, LOST, GONE, "unknown", TWICE },
  { { action = "raw", body = "HTTP/1.1 103 Early\r\n\r\n" }, LOST, GONE, "unknown", TWICE },
  { { action = "raw", body = "HTTP/1.1 202" }, LOST, GONE, "unknown", TWICE },
  { { action = "raw", body = "" }, LOST, GONE, "unknown", TWICE },
  -- too much
  { { action = "endless_headers", bytes = HUGE }, LOST, TOO_LARGE, "unknown", TWICE },
  { { action = "informational", count = 9999 }, LOST, TOO_LARGE, "unknown", TWICE },
  { { action = "endless_chunks", bytes = HUGE }, LOST, TOO_LARGE, "unknown", TWICE },
  { { action = "oversize" }, LOST, TOO_LARGE, "unknown", TWICE },
  { { action = "oversize", chunked = true }, LOST, TOO_LARGE, "unknown", TWICE },
  -- a whole answer that cannot be used: the work is done, asking again is no use
  { { action = "short", bytes = 0 }, ONE, UNREADABLE, "unknown" },
  { { action = "malformed" }, ONE, UNREADABLE, "unknown" },
  { { action = "gzip" }, ONE, UNREADABLE, "unknown" },
  { { action = "nesting" }, ONE, UNREADABLE, "unknown" },
  { { action = "html", status = 200, work = true }, ONE, UNREADABLE, "unknown" },
  { { action = "body", body = "{}" }, ONE, "protocol/job_id_missing", "unknown" },
  { { action = "body", body = "{}\0" }, ONE, UNREADABLE, "unknown" },
  { { action = "body", body = '{"jobId":""}' }, ONE, "protocol/job_id_missing", "unknown" },
  { { action = "other_job", id = "../../etc" }, ONE, "protocol/job_id_missing", "unknown" },
  { status(204, DONE), ONE, UNREADABLE, "unknown" },
  -- an answer that is odd, and usable
  { { action = "delay", seconds = 0.05 }, ONE, OK },
  { { action = "length", add = -10 }, ONE, OK },
  { { action = "short", bytes = 60 }, ONE, OK },
  { { action = "informational", count = 3 }, ONE, OK },
  { { action = "type" }, ONE, OK },
  { { action = "escapes" }, ONE, OK },
  { { action = "nesting", count = 5 }, ONE, OK },
  { { action = "unknown_status" }, ONE, OK },
  { { action = "duplicate_keys" }, ONE, OK },
  -- the last of two fields counts, and the id in the answer, though the service does not know it
  {
    { action = "duplicate_keys", last = true },
    ONE,
    "job_failed/duplicate_keys",
    "refund_expected",
  },
  { { action = "other_job" }, ONE, "not_found/job_not_found", "yes" },
}

expected.poll = {
  -- trouble that never ends a paid job before its deadline
  { status(400), OK, LATE },
  { status(408), OK, LATE },
  { status(409), OK, LATE },
  { status(425), OK, LATE },
  { status(429), OK, LATE },
  { status(500), OK, LATE },
  { status(502), OK, LATE },
  { status(503), OK, LATE },
  { status(504), OK, LATE },
  { status(204), OK, LATE },
  { { action = "html" }, OK, LATE },
  { { action = "html", status = 200 }, OK, LATE },
  { { action = "reset" }, OK, LATE },
  { { action = "close" }, OK, LATE },
  { { action = "hang" }, OK, LATE },
  { { action = "stall" }, OK, LATE },
  { { action = "stall", bytes = 40, head = true }, OK, LATE },
  { { action = "drip", bytes = 5 }, OK, LATE },
  { { action = "truncate", bytes = 0 }, OK, LATE },
  { { action = "truncate", bytes = 60 }, OK, LATE },
  { { action = "cut", bytes = 0 }, OK, LATE },
  { { action = "cut", bytes = 40 }, OK, LATE },
  { { action = "cut", bytes = 150, reset = true }, OK, LATE },
  { { action = "length" }, OK, LATE },
  { { action = "length", add = -10 }, OK, LATE },
  { { action = "length", value = "-7" }, OK, LATE },
  { { action = "raw", body = "220 mail ESMTP\r\n" }, OK, LATE },
  { { action = "raw", body = "HTTP/1.1 200" }, OK, LATE },
  { { action = "endless_headers", bytes = HUGE }, OK, LATE },
  { { action = "endless_chunks", bytes = HUGE }, OK, LATE },
  { { action = "informational", count = 9999 }, OK, LATE },
  { { action = "oversize" }, OK, LATE },
  { { action = "oversize", chunked = true }, OK, LATE },
  { { action = "redirect", to = "self", status = 301 }, OK, LATE },
  { { action = "redirect", to = "chain" }, OK, LATE },
  { { action = "redirect", to = "host", status = 307 }, OK, LATE },
  { { action = "redirect", to = "https", status = 308 }, OK, LATE },
  { { action = "redirect", location = ELSEWHERE }, OK, LATE },
  { { action = "malformed" }, OK, LATE },
  { { action = "body", body = "{}" }, OK, LATE },
  { { action = "gzip", bytes = 5e6 }, OK, LATE },
  { { action = "short", bytes = 60 }, OK, LATE },
  { { action = "nesting" }, OK, LATE },
  { { action = "unknown_status" }, OK, LATE },
  { { action = "other_job" }, OK, LATE },
  { { action = "duplicate_keys", last = true }, OK, LATE },
  { { action = "escapes", status = 500 }, OK, LATE },
  -- 404 early, and for good
  { { action = "missing" }, OK, "not_found/job_not_found" },
  { status(404), OK, "not_found/not_found" },
  -- the key or the id is not accepted: no use in asking again
  { status(401), "auth/unauthorized", "auth/unauthorized" },
  { status(403), "auth/forbidden", "auth/forbidden" },
  { status(410), "not_found/gone", "not_found/gone" },
  -- success without results is no success, and ends a job when it comes three times in a row
  { { action = "results", shape = "null" }, OK, NO_RESULTS },
  { { action = "results", shape = "absent" }, OK, NO_RESULTS },
  { { action = "results", shape = "empty" }, OK, NO_RESULTS },
  { { action = "results", shape = "without_urls" }, OK, NO_RESULTS },
  { { action = "results", shape = "null_urls" }, OK, NO_RESULTS },
  { { action = "results", shape = "object" }, OK, NO_RESULTS },
  { { action = "unknown_status", name = "SUCCEEDED", status = 202 }, OK, NO_RESULTS },
  -- the first final state wins
  { { action = "failed" }, JOB_FAILED, JOB_FAILED },
  { { action = "fail", on = "job" }, JOB_FAILED, JOB_FAILED },
  -- an answer that is odd, and usable
  { { action = "delay", seconds = 0.05 }, OK, OK },
  { { action = "drip", bytes = 50000 }, OK, OK },
  { { action = "informational", count = 3 }, OK, OK },
  { { action = "type" }, OK, OK },
  { { action = "escapes" }, OK, OK },
  { { action = "nesting", count = 5 }, OK, OK },
  { { action = "duplicate_keys" }, OK, OK },
}

expected.image = {
  -- trouble that may pass: four attempts
  { status(408), OK, REFUSED },
  { status(425), OK, REFUSED },
  { status(429), OK, REFUSED },
  { status(500), OK, REFUSED },
  { status(503), OK, REFUSED },
  { status(416), OK, REFUSED },
  { status(403), OK, REFUSED }, -- just after the job's end
  { status(404), OK, REFUSED },
  { { action = "missing" }, OK, REFUSED },
  { { action = "html" }, OK, REFUSED },
  { { action = "reset" }, OK, LOST_IMAGE },
  { { action = "close" }, OK, LOST_IMAGE },
  { { action = "truncate", bytes = 0 }, OK, CUT_IMAGE },
  { { action = "truncate", bytes = 50 }, OK, CUT_IMAGE },
  { { action = "cut", bytes = 0 }, OK, LOST_IMAGE },
  { { action = "cut", bytes = 40 }, OK, CUT_IMAGE },
  { { action = "cut", bytes = 250, reset = true }, OK, LOST_IMAGE },
  { { action = "length" }, OK, CUT_IMAGE },
  { { action = "length", add = -10 }, OK, CUT_IMAGE }, -- said to be whole
  { { action = "short", bytes = 100 }, OK, CUT_IMAGE }, -- the same
  { { action = "length", value = "-7" }, OK, LOST_IMAGE },
  { { action = "raw", body = "220 mail ESMTP\r\n" }, OK, LOST_IMAGE },
  { { action = "raw", body = "HTTP/1.1 200" }, OK, LOST_IMAGE },
  -- silence: until the client's timeout
  { { action = "hang" }, LATE, LATE },
  { { action = "stall" }, LATE, LATE },
  { { action = "stall", bytes = 50 }, LATE, LATE },
  { { action = "drip", bytes = 5 }, LATE, LATE },
  -- answers for good
  { status(400), REFUSED, REFUSED },
  { status(401), REFUSED, REFUSED },
  { status(410), REFUSED, REFUSED },
  { status(204), REFUSED, REFUSED },
  { { action = "html", status = 200 }, NO_IMAGE, NO_IMAGE },
  { { action = "malformed" }, NO_IMAGE, NO_IMAGE },
  { { action = "body", body = "<svg/>" }, NO_IMAGE, NO_IMAGE },
  { { action = "not_image" }, NO_IMAGE, NO_IMAGE },
  { { action = "gzip", bytes = 5e6 }, NO_IMAGE, NO_IMAGE },
  { { action = "short", bytes = 0 }, NO_IMAGE, NO_IMAGE },
  { { action = "short", bytes = 4 }, NO_IMAGE, NO_IMAGE },
  { { action = "endless_headers", bytes = HUGE }, TOO_LARGE, TOO_LARGE },
  { { action = "informational", count = 9999 }, TOO_LARGE, TOO_LARGE },
  { { action = "endless_chunks", bytes = HUGE, brief = true }, LARGE_IMAGE },
  { { action = "oversize", bytes = 7e7, brief = true }, LARGE_IMAGE },
  { { action = "oversize", bytes = 7e7, chunked = true, brief = true }, LARGE_IMAGE },
  -- redirects: three, each looked at like the first
  { { action = "redirect", to = "self" }, OK, ENDLESS },
  { { action = "redirect", to = "chain", status = 301 }, OK, ENDLESS },
  { { action = "redirect", to = "host", status = 307 }, OK, ENDLESS },
  { { action = "redirect", to = "https" }, OK, "tls/handshake_failed" },
  { { action = "redirect", location = ELSEWHERE }, BAD_URL, BAD_URL },
  {
    { action = "redirect", location = "file:///etc/passwd" },
    BAD_URL,
    BAD_URL,
  },
  -- an answer that is odd, and usable
  { { action = "delay", seconds = 0.05 }, OK, OK },
  { { action = "drip", bytes = 500000 }, OK, OK },
  { { action = "informational", count = 3 }, OK, OK },
  { { action = "type" }, OK, OK },
}

--- The other side is not who it claims to be, or does not speak TLS: { certificate, create, poll,
--- image }. Of the create nothing was sent, and nothing charged.
expected.tls = {
  { "expired", BAD_CERTIFICATE, LATE, BAD_CERTIFICATE },
  { "wrong_host", BAD_CERTIFICATE, LATE, BAD_CERTIFICATE },
  { "self_signed", BAD_CERTIFICATE, LATE, BAD_CERTIFICATE },
  { "none", "tls/handshake_failed", LATE, "tls/handshake_failed" },
  { "nobody", "network/connect_failed", LATE, "network/connect_failed" },
}

--- Creates over HTTP/2 and TLS (spec/lib/http2): the server's script, how many jobs there are at
--- once, how many attempts they have; how many of them fail, with what, and what it says of the
--- money; how many creates the server took, and what is spent. Three figures are those of the modes
--- safe, documented, idempotent. What was refused was not taken: it is sent again in every mode.
local NOT_TAKEN = "network/stream_refused"

local function refused(script)
  return { script = script, jobs = 1, attempts = 2, failed = 0, taken = 1, spent = 10 }
end

local function refused_for_good(script)
  return {
    script = script,
    jobs = 1,
    attempts = 1,
    failed = 1,
    outcome = NOT_TAKEN,
    charged = "no",
    taken = 0,
    spent = 0,
  }
end

expected.http2 = {
  refused("--refuse 1"),
  refused("--goaway 1"),
  refused("--http1"),
  refused_for_good("--refuse 1"),
  refused_for_good("--goaway 1"),
  refused_for_good("--http1"),
  -- taken, and then reset: nobody knows
  {
    script = "--reset 1",
    jobs = 1,
    attempts = 2,
    failed = { 1, 1, 0 },
    outcome = GONE,
    charged = "unknown",
    taken = LOST,
    spent = 10,
  },
  {
    script = "--reset 1",
    jobs = 1,
    attempts = 1,
    failed = 1,
    outcome = GONE,
    charged = "unknown",
    taken = 1,
    spent = 10,
  },
  -- more jobs than streams: none is over the limit, known or not
  {
    script = "--limit 1 --late 50 --delay 50",
    jobs = 8,
    attempts = 1,
    failed = 0,
    taken = 8,
    spent = 80,
  },
  {
    script = "--limit 4 --late 50 --delay 50",
    jobs = 8,
    attempts = 1,
    failed = 0,
    taken = 8,
    spent = 80,
  },
  -- everything at once
  {
    script = "--limit 4 --refuse 2 --goaway 4 --reset 6 --delay 50",
    jobs = 8,
    attempts = 2,
    failed = { 1, 1, 0 },
    outcome = GONE,
    charged = "unknown",
    taken = { 8, 8, 9 },
    spent = 80,
  },
}

expected.LATE = LATE

return expected
