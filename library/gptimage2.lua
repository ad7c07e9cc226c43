---@meta gptimage2
-- luacheck: ignore 212 241

-- What `require("gptimage2")` gives, for language servers. This file is never run: point
-- `workspace.library` of the Lua language server at this folder.
--
-- Times are in seconds, money is in credits. Wrong argument types and unknown options raise;
-- everything that can go wrong at run time gives `nil` and a gptimage2.Error.

---@class gptimage2
---@field _NAME string "gptimage2"
---@field _VERSION string "gptimage2 X.Y.Z"
---@field _DESCRIPTION string
---@field _LICENSE string "MIT"
---@field _URL string
---@field prompt gptimage2.PromptModule the prompt builder, also `require("gptimage2.prompt")`
---@field migrate gptimage2.MigrateModule also `require("gptimage2.migrate")`
---@field loops table<string, gptimage2.Loop> the loops of hosts by their names, see doc/hosts.md
---@field on_error? fun(err: any, what: string) gets the errors of tasks and handlers
local gptimage2 = {}

---A client: the settings of one account. No request is made and no thread started here.
---
---Errors: kind `auth` (`api_key_missing`, `api_key_invalid`), kind `validation`
---(`invalid_base_url`, `insecure_base_url`, `invalid_proxy`).
---@param options? gptimage2.Options
---@return gptimage2.Client|nil client
---@return gptimage2.Error|nil err
function gptimage2.new(options) end

---Handles what has arrived: updates jobs, calls `on_event`, resumes coroutines that wait. Without a
---timeout it never waits. Works for about 0.6 ms at most, unless one thing alone takes longer; what
---is left is for the next call.
---
---What a hook or a finalizer raises in the middle of it is raised, and the next call goes on there.
---Raises what `on_event` raises, and the error of a task that nobody waits for. Gives 0 inside of
---something that runs while an event is taken in (a finalizer, a hook); with a timeout it gives an
---error there, as all calls do that would block (kind `validation`, code `cannot_wait_here`).
---@param timeout? number seconds to wait when nothing has arrived
---@return integer|nil handled
---@return gptimage2.Error|nil err kind `closed` in a forked process
function gptimage2.step(timeout) end

---How many jobs and downloads are not yet finished; 0 in a forked process, where none will be.
---@return integer
function gptimage2.pending() end

---How much goes on: what `pending` counts, tasks that have not ended, sleeps. A loop may end when
---it is 0.
---@return integer
function gptimage2.busy() end

---A file descriptor that is readable while `step` has something to do, for any event loop. Where
---many jobs are under way it waits up to 16 ms for the news of more of them. Do not read from it,
---and do not close it.
---@return integer|nil fd
---@return gptimage2.Error|nil err kind `closed` in a forked process
function gptimage2.fd() end

---Starts `fn(...)` in a coroutine that `step` drives. It runs at once until it first waits.
---@param fn function
---@param ... any
---@return gptimage2.Task
function gptimage2.spawn(fn, ...) end

---Waits until all tasks have ended, as all waiting calls do. With a function: starts it as a task
---first and gives what it returned; raises what it raised. Raises the error of a task that nobody
---waits for, with its traceback; and where a task has called it, at once or further down, which
---could not end before it returns.
---@param fn? function
---@param ... any
---@return any ... what `fn` returned; nil and an error (kind `cancelled`) when it was closed
function gptimage2.run(fn, ...) end

---Waits the way all waiting calls do: other jobs and tasks go on.
---@param seconds number
---@return true|nil
---@return gptimage2.Error|nil err
function gptimage2.sleep(seconds) end

---Seconds on the clock that deadlines are told in. It only goes forward; only differences mean
---something.
---@return number seconds
function gptimage2.now() end

---Chooses what waiting does, for the whole Lua state.
---
---"auto" (the default): the loop of a host that is known for certain (nginx, HAProxy, Neovim,
---cqueues, Copas, Nmap); else in a coroutine that may yield, yield until the thing is done, and
---block elsewhere. Who is resumed 1,000 times without a step in between raises an error
---(`not_driven`).
---"block": always block, in slices, so that Ctrl-C works and other jobs go on.
---"yield": always yield; a wait elsewhere raises.
---The name of a loop, or a table: see doc/hosts.md. Tasks always yield to `step`. Raises for what
---is none of these, and for another loop while somebody waits in one.
---@param loop "auto"|"block"|"yield"|gptimage2.LoopName|gptimage2.Loop|gptimage2.WaitLoop
function gptimage2.use(loop) end

