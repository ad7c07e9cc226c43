local naming = require("gptimage2.files.naming")

local NOON = os.time({ year = 2026, month = 3, day = 9, hour = 12 })

local function fields(changes)
  local made = { id = "8b93", created_at = NOON + 0.5, seeds = { "11", "12", "13", "14" } }
  for key, value in pairs(changes or {}) do
    made[key] = value
  end
  return made
end

local function refused(code, where, n_images, is_dir)
  local paths, err = naming.plan(where, is_dir or false, fields(), n_images or 1)
  assert.is_nil(paths)
  assert.equal("validation", err.kind)
  assert.equal(code, err.code)
  assert.equal("where", err.field)
  return err.message
end

describe("naming.plan", function()
  it("puts images and the sidecar into a folder", function()
    for _, case in ipairs({
      { "out", true, "out/" },
      { "out", false, "out/" },
      { "out/", false, "out/" },
      { "out/", true, "out/" },
      { ".", true, "./" },
      { "/", true, "/" },
      { "a.b/c", false, "a.b/c/" },
      { "pics.2026", false, "pics.2026/" },
      { "odd.png", true, "odd.png/" },
      { "odd{id}", true, "odd{id}/" },
    }) do
      local paths, sidecar = naming.plan(case[1], case[2], fields(), 2)
      assert.same({ case[3] .. "8b93-1.{ext}", case[3] .. "8b93-2.{ext}" }, paths)
      assert.equal(case[3] .. "8b93.json", sidecar)
    end
  end)

  it("fills a pattern and leaves {ext} for later", function()
    local paths, sidecar = naming.plan("out/{date}_{id}_{n}_{seed}.{ext}", false, fields(), 2)
    assert.same({ "out/2026-03-09_8b93_1_11.{ext}", "out/2026-03-09_8b93_2_12.{ext}" }, paths)
    assert.equal("out/8b93.json", sidecar)
  end)

  it("takes the name of an image for a pattern, whatever the case", function()
    for _, name in ipairs({ "cat.png", "cat.JPG", "cat.jpeg", "cat.webp", "cat.gif", "a.avif" }) do
      local paths, sidecar = naming.plan(name, false, fields(), 1)
      assert.same({ name }, paths)
      assert.equal("8b93.json", sidecar)
    end
  end)

  it("fills placeholders in folders too", function()
    assert.same({ "out/2026-03-09/8b93-1.{ext}" }, (naming.plan("out/{date}/", false, fields(), 1)))
    assert.same(
      { "out/2026-03-09/pics/8b93-1.{ext}" },
      (naming.plan("out/{date}/pics", false, fields(), 1))
    )
    local paths, sidecar = naming.plan("{n}/a.png", false, fields(), 2)
    assert.same({ "1/a.png", "2/a.png" }, paths)
    assert.equal("1/8b93.json", sidecar)
  end)

  it("never lets a value of the service out of the folder", function()
    local evil = fields({ id = "../../etc/passwd", seeds = { "{n}\0/..", "" } })
    local paths, sidecar = naming.plan("out/{id}-{seed}-{n}.{ext}", false, evil, 2)
    assert.same({
      "out/%2E.%2F..%2Fetc%2Fpasswd-_n___..-1.{ext}",
      "out/%2E.%2F..%2Fetc%2Fpasswd-_-2.{ext}",
    }, paths)
    assert.equal("out/%2E.%2F..%2Fetc%2Fpasswd.json", sidecar)
  end)

  it("numbers images that would get the same name", function()
    local same = fields({ seeds = { "1", "1", "1" } })
    assert.same(
      { "a.b/1.{ext}", "a.b/1-2.{ext}", "a.b/1-3.{ext}" },
      (naming.plan("a.b/{seed}.{ext}", false, same, 3))
    )
    assert.same({ "1.png", "1-2.png" }, (naming.plan("{seed}.png", false, same, 2)))
    assert.same({ "x1", "x1-2" }, (naming.plan("x{seed}", false, same, 2)))
  end)

  it("never gives an image the sidecar's name, whatever the seeds are", function()
    local one = fields({ seeds = { "8b93" } })
    local paths, sidecar = naming.plan("out/{seed}.json", false, one, 1)
    assert.same({ "out/8b93-1.json" }, paths)
    assert.equal("out/8b93.json", sidecar)
    local two = fields({ seeds = { "11", "8b93" } })
    paths, sidecar = naming.plan("{seed}.json", false, two, 2)
    assert.same({ "11.json", "8b93-2.json" }, paths)
    assert.equal("8b93.json", sidecar)
  end)

  it("does without seeds and dates", function()
    local paths = naming.plan("{seed}-{date}-{n}.{ext}", false, { id = "a" }, 1)
    assert.is_truthy(paths[1]:find("^_%-%d%d%d%d%-%d%d%-%d%d%-1%.{ext}$"))
  end)

  it("has no paths for no images, but a sidecar", function()
    local paths, sidecar = naming.plan("out", true, fields(), 0)
    assert.same({}, paths)
    assert.equal("out/8b93.json", sidecar)
  end)

  it("refuses unknown placeholders and stray braces", function()
    local message = refused("unknown_placeholder", "{sede}-{n}.{ext}")
    assert.is_truthy(message:find("and {date}; did you mean {seed}?", 1, true), message)
    for _, where in ipairs({ "{", "a}", "{}", "{id", "{{id}}", "{i d}.png", "x/{nope}/" }) do
      refused("unknown_placeholder", where)
    end
  end)

  it("refuses one name for several images", function()
    local message = refused("pattern_needs_n", "cat.png", 2)
    assert.is_truthy(message:find("{n}", 1, true))
    refused("pattern_needs_n", "{id}.{ext}", 4)
    assert.is_truthy(naming.plan("{id}.{ext}", false, fields(), 1))
  end)

  it("refuses the sidecar's name", function()
    refused("pattern_names_sidecar", "out/{id}.json")
    refused("ext_in_folder", "out/{ext}/{id}.png")
  end)

  it("refuses places that are none", function()
    refused("where_empty", "")
    refused("nul_byte", "out\0")
    refused("too_long", ("x"):rep(4097))
    assert.is_truthy(naming.plan(("x"):rep(4096), false, fields(), 1))
  end)

  it("raises for a place that is no string", function()
    assert.has_error(function()
      naming.plan(nil, false, fields(), 1)
    end, "bad argument #1 to 'save' (string expected, got nil)")
  end)
end)

