--- The states that a job can be in when its Lua state ends, each as code that brings it about.
---
--- The code knows `gptimage2`, `url` (the sandbox's), `client_of(options)` and `request`, and keeps
--- what it makes in globals. `fault` is set at the sandbox first. The state is reached when `seen`
--- (an expression) and `ledger` (a function of the sandbox's ledger) say so. Until then the state
--- is stepped, unless it is `blind`.

local states = {}

local PRELUDE = [[
gptimage2 = require("gptimage2")
url, key = %q, %q
request = { prompt = "a cup" }
function client_of(options)
  options.api_key = key
  options.base_url = options.base_url or url
  options.verify_references = options.verify_references or false
  options.poll = options.poll or { first = 0.01, interval = 0.01, max = 0.01 }
  return assert(gptimage2.new(options))
end
]]

--- Code that defines what the code of the states uses, for this sandbox.
---@param box table
---@return string
function states.prelude(box)
  return PRELUDE:format(box.url, box.api_key)
end

local function requests(name, count)
  return function(ledger)
    return ledger.requests[name] >= count
  end
end

states.LIST = {
  {
    name = "with a client that was never used",
    start = "client = client_of({})",
  },
  {
    name = "with a finished job and warm connections",
    start = "client = client_of({}) job = client:submit(request)",
    seen = "job.status == 'succeeded'",
  },
  {
    name = "with a job in the queue",
    fault = { on = "create", action = "hang" },
    start = [[
      client = client_of({ max_active = 1 })
      job = client:submit(request)
      queued = client:submit(request)
    ]],
    ledger = requests("create", 1),
  },
  {
    name = "while a create is on its way",
    fault = { on = "create", action = "hang" },
    start = "client = client_of({}) job = client:submit(request)",
    ledger = requests("create", 1),
  },
  {
    name = "while a cancelled create is on its way",
    fault = { on = "create", action = "hang" },
    start = "client = client_of({}) job = client:submit(request) gptimage2.sleep(0) job:cancel()",
    ledger = requests("create", 1),
  },
  {
    name = "in the middle of a TLS handshake",
    start = [[
      local port = require("spec.host").silent_port()
      client = client_of({ base_url = ("https://127.0.0.1:%d"):format(port) })
      job = client:submit(request)
    ]],
    seen = "job.status == 'creating'",
  },
  {
    name = "with an answer that nobody has read",
    start = "client = client_of({}) job = client:submit(request)",
    blind = true,
    ledger = requests("create", 1),
  },
  {
    name = "before a second attempt",
    start = [[
      client = client_of({
        base_url = "http://127.0.0.1:1",
        on_event = function(event)
          retried = retried or event.type == "retry"
        end,
      })
      job = client:submit(request)
    ]],
    seen = "retried",
  },
  {
    name = "between two polls",
    start = [[
      client = client_of({ poll = { first = 1000, interval = 1000, max = 1000 } })
      job = client:submit(request)
    ]],
    seen = "job.status == 'pending'",
  },
  {
    name = "while a poll is on its way",
    fault = { on = "poll", action = "hang" },
    start = "client = client_of({}) job = client:submit(request)",
    ledger = requests("poll", 1),
  },
  {
    name = "while a reference is looked at",
    fault = { on = "reference", action = "hang" },
    start = [[
      client = client_of({ verify_references = true, allow_private_references = true })
      request.image_urls = { url .. "/reference/cup.png" }
      job = client:submit(request)
    ]],
    ledger = requests("reference", 1),
  },
  {
    name = "while an image hangs",
    fault = { on = "image", action = "hang" },
    start = [[
      client = client_of({})
      job = client:submit(request)
      task = gptimage2.spawn(function()
        job:wait()
        job:data(1)
      end)
    ]],
    ledger = requests("image", 1),
  },
  {
    name = "while it sleeps",
    start = "task = gptimage2.spawn(gptimage2.sleep, 1000)",
  },
  {
    name = "with a hundred jobs at once",
    fault = { on = "poll", action = "hang", times = math.huge },
    start = [[
      client = client_of({ max_active = 100, max_connections = 100 })
      for _ = 1, 100 do
        client:submit(request)
      end
    ]],
    ledger = requests("poll", 100),
  },
}

return states
