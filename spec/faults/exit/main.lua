--- The exit storm's long form: `lua main.lua <launcher> <lives>`; prints a line for each scene and,
--- at the end, "<exits> <crashed or wrong> <did not end>".

local storm = require("spec.faults.exit.storm")

local LUA, COUNT = arg[1], tonumber(arg[2])
local AT_ONCE = 3

local endings = {}
local lives_of = storm.new(LUA)
for ending in pairs(storm.ENDINGS) do
  if ending ~= "main" or lives_of:has_main() then
    endings[#endings + 1] = ending
  end
end
table.sort(endings)

local each = math.ceil(COUNT / (#storm.SCENES * #endings))
local exits, wrong, hung = 0, 0, 0

local function tell_wrong(scene, ending, life)
  if life.hung then
    hung = hung + 1
  else
    wrong = wrong + 1
  end
  local words = ("%s, %s after %.6f s: %s %s"):format(
    scene,
    ending,
    life.delay,
    life.wrong,
    life.text
  )
  print(words)
end

for _, scene in ipairs(storm.SCENES) do
  local all = {}
  for _, ending in ipairs(endings) do
    for _, life in ipairs(lives_of:run(scene, ending, each, AT_ONCE)) do
      all[#all + 1] = life
      if life.wrong then
        tell_wrong(scene, ending, life)
      end
    end
  end
  exits = exits + #all
  local control = lives_of:run("load", "exit", each, AT_ONCE)
  print(
    ("%-8s %5d exits, the median took %.1f ms (loading libcurl alone %.1f ms)"):format(
      scene,
      #all,
      storm.quantile(all, 0.5) * 1000,
      storm.quantile(control, 0.5) * 1000
    )
  )
end
lives_of:stop()
print(("%d %d %d"):format(exits, wrong, hung))
