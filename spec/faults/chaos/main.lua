--- Runs one scenario: a kind of service, a retry mode, and so many lives on one ledger, then a calm
--- one, and the judgement.
---
--- Arguments: "honours" or "ignores", retry mode, "tls" or "plain", number of lives, seed, folder,
--- tunnel program.
--- Prints what came of it, and adds its sums to <folder>/../totals.

local judge = require("spec.faults.chaos.judge")

local server, retry, wire, lives, seed, folder, tunnel_path = table.unpack(arg)
lives, seed = math.tointeger(tonumber(lives)), math.tointeger(tonumber(seed))
math.randomseed(seed)

local lua = assert(os.getenv("GPTIMAGE2_SPEC_LUA"))
local KILLED = 137
local LIFE_MOST = 60 -- seconds

--- A program that answers lines: `ask` gives the answer.
local function start(name, command)
  local answers = folder .. "/" .. name
  assert(os.execute(("mkfifo '%s'"):format(answers)))
  local commands = assert(io.popen(("exec %s >'%s'"):format(command, answers), "w"))
  local program = { answers = assert(io.open(answers)), commands = commands }
  function program.read()
    return assert(program.answers:read("l"), name .. " says nothing")
  end
  function program.ask(line)
    assert(commands:write(line, "\n"))
    assert(commands:flush())
    return program.read()
  end
  function program.stop()
    commands:close()
    program.answers:close()
  end
  return program
end

local service =
  start("service", ("'%s' spec/faults/chaos/service.lua %s %s %d"):format(lua, server, wire, seed))
local url, ca_file = service.read(), service.read()
local tunnel = start("tunnel", ("'%s' %s %d"):format(tunnel_path, url:match(":(%d+)$"), seed))
local port = tunnel.read()

--- One in three lives takes the tunnel for a proxy, too: its CONNECT may be slow. The base URL is
--- the same: rows of another one are left alone.
local function run_life(name, kind)
  local through = url:gsub("%d+$", port)
  local proxy = ""
  if wire == "tls" and kind ~= "last" and math.random(3) == 1 then
    proxy = "http://127.0.0.1:" .. port
  end
  local words = { through, ca_file, proxy, folder, name, math.random(1 << 30), retry, kind }
  for i, word in ipairs(words) do
    words[i] = ("'%s'"):format(word)
  end
  local command = ("timeout -s KILL %d '%s' spec/faults/chaos/worker.lua %s 2>>'%s'"):format(
    LIFE_MOST,
    lua,
    table.concat(words, " "),
    folder .. "/errors"
  )
  local _, _, status = os.execute(command)
  return status
end

local killed, failed = 0, 0

local function run_lives()
  for life = 1, lives do
    service.ask("trouble " .. math.random(0, 6))
    if math.random(4) == 1 then
      tunnel.ask("calm")
    else
      tunnel.ask("storm")
    end
    local doomed = math.random(5) <= 3
    local status = run_life("life " .. life, doomed and ("%.3f"):format(math.random() * 0.8) or "-")
    if doomed and status == KILLED then
      killed = killed + 1
    elseif status ~= 0 and status ~= 1 then
      failed = failed + 1
      print(("  life %d ended with status %s"):format(life, status))
    end
  end
end

run_lives()
service.ask("calm")
tunnel.ask("calm")
local last = run_life("the last life", "last")
service.ask("books " .. folder .. "/books")
tunnel.stop()
service.stop()

local twice_allowed = server == "ignores" and retry == "idempotent"
local must_finish = server == "honours" and retry == "idempotent"
local verdict, complaints = judge.scenario(folder, twice_allowed, must_finish)
if last ~= 0 then
  failed = failed + 1
  complaints[#complaints + 1] = "  the last life ended with status " .. tostring(last)
end
print(
  (
    "keys %s, retry %s, %s, seed %d: %d lives, %d killed; %d jobs, %d paid, %d claims;"
    .. " %d lost, %d paid twice%s"
  ):format(
    server == "honours" and "honoured" or "ignored",
    retry,
    wire,
    seed,
    lives,
    killed,
    verdict.jobs,
    verdict.paid,
    verdict.told,
    verdict.lost,
    verdict.twice,
    verdict.apart > 0 and (", %d as the mode may"):format(verdict.apart) or ""
  )
)
for _, complaint in ipairs(complaints) do
  print(complaint)
end
if failed > 0 then
  os.execute(("tail -n 5 '%s/errors'"):format(folder))
end
local totals = assert(io.open(folder .. "/../totals", "a"))
totals:write(
  ("%d %d %d %d %d\n"):format(
    lives,
    verdict.jobs,
    verdict.lost + failed,
    verdict.twice,
    verdict.paid
  )
)
assert(totals:close())