---@alias gptimage2.LoopName
---| "copas"
---| "cqueues"
---| "glib"
---| "haproxy"
---| "luasocket"
---| "luv"
---| "nginx"
---| "nmap"
---| "nvim"

---The loop of a host. `start`: the first waiter or task has come; it calls `step`, which never
---raises, when `fd()` is readable or each tick, and gives a function that is called after the last.
---`suspend` stops this coroutine until `resume(w)`, or so long; left out: a plain yield. `resume`
---lets that one go on; `w.awake` is true then. `turn` is one turn of the loop, for waits outside of
---coroutines; left out: block. `current` tells which loop of this kind runs here, nil for none;
---left out: there is one. `forbids` tells why nothing can be waited for here. What the functions
---give is ignored otherwise; none of them may call `step` but by what `start` was given.
---@class gptimage2.Loop
---@field start fun(step: fun()): function|nil
---@field suspend? fun(w: table, seconds: number|nil)
---@field resume? fun(w: table)
---@field turn? fun(ready: (fun(): boolean), deadline: number|nil)
---@field current? fun(): any
---@field forbids? fun(in_coroutine: boolean): string|nil

---The older way: `wait` lets the loop run until `ready()` is true or the deadline has passed; it
---may return earlier. After each return `step` is called.
---@class gptimage2.WaitLoop
---@field wait fun(ready: (fun(): boolean), deadline: number?) deadline: on the clock of `now`

---@class gptimage2.Options
---@field api_key? string default: the environment variable GPTIMAGE2_API_KEY
---@field base_url? string default: GPTIMAGE2_BASE_URL, else "https://gptimage2.ai"
---@field allow_http? boolean plain http beyond this machine, which shows the key; default false
---@field timeout? number seconds for a job, from submit to its end; default 600; math.huge is none
---@field connect_timeout? number seconds to connect; default 10
---@field request_timeout? number seconds for one exchange, or of silence in a download; default 60
---@field retry? "safe"|"documented"|"idempotent" which failed creates are sent again
---@field max_attempts? integer tries of one create, all reasons together; default 4
---@field poll? gptimage2.PollOptions
---@field max_active? integer unfinished jobs at the service at once; default 8; the rest wait
---@field max_connections? integer 1 to 256 connections for exchanges with services; default 32
---@field budget? number credits that this client may spend; default: no limit
---@field ledger? string path of a SQLite file with every paid job; default: none
---@field ledger_owner? "self"|"any" whose the ledger's file may be; default "self"
---@field ledger_alone? boolean nobody else may spend on the ledger; default false: it is shared
---@field account? string name of the account, for the ledger; default: told by the API key
---@field verify_references? boolean look at reference images before spending; default true
---@field allow_private_references? boolean references at private addresses; default false
---@field ratios? string[] ratios beside the documented five, such as "21:9"
---@field proxy? string URL of a proxy; proxies of the environment are not used
---@field ca_file? string path of a file with certificates to trust instead of the system's
---@field user_agent? string default "gptimage2-lua/X.Y.Z"
---@field on_event? fun(event: gptimage2.Event) called inside `step`
---@field on_error? fun(err: any, what: string) gets the errors of on_event and on_done

---When to poll is learned, unless one of the times (seconds) is given; those differ by up to 15 %.
---@class gptimage2.PollOptions
---@field first? number after the create; default 2.0
---@field interval? number between polls; default 2.5
---@field max? number where it is given, pauses grow by a quarter after 30 s, up to this
---@field share? number of the polls that learned times take, 0.1 to 1; default 1
---@field unit? number for tests: makes all times but those given shorter, 0.001 to 1; default 1

---@class gptimage2.HistoryFilter
---@field key? string idempotency key
---@field id? string the service's id
---@field tenant? string for whom it was made
---@field state? string a state of the ledger; unknown ones raise
---@field since? number seconds since 1970
---@field until? number seconds since 1970
---@field limit? integer rows, 1 or more; default: all of them

---@class gptimage2.TenantChange
---@field budget? number credits, 0 or more; math.huge: no limit
---@field weight? number above 0; default 1

---For whom jobs of the ledger are made, and what it may spend.
---@class gptimage2.Tenant
---@field name string
---@field budget number|nil credits; nil: no limit
---@field reserved number credits of its jobs that are not settled
---@field spent number credits of those that are
---@field weight number

