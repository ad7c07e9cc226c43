---@meta gptimage2.assets
-- luacheck: ignore 212 241

---Pictures as a build: `require("gptimage2.assets")`.
---@class gptimage2.AssetsModule
local assets = {}

---What a build of this manifest would do, and why. Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.PlanOptions
---@return gptimage2.Plan|nil plan
---@return gptimage2.Error|nil err
function assets.plan(path, options) end

---Makes what the plan says. Waits. Whatever ends the program, the same call finishes it.
---@param path string of the manifest
---@param options gptimage2.BuildOptions
---@return gptimage2.BuildReport|nil report
---@return gptimage2.Error|nil err
function assets.build(path, options) end

---Whether all pictures are there, accepted and as they should be. Offline.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return gptimage2.Check|nil found
---@return gptimage2.Error|nil err
function assets.check(path, options) end

---Accepts a candidate: its number, nil for the only one that waits, "keep" (the picture that is
---there) or "edited" (the file as it is now).
---@param path string of the manifest
---@param picture string its path
---@param what? integer|"keep"|"edited"
---@param options? gptimage2.AssetsOptions
---@return true|nil ok
---@return gptimage2.Error|nil err
function assets.accept(path, picture, what, options) end

---Rejects a candidate; without a number all that were not accepted.
---@param path string of the manifest
---@param picture string its path
---@param n? integer
---@param options? gptimage2.AssetsOptions
---@return true|nil ok
---@return gptimage2.Error|nil err
function assets.reject(path, picture, n, options) end

---Asks for one more candidate, which the next build makes.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return true|nil ok
---@return gptimage2.Error|nil err
function assets.again(path, picture, options) end

---No build touches it any more.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return true|nil ok
---@return gptimage2.Error|nil err
function assets.pin(path, picture, options) end

---Lets a pinned picture go; a `pin` in the manifest wins.
---@param path string of the manifest
---@param picture string its path
---@param options? gptimage2.AssetsOptions
---@return true|nil ok
---@return gptimage2.Error|nil err
function assets.unpin(path, picture, options) end

---Runs the `derive` of all accepted pictures again. Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.DeriveOptions
---@return gptimage2.DeriveReport|nil report
---@return gptimage2.Error|nil err
function assets.derive(path, options) end

---Deletes the files of pictures that the manifest does not ask for any more, where their bytes are
---those that were accepted.
---@param path string of the manifest
---@param options? gptimage2.GcOptions
---@return gptimage2.GcReport|nil report
---@return gptimage2.Error|nil err
function assets.gc(path, options) end

---The path of the ledger in the manifest's own store, whose folder is made.
---@param path string of the manifest
---@return string|nil ledger
---@return gptimage2.Error|nil err
function assets.ledger(path) end

---Applies what a page has saved: `decisions.json`, as its text or as a table. What was decided
---about a request that changed since is refused; the rest goes on.
---@param path string of the manifest
---@param decisions string|gptimage2.Decisions
---@param options? gptimage2.AssetsOptions
---@return gptimage2.Decided|nil found
---@return gptimage2.Error|nil err
function assets.decide(path, decisions, options) end

---Writes a page to choose from: `index.html` in the manifest's own store. Sends nothing.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.review(path, options) end

---The same page, which begins with the grid: pictures by the axes of `each`.
---@param path string of the manifest
---@param options? gptimage2.CheckOptions
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.grid(path, options) end

---Writes a page of all pictures in a folder, `index.html` in it.
---@param dir string
---@return string|nil file
---@return gptimage2.Error|nil err
function assets.gallery(dir) end

---@class gptimage2.Decisions
---@field version 1
---@field accept? table<string, integer> path -> candidate
---@field reject? table<string, integer[]> path -> candidates
---@field marks? table<string, table<string, integer>> path -> candidate -> 1 to 5; for people
---@field hashes? table<string, string> path -> the request that was decided about

---@class gptimage2.Decided
---@field accepted integer
---@field rejected integer
---@field done gptimage2.Decision[]
---@field refused gptimage2.Decision[]

---@class gptimage2.Decision
---@field path string
---@field n integer of the candidate
---@field what "accepted"|"rejected"
---@field error? gptimage2.Error why it was refused

---The pictures in a game: a file, or at once a stand-in. With a client what is asked for is made.
---@param path string of the manifest
---@param options? gptimage2.OpenOptions
---@return gptimage2.Art|nil art
---@return gptimage2.Error|nil err
function assets.open(path, options) end

---@class gptimage2.OpenOptions
---@field client? gptimage2.Client with a ledger; without one nothing is made, and little is read
---@field budget? number credits for what this game makes; needed with a client
---@field on_change? fun(path: string) a picture that was asked for is there
---@field on_error? fun(path: string, err: gptimage2.Error) one that was asked for will not come
---@field standins? string the folder of stand-ins; default a temporary one
---@field store? string a further store; default GPTIMAGE2_STORE

---@class gptimage2.Art
local art = {}

---The file of a picture where it is there, else a stand-in: a checker with its name. Raises for a
---path that the manifest does not have.
---@param path string
---@return string|nil file
---@return boolean|gptimage2.Error there whether it is the picture; beside nil the error
function art:path(path) end

