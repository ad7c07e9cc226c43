-- A host whose locale writes 1,5: no number that leaves us as text may.

local child = require("spec.helpers.child")
local folder = require("spec.folder")

-- Asks, saves and looks at the record in that locale; prints what holds numbers, piece by piece.
local CODE = [[
local place = ({ ... })[2]
assert(os.setlocale("de_DE.UTF-8"), "no such locale")
assert(jit or ("%.1f"):format(1.5) == "1,5", "the locale has no comma")
local gptimage2 = require("gptimage2")
local migrate = require("gptimage2.migrate")
local template = gptimage2.prompt.template("a cup of {n} l")
local box = assert(require("gptimage2.sandbox").start({ duration = 0.02, image_size = 32 }))
assert(os.setlocale("de_DE.UTF-8"))
local client = assert(gptimage2.new({
  api_key = box.api_key, base_url = box.url, ledger = place .. "/record.db",
  poll = { first = 0.01, interval = 0.01, max = 0.01 },
}))
local function say(text)
  io.write(tostring(text), "\n")
end
local job = assert(client:generate(
  { prompt = template:fill({ n = 1.5 }), count = 2, ratio = "16:9" },
  { metadata = { weight = "1,5" }, save = place .. "/saved/" }
))
assert(#job.files == 2, tostring(job.save_error))
say("prompt: " .. job.results[1].final_prompt)
for _, row in ipairs(assert(client:history())) do
  assert(row.cost == 20 and row.request.count == 2 and #row.files == 2)
  assert(row.created_at > 1e9 and row.created_at % 1 ~= 0)
end
local function say_error(_, err)
  say(err)
end
say_error(client:generate({ prompt = "a cup", count = 1.5 }))
say_error(job:data(1.5))
say_error(client:wait(job.id, 0))
local function say_raised(fn, ...)
  say(select(2, pcall(fn, ...)))
end
say_raised(require("gptimage2.sandbox").start, { duration = -1.5 })
say_raised(require("gptimage2.sandbox").start, { port = 1.5 })
local _, notes = migrate.request({ prompt = "a cup", width = 1000.5, height = 700.25 })
say(notes[1])
client:close()
box:stop()
]]

local function exists(path)
  local file = io.open(path, "rb")
  return file and file:close() ~= nil
end

describe("numbers", function()
  after_each(folder.clean)

  local SOURCE = "/usr/share/i18n/locales/de_DE"
  local made = folder.new()
  local make = ("localedef -i de_DE -f UTF-8 %s 2>&1; echo $?"):format(
    folder.quote(made .. "/de_DE.UTF-8")
  )
  local can = exists(SOURCE) and folder.run(make):find("0%s*$")
  if not can then
    pending("are written with a point: skipped, the locale de_DE cannot be made (locales)")
    return
  end

  it("are written with a point, whatever the locale says", function()
    local place = folder.new()
    local process = child.start(CODE, { place }, "LOCPATH=" .. folder.quote(made))
    local result = process:finish()
    assert.equal(0, result.exit, result.errors)
    assert.truthy(result.output:find("prompt: a cup of 1.5 l", 1, true), result.output)
    assert.is_nil(result.output:find("%d,%d"), result.output)
    local count = 0
    for _ in result.output:gmatch("%d%.%d") do
      count = count + 1
    end
    assert.truthy(count >= 6, result.output)
    local sidecar = folder.run("cat " .. place .. "/saved/*.json")
    local read = require("cjson").decode(sidecar)
    assert.equal(2, read.count)
    assert.equal(20, read.cost)
    assert.equal("number", type(read.elapsed))
    assert.equal("1,5", read.metadata.weight)
  end)
end)
