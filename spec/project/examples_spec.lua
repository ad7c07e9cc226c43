--- Runs every example as a program of its own, in an empty folder. Examples wait for the service as
--- users do, so all of them run at the same time (but see AT_ONCE).

local folder = require("spec.folder")
local support = require("spec.support")

local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
--- Emulators beside each other on a busy machine need longer for a look at a reference than the
--- module gives it.
local AT_ONCE = os.getenv("GPTIMAGE2_SPEC_VARIANT") == "valgrind" and 1 or 13
local ROOT = folder.run("pwd")
local PNG = "\137PNG\r\n\26\n"
local COMMAND = "{ cd %s && env -u GPTIMAGE2_API_KEY -u GPTIMAGE2_BASE_URL %s %s %s %s </dev/null; "
  .. "echo exit $?\n} 2>&1"

--- Waits for an example's end.
---@param run table
---@return string output what it printed, errors included
---@return string code its exit status
---@return string dir the folder it ran in
local function finish(run)
  if run.pipe then
    run.output, run.code = run.pipe:read("*a"):match("^(.-)\n?exit (%d+)\n$")
    run.pipe:close()
    run.pipe = nil
  end
  return run.output, run.code, run.dir
end

local started = {}

--- Starts an example. No key and no URL are in its environment but those given.
---@param name string
---@param rest? { env: string?, args: string?, before: string? } words for the shell
---@return table run for `finish`
local function start(name, rest)
  local dir = folder.new()
  local script = folder.quote(ROOT .. "/examples/" .. name .. ".lua")
  local env, args = rest and rest.env or "", rest and rest.args or ""
  if rest and rest.before then
    folder.run(("cd %s && %s"):format(folder.quote(dir), rest.before))
  end
  local line = COMMAND:format(folder.quote(dir), env, folder.quote(LUA), script, args)
  if #started == AT_ONCE then
    finish(table.remove(started, 1))
  end
  local run = { dir = dir, pipe = assert(io.popen(line)) }
  started[#started + 1] = run
  return run
end

--- What stands behind `label` in the lines that begin with it.
local function after(output, label)
  local found = {}
  for text in ("\n" .. output):gmatch("\n" .. label .. ": +([^\n]+)") do
    found[#found + 1] = text
  end
  return found
end

local function count_files(dir, extension)
  local _, count = (folder.list(dir) .. " "):gsub("%." .. extension .. " ", "")
  return count
end

local function assert_holds(text, part)
  assert.is_truthy(text:find(part, 1, true), text)
end

local function assert_pngs(dir, paths, count)
  assert.equal(count, #paths)
  for _, path in ipairs(paths) do
    assert.equal(PNG, (folder.read(dir .. "/" .. path) or ""):sub(1, #PNG))
  end
end

local function env_of(box, key)
  return ("GPTIMAGE2_BASE_URL=%s GPTIMAGE2_API_KEY=%s"):format(box.url, key or box.api_key)
end

describe("the example", function()
  local runs, quick_box, lossy_box, full_box, gone_box = {}, nil, nil, nil, nil

  setup(function()
    quick_box = support.sandbox({ credits = 70 })
    lossy_box = support.sandbox({ credits = 1000 })
    lossy_box:fault({ on = "create", action = "close" })
    full_box, gone_box = support.sandbox(), support.sandbox()
    gone_box:fault({ on = "image", action = "status", status = 410, times = math.huge })
    local no_image = quick_box:reference("subject") .. " " .. quick_box:reference("palette.txt")
    runs = {
      quickstart = start("quickstart"),
      empty_key = start("quickstart", { env = "GPTIMAGE2_API_KEY=" }),
      with_key = start("quickstart", { env = env_of(quick_box) }),
      wrong_key = start("quickstart", { env = env_of(quick_box, "sk-wrong-key") }),
      no_folder = start("quickstart", { env = env_of(full_box), before = "echo mine >out" }),
      no_picture = start("quickstart", { env = env_of(gone_box) }),
      references = start("references"),
      no_image = start("references", { args = no_image }),
      no_urls = start("references", { env = "GPTIMAGE2_API_KEY=some" }),
      many = start("many"),
      lossy = start("many", { env = env_of(lossy_box) }),
      frame_loop = start("frame_loop"),
      art = start("art"),
      migrate = start("migrate"),
    }
  end)

  teardown(function()
    for _, run in pairs(runs) do
      finish(run)
    end
    support.clean()
    folder.clean()
  end)

  describe("quickstart", function()
    it("makes one picture in the sandbox when there is no key", function()
      local output, code, dir = finish(runs.quickstart)
      assert.equal("0", code, output)
      assert_pngs(dir, after(output, "saved"), 1)
      local sidecar = folder.read(dir .. "/" .. after(output, "sidecar")[1])
      assert_holds(sidecar, '"ratio": "4:3"')
      local prompt = 'a ceramic espresso cup, product photo, with the text "OPEN 24H"'
      assert.same({ prompt }, after(output, "final prompt"))
      assert.same({ "490" }, after(output, "credits left"))
      local id = output:match("created +job ([%w-]+)")
      assert.equal("out/" .. tostring(id) .. ".json", after(output, "sidecar")[1], output)
    end)

    it("takes an empty key for none", function()
      local output, code, dir = finish(runs.empty_key)
      assert.equal("0", code, output)
      assert_pngs(dir, after(output, "saved"), 1)
    end)

    it("uses the service of the environment when there is a key", function()
      local output, code, dir = finish(runs.with_key)
      assert.equal("0", code, output)
      assert.same({ "60" }, after(output, "credits left"))
      assert.equal(1, #quick_box:ledger().jobs)
      assert_pngs(dir, after(output, "saved"), 1)
    end)

    it("pays nothing where the picture cannot be saved", function()
      local output, code, dir = finish(runs.no_folder)
      assert.equal("1", code)
      assert_holds(output, ("quickstart: cannot open the folder '%s/out/'"):format(dir))
      assert.equal("mine\n", folder.read(dir .. "/out"))
      assert.equal(0, full_box:ledger().connections)
    end)

    it("shows the job's id where the picture cannot be had", function()
      local output, code = finish(runs.no_picture)
      assert.equal("1", code)
      assert_holds(output, "created   job " .. gone_box:ledger().jobs[1].id)
      assert_holds(output, "HTTP status 410")
    end)

    it("says what is wrong with a key, does not show it, and ends with 1", function()
      local output, code, dir = finish(runs.wrong_key)
      assert.equal("1", code)
      assert_holds(output, "quickstart: the service does not accept the API key")
      assert.is_nil(output:find("sk-wrong-key", 1, true))
      assert.equal("", folder.list(dir))
    end)
  end)

  describe("references", function()
    it("gives each reference its purpose", function()
      local output, code, dir = finish(runs.references)
      assert.equal("0", code, output)
      local sentence = "Keep the subject from ref 1, use the color palette from ref 2. (10 credits)"
      assert_holds(output, sentence)
      assert_pngs(dir, after(output, "saved"), 1)
    end)

    it("says which reference is no image, and spends nothing", function()
      local output, code, dir = finish(runs.no_image)
      assert.equal("1", code)
      assert_holds(output, "please check image_urls[2]")
      assert.equal("", folder.list(dir))
    end)

    it("asks for the URLs when it is not in the sandbox", function()
      local output, code = finish(runs.no_urls)
      assert.equal("2", code)
      assert_holds(output, "usage:")
    end)
  end)

  describe("many", function()
    it("keeps to its budget, and is patient where the service asks for it", function()
      local output, code, dir = finish(runs.many)
      assert.equal("0", code, output)
      local closing = "10 made, 2 over the budget, 0 unsure, 0 failed; 100 of 100 credits spent"
      assert_holds(output, closing)
      local _, repeated = output:gsub("again in", "")
      assert.equal(1, repeated)
      assert.equal(10, count_files(dir, "png"))
      assert.equal(10, count_files(dir, "json"))
    end)

    it("does not ask again for what may have been paid", function()
      local output, code = finish(runs.lossy)
      assert.equal("0", code, output)
      assert_holds(output, "9 made, 2 over the budget, 1 unsure")
      assert.equal(10, lossy_box:ledger().requests.create)
    end)
  end)

  it("frame_loop makes its pictures with nothing but step, and tells how long that took", function()
    local output, code, dir = finish(runs.frame_loop)
    assert.equal("0", code, output)
    for _, name in ipairs({ "door", "window", "chimney" }) do
      assert.is_truthy(output:find(name .. " +saved"), output)
    end
    assert.is_truthy(output:find("%d+ frames, step took [%d.]+ ms on average"), output)
    assert.equal(3, count_files(dir, "png"))
  end)

  it("art begins with stand-ins, and its pictures come in", function()
    local output, code, dir = finish(runs.art)
    assert.equal("0", code, output)
    for _, name in ipairs({ "door", "window", "chimney", "sky" }) do
      local at = "frame +%d+  art/" .. name .. ".png +"
      assert.is_truthy(output:find(at .. "/%S*gptimage2%-%w+/art/" .. name .. ".png"), output)
      assert.is_truthy(output:find(at .. dir .. "/art/" .. name .. ".png", 1), output)
    end
    assert.is_truthy(output:find("%d+ frames, step took [%d.]+ ms on average"), output)
    assert.equal(4, count_files(dir .. "/art", "png"))
  end)

  it("migrate says what is not the same any more, and makes the pictures", function()
    local output, code, dir = finish(runs.migrate)
    assert.equal("0", code, output)
    local notes = table.concat(after(output, "note"), "\n")
    assert_holds(notes, "1792x1024 (1.750) is none of the ratios")
    assert_holds(notes, "quality was dropped")
    assert_holds(output, "ratio 16:9, count 2")
    assert_pngs(dir, after(output, "saved"), 2)
  end)

  it("is run here, whichever it is that no other program runs", function()
    for name in folder.list("examples"):gmatch("%f[%S]([%w_]+)%.lua") do
      assert.is_truthy(runs[name], "no spec runs examples/" .. name .. ".lua")
    end
  end)
end)
