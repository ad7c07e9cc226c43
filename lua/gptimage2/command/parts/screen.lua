--- A few lines at the end of the terminal that are drawn again and again, in place, on standard
--- error.

local core = require("gptimage2.core")
local output = require("gptimage2.command.parts.output")
local progress = require("gptimage2.command.parts.progress")

local screen = {}

local COLUMNS, ROWS = 80, 24 -- of a terminal that does not say
local PAUSE = 0.2 -- seconds between two frames

---@class gptimage2.command.Screen
---@field lines string[] that are there
local Screen = {}
Screen.__index = Screen

local function size()
  local columns, rows = core.terminal.size(2)
  return columns or COLUMNS, rows and rows > 0 and rows or ROWS
end

--- What takes the cursor to the beginning of the frame, and the frame away. A terminal that became
--- narrower has wrapped its lines.
local function erasing(lines, columns)
  if not lines[1] then
    return ""
  end
  local up = progress.rows(lines, columns) - 1
  return (up > 0 and ("\27[%dA"):format(up) or "") .. "\r\27[J"
end

--- Takes the frame away: what is written next stands in its place.
function Screen:clear()
  if self.lines[1] then
    io.stderr:write(erasing(self.lines, (size())))
    io.stderr:flush()
    self.lines = {}
  end
end

--- Draws a frame, where it is time for one, or the terminal has another size.
---@param state_of fun(): gptimage2.command.Progress
function Screen:draw(state_of)
  local _, resizes = core.signals.count()
  if core.now() < self.due and resizes == self.resizes then
    return
  end
  self.due, self.resizes = core.now() + PAUSE, resizes
  local columns, rows = size()
  local lines = progress.lines(state_of(), columns, rows)
  io.stderr:write(erasing(self.lines, columns), table.concat(lines, "\r\n"))
  io.stderr:flush()
  self.lines = lines
end

--- A screen, where standard error is a terminal that can do it; nil elsewhere.
---@return gptimage2.command.Screen|nil
function screen.new()
  if output.is_terminal(2) then
    return setmetatable({ lines = {}, due = 0, resizes = 0 }, Screen)
  end
end

return screen
