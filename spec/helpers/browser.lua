--- A headless Chromium, spoken to by the DevTools protocol over two FIFOs: no port is opened.

local cjson = require("cjson")
local folder = require("spec.folder")
local program = require("spec.helpers.program")

local browser = {}

browser.PATH = program.find("chromium") or program.find("google-chrome")

local START = "cd %s && mkfifo in out && { timeout -k 5 120 %s --headless --no-sandbox "
  .. "--disable-gpu --no-first-run --disable-extensions --user-data-dir=%s/profile "
  .. "--allow-file-access-from-files --window-size=1280,800 --remote-debugging-pipe about:blank "
  .. "3<in 4>out >/dev/null 2>log & } ; echo started"

local Browser = {}
Browser.__index = Browser

--- The next message.
local function read(self)
  local parts = {}
  while true do
    local char = self.out:read(1)
    if not char or char == "\0" then
      return char and cjson.decode(table.concat(parts)) or error("the browser is gone")
    end
    parts[#parts + 1] = char
  end
end

--- Calls a method and waits for its result.
---@param method string
---@param params? table
---@return table
function Browser:call(method, params)
  self.id = self.id + 1
  local message = { id = self.id, method = method, sessionId = self.session, params = params }
  self.input:write(cjson.encode(message), "\0")
  self.input:flush()
  while true do
    local found = read(self)
    if found.id == self.id then
      assert(not found.error, found.error and found.error.message)
      return found.result
    end
    self.events[#self.events + 1] = found
  end
end

--- The value of an expression in the page; promises are waited for.
---@param expression string
---@return any
function Browser:eval(expression)
  local found = self:call("Runtime.evaluate", {
    expression = expression,
    awaitPromise = true,
    returnByValue = true,
  })
  if found.exceptionDetails then
    error(cjson.encode(found.exceptionDetails.exception or found.exceptionDetails))
  end
  return found.result.value
end

--- Opens a page and waits until it has loaded.
---@param url string
function Browser:open(url)
  self:call("Page.navigate", { url = url })
  self:eval([[new Promise(function (done) {
    if (document.readyState === "complete") done(); else addEventListener("load", done);
  })]])
end

local NAMES = { Enter = "\r" }

--- Presses a key, as a person does.
---@param key string
function Browser:press(key)
  local text = NAMES[key] or #key == 1 and key or nil
  self:call("Input.dispatchKeyEvent", { type = "keyDown", key = key, text = text })
  self:call("Input.dispatchKeyEvent", { type = "keyUp", key = key })
end

--- The size of the window, and what the reader's system likes.
---@param width integer
---@param height integer
---@param scheme "light"|"dark"
function Browser:show_as(width, height, scheme)
  self:call("Emulation.setDeviceMetricsOverride", {
    width = width,
    height = height,
    deviceScaleFactor = 1,
    mobile = width < 600,
  })
  self:call("Emulation.setEmulatedMedia", {
    features = { { name = "prefers-color-scheme", value = scheme } },
  })
end

--- A picture of the window, as base64.
---@param format? "png"|"webp"|"jpeg"
---@return string
function Browser:shot(format)
  return self:call("Page.captureScreenshot", { format = format or "png" }).data
end

--- Whether the browser has told of such an event.
local function has_told(self, method)
  for _, event in ipairs(self.events) do
    if event.method == method then
      return true
    end
  end
end

--- The tasks of the page's own thread in what was traced: milliseconds of CPU.
local function tasks_of(events)
  local main, all, times = {}, {}, {}
  for _, event in ipairs(events) do
    for _, one in ipairs(event.method == "Tracing.dataCollected" and event.params.value or {}) do
      local thread = one.pid .. ":" .. one.tid
      if one.name == "thread_name" and one.args.name == "CrRendererMain" then
        main[thread] = true
      elseif one.tdur and one.name:find("RunTask$") then
        all[#all + 1] = { thread = thread, time = one.tdur / 1000 }
      end
    end
  end
  for _, task in ipairs(all) do
    times[#times + 1] = main[task.thread] and task.time or nil
  end
  return times
end

--- What the page's own thread does while `use` is called: the CPU time, in milliseconds, of its
--- longest task, and of all. By the clock it would be that of the machine's other work, too.
---@param use fun()
---@return number longest
---@return number sum
function Browser:busy(use)
  self.events = {}
  self:call("Tracing.start", { categories = "toplevel", transferMode = "ReportEvents" })
  use()
  self:call("Tracing.end")
  while not has_told(self, "Tracing.tracingComplete") do
    self.events[#self.events + 1] = read(self)
  end
  local longest, sum = 0, 0
  for _, time in ipairs(tasks_of(self.events)) do
    longest, sum = math.max(longest, time), sum + time
  end
  assert(sum > 0, "no task was traced")
  return longest, sum
end

--- Ends the browser.
function Browser:close()
  pcall(self.call, self, "Browser.close")
  self.input:close()
  self.out:close()
end

--- Starts one with an empty page.
---@return table
function browser.start()
  local dir = folder.new()
  local handle = io.popen(START:format(dir, browser.PATH, dir))
  assert(handle:read("*l") == "started")
  local self = setmetatable({ id = 0, events = {} }, Browser)
  self.input = assert(io.open(dir .. "/in", "wb"))
  self.out = assert(io.open(dir .. "/out", "rb"))
  self.handle = handle
  local target = self:call("Target.createTarget", { url = "about:blank" }).targetId
  local attached = self:call("Target.attachToTarget", { targetId = target, flatten = true })
  self.session = attached.sessionId
  self:call("Page.enable")
  self:call("Runtime.enable")
  self:call("Log.enable")
  return self
end

return browser
