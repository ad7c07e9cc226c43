-- How much each customer may ask for: requests a minute, and credits. Both are counted in memory
-- that the workers share, which a restart of nginx empties.
local limits = {}

local MINUTE = 60
local POLLS = 20 -- for each request that a customer may make: a page asks every two seconds

local requests, credits = ngx.shared.requests, ngx.shared.credits

local function count(key, most)
  local n, err = requests:incr(key, 1, 0, MINUTE)
  if not n then
    ngx.log(ngx.ERR, "the requests cannot be counted: ", err)
    return MINUTE
  elseif n > most then
    return math.max(1, math.ceil(requests:ttl(key) or MINUTE))
  end
end

-- nil, or how many seconds the customer has to wait.
function limits.wait_to_create(customer)
  return count("create " .. customer.name, customer.per_minute)
end

function limits.wait_to_poll(customer)
  return count("poll " .. customer.name, customer.per_minute * POLLS)
end

-- Sets credits aside, before anything is sent: of two requests at once, each knows of the other.
function limits.reserve(customer, cost)
  local used, err = credits:incr(customer.name, cost, 0)
  if not used then
    ngx.log(ngx.ERR, "the credits cannot be counted: ", err)
    return false
  elseif used > customer.credits then
    credits:incr(customer.name, -cost)
    return false
  end
  return true
end

-- Gives back what was set aside and is not charged.
function limits.give_back(customer, cost)
  credits:incr(customer.name, -cost, 0)
end

function limits.credits_left(customer)
  return customer.credits - (credits:get(customer.name) or 0)
end

return limits
