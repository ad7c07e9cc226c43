--- Pictures in a game: a file or a stand-in at once, and with a client what was asked for comes in.

local assets = require("gptimage2.assets")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

describe("art", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- Steps until as many pictures as asked for have changed, or failed.
  local function watch(count)
    local seen = { list = {} }
    function seen.on_change(path)
      seen.list[#seen.list + 1] = path
    end
    function seen.on_error(path, err)
      seen.list[#seen.list + 1] = path .. ": " .. tostring(err)
    end
    function seen.wait(more)
      support.step_until(function()
        return #seen.list >= (more or count)
      end)
      return table.concat(seen.list, ", ")
    end
    return seen
  end

  local function open(art, seen, more)
    local options = { client = art.client, budget = 100 }
    options.on_change, options.on_error = seen.on_change, seen.on_error
    for name, value in pairs(more or {}) do
      options[name] = value
    end
    return assert(assets.open(art.manifest, options))
  end

  it("gives a stand-in at once, and the picture when it is there", function()
    local box = support.sandbox()
    local made = pictures.new({
      ["a/b.png"] = "subject = 'b', ratio = '16:9'",
      ["c.png"] = "subject = 'c'",
    })
    made:connect(box)
    local seen, where = watch(1), folder.new()
    local art = open(made, seen, { standins = where })
    local standin = assert(art:path("a/b.png"))
    assert.equal(where .. "/a/b.png", standin)
    assert.same({ standin, false }, { art:path("a/b.png") })
    assert.equal("png", core.disk.image_kind(standin))
    assert.equal("a/b.png", seen.wait())
    assert.same({ made.base .. "a/b.png", true }, { art:path("a/b.png") })
    assert.matches("^\137PNG", made:read("a/b.png"))
    assert.is_true(art:close())
    assert.is_true(art:close())
    assert.equal("a/b.png fresh, c.png new", made:states()) -- nobody asked for it
    assert.equal(10, pictures.paid(box))
    assert.has_error(function()
      art:path("c.png")
    end, "attempt to use closed art")
  end)

  it("makes them in the order in which they were asked for, two at once", function()
    local box = support.sandbox({ duration = 0.1 })
    local entries = {}
    for i = 1, 5 do
      entries[i .. ".png"] = ("subject = 'number %d'"):format(i)
    end
    local made = pictures.new(entries):connect(box)
    local seen, most = watch(4), 0
    local art = open(made, seen)
    local order = { "3.png", "1.png", "5.png", "2.png" }
    for _, path in ipairs(order) do
      assert(art:path(path))
    end
    support.step_until(function()
      most = math.max(most, gptimage2.pending())
      return #seen.list >= 4
    end)
    assert.equal(2, most)
    art:close()
    local path_of, asked = {}, {}
    for _, row in ipairs(assert(made.client:history())) do
      path_of[row.idempotency_key] = row.metadata.path
    end
    for i, job in ipairs(box:ledger().jobs) do
      asked[i] = path_of[job.key]
    end
    local pairs_of = { { asked[1], asked[2] }, { asked[3], asked[4] } }
    for _, pair in ipairs(pairs_of) do
      table.sort(pair) -- two creates go out at the same time
    end
    assert.same({ { "1.png", "3.png" }, { "2.png", "5.png" } }, pairs_of)
    assert.equal(40, pictures.paid(box))
  end)

  it("keeps to its budget, and tells of what will not come", function()
    local box = support.sandbox()
    local made = pictures.new({
      ["a.png"] = "subject = 'a'",
      ["b.png"] = "subject = 'b'",
      ["c.png"] = "subject = 'c', candidates = 2",
      ["d.png"] = "subject = 'a'",
    })
    made:connect(box)
    local seen = watch(1)
    local art = open(made, seen, { budget = 30 })
    art:path("c.png")
    assert.matches("^c.png: .*unreviewed: 2 candidates wait", seen.wait(1))
    art:path("a.png")
    assert.matches("a.png$", seen.wait(2))
    art:path("b.png")
    assert.matches("b.png: .*costs 10 credits, and 0 are left", seen.wait(3))
    assert.equal(made.base .. "d.png", art:path("d.png")) -- the same request as a.png
    assert.equal(30, pictures.paid(box))
    art:close()
  end)

  it("tries each once, and brings back what a store has", function()
    local box = support.sandbox()
    local made = pictures.new():connect(box)
    box:fault({ on = "job", action = "fail", times = 1 })
    local seen = watch(1)
    local art = open(made, seen)
    art:path("a.png")
    assert.matches("^a.png: ", seen.wait())
    art:path("a.png")
    art:close()
    art = open(made, seen)
    art:path("a.png")
    assert.matches("a.png$", seen.wait(2))
    art:close()
    os.remove(made.base .. "a.png")
    art = open(made, seen)
    assert.not_equal(made.base .. "a.png", art:path("a.png"))
    seen.wait(3)
    assert.equal(made.base .. "a.png", art:path("a.png"))
    assert.equal(10, pictures.paid(box))
    art:close()
  end)

  it("leaves the folder to others when nothing is made, and when it is closed", function()
    local box = support.sandbox({ duration = 0.3 })
    local made = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
    made:connect(box)
    local seen = watch(1)
    local art = open(made, seen)
    art:path("a.png")
    seen.wait()
    assert.is_true(assert(made:build({ only = "a.png" })).ok)
    art:path("b.png")
    support.step_until(function()
      return #box:ledger().jobs == 2
    end)
    assert.is_true(art:close())
    assert.is_true(assert(made:build()).ok) -- it takes up what was sent
    assert.equal("a.png fresh, b.png fresh", made:states())
    assert.equal(20, pictures.paid(box))
    assert.equal(1, #seen.list)
  end)

  it("takes its temporary stand-ins away", function()
    local made = pictures.new({ ["x/y/a.jpg"] = "subject = 'a'" })
    local art = assert(assets.open(made.manifest))
    local standin = assert(art:path("x/y/a.jpg"))
    assert.matches("/x/y/a.jpg.png$", standin)
    assert.truthy(folder.read(standin))
    art:close()
    assert.is_nil(core.disk.look((standin:gsub("/x/y/.*", ""))))
  end)

  it("says what cannot be read or written", function()
    local made = pictures.new()
    local art = assert(assets.open(made.manifest, { standins = "/proc/nowhere" }))
    local path, err = art:path("a.png")
    assert.is_nil(path)
    assert.equal("store_failed", err.code)
    folder.write(made.base .. "pictures.lock", "<<<<<<< HEAD\n")
    art, err = assets.open(made.manifest)
    assert.is_nil(art)
    assert.equal("lock_conflict", err.code)
  end)

  it("raises for unknown paths and wrong options", function()
    local made = pictures.new()
    local art = assert(assets.open(made.manifest))
    local ok, why = pcall(art.path, art, "a.pgn")
    assert.is_false(ok)
    assert.matches("has no picture 'a.pgn', did you mean 'a.png'%?", why)
    assert.is_false(pcall(art.path, art))
    assert.is_false(pcall(art.path))
    art:close()
    local client = support.client(support.sandbox())
    assert.has_error(function()
      assets.open(made.manifest, { client = client })
    end, "bad argument #2 to 'open' (option 'budget' is needed with a client: credits, 0 or more)")
    assert.has_error(function()
      assets.open(made.manifest, { on_chnage = print })
    end)
    local _, err = assets.open(made.manifest, { client = client, budget = 10 })
    assert.equal("no_ledger", err.code)
  end)

  it("reads lock and files, and nothing else, without a client", function()
    local box = support.sandbox()
    local made = pictures.new({ ["a.png"] = "subject = 'a'", ["b.png"] = "subject = 'b'" })
    made:connect(box)
    assert(made:build())
    os.remove(made.base .. "b.png")
    os.remove(made.manifest) -- a finished game ships without it
    local real, opened = io.open, {}
    local digest, rows = core.digest, core.ledger_rows
    local forbidden = setmetatable({}, {
      __index = function()
        error("a digest was asked for")
      end,
    })
    core.digest, core.ledger_rows = forbidden, nil
    io.open = function(path, mode) -- luacheck: ignore 122
      if mode == "rb" then
        opened[#opened + 1] = path
      end
      return real(path, mode)
    end
    local pending = gptimage2.pending()
    local art = assert(assets.open(made.manifest, { standins = folder.new() }))
    local there, standin = art:path("a.png"), art:path("b.png")
    io.open = real -- luacheck: ignore 122
    core.digest, core.ledger_rows = digest, rows
    local ok, why = pcall(art.path, art, "c.png") -- no manifest says otherwise
    assert.is_false(ok)
    assert.matches("has no picture 'c.png', did you mean '[ab].png'%?", why)
    assert.equal(made.base .. "a.png", there)
    assert.equal("png", core.disk.image_kind(standin))
    assert.same({ made.base .. "pictures.lock" }, opened)
    assert.equal(pending, gptimage2.pending())
    assert.is_true(art:close())
  end)
end)
