---@meta gptimage2.sandbox
-- luacheck: ignore 212 241

---A stand-in for the service, inside the process: `require("gptimage2.sandbox")`.
---@class gptimage2.SandboxModule
local module = {}

---Starts a sandbox: an HTTP server on 127.0.0.1, on a thread of its own.
---@param options? gptimage2.SandboxOptions
---@return gptimage2.Sandbox|nil sandbox it stops when it is collected: keep it
---@return string|nil message
function module.start(options) end

---All faults it can do: what each is called, in which phases it can happen, and its options.
---@return { action: string, phases: table, options: table, about: string }[]
function module.faults() end

---@class gptimage2.SandboxOptions
---@field port? integer default 0: one that is free
---@field api_key? string the key it accepts; default "sandbox"
---@field credits? integer of the account; default 500
---@field free_per_day? integer free images a day; default 0
---@field duration? number|gptimage2.SandboxDuration seconds until a job is done; default 1
---@field idempotency? boolean repeated idempotency keys give the same job; default true
---@field image_size? integer pixels of the longer side; default 1024
---@field image_bytes? integer make every image a file of this size
---@field certificate? "good"|"expired"|"wrong_host"|"self_signed" with tls; default "good"
---@field tls? boolean https, with a certificate of its own: see `ca_file`; default false

---Durations that differ: log-normal, the same ones in the same order for the same seed.
---@class gptimage2.SandboxDuration
---@field median? number seconds; default 1
---@field sigma? number the spread of the logarithm; default 0: all the same
---@field scale? number all of them are so many times as long; default 1
---@field seed? integer default 1

---@class gptimage2.Sandbox
---@field url string for the option `base_url`
---@field api_key string for the option `api_key`
---@field ca_file string|nil with tls: for the option `ca_file`
local sandbox = {}

---Makes it misbehave.
---@param fault gptimage2.Fault
function sandbox:fault(fault) end

---Forgets all faults.
function sandbox:clear() end

---Moves its clock forward: jobs get done without waiting.
---@param seconds number
function sandbox:advance(seconds) end

---The URL of a reference image that it serves; a name that ends in ".txt" gives a text instead.
---@param name string letters, digits, "_" and "-"
---@return string url
function sandbox:reference(name) end

---Its books.
---@return gptimage2.SandboxLedger
function sandbox:ledger() end

---Stops it. May be called again; the ledger stays readable.
function sandbox:stop() end

---@alias gptimage2.FaultAction
---| "status" another status, with the error that goes with it
---| "delay" the right answer, late
---| "hang" no answer, ever
---| "reset" the connection is reset without an answer
---| "close" the connection is closed without an answer
---| "truncate" a body cut short of its announced length
---| "malformed" JSON that ends in the middle
---| "oversize" a body too large
---| "redirect" a redirect, to anywhere or to itself
---| "fail" the next job made ends as failed, and is refunded
---| "body" another body with the true status
---| "stall" the answer stops on its way; the connection stays
---| "drip" the body comes at so many bytes a second
---| "cut" the connection ends after so many bytes, head included
---| "length" a wrong Content-Length
---| "endless_headers" headers without an end
---| "endless_chunks" a chunked body without an end
---| "informational" 1xx answers before the right one
---| "raw" these bytes instead of an HTTP answer
---| "html" an error page of a proxy
---| "type" the right body under another content type
---| "gzip" a small body that unpacks to a huge one
---| "short" only the first bytes of the body, and a length to match
---| "not_image" bytes of the right number and type, but no image
---| "duplicate_keys" every field twice, with different values
---| "nesting" arrays in arrays, deeply
---| "escapes" NUL and terminal escapes in strings
---| "unknown_status" a job status that the documentation lacks
---| "other_job" the answer names another job
---| "failed" says failed, though the job goes on
---| "results" says succeeded, without usable results
---| "missing" 404, as for what does not exist
---| "conflict" 409 or 422 to a repeated idempotency key only

---@class gptimage2.Fault
---@field action gptimage2.FaultAction
---@field on? "create"|"poll"|"image"|"reference"|"other"|"any"|"job" "job" goes with "fail" only
---@field times? number requests to hit; default 1; math.huge is all
---@field after? number requests to let pass first; default 0
---Whether a create makes its job all the same. Default true, but for "status", "redirect", "html",
---"missing" and "conflict" false.
---@field work? boolean
---The HTTP status, for "status", "redirect", "informational", "html", "escapes", "unknown_status"
---and "conflict".
---@field status? integer
---@field headers? table<string, string> to send along
---@field body? string for "status", "html" and "body" the body, for "raw" the whole answer
---@field location? string for "redirect"
---@field error? string the job's error, for "fail" and "failed"; default "generation_failed"
---For "truncate" and "short": what is left. For "oversize", "gzip" (unpacked), "endless_headers",
---"endless_chunks": how much there is. For "stall", "cut": where it stops. For "drip": how many a
---second.
---@field bytes? integer
---@field chunked? boolean for "oversize": without a length in front
---@field to? string "self", "chain", "host", "http" or "https", for "redirect"
---@field head? boolean for "stall" and "drip": bytes count from the head, not from the body
---@field reset? boolean for "cut": torn, not closed
---@field add? integer for "length": what is added to the true one
---@field value? string for "length": this instead
---@field count? integer how many, for "informational" and "nesting"
---@field type? string for "type": the content type
---@field last? boolean for "duplicate_keys": the false fields come after the true ones
---@field name? string for "unknown_status"
---@field id? string for "other_job"
---@field shape? string for "results": "null", "absent", "empty", "without_urls", "object" ...
---@field seconds? number to wait before the answer

---@class gptimage2.SandboxLedger
---@field credits integer what is left
---@field charged integer in all
---@field refunded integer in all
---@field connections integer accepted so far
---@field open_connections integer now
---@field most_connections integer open at once, at most
---@field requests table<string, integer> by kind: create, poll, image, reference, other
---@field jobs gptimage2.SandboxJob[]
---@field log gptimage2.SandboxLogEntry[] the last requests

---@class gptimage2.SandboxJob
---@field id string
---@field status "pending"|"running"|"succeeded"|"failed"
---@field error string|nil
---@field key string|nil its idempotency key
---@field count integer
---@field credits integer
---@field posts integer creates that led to it
---@field polls integer
---@field refunded boolean
---@field duration number seconds from its create to its end
---@field prompt string
---@field body string of the create, as received

---@class gptimage2.SandboxLogEntry
---@field time number
---@field method string
---@field path string
---@field status integer 0 when there was no answer
---@field authorization boolean whether there was such a header
---@field key string|nil the idempotency key
---@field user_agent string|nil
---@field range string|nil

return module
