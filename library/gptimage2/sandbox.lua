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
---@return { action: string, phases: table, options: table, required: table, work: boolean, tls: boolean, about: string }[]
function module.faults() end

---@class gptimage2.SandboxOptions
---@field port? integer default 0: one that is free
---@field api_key? string the key it accepts; default "sandbox"
---@field credits? integer of the account; default 500
---@field free_per_day? integer free images a day; default 0
---@field duration? number seconds until a job is done; default 1
---@field idempotency? boolean repeated idempotency keys give the same job; default true
---@field image_size? integer pixels of the longer side; default 1024
---@field image_bytes? integer make every image a file of this size
---@field tls? boolean https, with a certificate of its own: see `ca_file`; default false

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
---| "status" answers with this status
---| "delay" answers late
---| "hang" never answers
---| "reset" reads the request and tears the connection
---| "close" reads the request and closes the connection
---| "truncate" closes in the middle of the answer
---| "malformed" answers with JSON that is cut off
---| "oversize" answers with far too much
---| "redirect" answers with a redirect
---| "body" answers with this body
---| "fail" lets the next job fail

---@class gptimage2.Fault
---@field action gptimage2.FaultAction
---@field on? "create"|"poll"|"image"|"reference"|"other"|"any"|"job" "job" goes with "fail" only
---@field times? number requests to hit; default 1; math.huge is all
---@field after? number requests to let pass first; default 0
---@field work? boolean a create makes its job all the same; default false for "status", "redirect"
---@field status? integer HTTP status, for "status" and "redirect"
---@field headers? table<string, string> to send along
---@field body? string for "body" and "status"
---@field location? string for "redirect"
---@field error? string the job's error, for "fail"; default "generation_failed"
---@field bytes? integer for "truncate": what is left; for "oversize": the size
---@field chunked? boolean for "oversize": without a length in front
---@field seconds? number to wait before the answer

---@class gptimage2.SandboxLedger
---@field credits integer what is left
---@field charged integer in all
---@field refunded integer in all
---@field connections integer accepted so far
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
