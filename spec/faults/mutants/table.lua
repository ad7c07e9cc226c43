--- The mutants: each row takes out one safeguard.
---
--- `name` says what is gone; in `file` the text `from`, which stands there once, becomes `to` (or
--- each of a list does, where two safeguards do the same); `tests` are those that should notice,
--- tried in this order (how they are written: main.lua).
--- Rows with `short` are the sample for the short run.

local READER = "src/engine/base/json_reader.c"
local JOB_STATE = "src/engine/rules/job_state.c"
local HTTP = "src/engine/http/http.c"
local HTTP_HANDLE = "src/engine/http/http_handle.c"
local LEDGER = "src/engine/ledger/ledger_life.c"
local LEDGER_SEND = "src/engine/ledger/ledger_send.c"
local LEDGER_STATE = "src/engine/ledger/ledger_state.c"
local LEDGER_TELL = "src/engine/ledger/ledger_tell.c"
local LEDGER_CHECK = "src/engine/store/ledger_check.c"
local LEDGER_FILE = "src/engine/store/ledger_file.c"
local LEDGER_LOCK = "src/engine/store/ledger_lock.c"
local LEDGER_OPEN = "src/engine/store/ledger_open.c"
local LEDGER_SQL = "src/engine/ledger/ledger_sql.c"
local LEDGER_TENANT = "src/engine/store/ledger_tenant.c"
local POLICY = "src/engine/rules/policy.c"
local RECORD = "src/engine/job/job_record.c"
local INTENT = "src/engine/job/job_intent.c"
local RECORD_END = "src/engine/job/job_end.c"

local rows = {}

