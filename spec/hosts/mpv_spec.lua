--- mpv itself, without a window: the script of examples/mpv.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local MPV = program.find("mpv")
local SCRIPT = program.ROOT .. "/examples/mpv/cover.lua"
local DRIVER = program.ROOT .. "/spec/hosts/mpv/driver.lua"

--- Twenty seconds of silence.
local function new_track(path)
  local rate, seconds = 8000, 20
  local size = rate * seconds
  local head = string.pack(
    "<c4I4c4c4I4I2I2I4I4I2I2c4I4",
    "RIFF",
    36 + size,
    "WAVE",
    "fmt ",
    16,
    1,
    1,
    rate,
    rate,
    1,
    8,
    "data",
    size
  )
  folder.write(path .. "/Blue Hour.wav", head .. ("\128"):rep(size))
end

--- mpv's own Lua, by the libraries that it opens.
local function lua_version()
  local libraries = folder.run("ldd " .. folder.quote(MPV))
  return libraries:find("luajit", 1, true) and "jit" or libraries:match("liblua(5%.%d)")
end

--- Plays the track until the driver quits: what that saw, and what mpv wrote.
local function play(scene, box, path)
  local variables = program.environment(lua_version(), box)
  variables.HOME, variables.XDG_CONFIG_HOME = path, path .. "/config"
  variables.SPEC_SCENE, variables.SPEC_REPORT = scene, path .. "/report"
  local words = { MPV, "--no-config", "--vo=null", "--ao=null", "--no-input-terminal" }
  words[#words + 1] = "--script=" .. SCRIPT
  words[#words + 1] = "--script=" .. DRIVER
  words[#words + 1] = path .. "/Blue Hour.wav"
  local exit, output = program.run(words, variables)
  assert.equal(0, exit, output)
  local report = program.read_report(path .. "/report")
  os.remove(path .. "/report")
  return report, output
end

local is_there = MPV and program.is_built(lua_version() or "none")
local lacks = "mpv is not installed, or the module not built for its Lua"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

describe("The mpv script", function()
  local path
  before_each(function()
    path = folder.new()
    new_track(path)
  end)
  after_each(support.clean)
  after_each(folder.clean)

  about("shows a cover once it is there, and saves it beside the track", function()
    local box = support.sandbox({ duration = 0.5 })
    local seen, output = play("cover", box, path)
    assert.equal(path .. "/Blue Hour.png", seen.file)
    assert.equal("true", seen.albumart)
    assert.is_true(tonumber(seen.played) > 0.5, seen.played) -- the music went on
    assert.equal("\137PNG", folder.read(seen.file):sub(1, 4))
    assert.equal("Blue Hour.png Blue Hour.wav", folder.list(path))
    local jobs = box:ledger().jobs
    assert.equal(1, #jobs) -- the second press asked for nothing
    assert.truthy(output:find("Cover: one is being made", 1, true), output)
  end)

  about("tells what failed", function()
    local _, output = play("failure", support.sandbox({ credits = 0 }), path)
    assert.truthy(output:find("Cover: the account has not enough credits", 1, true), output)
    assert.equal("Blue Hour.wav", folder.list(path))
  end)

  about("is left while a job is in flight", function()
    local box = support.sandbox({ duration = 60 })
    play("leave", box, path)
    assert.equal(1, #box:ledger().jobs)
  end)
end)
