--- Times as command lines and tables have them: in UTC, whatever the zone of this machine. Pure.

local times = {}

local DAY, EPOCH = 86400, 719468 -- seconds; days from 0000-03-01 to 1970-01-01

--- Days since 1970 of a date, by the calendar alone: os.time knows only the zone of this machine.
local function days_of(year, month, day)
  year = month <= 2 and year - 1 or year
  month = (month + 9) % 12 -- from March on
  local leaps = math.floor(year / 4) - math.floor(year / 100) + math.floor(year / 400)
  return year * 365 + leaps + math.floor((153 * month + 2) / 5) + day - 1 - EPOCH
end

local function is_leap(year)
  return year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0)
end

--- Is there such a day?
local function is_day(year, month, day)
  local long = ({ 31, is_leap(year) and 29 or 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 })[month]
  return long and day >= 1 and day <= long
end

--- A converter for a time: 2026-11-30, 2026-11-30T12:00:00Z, or seconds since 1970.
---@param name string of the option
---@return fun(word: string): number|nil, string|nil
function times.converter(name)
  return function(word)
    local year, month, day, rest = word:match("^(%d%d%d%d)%-(%d%d)%-(%d%d)(.*)$")
    if not year then
      local seconds = word:find("^%d+%.?%d*$") and tonumber(word)
      return seconds, not seconds and ("%s needs a date, not '%s'"):format(name, word) or nil
    end
    local hour, minute, second = rest:match("^T(%d%d):(%d%d):(%d%d)Z$")
    local known = rest == "" or hour and tonumber(hour) < 24 and tonumber(minute) < 60
    local date = { tonumber(year), tonumber(month), tonumber(day) }
    if not known or tonumber(second or 0) > 60 or not is_day(date[1], date[2], date[3]) then
      return nil, ("%s needs a date like 2026-11-30 or 2026-11-30T12:00:00Z"):format(name)
    end
    local seconds = (tonumber(hour or 0) * 60 + tonumber(minute or 0)) * 60 + tonumber(second or 0)
    return days_of(date[1], date[2], date[3]) * DAY + seconds
  end
end

local MOST = 253402300799 -- the end of the year 9999

--- Whether that is a moment, as ledgers have it; anybody may have written to one.
---@param seconds number since 1970
---@return boolean
function times.is_one(seconds)
  return seconds > 0 and seconds <= MOST
end

--- The time as 2026-11-30T12:00:00Z.
---@param seconds number since 1970
---@return string
function times.stamp(seconds)
  if not times.is_one(seconds) then
    return "not a time"
  end
  return (os.date("!%Y-%m-%dT%H:%M:%SZ", math.floor(seconds)))
end

return times
