--- Work of several parts that goes on where it was broken off.
---
--- Errors of the host's (a hook, a finalizer, no memory) may come between any two instructions of
--- this module, while a step does a part of such work. The step raises them; the work must lose
--- nothing by that. So it is written as one function that looks at what is there and does what is
--- missing: it may be called at any time, any number of times, also in the middle of itself.

local core = require("gptimage2.core")

local resume = {}

--- Errors in a row after which the work is given up. They are no accident then: there is no memory,
--- and comes none.
local TRIES_MAX = 20

--- Made now: then there may be no memory to make it.
resume.NO_MEMORY = core.error({
  kind = "io",
  code = "out_of_memory",
  message = "this program had no memory left while it saved; the images may be there",
})

local function interrupted(job, said)
  local message = "an error came %d times in a row while this was at work: %s"
  return core.about(
    job,
    core.error({
      kind = "io",
      code = "interrupted",
      message = message:format(TRIES_MAX, said),
    })
  )
end

--- What is told of work for `job` that was given up for `raised`.
---@param job gptimage2.Job
---@param raised any
---@return gptimage2.Error
function resume.failure(job, raised)
  local said = type(raised) == "string" and raised or "a " .. type(raised)
  if said:find("not enough memory", 1, true) then
    return resume.NO_MEMORY
  end
  return interrupted(job, said)
end

--- The function that does `part(self)`, raising what it raises, until that went wrong too often:
--- then `give_up(self, raised)`.
---@param self table
---@param part function
---@param give_up function
---@return function
function resume.new(self, part, give_up)
  local tries, last = 0, nil
  return function()
    if tries >= TRIES_MAX then
      return give_up(self, last)
    end
    tries = tries + 1
    local ok, raised = pcall(part, self)
    if not ok then
      last = raised
      error(raised, 0)
    end
    tries = 0
  end
end

return resume