---Nothing more is begun, and stand-ins in a temporary folder go away. Twice is well.
---@return true|nil ok
---@return gptimage2.Error|nil err the lock could not be written
function art:close() end

---@class gptimage2.AssetsOptions
---@field client? gptimage2.Client whose service it is
---@field base_url? string the service, where there is no client
---@field store? string a further store; default GPTIMAGE2_STORE

---@class gptimage2.PlanOptions: gptimage2.AssetsOptions
---@field ledger? string without a client; default that of the manifest's own store
---@field stale? "keep"|"make" whether changed pictures are made again; default "keep"
---@field only? string|string[] the pictures that it is about: "icons/*"
---@field retry? string without a client: its retry; default the manifest's
---@field out? string a file for the plan, which `build` takes as its `plan`

---@class gptimage2.CheckOptions: gptimage2.AssetsOptions
---@field only? string|string[]

---@class gptimage2.DeriveOptions: gptimage2.AssetsOptions
---@field only? string|string[]

---@class gptimage2.GcOptions: gptimage2.AssetsOptions
---@field only? string|string[]
---@field dry? boolean nothing is deleted: what would be is told

---@class gptimage2.BuildOptions
---@field client gptimage2.Client with a ledger
---@field store? string
---@field stale? "keep"|"make"
---@field only? string|string[]
---@field budget? number credits for this build alone
---@field cutoff? "hard"|"soft" over the budget: nothing is sent, or what fits; default "hard"
---@field plan? string a file that `plan` wrote: nothing else is done, nothing more is spent
---@field on_progress? fun(event: gptimage2.BuildEvent) it cannot wait
---@field stop? fun(): boolean true: nothing more begins

---@class gptimage2.BuildEvent
---@field type "made"|"failed"|"unknown"|"restored"|"derived"|"waiting"
---@field path? string
---@field n? integer
---@field done? integer candidates that are through
---@field total? integer
---@field credits? integer spent by this build
---@field error? gptimage2.Error
---@field holder? string of "waiting": who is at work in the folder

---@alias gptimage2.PictureState
---| "cached" not in the lock, and a store has it
---| "new" candidates are missing, or were never sent
---| "taken" a file that no build made lies there
---| "fresh" all is as it should be
---| "lost" the file is missing, and can be had for nothing
---| "gone" the file, or the picture of a candidate that waits, cannot be had
---| "edited" the file is not what was accepted
---| "unreviewed" candidates wait
---| "rejected" all were rejected
---| "stale" the request changed
---| "failed" the last attempt failed and was not charged
---| "pinned" no build touches it
---| "orphan" in the lock only
---| "in_flight" under way, or made and not fetched yet
---| "unknown" an attempt may have been paid

---@class gptimage2.PlanLine
---@field path string
---@field hash? string of the request
---@field state gptimage2.PictureState
---@field reason string
---@field cost integer credits
---@field make integer[] the candidates that would be made
---@field words? string[] what changed in the request
---@field unknown? { n: integer, key: string, reason: string }[] attempts that may have been paid
---@field derive? string[] the command that would run
---@field brings? boolean what a store has, or the job of a lost file, is taken for nothing
---@field derives? boolean a file that is there is made of its original anew
---@field jobs? string[] of one in flight: what the service has of it
---@field lost? integer[] candidates that wait, and whose pictures cannot be had
---@field problem? gptimage2.PictureState what a pinned picture lacks

---@class gptimage2.Plan
---@field lines gptimage2.PlanLine[] by their paths
---@field cost integer credits
---@field counts table<gptimage2.PictureState, integer>
---@field clean boolean nothing is to be done
---@field work boolean a build would do something
---@field spent integer what builds of this lock have sent and not got back
---@field budget? number the manifest's
---@field retry string which was taken for it

---@class gptimage2.BuildReport
---@field ok boolean all that was to be made is made
---@field made integer candidates
---@field restored integer files and candidates that were there already
---@field credits integer of what this build has sent, less what came back by its end
---@field failed { path: string, n: integer?, error: gptimage2.Error }[]
---@field unknown gptimage2.UnknownPicture[]
---@field warnings { path: string, reason: string }[] of another kind than the name says
---@field over boolean not all fitted into the budget
---@field plan gptimage2.Plan what is left to be done
---@field lock_error? gptimage2.Error the lock could not be written at the end; `ok` is false

---@class gptimage2.UnknownPicture
---@field path string
---@field n integer
---@field key string for `client:resolve`
---@field reason string
---@field error? gptimage2.Error where it is of this build

---@class gptimage2.DeriveReport
---@field ok boolean none failed
---@field changed string[] paths whose bytes are others now
---@field same string[] paths whose bytes are what they were: they were not touched
---@field failed { path: string, error: gptimage2.Error }[]

---@class gptimage2.GcReport
---@field removed string[] paths
---@field kept { path: string, reason: string }[] what is not as it was accepted

---@class gptimage2.Check
---@field ok boolean
---@field problems { path: string, state: string, reason: string }[]

return assets
