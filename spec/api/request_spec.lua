local prompt = require("gptimage2.prompt")
local request = require("gptimage2.request.request")

local A = "https://cdn.example.com/a.png"
local B = "http://cdn.example.com:8080/b.png?x=1"

--- What is refused, and how.
local function refused(req, code, field, needle, settings)
  local done, err = request.normalise(req, settings)
  assert.is_nil(done)
  assert.equal("validation", err.kind)
  assert.equal(code, err.code)
  assert.equal(field, err.field)
  assert.equal("no", err.charged)
  assert.is_truthy(err.message:find(needle or "", 1, true), err.message)
  return err
end

local function with(field, value)
  return { prompt = "a cup", [field] = value }
end

local function raises(needle, fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(needle, 1, true), tostring(message))
end

describe("request.normalise", function()
  it("fills in mode and count", function()
    assert.same(
      { prompt = "a cup", mode = "text-to-image", count = 1 },
      request.normalise({ prompt = "a cup" })
    )
    assert.same(
      { prompt = "a cup", mode = "image-to-image", count = 1, image_urls = { A, B, A } },
      request.normalise({ prompt = "a cup", image_urls = { A, B, A } })
    )
  end)

  it("takes all nine fields and trims their texts", function()
    assert.same(
      {
        prompt = "a cup",
        mode = "image-to-image",
        ratio = "16:9",
        count = 4,
        image_urls = { A },
        style = "studio-product",
        lighting = "soft",
        camera = "85mm",
        negative = "people",
      },
      request.normalise({
        prompt = "\n a cup ",
        mode = "image-to-image",
        ratio = "16:9",
        count = 4.0,
        image_urls = { A },
        style = "studio-product",
        lighting = " soft",
        camera = "85mm\t",
        negative = " people ",
      })
    )
  end)

  it("drops empty optional fields", function()
    assert.same(
      { prompt = "a cup", mode = "text-to-image", count = 1 },
      request.normalise({
        prompt = "a cup",
        mode = "",
        ratio = "",
        image_urls = {},
        style = "",
        lighting = "  ",
        camera = "",
        negative = "\n",
      })
    )
  end)

  it("leaves the table it was given alone", function()
    local urls = { A }
    local req = { prompt = " a cup ", image_urls = urls }
    local done = request.normalise(req)
    assert.same({ prompt = " a cup ", image_urls = { A } }, req)
    assert.is_false(rawequal(urls, done.image_urls))
  end)

  it("takes a prompt object and its references, and no others beside them", function()
    local p = prompt({ subject = "a cup", refs = { subject = A } })
    local done = request.normalise({ prompt = p })
    assert.equal("a cup. Keep the subject from ref 1.", done.prompt)
    assert.same({ A }, done.image_urls)
    assert.equal("image-to-image", done.mode)
    for _, urls in ipairs({ { B }, { A }, "none" }) do
      refused({ prompt = p, image_urls = urls }, "refs_and_image_urls", "image_urls", "refs")
    end
    local plain = prompt({ subject = "a cup" })
    assert.same({ B }, request.normalise({ prompt = plain, image_urls = { B } }).image_urls)
    assert.same({ A }, request.normalise({ prompt = p, image_urls = {} }).image_urls)
    refused({ prompt = p, mode = "text-to-image" }, "invalid_mode", "mode", "refs")
    refused(
      { prompt = prompt({ refs = { palette = "" } }) },
      "invalid_image_url",
      "image_urls[1]",
      "is empty"
    )
  end)

  it("raises for a request that is no table, naming the public function", function()
    raises("bad argument #1 to 'generate' (table expected, got nil)", function()
      request.normalise(nil, nil, "generate")
    end)
    raises("a prompt is not a request yet, use p:request{}", function()
      request.normalise(prompt({ subject = "a cup" }))
    end)
  end)

  it("blames the caller of the public function", function()
    local function generate(req)
      local done = request.normalise(req, nil, "generate")
      return done
    end
    for _, req in ipairs({ 1, prompt({}) }) do
      local line = debug.getinfo(1, "l").currentline + 2
      raises("request_spec.lua:" .. line .. ":", function()
        generate(req)
      end)
    end
  end)
end)

