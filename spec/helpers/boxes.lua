--- Sandboxes for the specs of the sandbox itself, which have no client.
---
--- Use with `after_each(boxes.clean)`.

local sandbox_module = require("gptimage2.sandbox")

local boxes = {}

local started = {}

--- One whose images are small.
---@param options? table
---@return table sandbox
function boxes.start(options)
  options = options or {}
  options.image_size = options.image_size or 64
  local box = assert(sandbox_module.start(options))
  started[#started + 1] = box
  return box
end

--- One whose jobs are done at once, too.
---@param options? table
---@return table sandbox
function boxes.start_quick(options)
  options = options or {}
  options.duration = options.duration or 0
  return boxes.start(options)
end

--- Stops those that a test has started.
function boxes.clean()
  for _, box in ipairs(started) do
    box:stop()
  end
  started = {}
  collectgarbage()
end

return boxes