---A row of the ledger, with the fields of a job.
---@class gptimage2.HistoryRow
---@field id string|nil
---@field status gptimage2.Status
---@field state string intent, sent, accepted, unknown, succeeded, failed, ... (see doc/money.md)
---@field request gptimage2.Request
---@field results gptimage2.Result[]|nil
---@field error gptimage2.Error|nil as far as the row tells (see doc/money.md)
---@field cost integer credits
---@field charged "no"|"yes"|"unknown"|"refund_expected"
---@field idempotency_key string
---@field metadata table<string, string>|nil
---@field attempts integer creates, of all processes
---@field created_at number seconds since 1970
---@field elapsed number seconds
---@field base_url string
---@field tenant string|nil for whom it was made
---@field files string[]

---@class gptimage2.Client
---@field balance gptimage2.Balance|nil what the service last told; nil before that
---@field spent number credits reserved by this client, less those given back
local client = {}

---The whole thing: create, poll, finish (and save, where `options.save` says so). Waits.
---@param request gptimage2.Request
---@param options? gptimage2.JobOptions
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err
function client:generate(request, options) end

---The same without waiting: returns at once, the engine does the rest. What is wrong with the
---request is told at once.
---@param request gptimage2.Request
---@param options? gptimage2.JobOptions
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err
function client:submit(request, options) end

---One create call and no polling afterwards, for route handlers. Waits. It does not take the option
---`save`.
---@param request gptimage2.Request
---@param options? gptimage2.JobOptions
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err
function client:create(request, options) end

---One poll call. Waits.
---@param id string
---@return gptimage2.Job|nil job status "pending", "running" or "succeeded"
---@return gptimage2.Error|nil err
function client:poll(id) end

---Takes up a job by its id, from any earlier process, and polls it to its end.
---@param id string
---@param timeout? number seconds; default the client's
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err
function client:wait(id, timeout) end

---A handle for an id, without any request.
---@param id string
---@return gptimage2.Job|nil job status "unknown"; `job:wait` takes it up
---@return gptimage2.Error|nil err code `invalid_job_id`, or kind `closed`
function client:job(id) end

---What a request costs: 10 credits for each image. The request is checked; nothing is sent.
---@param request gptimage2.Request
---@return integer|nil credits
---@return gptimage2.Error|nil err
function client:cost(request) end

---How long such a job will take from the answer to its create, as far as the client has learned it.
---Nothing before four jobs were seen to their end.
---@param request gptimage2.Request
---@return number|nil p50 seconds in which half of such jobs are done
---@return number|gptimage2.Error|nil p90 nine in ten; or what is wrong with the request
function client:expect(request) end

---The client's unfinished jobs, oldest first.
---@return gptimage2.Job[]
function client:jobs() end

---Takes up what an earlier process left unfinished: polls what the service has, sends what was
---provably not sent (with retry = "idempotent" what may have been, too), and gives the rest back
---with the status "unknown". So it does with what would go over the budget, which is not sent (kind
---`budget`). Jobs of another account are left alone unless `any_key` says that the key was changed,
---and become this one's when the service takes its key for them.
---Does not wait for the jobs.
---@param opts? { any_key?: boolean }
---@return gptimage2.Job[]|nil jobs oldest first
---@return gptimage2.Error|nil err kind ledger
function client:recover(opts) end

---Settles an unknown job by hand.
---@param key string its idempotency key
---@param what "resend"|"abandon"|string the last: its job id
---@param opts? { any_key?: boolean } as in recover
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err kind ledger, budget (resend), or code `invalid_job_id`
function client:resolve(key, what, opts) end

---What was asked, paid and received, newest first. With a limit it is quick however large the
---ledger is; without one all rows are in the list.
---@param filter? gptimage2.HistoryFilter
---@return gptimage2.HistoryRow[]|nil rows
---@return gptimage2.Error|nil err kind ledger
function client:history(filter) end

---A tenant of the ledger: looks at it. With a second argument makes it, or changes it first, which
---is durable then. Waits.
---@param name string 1 to 128 bytes of UTF-8, without control characters
---@param change? gptimage2.TenantChange what is left out stays as it is
---@return gptimage2.Tenant|nil row
---@return gptimage2.Error|nil err kind budget, ledger, or code `invalid_tenant`
function client:tenant(name, change) end

