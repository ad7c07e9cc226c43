--- Sets strace on the I/O thread of this process.

local gptimage2 = require("gptimage2")

local trace = {}

--- Starts the I/O thread and sets strace on it; nothing of a job has happened by then. The first
--- line comes when strace has it.
---@param folder string where it keeps its files
---@param injection string what it is to do: "" = nothing at all, "count", or its options
---@return file*? pipe to be kept until the end
function trace.attach(folder, injection)
  if injection == "" then
    return nil
  end
  local options = injection .. " -o /dev/null"
  if injection == "count" then
    options = "-o " .. folder .. "/thread.trace"
  end
  assert(gptimage2.sleep(0) ~= false)
  local script = ([[
    cd '%s' && rm -f attached && mkfifo attached || exit 1
    for task in /proc/$PPID/task/*; do
      [ "${task##*/}" = "$PPID" ] || strace -p "${task##*/}" %s >attached 2>&1 &
    done]]):format(folder, options)
  assert(os.execute(script))
  local pipe = assert(io.open(folder .. "/attached"))
  local said = pipe:read("l") or "nothing"
  assert(said:find("attached", 1, true), said)
  return pipe
end

return trace
