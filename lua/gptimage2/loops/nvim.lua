--- Neovim, which is recognised by itself.
---
--- Steps are scheduled: what waits goes on where the editor's functions may be called.

local gptimage2 = require("gptimage2")

local vim = rawget(_G, "vim")
local uv = vim.uv or vim.loop

local nvim = {}

local CHECK_MS = 10 -- how often vim.wait looks
local LONG = 1e6 -- seconds; vim.wait wants a number that fits into 32 bits

--- The descriptor stays readable until the step, and the editor may take long to come to that,
--- where it waits for a key: until then nobody looks at it.
function nvim.start(step)
  local poll = assert(uv.new_poll(assert(gptimage2.fd())))
  local running = true
  local function watch()
    poll:start("r", function()
      poll:stop()
      vim.schedule(function()
        if running then
          watch() -- before the step: what goes on in it may call vim.wait
          step()
        end
      end)
    end)
  end
  watch()
  return function()
    running = false
    poll:stop()
    poll:close()
  end
end

--- Outside of coroutines the editor goes on inside of vim.wait; an interrupt (Ctrl-C) is raised.
function nvim.turn(ready, deadline)
  local rest = deadline and math.max(deadline - gptimage2.now(), 0) or LONG
  local _, why = vim.wait(math.ceil(math.min(rest, LONG) * 1000), ready, CHECK_MS)
  if why == -2 then
    error("interrupted", 0)
  end
end

function nvim.forbids(in_coroutine)
  if not in_coroutine and vim.in_fast_event() then
    return "this is a fast event of Neovim (a callback of its loop); wait in a coroutine, or use "
      .. "vim.schedule"
  end
end

return nvim
