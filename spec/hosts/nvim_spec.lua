--- Neovim itself, headless: its loop, and the plugin of examples/nvim.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local NVIM = program.find("nvim")
local SCENES = program.ROOT .. "/spec/hosts/nvim/scenes.lua"
local PLUGIN = program.ROOT .. "/examples/nvim"

--- A home with the plugin where Neovim looks for it, and nothing else.
local function new_home()
  local home = folder.new()
  local start = home .. "/data/nvim/site/pack/pictures/start"
  folder.run(("mkdir -p %s && cp -r %s %s/gptimage2"):format(start, PLUGIN, start))
  return home
end

--- Runs a scene in Neovim: what it saw.
local function play(scene, box, more)
  local home = new_home()
  local variables = program.environment("jit", box)
  for _, name in ipairs({ "CONFIG", "DATA", "STATE", "CACHE" }) do
    variables["XDG_" .. name .. "_HOME"] = home .. "/" .. name:lower()
  end
  variables.SPEC_SCENE, variables.SPEC_REPORT = scene, home .. "/report"
  variables.SPEC_MS = more and more.ms
  local words = { NVIM, "--headless", "-u", "NORC", "-i", "NONE", "-S", SCENES }
  words[#words + 1] = more and more.file
  local exit, output = program.run(words, variables)
  assert.equal(0, exit, output)
  assert.falsy(output:find("[Ee]rror"), output)
  return program.read_report(home .. "/report"), output
end

--- The longest gap of the editor's beat: at most 20 ms longer than in as much time without us. The
--- best of three, for a busy machine makes gaps of its own.
local function check_beat(seen, ms, again)
  local function alone()
    return tonumber(play("idle", nil, { ms = ms }).gap)
  end
  local gap, most = tonumber(seen.gap), alone() + 20
  for _ = 1, 2 do
    if gap > most then
      gap, most = math.min(gap, tonumber(again().gap)), math.max(most, alone() + 20)
    end
  end
  assert.is_true(gap <= most, ("a gap of %.1f ms, and %.1f are many"):format(gap, most))
end

local is_there = NVIM and program.is_built("jit")
local lacks = "Neovim is not installed, or the module not built for LuaJIT"
local about = program.it({ it = it, pending = pending }, is_there, lacks)

describe("Neovim's loop", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("turns in a wait outside of coroutines", function()
    local box = support.sandbox({ duration = 0.3 })
    box:fault({ on = "poll", action = "delay", seconds = 0.05 })
    local seen = play("main", box)
    assert.equal("succeeded", seen.status)
    assert.equal("true", seen.ticked)
    assert.equal("deadline_passed", seen.timeout)
  end)

  about("keeps its beat under fifty generates at once", function()
    local box = support.sandbox({ duration = 0.3, credits = 2000 })
    local seen = play("fifty", box)
    assert.equal("50", seen.lines)
    assert.equal("0", seen.pending)
    assert.equal("0", seen.running)
    check_beat(seen, "700", function()
      return play("fifty", box)
    end)
  end)

  about("costs at most half as much again as plain steps for a thousand jobs", function()
    local function cost(scene)
      local box = support.sandbox({ duration = 0.5, credits = 20000 })
      return tonumber(play(scene, box).cpu)
    end
    local loop, plain = cost("thousand"), cost("thousand_plain")
    for _ = 1, 2 do
      if loop > 1.5 * plain then
        loop, plain = math.min(loop, cost("thousand")), math.max(plain, cost("thousand_plain"))
      end
    end
    assert.is_true(loop <= 1.5 * plain, ("%.2f s of CPU, %.2f in steps"):format(loop, plain))
  end)

  about("does not spin while the editor handles no events", function()
    local seen = play("busy", support.sandbox({ duration = 0.1, credits = 1000 }))
    assert.equal("0", seen.done)
    assert.is_true(tonumber(seen.cpu) < 0.3, seen.cpu .. " s of CPU in a second")
  end)

  about("refuses a wait in a fast event before anything is sent, but not in a coroutine", function()
    local seen = play("fast", support.sandbox({ duration = 0.1 }))
    assert.equal("true", seen.in_fast)
    assert.equal("false", seen.main_ok)
    assert.truthy(seen.main_error:find("cannot wait here: this is a fast event of Neovim", 1, true))
    assert.equal("0", seen.jobs)
    assert.equal("succeeded", seen.status)
    assert.equal("false", seen.fast_after)
  end)

  about("hurts nobody by the error of a task or of on_event", function()
    local seen = play("errors", support.sandbox({ duration = 0.1 }))
    assert.equal("on_event: boom event,task: boom task", seen.errors)
    assert.equal("2", seen.done)
    assert.equal("succeeded", seen.again)
  end)

  about("turns in a vim.wait of what a step goes on with", function()
    local seen = play("nested", support.sandbox({ duration = 0.1 }))
    assert.equal("true", seen.waited)
    assert.equal("succeeded", seen.second)
  end)

  about("tells of a cancel, of a timeout, and of run's end", function()
    local seen = play("ends", support.sandbox({ duration = 0.3 }))
    assert.equal("cancelled", seen.cancelled)
    assert.equal("wait_timeout", seen.timed_out)
    assert.equal("succeeded", seen.waited)
    assert.equal("succeeded", seen.run)
  end)

  about("is left while jobs are in flight", function()
    local seen = play("leave", support.sandbox({ duration = 30, credits = 1000 }))
    assert.equal("30", seen.pending)
  end)
end)

describe("The Neovim plugin", function()
  after_each(support.clean)
  after_each(folder.clean)

  about("links a picture where the cursor was, and stops no typing", function()
    local path = folder.new()
    folder.write(path .. "/notes.md", "# Boats\n\nThe end\n")
    local box = support.sandbox({ duration = 0.5 })
    local seen, screen = play("plugin", box, { file = path .. "/notes.md" })
    assert.equal("# Boats||The end", seen.asked)
    assert.equal("# Boats|how fast I type||The end", seen.typed)
    local name = seen.text:match("%]%((a%-red%-boat%-at%-dawn%-[%w_-]+%.png)%)")
    assert.is_string(name, seen.text)
    local link = "![A \\[red\\] boat, at dawn](" .. name .. ")"
    assert.equal(link .. "# Boats|how fast I type||The end", seen.text)
    assert.equal("\137PNG", folder.read(path .. "/" .. name):sub(1, 4))
    assert.equal(name .. " notes.md", folder.list(path))
    assert.equal("", seen.notes)
    for _, status in ipairs({ "queued", "pending", "succeeded" }) do
      local progress = "GptImage: " .. status .. " %(%d+ s%) A %[red%] boat"
      assert.truthy(screen:find(progress), screen)
    end
    assert.truthy(seen.health:find("gptimage2 [%d.]+ is loaded"), seen.health)
    assert.falsy(seen.health:find("ERROR"), seen.health)
    check_beat(seen, "900", function()
      folder.write(path .. "/notes.md", "# Boats\n\nThe end\n")
      return (play("plugin", box, { file = path .. "/notes.md" }))
    end)
  end)

  about("tells what failed and changes nothing", function()
    local path = folder.new()
    folder.write(path .. "/notes.md", "# Birds\n")
    local seen =
      play("plugin_error", support.sandbox({ credits = 0 }), { file = path .. "/notes.md" })
    assert.truthy(seen.notes:find("GptImage: the account has not enough credits", 1, true))
    assert.equal("# Birds", seen.text)
    assert.equal("0", seen.marks)
  end)

  about("names the picture whose place for a link is gone", function()
    local path = folder.new()
    folder.write(path .. "/notes.md", "# Birds\n")
    local box = support.sandbox({ duration = 0.1 })
    local seen = play("plugin_late", box, { file = path .. "/notes.md" })
    assert.equal("# Birds", seen.text)
    local heron = seen.modifiable:match("modifiable.*the picture is (/%S+/a%-heron%S+%.png)")
    local owl = seen.gone:match("its buffer is gone; the picture is (/%S+/an%-owl%S+%.png)")
    assert.equal("\137PNG", folder.read(heron):sub(1, 4))
    assert.equal("\137PNG", folder.read(owl):sub(1, 4))
  end)
end)