---Ends the client: its unfinished jobs end as "cancelled" with kind `closed`. May be called again;
---also runs at the end of a `local client <close>`.
function client:close() end

---Integers. The service may leave fields out.
---@class gptimage2.Balance
---@field paid_credits? integer
---@field free_images_remaining? integer
---@field total_images? integer images that all credits and free images are good for
---@field free_images_per_day? integer

---@class gptimage2.JobOptions
---@field timeout? number seconds for this job; default the client's
---@field idempotency_key? string 1 to 255 visible ASCII characters; default 128 random bits
---@field metadata? table<string, string> at most 64 KiB of UTF-8: for job, events and sidecar
---@field tenant? string of the ledger: for whom it is made, and from whose budget it is paid
---@field save? string|gptimage2.SaveAs where to save the images (see `job:save`)

---`{ where, overwrite = …, sidecar = … }`
---@class gptimage2.SaveAs: gptimage2.SaveOptions
---@field [1] string a folder or a pattern

---@class gptimage2.SaveOptions
---@field overwrite? boolean replace files that are there; default false
---@field sidecar? boolean write `{id}.json` beside the images; default true

---@class gptimage2.Request
---@field prompt string|gptimage2.Prompt at most 32 KiB of UTF-8; trimmed
---@field mode? "text-to-image"|"image-to-image" default: from whether there are references
---@field ratio? "1:1"|"16:9"|"9:16"|"4:3"|"3:4"|string
---@field count? integer images, 1 to 4; default 1
---@field image_urls? string[] 1 to 16 absolute http(s) URLs; none beside a prompt that has refs
---@field style? string a preset's slug: "editorial-photo", "studio-product", "cinematic"
---@field lighting? string a hint
---@field camera? string a hint
---@field negative? string what to avoid

---@alias gptimage2.Status
---| "queued" ours: waits for its turn
---| "creating" ours: the create is on its way
---| "pending" the service's
---| "running" the service's
---| "succeeded" the end: there are results
---| "failed" the end: the service failed or refused, or it was never sent
---| "cancelled" the end: you cancelled it, or closed the client
---| "unknown" the end: given up without knowing what became of it

---@class gptimage2.Job
---@field id string|nil the service's id; nil until it is known
---@field status gptimage2.Status
---@field request gptimage2.Request|nil as it was sent; nil for a job taken up by its id
---@field results gptimage2.Result[]|nil once it has succeeded
---@field balance gptimage2.Balance|nil as told with this job's last answer
---@field error gptimage2.Error|nil why it did not succeed
---@field cost number credits; 0 for a job taken up by its id
---@field idempotency_key string|nil sent with the create
---@field metadata table<string, string>|nil from the options
---@field tenant string|nil from the options
---@field attempts integer how often the create was tried
---@field polls integer
---@field created_at number when it was submitted: seconds since 1970, with their fraction
---@field elapsed number seconds from submit until now, or until its end
---@field eta number|nil seconds in which it will be done as likely as not, where that is known
---@field files string[]|nil paths of the last save that went well
---@field save_error gptimage2.Error|nil of the last save; code `wait_timeout`: it goes on
---@field client gptimage2.Client
local job = {}

---Waits until the job is done. A timeout of its own that runs out (code `wait_timeout`) leaves the
---job going. A job of `client:create` and a handle of `client:job` are taken up by their id; then
---the job returned is a new one, which knows what the old one knew.
---@param timeout? number seconds
---@return gptimage2.Job|nil job
---@return gptimage2.Error|nil err the job's error, or kind `timeout`
function job:wait(timeout) end

---Whether nothing more happens by itself.
---@return boolean
function job:done() end

---Whether the service has said what became of it: `succeeded` or `failed`.
---@return boolean
function job:finished() end

---Calls fn(job, err) once when the job is done: in a later step, never inside of this call.
---@param fn fun(job: gptimage2.Job, err: gptimage2.Error|nil)
function job:on_done(fn) end

---The job as the service's own JSON, in which arrays stay arrays.
---@return string|nil json
---@return gptimage2.Error|nil err kind `validation`, code `no_job_id`
function job:answer() end

---Stops waiting and polling. The service has no cancel: what was sent goes on there, and its
---credits stay spent.
function job:cancel() end