describe("the prompt of a request", function()
  it("must be there and must be a text", function()
    local unseen = "\227\128\128 \194\160\239\187\191"
    for _, value in ipairs({ "", " \n ", unseen, 7, true, {}, prompt({}) }) do
      refused({ prompt = value }, "prompt_required", "prompt")
    end
    local err = refused({}, "prompt_required", "prompt", "a string or a gptimage2.prompt")
    assert.is_nil(err.message:find("nil", 1, true))
    refused({ prompt = 7 }, "prompt_required", "prompt", ", not a number")
  end)

  it("is trimmed of what nobody sees: white space of all Unicode, a byte-order mark", function()
    for _, edge in ipairs({ "\227\128\128", "\194\160", "\239\187\191", "\226\128\139" }) do
      assert.equal("a cup", request.normalise({ prompt = edge .. "a cup" .. edge }).prompt)
      local hinted = request.normalise({ prompt = "a cup", lighting = edge .. "soft" .. edge })
      assert.equal("soft", hinted.lighting)
      assert.is_nil(request.normalise({ prompt = "a cup", negative = edge }).negative)
    end
  end)

  it("may have 32 KiB and not a byte more", function()
    local most = ("x"):rep(32 * 1024)
    assert.equal(most, request.normalise({ prompt = " " .. most .. " " }).prompt)
    refused({ prompt = most .. "x" }, "too_long", "prompt", "32769 bytes long; at most 32768")
  end)

  it("must be UTF-8 without NUL", function()
    local text = "caf\195\169 \228\189\160 \240\159\150\188"
    assert.equal(text, request.normalise({ prompt = text }).prompt)
    refused({ prompt = "caf\233" }, "invalid_utf8", "prompt", "position 4 (0xE9)")
    refused({ prompt = "a\0b" }, "nul_byte", "prompt")
  end)
end)