local function mutant(name, file, from, to, ...)
  rows[#rows + 1] = { name = name, file = file, from = from, to = to, tests = { ... } }
end

--- The row above is in the sample.
local function in_short()
  rows[#rows].short = true
end

-- The ledger: what is recorded, and when it is durable.

mutant(
  "intent: not recorded",
  INTENT,
  "ledger_intend(job_ledger(job), job->entry, job->again, &failure);",
  "true;",
  "spec durable: before it can be sent"
)
mutant(
  "intent: not flushed before the next turn",
  INTENT,
  "    written = ledger_flush(account->ledger, &failure);\n",
  "    written = true;\n",
  "spec durable: before it can be sent"
)
mutant(
  "intent: sent although it was refused",
  "src/engine/job/job_run.c",
  "if (!record_intent(job)) {",
  "if (!record_intent(job) && false) {",
  "spec opening: takes each key once"
)
mutant(
  "cancelled: a mistyped id is for good",
  RECORD_END,
  'return job->hearsay ? "unknown" : "cancelled";',
  'return "cancelled";',
  "spec resolve: before the service knows"
)
mutant(
  "history: what may have been sent is a failure of the network",
  "lua/gptimage2/ledger/row_error.lua",
  [[if kind == "network" and state ~= "unsent" then]],
  "if false then",
  "spec history: own error says"
)
mutant(
  "resolve: somebody's word takes the id from a paid job",
  "lua/gptimage2/ledger/resolve.lua",
  [[row.charged ~= "yes" or (id_of(row) or what) == what then]],
  "true then",
  "spec resend: somebody names"
)
mutant(
  "sent again: what was charged is in doubt",
  LEDGER_SQL,
  [["(charged = 'yes' AND ?3 IS 'unknown' AND"]],
  [["(false AND ?3 IS 'unknown' AND"]],
  "c ledger_send"
)
mutant(
  "sent again: an answer that names no job replaces one that does",
  LEDGER_SQL,
  "CASE WHEN ?7 OR job_id IS NULL THEN ?2 END",
  "?2",
  "c ledger_send"
)
mutant(
  "sent again: a create before that may have made another job is forgotten",
  JOB_STATE,
  "state->earlier_risk = distinct && state->risked;",
  "",
  "c job_state_retry"
)
mutant(
  "sent again: the same id does not give back what was reserved for both",
  "src/lua/shown/credits.c",
  "if (!has_earlier_id(L, index))",
  "if (true)",
  "spec resend"
)
mutant(
  "sent again: the id of an earlier answer is forgotten",
  LEDGER_SQL,
  "job_id = coalesce(job_id, ?6)",
  "job_id = ?6",
  "c ledger_send"
)
-- That an answer to an earlier create is not believed is shown with both safeguards taken out only:
-- the row of a job that is sent again has its attempt, and no HTTP status (row_job.lua, id). And
-- by a client that has nothing else to go by: one that may ask by the key goes by no id.
mutant(
  "sent again: the answer to an earlier create is believed",
  "lua/gptimage2/ledger/row_job.lua",
  {
    "if row.job_id or row.attempt_id then",
    'if row.state ~= "accepted" and (row.http_status < 200 or row.http_status > 299) then',
  },
  { "if row.job_id then", "if false then" },
  "spec recover: believes no id of an earlier create"
)
mutant(
  "cancelled: not recorded before the answer",
  "src/engine/job/job_run.c",
  "else if (job->state.cancelled)",
  "else if (false)",
  "spec cancel: is no job for the next process"
)
mutant(
  "cancelled: what is lost then is unknown",
  RECORD_END,
  'return job->given_up ? "cancelled" : "unknown";',
  'return "unknown";',
  "spec cancel: that is lost, though another create"
)
mutant(
  "cancelled: a row believes that its job is unknown",
  LEDGER_SQL,
  [[" AND ?2 IN ('intent', 'unsent', 'refused', 'unknown'))"]],
  [[" AND ?2 IN ('intent', 'unsent', 'refused'))"]],
  "c ledger_orders"
)
mutant(
  "budget: a resend that cost nothing stays reserved",
  "src/lua/shown/reply.c",
  "(job->reserved && !event->risked && !event->unrecorded)",
  "false",
  "spec resolve: keeps none where"
)
mutant(
  "sent: not recorded",
  RECORD,
  "job->asked =\n      ledger_permit(job_ledger(job), job->idempotency_key, &send, &failure);",
  "job->asked = send.next_id != NULL;",
  "spec durable: as sent, perhaps charged"
)
mutant(
  "sent: not flushed before the first byte",
  RECORD,
  "durable = ledger_flush(account->ledger, &failure);",
  "durable = true;",
  "spec durable: dies while it sends it"
)
in_short()
mutant(
  "sent: a broken ledger does not stop the request",
  HTTP_HANDLE,
  "if (exchange->before_send && !exchange->before_send(exchange)) {",
  "if (exchange->before_send && !exchange->before_send(exchange) && false) {",
  "spec durable: fails before the request"
)
mutant(
  "answer: not recorded",
  "src/engine/job/job_answer.c",
  "  if (answer->created)\n    record_answer(job, exchange, answer);\n  else if (",
  "  if (answer->created)\n    ;\n  else if (",
  "spec durable: has the answer to a create"
)
mutant(
  "answer: the host hears of it before it is flushed",
  "src/engine/io_thread.c",
  "    flush_ledgers(engine, now);\n    advance_gate(engine, now);\n    flush_events(engine);",
  "    flush_events(engine);\n    flush_ledgers(engine, now);\n    advance_gate(engine, now);",
  "spec durable: before the host hears of it"
)
mutant(
  "answer: the next request goes out before it is on the disk",
  RECORD,
  "  ledger_tell(job_ledger(job), job->idempotency_key, &told);\n  op_touch_ledger(&job->op);\n",
  "  ledger_tell(job_ledger(job), job->idempotency_key, &told);\n",
  "spec durable: on the disk before anything is sent"
)
mutant(
  "result: not recorded",
  "src/engine/job/job_answer.c",
  "  else if (answer->state || answer->error)\n    record_result(job, exchange, answer);\n",
  "",
  "spec durable: has the answer that ends a job"
)
mutant(
  "result: what it means is not recorded",
  RECORD,
  "  LedgerNews news = {.state = answer->state,",
  "  LedgerNews news = {.state = NULL,",
  "spec durable: has what came of a job"
)
mutant(
  "commits are not synced",
  LEDGER_OPEN,
  "PRAGMA synchronous = FULL;",
  "PRAGMA synchronous = OFF;",
  "spec durable: on the disk before anything is sent"
)
mutant(
  "commits are synced only now and then",
  LEDGER_OPEN,
  "PRAGMA synchronous = FULL;",
  "PRAGMA synchronous = NORMAL;",
  "spec durable: on the disk before anything is sent"
)
mutant(
  "recover sends again what may have been made",
  "lua/gptimage2/ledger/recover.lua",
  'return (row.state == "intent" or idempotent) and "resend" or nil',
  'return row and "resend"',
  "spec opening: without sending it again"
)
in_short()

mutant(
  "recover takes up what is going on",
  "lua/gptimage2/ledger/recover.lua",
  "return own and not live[row.key] and",
  "return own and",
  "spec recover: leaves alone what"
)
mutant(
  "recover takes up what another process works on",
  "lua/gptimage2/ledger/recover.lua",
  "return own and not live[row.key] and not row.elsewhere",
  "return own and not live[row.key]",
  "spec share: leaves each its own jobs"
)
mutant(
  "resolve settles what another process works on",
  "lua/gptimage2/ledger/resolve.lua",
  "elseif row.elsewhere then",
  "elseif false then",
  "spec share: leaves each its own jobs"
)
mutant(
  "recover keeps what it does not go on with",
  "lua/gptimage2/ledger/recover.lua",
  "if own[row] and (stays or failed) then",
  "if own[row] and failed then",
  "spec share: gives back what its budget"
)
mutant(
  "what was left is given to all who ask",
  "src/engine/store/ledger_claim.c",
  "AND owner IS ?4",
  "AND ?4 IS ?4",
  "c ledger_share"
)
mutant(
  "a job is taken from who lives and works on it",
  LEDGER_SQL,
  "(owner IS NULL OR owner IN (?7, ?8))",
  "(owner IS NULL OR owner IS NOT ?7 OR owner IN (?7, ?8))",
  "c ledger_share"
)
mutant(
  "who has ended with a job keeps it",
  LEDGER_SQL,
  "(?16 OR ?2 IS 'unknown') AND owner IS ?17",
  "(?16 AND FALSE) AND owner IS ?17",
  "c ledger_share"
)
mutant(
  "a tenant that another process made is not counted",
  LEDGER_STATE,
  "if (ledger->counts || !ledger_lock_is_shared(ledger->lock))",
  "if (ledger->counts || ledger->lock)",
  "c ledger_share"
)
mutant(
  "who is closed takes the log of the others along",
  LEDGER,
  "if (!ledger_lock_is_last(ledger->lock))",
  "if (!ledger_lock_is_last(ledger->lock) && false)",
  "c ledger_share"
)
mutant(
  "a ledger may be open under two names",
  "src/engine/store/ledger_share.c",
  "  hash = mix(hash, name, strlen(name));\n",
  "",
  "c ledger_share"
)
mutant(
  "a ledger may be open in two folders",
  "src/engine/store/ledger_share.c",
  "return error == 0 ? file_lock(fd, F_RDLCK, place, 1) : error;",
  "return file_lock(fd, F_RDLCK, place, 1);",
  "spec share: under another name"
)
mutant(
  "a ledger on a network share is one of many",
  "src/engine/store/ledger_share.c",
  "&& platform_is_local(fd);",
  ";",
  "spec share: comes over a network"
)
mutant(
  "recover takes up another service's jobs",
  "lua/gptimage2/ledger/row_job.lua",
  "return core.service(row.base_url) == core.service(config.base_url)",
  "return row.base_url ~= nil",
  "spec opening: belongs to another service"
)
mutant(
  "a job that is sent again has no doubt",
  "lua/gptimage2/ledger/recover.lua",
  'options.maybe_charged = row.state ~= "intent"',
  "options.maybe_charged = false",
  "spec resolve",
  "spec recover"
)

mutant(
  "a cancel lets a create go that has not left",
  "src/engine/job/job_run.c",
  "bool gone = job->exchange && job->exchange->sent_once;",
  "bool gone = job->exchange;",
  "spec cancel: not charged, and nobody"
)
in_short()
mutant(
  "a row is sent by whoever comes",
  LEDGER_SQL,
  "attempt_id = ?2 AND state = ?4",
  "state = ?4",
  "c ledger_send"
)
mutant(
  "a row is sent in whatever state",
  LEDGER_SQL,
  "attempt_id = ?2 AND state = ?4",
  "attempt_id = ?2",
  "c ledger_send"
)
mutant(
  "a row is sent by all who come",
  LEDGER_SQL,
  "AND (attempt_id = ?2 AND state = ?4",
  "AND (1",
  "spec race: is sent once by two",
  "c ledger_orders"
)
mutant(
  "a send in doubt is anybody's",
  LEDGER_SQL,
  "attempt_id = ?3 AND state = 'sent'",
  "state = 'sent'",
  "c ledger_orders"
)
mutant(
  "a job that was given up is opened again, and sent",
  LEDGER_SQL,
  "(state IN ('cancelled', 'abandoned')",
  "(state IN ('gone')",
  "c ledger_orders"
)
mutant(
  "a job that may have been paid is said to be unsent",
  LEDGER_SQL,
  "(state IN ('accepted', 'unknown')",
  "(state IN ('gone')",
  "c ledger_rows"
)
mutant(
  "a job that is sent is said not to be by who only looks at it",
  LEDGER_SQL,
  "OR state = 'sent' AND NOT ?12",
  "OR state = 'gone' AND NOT ?12",
  "c ledger_rows"
)
mutant(
  "a job is told as never sent before its row says so",
  RECORD_END,
  "  return !job->op.last.unrecorded;\n",
  "  return false;\n",
  "spec unwritable: never sent"
)
mutant(
  "a job is told as never sent although its row cannot say so",
  "src/engine/job/job_run.c",
  "    job_part(job, record_is_told(job));\n",
  "    job_part(job, true);\n",
  "spec unwritable: never sent"
)
mutant(
  "news of a row that was not taken over find no row",
  LEDGER_SQL,
  '                 " OR " IS_AS_SEEN ")",\n',
  '                 ")",\n',
  "c ledger_told",
  "spec told: cancelled"
)
mutant(
  "a row that was not taken over is told of as it is not any more",
  LEDGER_SQL,
  "\"(coalesce(attempt_id, '') = ?13\"",
  '"(?13 NOT NULL"',
  "c ledger_told"
)
mutant(
  "a job is told as free of cost whose row says otherwise",
  INTENT,
  "    bool right = !job->unwritten.queue && record_is_told(job);\n",
  "    bool right = true;\n",
  "spec told: somebody else"
)
mutant(
  "a job of a closed client is forgotten that is not in the ledger yet",
  RECORD_END,
  "  if (job->again || !job->stays) /*",
  "  if (true) /*",
  "spec told: is left for recover"
)
mutant(
  "a service that is spelled otherwise is another one",
  "src/engine/base/url.c",
  "    *to++ = to_lower(url.host[i]);\n",
  "    *to++ = url.host[i];\n",
  "c url"
)
mutant(
  "an id that a user gave counts as charged",
  "src/lua/objects/job.c",
  "(creates(job) || job->vouched)",
  "true",
  "spec money: hearsay"
)
mutant(
  "who sends an abandoned job takes it back",
  LEDGER_SQL,
  "WHEN ?2 IS 'abandoned' THEN NULL",
  "WHEN ?2 IS 'gone' THEN NULL",
  "c ledger_orders"
)
mutant(
  "the word of one whose row it is not counts",
  LEDGER_SQL,
  "(?9 IS NULL OR attempt_id IN (?9, ?10)",
  "(1",
  "c ledger_orders"
)
mutant(
  "what a ledger is told while it is down is lost",
  LEDGER_TELL,
  "  else if (!ledger->left)\n    ledger->left = kept;\n",
  "",
  "c ledger_down"
)
mutant(
  "a later poll replaces the pictures",
  LEDGER_SQL,
  "NOT (?4 AND state = 'succeeded') AND ",
  "NOT (?4 AND state = 'gone') AND ",
  "spec rows: keeps its pictures"
)
mutant(
  "a create that is held is an attempt",
  JOB_STATE,
  "  state->attempts--;\n",
  "",
  "c job_state"
)
mutant(
  "no last look before the deadline",
  JOB_STATE,
  "fmax(last, soonest));",
  "state->deadline);",
  "c job_state_poll"
)

-- The ledger: what tenants may spend.

mutant(
  "a tenant's jobs reserve nothing",
  LEDGER_TENANT,
  "SET reserved = reserved + new.cost",
  "SET reserved = reserved",
  "c ledger_tenants",
  "spec tenant"
)
in_short()
mutant(
  "a tenant that was never made has no budget",
  LEDGER_TENANT,
  "WHERE NOT EXISTS (SELECT 1 FROM tenants WHERE id = new.tenant)",
  "WHERE FALSE",
  "c ledger_tenants"
)
mutant(
  "what nobody knows of comes back to its tenant",
  LEDGER_TENANT,
  "('no', 'refund_expected')",
  "('no', 'refund_expected', 'unknown')",
  "c ledger_sums",
  "spec tenant: it may have been paid"
)
mutant(
  "what is unknown is not reserved any more",
  LEDGER_TENANT,
  "'accepted', 'unknown')",
  "'accepted')",
  "c ledger_sums"
)
mutant(
  "a budget keeps a fact out of the ledger",
  LEDGER_TENANT,
  "budget = max(budget,",
  "budget = min(budget,",
  "c ledger_tenants"
)
mutant(
  "a refused tenant is sent all the same",
  LEDGER_SEND,
  "(code & 0xff) == SQLITE_CONSTRAINT && !again",
  "(code & 0xff) == SQLITE_CONSTRAINT && again",
  "c ledger_tenants"
)
mutant(
  "the jobs of a tenant are looked for in all",
  "src/engine/ledger/ledger_query.c",
  '  if (filter->tenant)\n    return " INDEXED BY jobs_by_tenant_and_time";\n',
  "",
  "c ledger_size"
)

-- The ledger: whose it is, and what it is.

mutant(
  "no lock against a second client in the process",
  LEDGER_LOCK,
  "if (lock->spent_on || find(",
  "if ((lock->spent_on && false) || find(",
  "spec ledger_file: is not dropped with the file" -- nor covered by the lock against version 0.1
)
mutant(
  "no lock against another process",
  "src/engine/store/ledger_share.c",
  "return file_lock(fd, F_RDLCK, SPENDER, 1);",
  "return fd < 0;",
  "spec ledger_file: is not dropped with the file"
)
mutant(
  "the lock goes with any descriptor",
  "src/engine/files/file_lock.h",
  "#ifdef F_OFD_SETLK",
  "#ifdef F_OFD_SETLK_BUT_NOT_HERE",
  "spec ledger_file: opens and closes the files"
)
mutant(
  "a version 0.1 is not kept out",
  LEDGER_LOCK,
  "return is_taken(file_lock(lock->old_fd, type, 0, 0), path, failure);",
  "return is_taken(type == F_UNLCK, path, failure);",
  "c ledger_lock"
)
mutant(
  "a forked child keeps the lock",
  LEDGER_LOCK,
  "    (*last)->forked = true;\n    close_fd(&(*last)->fd);",
  "    (*last)->forked = true;",
  "c ledger_lock"
)
mutant(
  "a forked child opens what its parent had open",
  LEDGER_LOCK,
  "|| find(inherited, info))",
  "|| (find(inherited, info) && false))",
  "c ledger_lock"
)
mutant(
  "a forked child closes the parent's ledger",
  LEDGER,
  "open_ledgers = NULL;",
  "",
  "c ledger_lock"
)
mutant(
  "a program's end leaves its ledger in the log",
  "src/engine/engine.c",
  "  ledger_end_all();",
  "",
  "spec ending"
)
mutant(
  "a new ledger takes away the log of one that was moved",
  LEDGER_OPEN,
  "return log_size(path) > 0 &&",
  "return log_size(path) > 9e15 &&",
  "spec ending"
)
mutant(
  "a ledger that could not be made takes another's log with it",
  LEDGER_FILE,
  "ledger_file_is_empty(path) ? 2 : 0;",
  "0;",
  "spec ending"
)
mutant(
  "a ledger may be a symbolic link",
  LEDGER_FILE,
  "if (S_ISLNK(info->st_mode))",
  "if (S_ISLNK(info->st_mode) && false)",
  "spec opening: a symbolic link"
)
mutant(
  "a ledger may have two names",
  LEDGER_FILE,
  "if (info->st_nlink > 1)",
  "if (info->st_nlink > 100)",
  "spec ledger_file: a second name"
)
mutant(
  "a ledger may be another user's",
  LEDGER_FILE,
  "return !any_owner && info->st_uid != geteuid();",
  "return !any_owner && info->st_uid != geteuid() && false;",
  "spec opening: one of another user"
)
mutant(
  "a ledger that is not there any more is spent on: at the submit",
  LEDGER_SEND,
  "if (!ledger_may_spend(ledger, failure))",
  "if (!ledger_may_spend(ledger, failure) && false)",
  "spec ledger_file: taken away"
)
mutant(
  "a ledger that is not there any more is spent on: before the request",
  RECORD,
  "if (!ledger_may_spend(account->ledger, &exchange->failure))",
  "if (!ledger_may_spend(account->ledger, &exchange->failure) && false)",
  "spec ledger_file: lets no job go that waited"
)
mutant(
  "recover takes up another account's jobs",
  "lua/gptimage2/ledger/recover.lua",
  "is_own(row, config, any_key)\n    return own",
  "true\n    return own",
  "spec account: takes up no job"
)
mutant(
  "resolve settles another account's jobs",
  "lua/gptimage2/ledger/resolve.lua",
  "if not is_own(row, config, any_key) then",
  "if any_key == 1 then",
  "spec account: takes up no job"
)
mutant(
  "a ledger may be a database of something else",
  LEDGER_CHECK,
  "tables > 0 && id != APPLICATION_ID",
  "tables > 0 && id == -2",
  "spec opening: a database of something else"
)
mutant(
  "a ledger may be of a newer version",
  LEDGER_CHECK,
  "code == SQLITE_OK && version > SCHEMA_VERSION",
  "code == SQLITE_OK && version > SCHEMA_VERSION + 1000",
  "spec opening: one of a newer version"
)
mutant(
  "a ledger may be damaged where opening reads it",
  LEDGER_CHECK,
  "*code = ledger_index_look(db);",
  "*code = SQLITE_OK;",
  "c ledger_damage",
  "spec opening: one that is damaged"
)
mutant(
  "a ledger may be damaged before it is brought up to date",
  LEDGER_CHECK,
  "return is_sound(db, code);",
  "return is_sound(db, code) || true;",
  "c ledger_damage"
)
mutant(
  "a page of a ledger is not looked at as a whole",
  "src/engine/store/ledger_open.c",
  "cell_size_check = ON",
  "cell_size_check = OFF",
  "c ledger_damage"
)
mutant(
  "damage that is read does not stop the spending",
  LEDGER_LOCK,
  "atomic_store(&lock->damaged, true);",
  "(void)lock;",
  "c ledger_damage",
  "spec ledger_size: until somebody meets it"
)
mutant(
  "a damaged index says that an id is free",
  LEDGER_SEND,
  "    ledger_fail(ledger);\n  ledger_rewind(statement);\n  return code == SQLITE_ROW;",
  "    (void)ledger;\n  ledger_rewind(statement);\n  return code == SQLITE_ROW;",
  "c ledger_damage"
)
mutant(
  "opening a ledger reads all of it",
  LEDGER_CHECK,
  "*code = ledger_index_look(db);",
  "if (is_sound(db, code))\n    *code = ledger_index_look(db);",
  "c ledger_size"
)
mutant(
  "which index answers is left to SQLite",
  "src/engine/ledger/ledger_query.c",
  "ledger_is_current(contents) ? index_for(filter)",
  "contents->version > 2 ? index_for(filter)",
  "c ledger_size"
)
mutant(
  "a ledger without its indexes stays without",
  "src/engine/store/ledger_open.c",
  "  if (!ledger_is_current(contents))\n",
  "  if (contents->version != SCHEMA_VERSION)\n",
  "c ledger_size"
)
mutant(
  "a ledger may be read by others", -- the mode that it is made with is mended by this one at once
  LEDGER_LOCK,
  "(void)fchmod(lock->fd, 0600);",
  "(void)fchmod(lock->fd, 0644);",
  "spec durable: only its owner reads"
)

mutant(
  "a long prompt is written again with every change of its job",
  "src/engine/store/ledger_schema.c",
  "> 800 THEN",
  "> 80000000 THEN",
  "c ledger_schema"
)
mutant(
  "an older ledger loses the order of its rows",
  "src/engine/store/ledger_schema.c",
  " SELECT rowid, key, state,",
  " SELECT -rowid, key, state,",
  "c ledger_schema"
)

-- One create is one POST.

mutant(
  "libcurl may repeat a POST",
  HTTP_HANDLE,
  "  if (exchange->sent_once && exchange->create)\n    return CURL_PREREQFUNC_ABORT;\n",
  "",
  "c job",
  "spec once: warm connection dies"
)
in_short()
mutant(
  "a create uses a connection that was idle for long",
  HTTP_HANDLE,
  "#define CREATE_IDLE_MAX 1L",
  "#define CREATE_IDLE_MAX 118L",
  "spec safeguards: lay idle"
)
mutant(
  "redirects are followed",
  HTTP_HANDLE,
  "http_setopt(exchange, CURLOPT_FOLLOWLOCATION, 0L);",
  "http_setopt(exchange, CURLOPT_FOLLOWLOCATION, 1L);",
  "c job",
  "spec once: that is redirected"
)
mutant(
  "what HTTP/2 refused is taken for lost",
  "src/engine/http/http_refused.c",
  'if (begins_with(text, length, "REFUSED_STREAM, retrying a fresh") ||\n           is_goodbye',
  "if (is_goodbye",
  "c http_reply"
)
mutant(
  "any goodbye refuses a create",
  "src/engine/http/http_refused.c",
  "return found == text + length || *found < '0' || *found > '9';",
  "return true;",
  "c http_reply"
)
mutant(
  "what was taken before a reset counts as refused",
  "src/engine/http/http_reply.c",
  "return exchange->sent_once && !exchange->refused &&",
  "return exchange->sent_once && exchange->headers_done &&",
  "c http_reply",
  "spec once: warm connection dies"
)
mutant(
  "a create that went out by a second call was not sent",
  "src/engine/http/http_reply.c",
  "request_bytes > 0 || exchange->wrote ||",
  "request_bytes > 0 ||",
  "spec once: at once is one POST"
)
mutant("a create joins others before the server's limit is known", HTTP, {
  "http_setopt(exchange, CURLOPT_FRESH_CONNECT, http1 && !stale ? 0L : 1L);",
  "http_setopt(exchange, CURLOPT_FORBID_REUSE, http1 ? 0L : 1L);",
}, {
  "http_setopt(exchange, CURLOPT_FRESH_CONNECT, stale ? 1L : 0L);",
  "setopt(exchange->easy, CURLOPT_PIPEWAIT, 1L);",
}, "spec http2: over a limit")
mutant(
  "a redirect of a create leaves no doubt",
  POLICY,
  "(reply->status < 400 || reply->status == 408",
  "(reply->status < 300 || reply->status == 408",
  "c policy"
)
mutant(
  "what a proxy was told counts as the request",
  "src/engine/http/http_reply.c",
  "  return exchange->sent_once && !exchange->refused &&",
  "  if (request_bytes > 0)\n    return true;\n"
    .. "  return exchange->sent_once && !exchange->refused &&",
  "spec once: through a proxy"
)
-- Either of the two alone is enough as a rule.
mutant("time runs out before what has arrived was read", "src/engine/http/http_limits.c", {
  "  while (heap_first_at(&loop->limits) <= loop->read_at) {\n",
  "    if (next_limit(exchange) <= loop->read_at)",
  "  loop->on_delay = forgive;\n",
}, {
  "  double now = clock_monotonic();\n  while (heap_first_at(&loop->limits) <= now) {\n",
  "    if (next_limit(exchange) <= now)",
  "  (void)forgive;\n",
}, "c http_limits")
mutant(
  "lost creates are sent again",
  POLICY,
  "return mode == RETRY_IDEMPOTENT;",
  "return true;",
  "c policy"
)
mutant(
  "safe mode repeats what the documentation says",
  POLICY,
  "return mode != RETRY_SAFE && is_documented(reply->status);",
  "return is_documented(reply->status);",
  "c policy"
)
mutant(
  "a 409 is repeated under a fresh key",
  POLICY,
  "return repeated;",
  "return true;",
  "c policy"
)
mutant(
  "attempts have no end",
  JOB_STATE,
  "  return state->attempts < state->settings->max_attempts &&\n         policy_may_repeat",
  "  return policy_may_repeat",
  "c job_state_retry"
)
mutant(
  "storms do not empty the quota",
  JOB_STATE,
  " &&\n         policy_take_retry(state->quota, reply->timed_out);",
  ";",
  "c job_state_retry"
)
in_short()
mutant(
  "an attempt in doubt is forgotten by the next",
  JOB_STATE,
  "state->maybe_charged = state->maybe_charged || state->risked;",
  "state->maybe_charged = policy_maybe_charged(reply);",
  "c job_state_retry"
)
mutant(
  "no answer leaves a doubt",
  JOB_STATE,
  "state->maybe_charged = state->maybe_charged || state->risked;",
  "state->maybe_charged = false;",
  "c job_state_retry"
)
mutant(
  "the server's Retry-After is no floor",
  JOB_STATE,
  "return reply->retry_after > pause ? reply->retry_after : pause;",
  "return pause;",
  "c job_state_retry"
)
mutant(
  "a Retry-After of an hour is waited out",
  JOB_STATE,
  "if (at >= state->deadline || reply->retry_after > POLICY_PATIENCE)",
  "if (at >= state->deadline)",
  "c job_state_retry"
)
mutant(
  "backing off goes past the deadline",
  JOB_STATE,
  "if (at >= state->deadline || reply->retry_after > POLICY_PATIENCE)",
  "if (reply->retry_after > POLICY_PATIENCE)",
  "c job_state_retry"
)
mutant(
  "rests go past the deadline",
  JOB_STATE,
  ".at = at < state->deadline ? at : state->deadline,",
  ".at = at,",
  "c job_state_poll"
)
mutant(
  "the first 404 ends a paid job",
  POLICY,
  "missing >= POLICY_NOT_FOUND_MAX ? POLL_REFUSED : POLL_RETRY",
  "missing ? POLL_REFUSED : POLL_RETRY",
  "c policy"
)
mutant(
  "max_active is not kept",
  "src/engine/rules/limiter.c",
  "limiter->active < limiter->limit.current) {",
  "limiter->limit.current > 0) {",
  "c limiter"
)
mutant(
  "a 429 does not slow down",
  "src/engine/rules/adaptive_limit.c",
  "    limit->current /= 2;",
  "    limit->current /= 1;",
  "c adaptive_limit"
)
mutant(
  "the budget is not kept",
  "src/lua/objects/submit.c",
  "client->spent + job->cost > client->budget",
  "client->spent + job->cost > client->budget + 1e9",
  "spec budget"
)
mutant(
  "references are not looked at first",
  JOB_STATE,
  "  if (!state->check)\n    return create(state);",
  "  if (state)\n    return create(state);",
  "c job_state"
)

mutant(
  "a stop while exchanges begin: their limits run on",
  "src/engine/loop/loop.c",
  "  notice_delay(loop, after, now);\n",
  "",
  "c loop"
)

-- Caps.

mutant(
  "replies may be larger than 1 MiB",
  "src/engine/http/exchange.h",
  "#define HTTP_REPLY_MAX ((size_t)1 << 20)",
  "#define HTTP_REPLY_MAX ((size_t)1 << 28)",
  "spec reply: over 1 MiB"
)
mutant(
  "an error's body may be larger than 64 KiB",
  "src/engine/http/http_reply.c",
  "size_t room = HTTP_ERROR_MAX - exchange->error_bytes;",
  "size_t room = HTTP_ERROR_MAX * 1024 - exchange->error_bytes;",
  "c http_reply"
)
mutant(
  "a body nobody asked for is taken for the picture",
  "src/engine/http/http_reply.c",
  "return status == 200 || status == 206;",
  "return status == 200 || status == 206 || status / 100 == 4;",
  "c http_reply"
)
mutant(
  "what a 1xx answer says is obeyed",
  "src/engine/http/http_reply.c",
  "CURLH_HEADER, -1,",
  "CURLH_HEADER | CURLH_1XX, -1,",
  "c http_reply"
)
mutant(
  "headers may be larger than 64 KiB",
  "src/engine/http/http_reply.c",
  "if (exchange->header_bytes > HTTP_HEADERS_MAX) {",
  "if (exchange->header_bytes > HTTP_HEADERS_MAX * 1024) {",
  "c http_reply"
)
mutant(
  "images may be larger than 64 MiB",
  "src/engine/ops/download_bytes.c",
  "if ((uint64_t)download->length + length > ENGINE_IMAGE_MAX) {",
  "if ((uint64_t)download->length + length > ENGINE_IMAGE_MAX * 16) {",
  "spec save_fetched: above 64 MiB"
)
mutant(
  "all downloads go at once",
  "src/engine/ops/download_host.c",
  "return downloads->active < DOWNLOADS_MAX &&",
  "return downloads->active < DOWNLOADS_MAX * 100 &&",
  "spec data: sixteen at once"
)
mutant(
  "one image host may have all places of downloads",
  "src/engine/ops/download_host.c",
  "has < DOWNLOADS_HOST_MAX;",
  "has < DOWNLOADS_MAX;",
  "c download_host"
)
mutant(
  "silent image hosts leave no place for others",
  "src/engine/ops/download_host.c",
  "DOWNLOADS_MAX + DOWNLOADS_FIRST;",
  "DOWNLOADS_MAX;",
  "c download_host"
)
mutant(
  "a free place goes to the host that comes first",
  "src/engine/ops/download_host.c",
  "(!next || host->limiter.active < next->limiter.active))",
  "!next)",
  "c download_host"
)
mutant(
  "a limit on the size of files ends the program",
  "src/engine/files/file_limit.c",
  "pthread_sigmask(SIG_BLOCK, &only, &limit->before);",
  "pthread_sigmask(SIG_BLOCK, NULL, &limit->before);",
  "c file_limit"
)
-- A save that is asked for with submit has it from its check (client.lua), or by itself.
mutant(
  "a relative place is looked for where the program is in the end",
  "lua/gptimage2/files/save.lua",
  "base = options.base or save.base(where),",
  'base = "",',
  "spec save_names: in the folder that the program was in"
)
mutant(
  "what was saved is known by its spelling",
  "lua/gptimage2/files/save.lua",
  "if saved.id == id then",
  "if saved.path == path then",
  "spec save_existing: under every name of the folder"
)
mutant(
  "a proxy's 407 is the service's",
  "src/engine/http/http_failure.c",
  "if (status != 407 || !is_passed_on(exchange))",
  "if (status != 0 || !is_passed_on(exchange))",
  "spec once: of plain http but wants"
)
mutant(
  "answers to polls that are of no use are not told",
  JOB_STATE,
  "action.retry = action.unusable = reply->says != SAYS_STRANGE;",
  "action.retry = action.unusable = false;",
  "spec event: of no use"
)
mutant(
  "buffers have no maximum",
  "src/engine/base/buffer.c",
  "  if (length > buffer->maximum - buffer->length)\n    return false;\n",
  "",
  "c buffer"
)
mutant(
  "JSON may be nested deeper than 32",
  READER,
  "reader->depth == JSON_DEPTH_MAX) {",
  "reader->depth == JSON_DEPTH_MAX * 30) {",
  "spec decode: nested deeper than 32"
)
in_short()
mutant(
  "JSON may hold a NUL",
  READER,
  "if (memchr(bytes, '\\0', length))",
  "if (length > ~(size_t)1)",
  "spec decode: no JSON object"
)
mutant(
  "something may stand behind a reply",
  READER,
  "return peek(reader) == '\\0' && !reader->broken",
  "return !reader->broken",
  "c json_reader"
)
mutant(
  "a reply may end anywhere",
  READER,
  "!reader->broken && reader->depth == 0;",
  "true;",
  "spec decode: no JSON object"
)
mutant(
  "a comma may be missing",
  READER,
  "  if (!first && !take(reader, ','))\n    break_off(reader);",
  "  if (!first)\n    take(reader, ',');",
  "c json_reader"
)
mutant(
  "a long number is told though it is not exact",
  "src/engine/base/json_number.c",
  "#define DIGITS_MAX 15",
  "#define DIGITS_MAX 30",
  "spec decode: too long to be exact"
)
mutant(
  "URLs may be longer than 2 KiB",
  "src/engine/base/limits.h",
  "#define URL_MAX 2048",
  "#define URL_MAX 20480",
  "spec safeguards: at most 2 KiB"
)
mutant(
  "job ids may be longer than 256 bytes",
  "src/engine/base/url.h",
  "#define JOB_ID_MAX 256",
  "#define JOB_ID_MAX 512",
  "spec safeguards: at most 256 bytes"
)
mutant(
  "job ids may lead elsewhere",
  "src/engine/base/url.c",
  "if (is_dots(text + segment, i - segment))",
  "if (false)",
  "c url"
)
mutant(
  "job ids stand in a path as they are",
  "src/engine/base/url.c",
  'if (is_alnum(*id) || strchr("-._~", c)) {',
  "if (c) {",
  "c url"
)
mutant(
  "a hidden key becomes a part of a job id",
  "src/engine/rules/api_reply.c",
  "platform_find(id.at, id.length, mark, sizeof mark - 1) ||",
  "false ||",
  "c api_reply"
)
mutant(
  "credits of a job that was cancelled or has expired count as given back",
  "src/engine/rules/judge.c",
  'return reply->word == WORD_DOCUMENTED ? "refund_expected" : "unknown";',
  'return "refund_expected";',
  "c judge"
)
mutant(
  "a bare error ends a paid job at once",
  JOB_STATE,
  "++state->unusable_replies < UNUSABLE_REPLIES_MAX;",
  "false;",
  "spec polling: three times in a row"
)
mutant(
  "a prompt of nothing that can be seen is paid",
  "src/engine/base/blank.c",
  "return has_only_unseen(at, length) ? 0 : length;",
  "return length;",
  "c blank"
)
mutant(
  "white space of other scripts is left at the ends of a prompt",
  "src/engine/base/blank.c",
  "{0x1680, 0x1680}, {0x180E, 0x180E}, {0x2000, 0x200B},",
  "",
  "c blank"
)
mutant(
  "metadata may be of any size",
  "lua/gptimage2/objects/options.lua",
  "if size > MAX_METADATA then",
  "if false then",
  "spec options_call: over 64 KiB"
)
mutant(
  "errors may turn the direction of writing",
  "src/engine/base/printable.c",
  "code >= 0xA0 && !is_turning(code, lines)",
  "code >= 0xA0",
  "spec security: direction of writing"
)
mutant(
  "an image as bytes is left out of a migrated request",
  "lua/gptimage2/migrate.lua",
  'return check.invalid("invalid_image_url", field, message:format(field))',
  "return true, message",
  "spec migrate: would be another picture"
)
mutant(
  "the sidecar's numbers are written by the host's locale",
  "lua/gptimage2/files/sidecar.lua",
  'check.number(job.elapsed, "%.3f")',
  '("%.3f"):format(job.elapsed)',
  "spec locale: whatever the locale says"
)
mutant(
  "prompts may be longer than 32 KiB",
  "lua/gptimage2/request/request.lua",
  "local MAX_PROMPT = 32 * 1024",
  "local MAX_PROMPT = 33 * 1024",
  "spec request: 32 KiB"
)
mutant(
  "there may be more than sixteen references",
  "lua/gptimage2/request/request.lua",
  "request.MAX_IMAGE_URLS = core.limits.references",
  "request.MAX_IMAGE_URLS = 17",
  "spec request: sixteen"
)

-- Answers that are not what they say.

mutant(
  "an answer about another job is believed",
  "src/engine/rules/judge.c",
  "return strlen(id) == length && memcmp(id, text, length) == 0;",
  "return length > 0;",
  "spec decode: must be the one that was asked for"
)
mutant(
  "the slots of objects are taken only once",
  "src/lua/handles.c",
  "  handles->free = slot;",
  "  (void)slot;",
  "spec job: taken again"
)
mutant(
  "a host that is far behind is not noticed",
  "src/engine/core/event_count.c",
  "count->made - freed > EVENT_BEHIND;",
  "count->made - freed > EVENT_BEHIND * 100;",
  "c event_count"
)
mutant(
  "an answer that goes wrong is believed",
  "src/engine/rules/api_reply.c",
  "      !(json_ended(&reader) || json_is_beginning(&reader)))\n",
  "      false)\n",
  "c api_reply"
)
mutant(
  "only a whole answer has an id",
  "src/engine/rules/api_reply.c",
  "      !(json_ended(&reader) || json_is_beginning(&reader)))\n",
  "      !json_ended(&reader))\n",
  "c api_reply"
)
mutant(
  "a short answer is unreadable",
  "src/engine/rules/judge.c",
  "    judged.id = api_reply_job_id(bytes, length);",
  "    judged.id = (JsonPiece){0};",
  "spec reply: a length that is too small"
)
mutant(
  "part of an image counts as all of it",
  "src/engine/ops/download_bytes.c",
  "exchange->range_total != download->length)\n    return false;\n",
  "exchange->range_total != download->length)\n    (void)download;\n",
  "spec data: though an image ends in it"
)

-- Secrets, and words of others.

mutant(
  "http is allowed beyond this machine",
  "lua/gptimage2/objects/outside.lua",
  'parts.scheme == "http" and not parts.loopback and not allow_http',
  'parts.scheme == "ftp" and not allow_http',
  "spec security: beyond loopback is refused"
)
mutant(
  "the key goes to image hosts",
  HTTP,
  "fetch->if_range ? exchange->range_headers : NULL);",
  "fetch->if_range ? exchange->range_headers : exchange->service->get_headers);",
  "spec data: sends no key"
)
in_short()
mutant(
  "the key that a reply repeats is shown, and gets into the ledger",
  "src/engine/http/http_reply.c",
  "  long status = 0;\n  http_hide_key(exchange);\n",
  "  long status = 0;\n",
  "spec history: the API key"
)
mutant(
  "the key stays in memory",
  "src/engine/http/service.c",
  "platform_wipe(service->authorization, strlen(service->authorization));",
  "(void)service->authorization;",
  "c account"
)
mutant(
  "the key is shown where it is written with escapes",
  "src/engine/base/redact.c",
  "length = hide_spelled(bytes, length, secret, true);",
  "",
  "c redact"
)
mutant(
  "the key is shown where an image's host redirects to it",
  "src/engine/http/http_reply.c",
  "  if (copy)\n    copy[redact",
  "  if (copy && !*copy)\n    copy[redact",
  "spec key: redirects to what repeats it"
)
mutant(
  "the key is shown where it looks like an escape",
  "src/engine/base/redact.c",
  "length = hide_ambiguous(bytes, length, secret);",
  "",
  "c redact"
)
mutant(
  "the key is shown but for its end where a reply is cut off",
  "src/engine/base/redact.c",
  "if (search.fits < REDACT_MIN)",
  "if (search.fits < wanted.length)",
  "c redact"
)
mutant(
  "a create that is answered with its result is polled",
  JOB_STATE,
  "  if (reply->says == SAYS_SUCCEEDED)\n    return end(state, JOB_END_SUCCEEDED);\n",
  "",
  "c job_state"
)
mutant(
  "an answer to a create that is cut off is believed",
  "src/engine/rules/judge.c",
  "Judged judged = {.readable = api_reply_read(reply, bytes, length)};\n  if (!judged.readable) {",
  "Judged judged = {.readable = api_reply_read(reply, bytes, length) || true};\n"
    .. "  if (!judged.readable) {",
  "c judge"
)
mutant(
  "the rest is asked for of what was said to be all",
  "src/engine/ops/download.c",
  "  if (all)\n    download->length = 0;\n",
  "  (void)all;\n",
  "spec fetch: asks for no rest"
)
mutant(
  "halves of two pictures are joined",
  "src/engine/ops/download_bytes.c",
  "strcmp(exchange->tag, download->tag) == 0 &&",
  "true &&",
  "spec fetch: joins no halves"
)
mutant(
  "a call that cannot wait is paid before it raises",
  "lua/gptimage2/waiting/wait.lua",
  'elseif how == "block" and not stepping and choice.word() == "yield" then',
  "elseif false then",
  "spec use: before anything is sent"
)
mutant(
  "certificates are not verified",
  HTTP_HANDLE,
  "http_setopt(exchange, CURLOPT_NOSIGNAL, 1L);",
  "http_setopt(exchange, CURLOPT_NOSIGNAL, 1L);\n"
    .. "  http_setopt(exchange, CURLOPT_SSL_VERIFYPEER, 0L);",
  "spec tls"
)
mutant(
  "the system is trusted beside ca_file",
  HTTP_HANDLE,
  "ca_file);\n    http_setopt(exchange, CURLOPT_CAPATH, NULL);\n",
  "ca_file);\n",
  "c ca_store"
)
mutant(
  "a bundle is left out that holds more than the folder",
  "src/engine/http/ca_store.c",
  "return linked == whole.st_size;",
  "return linked > 0;",
  "c ca_store"
)
mutant(
  "control characters are sent back to image hosts",
  "src/engine/http/http_reply.c",
  "if ((unsigned char)*tag < 0x20 || *tag == 0x7f)",
  "if (*tag == 0x7f)",
  "c http_reply"
)
mutant(
  "idempotency keys may hold line ends",
  "lua/gptimage2/objects/options.lua",
  "#key > limits.idempotency_key or not check.visible_ascii(key)",
  "#key > limits.idempotency_key",
  "spec security: idempotency key"
)
mutant(
  "idempotency keys may be longer than 255 bytes",
  "lua/gptimage2/objects/options.lua",
  "#key > limits.idempotency_key or not check.visible_ascii(key)",
  "#key > 4096 or not check.visible_ascii(key)",
  "spec options_call: fits no header"
)
mutant(
  "a proxy of the environment is used",
  HTTP_HANDLE,
  'settings->proxy ? settings->proxy : "");',
  "settings->proxy);",
  "spec security: gives key and URL"
)
mutant(
  "control characters come through",
  "src/engine/base/printable.c",
  "return (c < 0x20 && !(lines && (c == '\\t' || c == '\\n'))) || c == 0x7f;",
  "return c == 0x7f;",
  "spec security: cannot drive a terminal"
)
mutant(
  "C1 controls come through",
  "src/engine/base/printable.c",
  "if (code == 0 || (code >= 0xA0 && !is_turning(code, lines)))",
  "if (code == 0 || !is_turning(code, lines))",
  "spec security: cannot drive a terminal",
  "spec decode: control characters"
)
mutant(
  "text may turn the direction of writing",
  "src/engine/base/printable.c",
  "if (code == 0 || (code >= 0xA0 && !is_turning(code, lines)))",
  "if (code == 0 || code >= 0xA0)",
  "spec security: cannot turn the direction"
)
mutant(
  "image URLs may be plain http",
  "src/engine/base/url.c",
  "if (!url.https && !may_be_plain(&url, rules))",
  "if (!url.https && !may_be_plain(&url, rules) && false)",
  "c url"
)
mutant(
  "image redirects are not checked",
  "src/engine/ops/download.c",
  '} else if (may_fetch(download, target, "the image host redirects to")) {',
  "} else {",
  "spec save_fetched: is refused when it redirects to"
)
mutant(
  "image redirects have no end",
  "src/engine/ops/download.c",
  "} else if (download->redirects++ >= REDIRECT_MAX) {",
  "} else if (download->redirects++ >= REDIRECT_MAX * 9) {",
  "spec save_fetched: three redirects"
)
mutant(
  "a service out there makes us ask our own network",
  "src/engine/ops/download.c",
  ".public_only = account_wants_public(account, url)};",
  ".public_only = false};",
  "spec fetch: into a private network"
)
mutant(
  "an image that is late is not waited for",
  "src/engine/ops/download.c",
  "return download->fresh;",
  "return false;",
  "spec fetch: goes on for some seconds"
)
mutant(
  "an image URL that has expired is the end",
  "lua/gptimage2/files/fetch.lua",
  "elseif not EXPIRED[err.status or 0] then",
  "elseif err then",
  "spec fetch: with a new one"
)
mutant(
  "every image asks for new URLs by itself",
  "lua/gptimage2/files/save.lua",
  "fetch.new(job, i, how, renewal)",
  "fetch.new(job, i, how, fetch.renewal(job) or renewal)",
  "spec fetch: one poll for all"
)
mutant(
  "half an image without a length counts as whole",
  "src/engine/ops/download_bytes.c",
  "  return image_walk_is_over(&download->walk);\n",
  "  return true;\n",
  "spec save_fetched: as it says, is not whole",
  "spec fetch: asked for again where that is missing"
)
mutant(
  "a PNG ends where the text of its end is",
  "src/engine/files/image_walk.c",
  "walk->skip = size + PNG_CRC;",
  "walk->skip = 0;",
  "c image_walk",
  "spec fetch: a PNG with its end in a text"
)
mutant(
  "an AVIF is whole wherever it is cut",
  "src/engine/files/image_walk.c",
  '{"avif", step_box}};',
  '{"avif", step_over}};',
  "c image_walk",
  "spec fetch: cut: an AVIF"
)
mutant(
  "an AVIF is whole without its data",
  "src/engine/files/image_walk.c",
  "return walk->described && walk->with_data;",
  "return walk->described;",
  "c image_walk"
)
mutant(
  "only the first brand tells that it is an AVIF",
  "src/engine/files/image.c",
  'return is_avif(bytes, length) ? "avif" : NULL;',
  'return is_avif(bytes, length < FTYP_BRANDS ? length : FTYP_BRANDS) ? "avif" : NULL;',
  "c image",
  "spec fetch: whose first brand is another"
)
mutant(
  "an image that cannot be begun hides the others",
  "lua/gptimage2/files/save.lua",
  "    elseif image.value and not image.noted then\n",
  "    elseif image.err then\n      return true\n    elseif image.value and not image.noted then\n",
  "spec fetch: leaves the others"
)
mutant(
  "private addresses are asked for references",
  HTTP_HANDLE,
  "if (exchange->public_only && !address_is_public(&address->addr)) {",
  "if (exchange->public_only && !address_is_public(&address->addr) && false) {",
  "spec references: private"
)
mutant(
  "a silent host has all places of reference checks",
  "src/engine/job/reference_check.c",
  "#define HOST_MAX (CHECKS_MAX / 2)",
  "#define HOST_MAX CHECKS_MAX",
  "spec references: hold up nobody"
)
mutant(
  "references are looked at long before their job is sent",
  "src/engine/job/reference_check.c",
  "if (account->checked >= account->limiter.limit.max)",
  "if (account->dropped)",
  "spec references: not looked at long before"
)
mutant(
  "a busy host of a reference is asked once",
  "src/engine/job/probe_run.c",
  "#define TRIES 2",
  "#define TRIES 1",
  "spec references: looked at again"
)
mutant(
  "cloud metadata services count as public",
  "src/engine/base/address.c",
  "    {0xa9fe0000, 16}, /* link-local, and cloud metadata services */\n",
  "",
  "c address"
)
mutant(
  "mapped addresses are not unwrapped",
  "src/engine/base/address.c",
  "if (memcmp(a, mapped, 12) == 0 || memcmp(a, nat64, 12) == 0)",
  "if (memcmp(a, nat64, 12) == 0)",
  "c address"
)

-- Files.

mutant(
  "pictures are not synced before they get their name",
  "src/engine/files/file.c",
  "if (ok && sync_fd(file->fd) != 0)",
  "if (ok && file->fd < 0)",
  "spec safeguards: on the disk before"
)
mutant(
  "the folder is not synced",
  "src/engine/files/file.c",
  "if (sync_fd(file->folder) != 0 && errno != EINVAL && errno != EROFS)",
  "if (file->folder < 0)",
  "spec safeguards: on the disk before"
)
mutant(
  "a file that is there already is written to",
  "src/engine/files/file.c",
  "O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);",
  "O_WRONLY | O_CREAT | O_NOFOLLOW);",
  "c file_failure",
  "spec safeguards: exclusively"
)
mutant(
  "a symbolic link is written through",
  "src/engine/files/file.c",
  "O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);",
  "O_WRONLY | O_CREAT | O_EXCL);",
  "spec safeguards: exclusively"
)
mutant(
  "half a picture can be read by others",
  "src/engine/files/file.c",
  "return fchmod(file->fd, 0600) == 0 ||",
  "return file->fd >= 0 ||",
  "spec save: nobody else can read"
)
mutant(
  "a picture replaces what was there",
  "src/engine/base/platform.c",
  "return renameat2(folder, from, folder, to, RENAME_NOREPLACE);",
  "return renameat2(folder, from, folder, to, 0);",
  "spec save_existing: leaves it alone"
)
mutant(
  "the last way to publish a picture replaces what was there",
  "src/engine/files/file.c",
  "  int error;\n  if (fd < 0)\n    return false;\n",
  "  int error;\n",
  "c file_failure"
)
mutant(
  "a reservation stays behind",
  "src/engine/files/file.c",
  "  error = errno;\n  unlinkat(file->folder, name, 0);\n  errno = error;\n",
  "  error = errno;\n  errno = error;\n",
  "c file_failure"
)
mutant(
  "what is at a picture's name counts as saved, whatever it is",
  "src/engine/files/file.c",
  "         same(there, ours) && sync_fd(there) == 0;",
  "         (same(there, ours) || true) && sync_fd(there) == 0;",
  "spec save_existing: leaves it alone"
)
mutant(
  "a picture whose row was not written before the kill is in the way for ever",
  "src/engine/files/file.c",
  "  if (is_there_already(file, name, same)) {\n",
  "  if (!name && is_there_already(file, name, same)) {\n",
  "spec save_existing: records what is there already"
)
mutant(
  "a sidecar of other files counts as this one",
  "src/engine/files/twin.c",
  "  return is_whole(&there->reader) && is_whole(&ours->reader);",
  "  return true;",
  "c twin"
)
mutant(
  "a half picture stays behind",
  "src/engine/files/file.c",
  "  if (file->folder >= 0) /* what has its name is closed: file_commit */\n"
    .. "    unlinkat(file->folder, file->name, 0);\n",
  "",
  "c file"
)

mutant(
  "where a picture cannot be saved is known only once it is paid",
  "lua/gptimage2/objects/client.lua",
  "ok, err = core.check_target(place, target.name, target.exact, wanted.overwrite)",
  "ok = target.name",
  "spec save_asked: the disk says no"
)
mutant(
  "long ids are cut and share a name",
  "lua/gptimage2/files/naming.lua",
  'return ("%s-%08x%08x"):format(text:sub(1, most - FOLDED - 1), one, other)',
  "return text:sub(1, most), one, other",
  "spec naming"
)

-- The process.

mutant(
  "a forked child goes on as if it had the thread",
  "src/engine/engine.c",
  "if (engine->generation == engine_generation() && engine->open)",
  "if (engine->open)",
  "c engine"
)
mutant(
  "exit does not wait until the engine's thread is out of the libraries",
  "src/engine/engine.c",
  "  for (Engine *engine = running_engines; engine; engine = engine->next_running)\n"
    .. "    join_thread(engine);\n",
  "",
  "spec exit: waits until the engine"
)
mutant(
  "OpenSSL cleans up while the engine begins with it",
  "src/engine/loop/curl_lib.c",
  "  init(0x00080000, NULL);",
  "  (void)init;",
  "spec exit: not given a cleanup"
)
mutant(
  "a long step does not look after Ctrl-C",
  "lua/gptimage2/waiting/steps.lua",
  "  if left or not timeout or timeout <= SLICE then",
  "  if left or true then",
  "spec interrupt: stands still"
)
mutant(
  "a finalizer handles the event that is being handled",
  "src/lua/waiting/step.c",
  "  if (!core->handling && (core->current || left))",
  "  if (core->current || left)",
  "spec reentry: while an event is taken in"
)
mutant(
  "a finalizer may wait while an event is handled",
  "src/lua/waiting/step.c",
  "  if (core->handling && wait > 0)\n    return core_cannot_wait(L);\n",
  "",
  "spec reentry: while an event is taken in"
)
mutant(
  "a cancel of the job whose event is handled takes effect at once",
  "src/lua/objects/job.c",
  "  return core->handling && core->current && core->current->owner == job->handle;",
  "  return core->handling && !core->current && job->handle;",
  "spec reentry: comes too late"
)
mutant(
  "a setuid program reads its caller's environment",
  "lua/gptimage2/objects/outside.lua",
  "not core.is_privileged() and os.getenv(name)",
  "os.getenv(name)",
  "spec options: more rights than its caller"
)

-- The end of a process, ids that are another's, refunds that were none, accounts.

mutant(
  "the end: a job that was not begun has no row",
  "src/engine/job/job_run.c",
  "return job->entry && !job->again;",
  "return job->again;",
  "spec parting: now"
)
mutant(
  "the id of another job is believed",
  "src/engine/job/job_id.c",
  "  if (is_free(job, id))\n",
  "  if (is_free(job, id) || id[0])\n",
  "spec budget: gives another's id"
)
mutant(
  "the id of another row is believed",
  "src/engine/job/job_id.c",
  "  if (ledger && !ledger_is_down(ledger) &&\n",
  "  if (!ledger && !ledger_is_down(ledger) &&\n",
  "spec recover: another job's id"
)
mutant(
  "resolve takes the id of another row",
  "src/engine/job/note.c",
  "  if (is_free(note))\n",
  "  if (is_free(note) || note->key)\n",
  "spec resolve: another has that id"
)
mutant(
  "a refund that was none is not counted again",
  "src/lua/shown/credits.c",
  "->spent += forget_refund(L, index);",
  "->spent += 0 * forget_refund(L, index);",
  "spec budget: has succeeded"
)
mutant(
  "a refund is counted again each time",
  "src/lua/shown/credits.c",
  "    lua_pushboolean(L, 0); /* its seat stays */\n",
  "    lua_pushnumber(L, credits);\n",
  "spec budget: has succeeded"
)
mutant(
  "a permission of which nobody was told sends nothing any more",
  LEDGER_SQL,
  '" WHERE attempt_id = ?11 OR " IS_UNTOLD,',
  '" WHERE attempt_id = ?11",',
  "c ledger_send"
)
mutant(
  "a lock that is held for long is for good",
  LEDGER_STATE,
  "return code == SQLITE_READONLY_DBMOVED ||",
  "return code == SQLITE_READONLY_DBMOVED || code == SQLITE_PROTOCOL ||",
  "c ledger_down"
)
mutant(
  "a row is moved to an account whose key is refused",
  RECORD,
  "    news.account = job->former;\n",
  "",
  "spec account: leaves a job that was never sent"
)
mutant(
  "a job that another account has is ended by its refusal",
  RECORD_END,
  "  if (!job->former || how == JOB_END_CANCELLED)\n",
  "  if (job->former || how == JOB_END_CANCELLED)\n",
  "spec account: leaves"
)

-- Tasks and their coroutines.

mutant(
  "tasks: variables to be closed stay open after an error",
  "lua/gptimage2/waiting/coroutines.lua",
  "      natives.close(co)\n",
  "",
  "spec task: when it ends by an error"
)
mutant(
  "tasks: one whose coroutine was closed goes on",
  "lua/gptimage2/waiting/task.lua",
  "if not guard.over and coroutines.closing ~= guard.co then",
  "if guard.over and coroutines.closing ~= guard.co then",
  "spec task: when somebody closes its coroutine"
)

-- Errors of the host's in the middle of a step, and steps that are shared out.

mutant(
  "woken once, whatever came of it",
  "lua/gptimage2/waiting/steps.lua",
  "    core.later(waiter, true) -- perhaps it did not come to its end\n",
  "",
  "spec broken_off: loses no save"
)
mutant(
  "a download is begun, and nobody holds it",
  "src/lua/objects/transfer.c",
  "    hold(L, holder);\n",
  "    if (0)\n      hold(L, holder);\n",
  "spec save: gives the paths of the image"
)
mutant(
  "who is in hand is forgotten",
  "lua/gptimage2/waiting/steps.lua",
  "    core.again()\n",
  "",
  "spec broken_off: does not forget who that is"
)
mutant(
  "not woken: not counted",
  "lua/gptimage2/waiting/steps.lua",
  "core.undelivered() + waking - ",
  "core.undelivered() + 0 * waking - ",
  "spec wait: many wait for the same thing"
)
mutant(
  "all who wait for a thing are woken at once",
  "lua/gptimage2/waiting/steps.lua",
  "    count = count + 1\n  until core.now() >= stop\n",
  "    count = count + 1\n  until core.now() >= stop + 1\n",
  "spec wait: many wait for the same thing"
)
mutant(
  "a step looks at the clock now and then",
  "src/lua/waiting/step.c",
  "    if (clock_monotonic() >= until)",
  "    if (handled % 4 == 0 && clock_monotonic() >= until)",
  "spec step: functions take long"
)
mutant(
  "use: counts for the wait that goes on",
  "lua/gptimage2/waiting/wait.lua",
  "    host.wait(ready, deadline)",
  "    choice.wait().wait(ready, deadline)",
  "spec use: counts for the next wait"
)
mutant(
  "an image's place is its own, whatever lies there",
  "lua/gptimage2/files/save.lua",
  "saved and saved.id and saved.id == core.file_id(saved.path)",
  "saved and core.file_id(saved.path)",
  "spec save_existing: in an image's place"
)
mutant(
  "a create that may have been paid may be made again",
  "src/lua/shown/verdict.c",
  "  if (create && !job_has_id(L, index) &&",
  "  if (false && create && !job_has_id(L, index) &&",
  "spec reply: answered with an error status"
)
mutant(
  "a save does not wait for the one before",
  "src/lua/waiting/ready.c",
  "  lua_rawget(L, 1);\n  lua_rawset(L, 3);\n",
  "  lua_rawget(L, 1);\n  lua_pop(L, 2);\n",
  "spec save_asked: is waited for by a save"
)
mutant(
  "run waits for a task that is below it",
  "lua/gptimage2/waiting/task.lua",
  "if wait.is_below(co, true) then",
  "if not co then",
  "spec task: hangs: run in a finalizer"
)
mutant(
  "a task waits for itself further down",
  "lua/gptimage2/waiting/wait.lua",
  "  return stepping or not leaves\n",
  "  return stepping\n",
  "spec task: hangs: a wait in a finalizer"
)
mutant(
  "a forked child waits for its parent's jobs",
  "src/lua/main.c",
  "  if (!core_has_engine(core))\n    return 0;\n  lua_pushinteger(L, (lua_Integer)core->pending);",
  "  lua_pushinteger(L, (lua_Integer)core->pending);",
  "spec fork: has nothing pending"
)
mutant(
  "of many who wait for one thing the last is forgotten",
  "src/lua/waiting/ready.c",
  "last = *place >= (int)compat_rawlen(L, 1);",
  "last = *place + 1 >= (int)compat_rawlen(L, 1);",
  "spec waiters: wait for one thing"
)
mutant(
  "who waits for a thing twice is woken twice",
  "src/lua/waiting/waiters.c",
  "  if (place_of(L) == 0) {",
  "  if (true) {",
  "spec waiters: each joins them once"
)
mutant(
  "the holes of those who left are never closed up",
  "src/lua/waiting/waiters.c",
  "    close_up(L, count);",
  "    (void)close_up;",
  "spec waiters: do not fill its list"
)
mutant(
  "a save is tied to its job only once that is going",
  "lua/gptimage2/objects/client.lua",
  "  job, err = core.submit(self, mode, opts)\n",
  "  local late = opts.by_job or {}\n"
    .. "  opts.by_job = nil\n"
    .. "  job, err = core.submit(self, mode, opts)\n"
    .. "  for list, value in pairs(job and late or {}) do\n"
    .. "    list[job] = value\n"
    .. "    core.await(job)\n"
    .. "  end\n",
  "spec broken_off: loses no save of"
)
mutant(
  "a created job is kept by the call that waits for it alone",
  "lua/gptimage2/waiting/follow.lua",
  "    follow.keep_created(self, made)\n  end)\n  return made",
  "  end)\n  return made",
  "spec broken_off: was only created"
)
mutant(
  "a job that is refused stays tied",
  "src/lua/objects/submit.c",
  "  if (spec->body && !reserve(L, client, job, before))\n",
  "  tie(L, job, true);\n  if (spec->body && !reserve(L, client, job, before))\n",
  "spec broken_off: leaves nothing behind"
)
mutant(
  "generate waits for its files whatever the time",
  "lua/gptimage2/objects/client.lua",
  "wait.until_done(saving, math.max(deadline - core.now(), 0))",
  "wait.until_done(saving, math.max(deadline - core.now(), 0) + 1e6)",
  "spec save_asked: does not hold generate up"
)
mutant(
  "a page instead of an image is for ever",
  "src/lua/shown/retryable.c",
  '{"protocol", "not_an_image", true}',
  '{"protocol", "not_an_image", false}',
  "spec retryable: data that is no image"
)
mutant(
  "a busy image host is for ever",
  "src/lua/shown/retryable.c",
  "return is_passing_refusal(status);",
  "return status < 0;",
  "spec retryable: by its status"
)
mutant(
  "a transfer's error does not look at the status",
  "src/lua/objects/transfer.c",
  "retryable(failure->kind, failure->code, event->status));",
  "true);",
  "spec retryable: has forgotten it"
)
mutant(
  "where no new URL could be asked for is for ever",
  "lua/gptimage2/files/fetch.lua",
  " or why ~= nil and why.retryable",
  "",
  "spec retryable: could not be asked for"
)
mutant(
  "an image that is on its way is for ever",
  "lua/gptimage2/files/fetch.lua",
  "err.retryable or is_on_its_way(self, err)",
  "err.retryable",
  "spec retryable: does not have it yet"
)
mutant(
  "a sidecar's metadata is made field by field",
  "src/lua/values/json_map.c",
  "  if (count < 0)\n",
  "  if (count != 1)\n",
  "spec sidecar: is not made field by field"
)
mutant(
  "names that begin alike are in any order",
  "src/lua/values/json_map.c",
  "  order = memcmp(a->bytes, b->bytes, length);\n",
  "  order = 0;\n",
  "spec sidecar: its fields by their bytes"
)

-- The gate in front of libcurl, and what this machine lacks.

local GATE = "src/engine/rules/gate.c"
local JOB_GATE = "src/engine/job/job_gate.c"

mutant(
  "connections: as many as there are jobs",
  GATE,
  "return gate->used < gate->limit.current && places",
  "return places",
  "c gate",
  "spec connections: bounds the connections"
)
in_short()
mutant(
  "connections: not those of the client that asks for most",
  GATE,
  "while (most > 0 && gate->clients[most] == 0)",
  "while (most > CONNECTIONS_DEFAULT)",
  "c gate"
)
mutant(
  "connections: libcurl keeps as many as it likes beside them",
  "src/engine/loop/loop.c",
  "CURLMOPT_MAX_TOTAL_CONNECTIONS,\n                        (long)bound);",
  "CURLMOPT_MAX_TOTAL_CONNECTIONS, 0L);",
  "spec connections: kept for other services"
)
mutant(
  "gate: a storm of creates starves the polls",
  GATE,
  "creates_inside(gate) < all;",
  "(all || true);",
  "c gate",
  "spec connections: a storm of creates"
)
mutant(
  "gate: creates of a silent origin hold up the creates of others",
  GATE,
  "  unsigned each = three_quarters(share_of(gate));",
  "  unsigned each = share_of(gate);",
  "c gate"
)
mutant(
  "gate: whose first create comes last waits for those of others",
  GATE,
  "    return true; /* one of each gets through, whatever others hold */",
  "    each += 0; /* one of each gets through, whatever others hold */",
  "c gate"
)
mutant(
  "gate: polls never have the only place",
  GATE,
  "if (create && poll && gate->limit.current == 1 &&",
  "if (create && poll && gate->limit.current == 0 &&",
  "c gate"
)
mutant(
  "a picture that is there is not in the ledger",
  "src/engine/ops/download.c",
  "  if (last->path)\n    record(",
  "  if (last->path && false)\n    record(",
  "spec history: as soon as that"
)
mutant(
  "a cancel of a job that has ended unheard is not recorded",
  RECORD_END,
  "job->hearsay || job->op.detached)\n    return;\n  if (!ledger_look",
  "true)\n    return;\n  if (!ledger_look",
  "spec cancel: ended unheard"
)
mutant(
  "a late cancel changes how its job ended",
  RECORD_END,
  "if (!ledger_look(ledger, job->idempotency_key, &stand) || stand.open)",
  "if (!ledger_look(ledger, job->idempotency_key, &stand) || stand.found)",
  "spec cancel: ended unheard"
)
mutant(
  "creates without a connection are not counted in the row",
  RECORD_END,
  "      .attempts = job->state.attempts,\n",
  "",
  "spec history: found no connection"
)
mutant(
  "gate: a silent origin has all places",
  GATE,
  "if (!gate->origins->next)",
  "if (gate->origins)",
  "c gate",
  "spec connections: says nothing leaves"
)
mutant(
  "gate: polls go before creates",
  GATE,
  "  create = first_of(gate, GATE_CREATE);\n",
  "  create = first_of(gate, GATE_POLL) ? NULL : first_of(gate, GATE_CREATE);\n",
  "c gate"
)
mutant(
  "gate: who comes late goes first",
  GATE,
  "while (ahead && waiter(ahead)->due > due)",
  "while (ahead)",
  "c gate"
)
mutant(
  "gate: over HTTP/2 polls have a place each",
  GATE,
  "origin->version == GATE_HTTP2 ? origin->streams.current : 1",
  "1",
  "c gate"
)
mutant(
  "gate: as many creates over HTTP/2 as there are places",
  GATE,
  "each > GATE_CREATES_HTTP2)",
  "each > CONNECTIONS_MAX)",
  "c gate",
  "spec http2: share few connections"
)
mutant(
  "gate: refused streams change nothing",
  GATE,
  "  adaptive_limit_on_429(&origin->streams, now, 0);\n",
  "",
  "c gate"
)
mutant(
  "gate: creates do not wait for a host that is behind",
  GATE,
  "if (create && gate->spares_host && create->due + GATE_PATIENCE > now)",
  "if (false)",
  "c gate"
)
mutant(
  "gate: who waits does not see the deadline",
  JOB_GATE,
  "    heap_set(heap, &job->op.timer, job->state.deadline);\n",
  "    heap_clear(heap, &job->op.timer);\n",
  "spec connections: ends at its timeout, and was not sent"
)
mutant(
  "gate: what never began is an attempt",
  JOB_GATE,
  "    job_state_not_begun(&job->state, job->gate.kind == GATE_CREATE);\n",
  "    (void)0;\n",
  "spec connections: can be cancelled"
)
mutant(
  "gate: a place is never given back",
  JOB_GATE,
  "may_wait_again(job, now)) {\n    gate_leave(gate_of(job), &job->gate);\n",
  "may_wait_again(job, now)) {\n",
  "spec connections: bounds the connections"
)
mutant(
  "shortage: it is a failure of the job",
  JOB_GATE,
  "if (!exchange->shortage || !may_wait_again(job, now)) {",
  "if (true) {",
  "spec shortage: that has made others waits"
)
in_short()
mutant(
  "shortage: without libcurl there is no hope",
  "src/engine/base/shortage.c",
  "  return lacking || shortage_is(failure);",
  "  return false;",
  "spec shortage: as the first of a program"
)
mutant(
  "shortage: no port is a refusal",
  "src/engine/http/http_shortage.c",
  "return is_reachable(exchange) ? no_port : NULL;",
  "return NULL;",
  "spec shortage: short of port"
)
mutant(
  "shortage: a socket that cannot be had is a refusal",
  "src/engine/http/http_shortage.c",
  "  if (lacking)\n    return lacking;\n  if (code",
  "  if (code",
  "spec shortage: short of memory"
)
mutant(
  "shortage: a download fails for its file",
  "src/engine/ops/download.c",
  "if (shortage_is(&download->op.last.failure) && !download->opened)",
  "if (false)",
  "spec shortage: a picture waits"
)
mutant(
  "shortage: a reference is bad",
  "src/engine/job/probe_run.c",
  "  if (bad.failure.kind && is_short(check, &bad.failure)) {",
  "  if (false) {",
  "spec shortage: a look at a reference waits"
)
mutant(
  "a ledger that finds no descriptor is one that cannot be opened",
  LEDGER_FILE,
  "const char *lacking = shortage_of(error);",
  "const char *lacking = NULL;",
  "spec shortage: read a ledger"
)
mutant(
  "who waits behind a shortage is not told of it",
  JOB_GATE,
  "if (lacking && !last->kind)",
  "if (lacking && false)",
  "spec shortage: all say so"
)
mutant(
  "an idle connection that the service has closed is not seen",
  "src/engine/loop/loop.c",
  "    if (is_of(loop, fd, origin))\n      return true;\n",
  "    if (is_of(loop, fd, origin))\n      return false;\n",
  "c loop"
)
mutant(
  "one that another service has closed counts, too",
  "src/engine/loop/loop.c",
  "!socket->origin || socket->origin == origin;",
  "!socket->origin || socket->origin == origin || true;",
  "c loop"
)
mutant(
  "a poll that was never asked is told as a job that takes long",
  "src/lua/shown/verdict.c",
  "return job->mode == JOB_MODE_POLL_ONCE && event->polls == 0;",
  "return job->mode == JOB_MODE_POLL_ONCE && event->polls == 9999;",
  "spec connections: was not asked"
)

-- When to poll: what keeps the plans within their bounds, and what is learned from.

local PLAN = "src/engine/polls/poll_plan.c"
local BOOK = "src/engine/polls/poll_book.c"
local DURATIONS = "src/engine/polls/durations.c"
local CHANGE = "src/engine/polls/durations_change.c"
local FORECAST = "src/engine/core/forecast.c"

mutant(
  "a plan polls more often than the documented loop",
  PLAN,
  "budget = share * survival",
  "budget = 1.1 * share * survival",
  "c poll_plan"
)
in_short()
mutant(
  "a share of the polls is all of them",
  PLAN,
  "budget = share * survival",
  "budget = fmax(share, 1) * survival",
  "c poll_plan"
)
mutant("a poll costs nothing", PLAN, "price * s->runs[i]", "0 * price * s->runs[i]", "c poll_plan")
mutant(
  "the first poll may come late",
  PLAN,
  "#define FIRST_MOST 10.0",
  "#define FIRST_MOST 15.0",
  "c poll_plan"
)
mutant("a gap may be long", PLAN, "#define GAP_MOST 5.0", "#define GAP_MOST 8.0", "c poll_plan")
mutant("a gap may be short", PLAN, "#define GAP_LEAST 0.5", "#define GAP_LEAST 0.1", "c poll_plan")
mutant(
  "past the longest duration polls stay dense",
  PLAN,
  "#define PAST 1.5",
  "#define PAST 4.0",
  "c poll_plan"
)
mutant(
  "the jitter passes a guard",
  PLAN,
  "return clamp(pause, GAP_LEAST, most);",
  "return pause + 0 * clamp(pause, GAP_LEAST, most);",
  "c poll_plan"
)
mutant(
  "a poll that came early is repeated",
  PLAN,
  "left <= 1.2 * POLL_PLAN_JITTER",
  "left <= 0 * POLL_PLAN_JITTER",
  "c poll_plan"
)
mutant(
  "behind a full plan polls are rare",
  PLAN,
  "plan->after = (float)LOOP;",
  "plan->after = (float)GAP_MOST;",
  "c poll_plan"
)
mutant(
  "a plan is made for each job",
  BOOK,
  "#define PLAN_EVERY 1.0",
  "#define PLAN_EVERY 0.0",
  "c poll_book"
)
mutant(
  "one job is enough to know all",
  "src/engine/polls/poll_book.h",
  "#define POLL_BOOK_LEAST 4",
  "#define POLL_BOOK_LEAST 1",
  "c poll_book",
  "spec learning: is nil before four"
)
mutant(
  "a plan stays when what it came from is forgotten",
  BOOK,
  "    book->plans[class] = NULL;\n",
  "",
  "c poll_book"
)
mutant(
  "the short jobs of a burst are all that is known",
  "src/engine/polls/density.c",
  "older[i] = looks->running - younger[i];",
  "older[i] = 0 * (looks->running - younger[i]);",
  "c poll_book"
)
mutant(
  "any number of those that run are followed",
  DURATIONS,
  "return open < DURATIONS_OPEN;",
  "return open <= DURATIONS_MAX;",
  "c poll_book"
)
mutant(
  "chance is taken for a change",
  CHANGE,
  "(3.5 + 6.0 / (newest))",
  "(2.0 + 0.0 / (newest))",
  "c poll_learning"
)
mutant(
  "no change is ever seen",
  CHANGE,
  "(3.5 + 6.0 / (newest))",
  "(3500 + 6.0 / (newest))",
  "c poll_book",
  "c poll_learning"
)
mutant(
  "a duration is when it was noticed",
  JOB_STATE,
  ".low = state->seen, .high = (float)age",
  ".low = (float)(age - 0.01), .high = (float)age",
  "c job_state_poll"
)
in_short()
mutant(
  "a job ran still when the answer came that says so",
  JOB_STATE,
  "reply, now, random);\n  state->seen = state->asked;",
  "reply, now, random);\n  state->seen = (float)(now - state->created);",
  "c job_state_poll"
)
mutant(
  "the same of an answer with a body",
  JOB_STATE,
  "state->unusable_replies = 0;\n  state->seen = state->asked;",
  "state->unusable_replies = 0;\n  state->seen = (float)(now - state->created);",
  "c job_state_poll"
)
mutant(
  "what goes out before the create is answered is a look",
  JOB_STATE,
  "  if (state->phase == PHASE_POLLING)\n    state->asked",
  "  state->asked",
  "c job_state_poll"
)
mutant(
  "a job that was hardly looked at tells a duration",
  JOB_STATE,
  "age - (double)state->seen > LOOKS_APART * state",
  "age - (double)state->seen > 1000 * LOOKS_APART * state",
  "c job_state_poll"
)
mutant(
  "a job that was taken up tells a duration",
  JOB_STATE,
  "if (state->mode != JOB_MODE_GENERATE || state->polls == 0 ||",
  "if (state->polls == 0 ||",
  "c job_state_poll"
)
local DENSITY = "src/engine/polls/density.c"

mutant(
  "a job is taken to have ended in the middle of its looks",
  DENSITY,
  "#define ROUNDS 8",
  "#define ROUNDS 1",
  "c density",
  "c poll_short"
)
mutant(
  "what no look told apart makes wide what was",
  DENSITY,
  "STEP * (clamp(cell, looks->from[i], looks->to[i]) - cell)",
  "STEP * ((looks->from[i] + looks->to[i]) / 2 - cell)",
  "c poll_short"
)
mutant(
  "looks say nothing of where between them",
  DENSITY,
  "clamp(cell_of((double)one->low), 0, looks->to[i] - NARROW);",
  "clamp(cell_of((double)one->low) + looks->to[i], 0, looks->to[i] - NARROW);",
  "c density"
)
mutant(
  "what was not seen yet has no chance",
  DENSITY,
  "#define PRIOR_WEIGHT 0.5",
  "#define PRIOR_WEIGHT 0.0",
  "c poll_learning",
  "c density"
)
mutant(
  "a first poll is never tried earlier",
  PLAN,
  "#define SLACK 0.02",
  "#define SLACK 0.0",
  "c poll_short"
)
mutant(
  "a wide look is a change",
  CHANGE,
  "place->middle + unseen_of(place)",
  "place->middle + 0 * unseen_of(place)",
  "c density",
  "c poll_short",
  "c poll_book",
  "c poll_learning"
)
mutant(
  "a job is as far from the mean as its middle",
  CHANGE,
  "  if (place->least > mean)\n",
  "  if (place->ended && place->least > -99)\n"
    .. "    return (place->least + place->most) / 2 - mean;\n"
    .. "  if (place->least > mean)\n",
  "c density",
  "c poll_short",
  "c poll_book",
  "c poll_learning"
)
mutant(
  "chance is taken for a faster service",
  CHANGE,
  "(3.0 + 0.5 / (newest))",
  "(0.5 + 0.0 / (newest))",
  "c poll_learning"
)
mutant(
  "a faster service is never seen",
  CHANGE,
  "(3.0 + 0.5 / (newest))",
  "(3000 + 0.5 / (newest))",
  "c poll_learning",
  "c poll_crowd"
)
mutant(
  "a few quick jobs are a change, whatever runs beside them",
  CHANGE,
  "return older * OTHERS >= ended;",
  "return older * OTHERS > 1000 * ended;",
  "c poll_mixed"
)
mutant(
  "what was before a change is no guess",
  DENSITY,
  "#define APART_SHARE 0.5",
  "#define APART_SHARE 0.0",
  "c poll_mixed"
)
mutant(
  "a mode of which another class comes stays that of the first",
  BOOK,
  "bool apart = is_class_sheet(book, old);",
  "bool apart = is_class_sheet(book, old) && false;",
  "c poll_book"
)
mutant(
  "all stays what the first mode was",
  BOOK,
  "bool apart = book->all && book->all == book->modes[1 - mode];",
  "bool apart = false;",
  "c poll_book"
)
mutant(
  "a ledger's row of the future is never ripe",
  "src/engine/core/account.c",
  "(age > 0 ? age : 0)",
  "age",
  "c ledger_durations"
)
mutant(
  "what is recorded is the middle of two looks",
  "src/engine/core/account.c",
  "if (find_outlook(account, class, &outlook))\n    middle",
  "if (find_outlook(account, class, &outlook) && false)\n    middle",
  "c ledger_durations"
)
mutant(
  "an outlook is read while it is written",
  FORECAST,
  "if (turn % 2 == 0 && atomic",
  "if (atomic",
  "c forecast"
)
mutant(
  "times that were given are not kept to",
  "src/engine/core/account.c",
  "account->settings.learns ? account->polls.plans : NULL;",
  "account->polls.plans;",
  "c ledger_durations"
)
mutant(
  "without poll.max pauses grow",
  "lua/gptimage2/objects/options.lua",
  "seconds(poll.max or interval,",
  "seconds(poll.max or interval * 2,",
  "spec options: have defaults"
)
mutant(
  "a duration is told twice, and the second counts",
  LEDGER_SQL,
  "coalesce(seconds, ?15)",
  "coalesce(?15, seconds)",
  "c ledger_durations"
)
mutant(
  "another service's durations count",
  "src/engine/ledger/ledger_durations.c",
  "return strcmp(name, service) == 0;",
  "return strcmp(name, service) != 99;",
  "c ledger_durations"
)
mutant(
  "a job that waits for its turn has an eta",
  "src/lua/objects/expect.c",
  "job->accepted <= 0 ||",
  "",
  "spec learning: eta"
)

return rows