describe("naming.check", function()
  it("tells before anything is paid whether the images have a place", function()
    assert.is_true(naming.check("out", true, 4))
    assert.is_true(naming.check("{seed}.{ext}", false, 4))
    local ok, err = naming.check("{id}.{ext}", false, 2)
    assert.is_nil(ok)
    assert.equal("pattern_needs_n", err.code)
  end)
end)

describe("naming.targets", function()
  local function targets(where, is_dir, n_images)
    local list = {}
    for i, target in ipairs(naming.targets(where, is_dir or false, n_images or 1)) do
      local how = target.exact and "exact" or "about"
      list[i] = ("%s|%s|%s"):format(target.folder, target.name, how)
    end
    return table.concat(list, " ")
  end

  it("tells which names are known before the job is", function()
    local today = os.date("%Y-%m-%d")
    assert.equal("|cup.png|exact", targets("cup.png"))
    assert.equal("a/b/|cup.png|exact", targets("a/b/cup.png"))
    assert.equal("/a/|cup.png|exact", targets("/a/cup.png"))
    assert.equal("|cup.png|about", targets("cup.{ext}"))
    assert.equal("out/|x-1.png|about out/|x-2.png|about", targets("out", true, 2))
    assert.equal("out/|x-1.png|about", targets("out"))
    assert.equal("a{id}/|x-1.png|about", targets("a{id}", true))
    local dated = ("%s/|1.png|exact %s/|2.png|exact"):format(today, today)
    assert.equal(dated, targets("{date}/{n}.png", false, 2))
    assert.equal("a/|x|about a/|b|about a/|c.png|about", targets("a/{id}/b/c.png"))
    assert.equal("1/|a.png|exact 2/|a.png|exact", targets("{n}/a.png", false, 2))
  end)
end)

describe("naming.id", function()
  it("gives different ids different names", function()
    assert.equal("aZ09._-", naming.id("aZ09._-"))
    assert.equal("a%3Ab%2Fc%25", naming.id("a:b/c%"))
    assert.equal("%2Ehidden", naming.id(".hidden"))
    local whole = ("x"):rep(128)
    assert.equal(whole, naming.id(whole))
    local seen = {}
    for i = 1, 100 do
      local name = naming.id(("x"):rep(200) .. i)
      assert.equal(128, #name)
      assert.truthy(name:find("^x+%-%x+$"))
      assert.is_nil(seen[name])
      seen[name] = true
    end
  end)
end)

describe("naming.safe", function()
  it("keeps harmless names and cuts long ones", function()
    assert.equal("aZ09._-", naming.safe("aZ09._-"))
    assert.equal(64, #naming.safe(("x"):rep(100)))
    assert.not_equal(naming.safe(("x"):rep(100) .. "1"), naming.safe(("x"):rep(100) .. "2"))
    assert.equal("_hidden", naming.safe(".hidden"))
    assert.equal("_.", naming.safe(".."))
    assert.equal("_", naming.safe(""))
    assert.equal("_", naming.safe(nil))
    assert.equal("7", naming.safe(7))
  end)
end)