describe("the hints of a request", function()
  it("must be short texts", function()
    for _, field in ipairs({ "lighting", "camera", "negative" }) do
      refused(with(field, 1), "invalid_" .. field, field, "must be a string, not a number")
      refused(with(field, { "a" }), "invalid_" .. field, field)
      refused(with(field, "a\0"), "nul_byte", field)
      refused(with(field, "a\255"), "invalid_utf8", field)
      refused(with(field, ("x"):rep(4097)), "too_long", field, "at most 4096")
      assert.equal(4096, #request.normalise(with(field, ("x"):rep(4096)))[field])
    end
  end)
end)

describe("the style of a request", function()
  it("is a slug", function()
    for _, style in ipairs({ "cinematic", "editorial-photo", "3d", "a-1-b" }) do
      assert.equal(style, request.normalise(with("style", style)).style)
    end
    for _, style in ipairs({ "a_b", "-a", "a-", "a--b", "\195\169", "A", "a/b" }) do
      refused(with("style", style), "invalid_style", "style", "slug")
    end
    refused(with("style", 3), "invalid_style", "style")
  end)

  it("is suggested from other spellings", function()
    refused(
      with("style", "Studio Product"),
      "invalid_style",
      "style",
      "did you mean 'studio-product'?"
    )
    local err = refused(with("style", "\195\169"), "invalid_style", "style", "is not a slug")
    assert.is_nil(err.message:find("did you mean", 1, true))
  end)
end)

describe("the mode of a request", function()
  it("is one of two", function()
    refused(with("mode", "text-to-imgae"), "invalid_mode", "mode", "did you mean 'text-to-image'?")
    refused(
      with("mode", 1),
      "invalid_mode",
      "mode",
      "must be 'text-to-image' or 'image-to-image', not a number"
    )
    refused(with("mode", "edit"), "invalid_mode", "mode", "not 'edit'")
  end)

  it("must fit the references", function()
    local req = { prompt = "a cup", mode = "text-to-image", image_urls = { A } }
    refused(req, "invalid_mode", "mode", "takes no reference images")
    refused(with("mode", "image-to-image"), "image_urls_required", "image_urls", "1 to 16")
    req = { prompt = "a cup", mode = "image-to-image", image_urls = {} }
    refused(req, "image_urls_required", "image_urls")
    req = { prompt = "a cup", mode = "text-to-image", image_urls = {} }
    assert.equal("text-to-image", request.normalise(req).mode)
  end)
end)

describe("the ratio of a request", function()
  it("is one of the five", function()
    for _, ratio in ipairs({ "1:1", "16:9", "9:16", "4:3", "3:4" }) do
      assert.equal(ratio, request.normalise(with("ratio", ratio)).ratio)
    end
    refused(with("ratio", "2:1"), "invalid_ratio", "ratio", "one of 1:1, 16:9, 9:16, 4:3, 3:4")
    refused(with("ratio", 1), "invalid_ratio", "ratio", "not a number")
  end)

  it("is suggested from its shape", function()
    refused(with("ratio", "3:2"), "invalid_ratio", "ratio", "the nearest is '4:3'")
    refused(with("ratio", "1792x1024"), "invalid_ratio", "ratio", "the nearest is '16:9'")
    for _, none in ipairs({ "0:0", "1:0", "0:1", "wide" }) do
      local err = refused(with("ratio", none), "invalid_ratio", "ratio", "not '" .. none .. "'")
      assert.is_nil(err.message:find("nearest", 1, true))
    end
  end)

  it("may be one more that the client allows", function()
    local settings = { ratios = { "1:1", "21:9" } }
    assert.equal("21:9", request.normalise(with("ratio", "21:9"), settings).ratio)
    refused(with("ratio", "16:9"), "invalid_ratio", "ratio", "one of 1:1, 21:9", settings)
  end)
end)

describe("the count of a request", function()
  it("is a whole number from 1 to 4, an integer afterwards", function()
    for count = 1, 4 do
      local done = request.normalise(with("count", count + 0.0))
      assert.equal(tostring(math.floor(count)), tostring(done.count))
    end
  end)

  it("is refused, never clamped", function()
    for _, count in ipairs({ 0, 5, -1, 1.5, 1 / 0, -1 / 0, 0 / 0, "2", true, {} }) do
      refused(with("count", count), "invalid_count", "count", "a whole number from 1 to 4")
    end
    refused(with("count", 7), "invalid_count", "count", "not 7")
    refused(with("count", "2"), "invalid_count", "count", "not a string")
  end)
end)

describe("the references of a request", function()
  local function second(url)
    return with("image_urls", { A, url })
  end

  it("must be a list", function()
    refused(with("image_urls", A), "invalid_image_url", "image_urls", "such as { url }")
    refused(with("image_urls", 1), "invalid_image_url", "image_urls", "not a number")
    refused(with("image_urls", { A, x = B }), "invalid_image_url", "image_urls", "other keys")
    refused(with("image_urls", { A, nil, B }), "invalid_image_url", "image_urls", "holes")
  end)

  it("must be absolute http(s) URLs without userinfo", function()
    for _, url in ipairs({
      "",
      "a.png",
      "/a.png",
      "//cdn.example.com/a.png",
      "ftp://cdn.example.com/a.png",
      "file:///etc/passwd",
      "data:image/png;base64,AA",
      "https://",
      "https:///a.png",
      "https://cdn.example.com/a b.png",
      " https://cdn.example.com/a.png",
      "https://cdn.example.com/a\n.png",
      "https://cdn.example.com/a\0.png",
      "https://cdn.example.com/\195\164.png",
    }) do
      refused(second(url), "invalid_image_url", "image_urls[2]", "image_urls[2] ")
    end
    refused(second(7), "invalid_image_url", "image_urls[2]", "must be a string, not a number")
  end)

  it("are never shown when they hold a password", function()
    local err =
      refused(second("https://me:hunter2@e.com/a.png"), "invalid_image_url", "image_urls[2]")
    assert.is_nil(tostring(err):find("hunter2", 1, true))
  end)

  it("may have 2 KiB each", function()
    local longest = "https://e.com/" .. ("x"):rep(2048 - 14)
    assert.equal(longest, request.normalise(second(longest)).image_urls[2])
    refused(second(longest .. "x"), "invalid_image_url", "image_urls[2]", "at most 2048")
  end)

  it("may be sixteen", function()
    local urls = {}
    for i = 1, 16 do
      urls[i] = A
    end
    assert.equal(16, #request.normalise(with("image_urls", urls)).image_urls)
    urls[17] = A
    refused(with("image_urls", urls), "too_many_image_urls", "image_urls", "at most 16")
  end)
end)

describe("unknown fields of a request", function()
  it("are refused with what was meant", function()
    for field, needle in pairs({
      imageUrls = "did you mean 'image_urls'?",
      raito = "did you mean 'ratio'?",
      n = "did you mean 'count'?",
      negative_prompt = "did you mean 'negative'?",
      aspectRatio = "did you mean 'ratio'?",
      size = "gptimage2.migrate",
      width = "gptimage2.migrate",
      height = "gptimage2.migrate",
      subject = "prompt = gptimage2.prompt{ subject = ... }",
      quality = "a request may have prompt, mode, ratio",
    }) do
      refused(with(field, "x"), "unknown_field", field, needle)
    end
  end)

  it("are refused at positions too", function()
    refused({ "a cup" }, "unknown_field", "1")
  end)
end)

describe("request.cost", function()
  it("is ten credits for each image", function()
    assert.equal("10", tostring(request.cost(request.normalise({ prompt = "a" }))))
    assert.equal("40", tostring(request.cost(request.normalise({ prompt = "a", count = 4 }))))
    assert.equal(10, request.cost({ prompt = "a" }))
  end)
end)
