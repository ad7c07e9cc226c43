--- Pages to choose from, without a browser: what is in them, what comes of what they save.

local assets = require("gptimage2.assets")
local cjson = require("cjson")
local core = require("gptimage2.core")
local folder = require("spec.folder")
local pages = require("gptimage2.pages")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")
local text = require("gptimage2.pages.text")

local function data_of(file)
  local html = folder.read(file)
  local json = html:match('<script type="application/json" id="data">(.-)</script>')
  return cjson.decode(json), html, json
end

describe("a page", function()
  after_each(function()
    support.clean()
    folder.clean()
  end)

  it("escapes what a browser would obey", function()
    local given =
      { a = "</script><b>&'\226\128\168\226\128\169\"", b = text.list(), c = { 1, true } }
    local json = text.encode(given)
    assert.is_nil(json:find("[<>&]"))
    assert.is_nil(json:find("\226\128[\168\169]"))
    local read = cjson.decode(json)
    assert.same({ given.a, 1, true }, { read.a, read.c[1], read.c[2] })
    assert.matches('"b":%[%]', json)
    local html = pages.render({ title = "<i>&", pictures = {} }, core.digest.sha256)
    assert.matches("<title>&#60;i&#62;&#38;</title>", html)
  end)

  it("links to nothing but what lies beside it", function()
    assert.equal("a/b%20%23%25%3F.png", text.link("a/b #%?.png"))
    assert.equal("%C3%A4.png", text.link("ä.png"))
    assert.equal("java%3Ascript", text.link("java:script"))
    for _, path in ipairs({ "", "/a", "../a", "a/../b", "a/./b", "a//b", "a/", ".." }) do
      assert.is_nil(text.link(path))
    end
  end)

  it("has a policy by the hashes of its own style and script", function()
    local html = pages.render({ title = "x", pictures = {} }, core.digest.sha256)
    local policy = html:match('Security%-Policy" content="([^"]*)"')
    assert.matches("^default%-src 'none'; img%-src 'self' file:; ", policy)
    for _, tag in ipairs({ "style", "script" }) do
      local inner = html:match("<" .. tag .. ">(.*)</" .. tag .. ">")
      local hash = text.base64(core.digest.sha256(inner))
      assert.equal(44, #hash)
      assert.is_truthy(policy:find(("%s-src 'sha256-%s'"):format(tag, hash), 1, true))
    end
    assert.is_nil(html:find("https?://"))
    assert.equal("TWFu", text.base64("4d616e"))
    assert.equal("TWE=", text.base64("4d61"))
    assert.equal("TQ==", text.base64("4d"))
  end)

  it("shows candidates, what is not made, and what makes it", function()
    local box, shared = support.sandbox(), folder.new()
    local art = pictures.new({
      ["a.png"] = "subject = 'a', candidates = 2",
      ["b {x}.png"] = "each = { x = { 'one', 'two' } }, subject = '{x}'",
    })
    art:connect(box)
    assert(art:build({ only = "a.png", store = shared }))
    folder.run(("rm -rf %s.gptimage2/objects"):format(art.base)) -- another store has them
    local options = { base_url = box.url, store = shared }
    local file = assert(assets.review(art.manifest, options))
    assert.equal(art.base .. ".gptimage2/index.html", file)
    local data = data_of(file)
    assert.equal("review", data.view)
    assert.same({ "x" }, data.axes)
    local a, b = data.pictures[1], data.pictures[2]
    assert.same({ "a.png", "unreviewed", 2 }, { a.path, a.state, #a.candidates })
    assert.same({ "b one.png", "new", 10, 0 }, { b.path, b.state, b.cost, #b.candidates })
    assert.equal("gptimage2 build -f pictures.lua --only 'b one.png'", b.command)
    assert.equal("one", b.axes.x)
    for n, candidate in ipairs(a.candidates) do
      assert.equal(n, candidate.n)
      assert.matches("^objects/%x+$", candidate.src)
      assert.matches("^\137PNG", art:read(".gptimage2/" .. candidate.src))
      assert.matches("a", candidate.prompt)
    end
    assert(assets.accept(art.manifest, "a.png", 2, options))
    data = data_of(assert(assets.grid(art.manifest, options)))
    assert.equal("grid", data.view)
    assert.is_true(data.pictures[1].candidates[2].accepted)
    assert.is_true(data.pictures[1].candidates[1].rejected)
    assert.equal("a.png fresh, b one.png new, b two.png new", art:states())
  end)

  it("saves decisions, of which those about another request are refused", function()
    local box = support.sandbox()
    local two = ", candidates = 2"
    local art = pictures.new({
      ["a.png"] = "subject = 'a'" .. two,
      ["b.png"] = "subject = 'b'" .. two,
      ["c.png"] = "subject = 'c'" .. two,
    })
    art:connect(box)
    assert(art:build())
    local where, hashes = { base_url = box.url }, {}
    for _, picture in ipairs(data_of(assert(assets.review(art.manifest, where))).pictures) do
      hashes[picture.path] = picture.hash
    end
    hashes["b.png"] = ("0"):rep(64)
    local decisions = {
      version = 1,
      accept = { ["a.png"] = 2, ["b.png"] = 1 },
      reject = { ["c.png"] = { 1 }, ["x.png"] = { 1 } },
      marks = { ["a.png"] = { ["1"] = 4 } },
      hashes = hashes,
    }
    local found = assert(assets.decide(art.manifest, cjson.encode(decisions), where))
    assert.same({ 1, 1, 2 }, { found.accepted, found.rejected, #found.refused })
    assert.equal("x.png", found.refused[1].path)
    assert.equal("b.png", found.refused[2].path)
    assert.matches("its request changed since the page", found.refused[2].error.message)
    assert.equal("a.png fresh, b.png unreviewed, c.png unreviewed", art:states())
    decisions.hashes = nil -- written by hand
    found = assert(assets.decide(art.manifest, decisions, where))
    assert.equal(2, found.accepted)
    assert.equal("a.png fresh, b.png fresh, c.png unreviewed", art:states())
    for _, wrong in ipairs({
      "{",
      "{}",
      '{"version":2}',
      '{"version":1,"accept":{"a.png":0}}',
      '{"version":1,"accept":3}',
      '{"version":1,"reject":{"a.png":1}}',
    }) do
      local ok, err = assets.decide(art.manifest, wrong, where)
      assert.is_nil(ok)
      assert.equal("not_decidable", err.code)
    end
    assert.has_error(function()
      assets.decide(art.manifest, 3)
    end, "bad argument #2 to 'decide' (table expected, got number)")
  end)

  it("of a folder shows what lies there, and writes over nobody's", function()
    local client = support.pair()
    local dir = folder.new()
    assert(client:generate({ prompt = "a <b>cup" }, { save = dir .. "/sub" }))
    folder.write(dir .. "/by hand.webp", "bytes")
    local file = assert(assets.gallery(dir))
    local data = data_of(file)
    assert.same({ "sheet", false, 2 }, { data.view, data.decides, #data.pictures })
    assert.equal("by%20hand.webp", data.pictures[1].candidates[1].src)
    assert.equal("a <b>cup", data.pictures[2].prompt)
    assert(assets.gallery(dir))
    folder.write(file, "<h1>mine</h1>")
    local ok, err = assets.gallery(dir)
    assert.is_nil(ok)
    assert.equal("store_failed", err.code)
    assert.equal("<h1>mine</h1>", folder.read(file))
    assert.is_nil(assets.gallery(dir .. "/none"))
  end)
end)
