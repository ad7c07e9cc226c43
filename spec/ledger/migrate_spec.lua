local migrate = require("gptimage2.migrate")
local request = require("gptimage2.request.request")

local function raises(needle, fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(needle, 1, true), tostring(message))
  assert.is_truthy(tostring(message):find("migrate_spec.lua:", 1, true), tostring(message))
end

local function has(notes, needle)
  for _, note in ipairs(notes) do
    if note:find(needle, 1, true) then
      return true
    end
  end
  return false, table.concat(notes, "\n")
end

describe("migrate.ratio", function()
  it("knows exact shapes", function()
    for _, case in ipairs({
      { 1024, 1024, "1:1" },
      { 1920, 1080, "16:9" },
      { 1080, 1920, "9:16" },
      { 800, 600, "4:3" },
      { 0.75, 1, "3:4" },
    }) do
      local ratio, exact = migrate.ratio(case[1], case[2])
      assert.equal(case[3], ratio)
      assert.is_true(exact)
    end
  end)

  it("finds the nearest of others", function()
    for _, case in ipairs({
      { 1792, 1024, "16:9" },
      { 1024, 1792, "9:16" },
      { 1536, 1024, "4:3" },
      { 1024, 1536, "3:4" },
      { 5000, 100, "16:9" },
      { 1100, 1000, "1:1" },
      { 1000, 1100, "1:1" },
    }) do
      local ratio, exact = migrate.ratio(case[1], case[2])
      assert.equal(case[3], ratio)
      assert.is_false(exact)
    end
  end)

  it("measures shapes as factors: 1.16 is nearer to 4:3 than to 1:1 on both sides", function()
    assert.equal("4:3", (migrate.ratio(1160, 1000)))
    assert.equal("3:4", (migrate.ratio(1000, 1160)))
  end)

  it("takes other ratios", function()
    assert.equal("21:9", (migrate.ratio(2560, 1080, { "1:1", "21:9" })))
  end)

  it("refuses what is no size, and raises for wrong types", function()
    for _, size in ipairs({ { 0, 1 }, { 1, -1 }, { 0 / 0, 1 }, { 1, 1 / 0 } }) do
      local ratio, err = migrate.ratio(size[1], size[2])
      assert.is_nil(ratio)
      assert.equal("invalid_size", err.code)
    end
    raises("bad argument #2 to 'ratio' (number expected, got nil)", function()
      migrate.ratio(1)
    end)
    raises("bad argument #3 to 'ratio'", function()
      migrate.ratio(1, 1, { "wide" })
    end)
    raises("bad argument #3 to 'ratio'", function()
      migrate.ratio(1, 1, {})
    end)
  end)
end)