---Downloads all images to files, without passing their bytes through Lua, and writes the sidecar
---`{id}.json`. Waits.
---
---A failed save never fails the job: save again, to the same place; what is there from before, and
---was not changed, is not fetched again. Saves of one job wait for each other. `err.paths` has the
---paths that were saved. A relative place begins in the folder that the program is in now.
---@param where string a folder, or a pattern with {id} {n} {seed} {ext} {date}
---@param options? gptimage2.SaveOptions
---@return gptimage2.Paths|nil paths of the images, in their order
---@return gptimage2.Error|nil err
function job:save(where, options) end

---Image n in memory. Waits.
---@param n? integer default 1
---@return string|nil bytes
---@return gptimage2.Error|nil err
function job:data(n) end

---The service's last answer, as received (escape it before you print it), with "[key]" where it
---repeated the API key; "" before there is one.
---@return string
function job:raw() end

---@class gptimage2.Paths: string[]
---@field formats string[] what the images are, whatever their names say

---@class gptimage2.Result
---@field image_url string
---@field format string|nil once it was fetched: "png", "jpg", "webp", "gif" or "avif"
---@field seed? string
---@field final_prompt? string what the service made of prompt, style and hints

---@alias gptimage2.EventType
---| "queued" it waits for its turn
---| "created" the service has accepted it: `id` is known
---| "status" it is pending or running now
---| "retry" a create or a poll is tried again: see delay, attempts, status, code, message
---| "succeeded"
---| "failed" see error; also for jobs that end as "unknown"
---| "cancelled"
---| "saved" see paths

---@class gptimage2.Event
---@field type gptimage2.EventType
---@field job gptimage2.Job
---@field id string|nil the job's
---@field time number seconds since 1970, with their fraction
---@field status gptimage2.Status|integer|nil the job's; with "retry" the HTTP status, if any
---@field balance gptimage2.Balance|nil
---@field error gptimage2.Error|nil with "failed" and "cancelled"
---@field metadata table<string, string>|nil the job's
---@field eta number|nil the job's
---@field delay number|nil with "retry": seconds until then
---@field attempts integer|nil with "retry": creates so far
---@field code string|nil with "retry"
---@field message string|nil with "retry"
---@field paths string[]|nil with "saved"

---@alias gptimage2.Kind
---| "validation" the request, an option or a reference is wrong
---| "budget" the budget of the client, or of the job's tenant, does not allow it
---| "credits" the account has not enough credits
---| "auth" the key is missing or not accepted
---| "not_found" the service does not know the job
---| "rate_limit" too many requests
---| "server" the service failed
---| "network" no connection, or no image from its host; nothing was sent that could cost
---| "tls" no secure connection; nothing was sent
---| "timeout" a time limit ran out
---| "cancelled" you cancelled it
---| "lost" a create was sent and its answer never came: it may have been paid
---| "job_failed" the service says that the job failed
---| "protocol" an answer that the documentation does not allow
---| "ledger" the record cannot be opened, written or changed so
---| "io" files, memory, threads
---| "build" a manifest of pictures, or what belongs to it, is not as it should be
---| "closed" the client is closed, or the process was forked

---A table; `tostring` gives "message (kind/code)".
---@class gptimage2.Error
---@field kind gptimage2.Kind
---@field code string a stable word; the service's own where it sent one
---@field message string for people: what happened, and what to do
---@field field? string which field of the request or option
---@field status? integer the HTTP status
---@field retryable? boolean whether the same call may go well later
---@field retry_after? number seconds that the service asks to wait
---@field attempts? integer how often the create was tried
---@field job_id? string
---@field idempotency_key? string
---@field sent? "no"|"yes" whether a create was sent
---@field charged? "no"|"yes"|"unknown"|"refund_expected" what is known about the money
---@field body? string the first 4 KiB of the answer as it came, but for the key
---@field elapsed? number seconds since the submit
---@field paths? string[] with a failed save: what was saved
---@field file? string of kind "build": where it is wrong
---@field line? integer of kind "build"
local err = {}

---The status with which a server of yours answers its own client.
---@return integer
function err:http_status() end

---What `spawn` gives.
---@class gptimage2.Task
local task = {}

---Waits for the task's end: gives what its function returned, raises what it raised. When its
---coroutine was closed by `coroutine.close`: nil and an error of kind `cancelled`.
---@param timeout? number seconds; when it runs out: nil and an error of kind `timeout`
---@return any ...
function task:wait(timeout) end

---Whether the function has returned or raised.
---@return boolean
function task:done() end

return gptimage2