describe("migrate.request", function()
  it("turns the documented call into a request", function()
    local req, notes = migrate.request({ prompt = "a cup", width = 1024, height = 1024, count = 1 })
    assert.same({ prompt = "a cup", ratio = "1:1", count = 1 }, req)
    assert.is_true(has(notes, "1024x1024 became ratio 1:1"))
    assert.is_truthy(request.normalise(req))
  end)

  it("says with numbers when the shape is not exact", function()
    local req, notes = migrate.request({ prompt = "a cup", size = "1792x1024" })
    assert.equal("16:9", req.ratio)
    assert.is_true(
      has(notes, "1792x1024 (1.750) is none of the ratios; the nearest, 16:9 (1.778), was used")
    )
  end)

  it("drops what has no counterpart, and says so", function()
    local req, notes = migrate.request({
      model = "dall-e-3",
      prompt = "a cup",
      quality = "hd",
      style = "vivid",
      response_format = "b64_json",
      user = "7",
      shiny = true,
    })
    assert.same({ prompt = "a cup" }, req)
    for _, word in ipairs({ "model", "quality", "response_format", "user", "shiny" }) do
      assert.is_true(has(notes, word .. " was dropped: "))
    end
    assert.is_true(has(notes, "style 'vivid' was dropped"))
    assert.is_true(has(notes, "job:data"))
    assert.equal(6, #notes)
  end)

  it("keeps what a request has too", function()
    local old = {
      prompt = "a cup",
      style = "cinematic",
      lighting = "soft",
      image_urls = { "https://e.com/a.png" },
      ratio = "4:3",
    }
    local req, notes = migrate.request(old)
    assert.same(old, req)
    assert.same({}, notes)
  end)

  it("takes n for count, and caps it with a word", function()
    local req, notes = migrate.request({ prompt = "a cup", n = 2 })
    assert.equal(2, req.count)
    assert.same({}, notes)
    req, notes = migrate.request({ prompt = "a cup", n = 4 })
    assert.equal(4, req.count)
    assert.same({}, notes)
    req, notes = migrate.request({ prompt = "a cup", n = 10 })
    assert.equal(4, req.count)
    assert.is_true(has(notes, "10 images became 4, the most of one request; 3 requests"))
  end)

  it("says which of two answers it took", function()
    local req, notes = migrate.request({ prompt = "a", size = "10x10", width = 16, height = 9 })
    assert.equal("1:1", req.ratio)
    assert.is_true(has(notes, "width and height were dropped"))
    for _, agreeing in ipairs({
      { size = "10x10", width = 10, height = 10 },
      { size = "10x10", width = 10 },
      { size = "10x10", height = 10 },
    }) do
      req, notes = migrate.request(agreeing)
      assert.equal("1:1", req.ratio)
      assert.same({ "10x10 became ratio 1:1; pixels cannot be asked for" }, notes)
    end
    for _, differing in ipairs({ { width = 11 }, { height = 11 }, { width = 10, height = 11 } }) do
      differing.size = "10x10"
      req, notes = migrate.request(differing)
      assert.equal("1:1", req.ratio)
      assert.is_true(has(notes, "width and height were dropped"))
    end
    req, notes = migrate.request({ prompt = "a", n = 2, count = 2 })
    assert.equal(2, req.count)
    assert.same({}, notes)
    req, notes = migrate.request({ prompt = "a", n = 1, count = 2 })
    assert.equal(2, req.count)
    assert.is_true(has(notes, "n was dropped"))
    req, notes = migrate.request({ prompt = "a", size = "10x10", ratio = "16:9" })
    assert.equal("16:9", req.ratio)
    assert.is_true(has(notes, "the size was dropped"))
  end)

  it("knows the other names of a shape", function()
    for _, old in ipairs({
      { aspect_ratio = "16:9" },
      { aspect_ratio = "1920:1080" },
      { image_size = { width = 1920, height = 1080 } },
      { image_size = { 1920, 1080 } },
      { image_size = "1920x1080" },
      { image_size = "landscape_16_9" },
      { image_size = "auto", width = 16, height = 9 },
      { aspect_ratio = "auto", size = "1920x1080" },
    }) do
      assert.equal("16:9", migrate.request(old).ratio)
    end
    local req, notes = migrate.request({ aspect_ratio = "3:2" })
    assert.equal("4:3", req.ratio)
    assert.same({ "aspect_ratio 3:2 is none of the ratios; the nearest, 4:3, was used" }, notes)
    req, notes = migrate.request({ aspect_ratio = "16:9", ratio = "1:1", size = "10x20" })
    assert.equal("1:1", req.ratio)
    assert.is_true(has(notes, "aspect_ratio was dropped"))
    assert.is_true(has(notes, "the size was dropped"))
    assert.equal("wide", migrate.request({ aspect_ratio = "wide" }).ratio) -- refused when used
    for _, size in ipairs({ "huge", { width = 5 }, { 0, 1 }, {}, 7, true }) do
      local none, err = migrate.request({ image_size = size })
      assert.is_nil(none)
      assert.equal("invalid_size", err.code)
      assert.equal("image_size", err.field)
    end
  end)

  it("takes negative_prompt for negative", function()
    local req, notes = migrate.request({ prompt = "a", negative_prompt = "people" })
    assert.equal("people", req.negative)
    assert.same({}, notes)
    req, notes = migrate.request({ prompt = "a", negative = "cars", negative_prompt = "people" })
    assert.equal("cars", req.negative)
    assert.is_true(has(notes, "negative_prompt was dropped"))
  end)

  it("takes images that are URLs for image_urls, in their order", function()
    local A, B, C = "https://e.com/a.png", "https://e.com/b.png", "HTTPS://e.com/c.png"
    for _, old in ipairs({
      { image_urls = { A }, image = B, images = { C } },
      { image = { A, B }, images = { C } },
      { image_url = A, images = { { url = B }, C } },
    }) do
      local req, notes = migrate.request(old)
      assert.same({ A, B, C }, req.image_urls)
      assert.is_true(has(notes, "became image_urls"))
    end
    local req = migrate.request({ prompt = "a", images = {} })
    assert.is_nil(req.image_urls)
  end)

  it("refuses images that are no URLs: without them it would be another picture", function()
    for field, old in pairs({
      image = { image = "\137PNG\r\n\26\n" },
      image_url = { image_url = "data:image/png;base64,iVBORw0KGgo=" },
      ["images[2]"] = { images = { "https://e.com/a.png", "iVBORw0KGgo=" } },
      ["image[1]"] = { image = { { b64_json = "iVBORw0KGgo=" } } },
      ["image_urls[1]"] = { image_urls = { io.stdout } },
    }) do
      local req, err = migrate.request(old)
      assert.is_nil(req)
      assert.equal("validation", err.kind)
      assert.equal("invalid_image_url", err.code)
      assert.equal(field, err.field)
      assert.is_nil(err.message:find("iVBOR", 1, true))
    end
  end)

  it("leaves the ratio to the service for size auto", function()
    local req, notes = migrate.request({ prompt = "a", size = "auto" })
    assert.is_nil(req.ratio)
    assert.is_true(has(notes, "size 'auto' was dropped"))
  end)

  it("takes numbers that came as strings", function()
    local req = migrate.request({ prompt = "a", width = "1920", height = "1080", n = "2" })
    assert.equal("16:9", req.ratio)
    assert.equal("2", tostring(req.count))
  end)

  it("refuses sizes and counts that are none", function()
    for _, old in ipairs({
      { size = "large", field = "size" },
      { size = "0x0", field = "size" },
      { size = "0x1", field = "size" },
      { size = "1x0", field = "size" },
      { size = 1024, field = "size" },
      { width = 1024, field = "height" },
      { height = 1024, field = "width" },
      { width = 0, height = 1, field = "width" },
    }) do
      local field = old.field
      old.field = nil
      local req, err = migrate.request(old)
      assert.is_nil(req)
      assert.equal("validation", err.kind)
      assert.equal("invalid_size", err.code)
      assert.equal(field, err.field)
    end
    for _, count in ipairs({ 0, 1.5, "many", -2 }) do
      local req, err = migrate.request({ n = count })
      assert.is_nil(req)
      assert.equal("invalid_count", err.code)
      assert.equal("n", err.field)
    end
  end)

  it("leaves the old call alone, and raises for what is no table", function()
    local old = { prompt = "a", size = "1024x1024", n = 9 }
    migrate.request(old)
    assert.same({ prompt = "a", size = "1024x1024", n = 9 }, old)
    raises("bad argument #1 to 'request' (table expected, got string)", function()
      migrate.request("a cup")
    end)
  end)
end)
