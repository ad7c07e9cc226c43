local check = require("gptimage2.check")

local SPEC = { api_key = "string", timeout = "number", save = "string or table" }

--- Calls as a public function would: the message must blame the line in this file.
local function message_of(fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(message:find("check_spec.lua:", 1, true), message)
  return (message:gsub("^.-:%d+: ", ""))
end

local function public(opts)
  local read = check.options(opts, 1, "new", SPEC)
  return read
end

describe("check.options", function()
  it("takes nil for no options at all", function()
    assert.same({}, public(nil))
  end)

  it("gives the table back when all is known and of the right type", function()
    local opts = { api_key = "k", timeout = 3, save = { "out" } }
    assert.equal(opts, public(opts))
  end)

  it("raises for an unknown option and says which was meant", function()
    local message = message_of(function()
      public({ api_kye = "k" })
    end)
    assert.equal(
      "bad argument #1 to 'new' (unknown option 'api_kye', did you mean 'api_key'?)",
      message
    )
  end)

  it("raises without a suggestion when nothing is near", function()
    local message = message_of(function()
      public({ colour = 1 })
    end)
    assert.equal("bad argument #1 to 'new' (unknown option 'colour')", message)
  end)

  it("raises for a positional value without showing it", function()
    local message = message_of(function()
      public({ "sk-secret" })
    end)
    assert.equal("bad argument #1 to 'new' (unknown option '1')", message)
  end)

  it("raises for a value of the wrong type", function()
    local message = message_of(function()
      public({ timeout = "60" })
    end)
    assert.equal(
      "bad argument #1 to 'new' (option 'timeout' must be a number, got string)",
      message
    )
    message = message_of(function()
      public({ save = 1 })
    end)
    assert.is_truthy(message:find("must be a string or table, got number", 1, true))
  end)

  it("raises for anything but a table", function()
    local message = message_of(function()
      public("k")
    end)
    assert.equal("bad argument #1 to 'new' (table expected, got string)", message)
  end)

  it("names the outer option in front of an inner one", function()
    local message = message_of(function()
      check.options({ intervall = 1 }, 1, "new", { interval = "number" }, 1, "poll.")
    end)
    assert.equal(
      "bad argument #1 to 'new' "
        .. "(unknown option 'poll.intervall', did you mean 'poll.interval'?)",
      message
    )
  end)

  it("complains about the same option every time when several are unknown", function()
    for _ = 1, 5 do
      local message = message_of(function()
        public({ zzzz = 1, yyyy = 1, xxxx = 1, wwww = 1 })
      end)
      assert.is_truthy(message:find("'wwww'", 1, true))
    end
  end)
end)

describe("check.suggest", function()
  local words = { "image_urls", "count", "ratio", "negative", "style" }

  it("takes different spellings of the same words for the same", function()
    assert.equal("image_urls", check.suggest("imageUrls", words))
    assert.equal("image_urls", check.suggest("IMAGE-URLS", words))
  end)

  it("finds a word with a letter added, left out, replaced or swapped", function()
    assert.equal("count", check.suggest("counnt", words))
    assert.equal("count", check.suggest("cont", words))
    assert.equal("count", check.suggest("coumt", words))
    assert.equal("count", check.suggest("conut", words))
  end)

  it("finds a word by its beginning", function()
    assert.equal("negative", check.suggest("neg", words))
  end)

  it("takes the nearest, the first of equally near ones", function()
    assert.equal("stylus", check.suggest("stilus", { "status", "stylus" }))
    assert.equal("cart", check.suggest("cat", { "cart", "cast" }))
    assert.equal("timeout", check.suggest("timout", { "timer", "timeout", "request_timeout" }))
  end)

  it("has nothing for far, empty, endless and non-string words", function()
    assert.is_nil(check.suggest("background", words))
    assert.is_nil(check.suggest("", words))
    assert.is_nil(check.suggest("x", { "y" }))
    assert.is_nil(check.suggest(("count"):rep(1000), words))
    assert.is_nil(check.suggest(7, words))
  end)
end)

describe("check.show", function()
  it("escapes control characters", function()
    assert.equal("a\\x1B[2Jb\\x00", check.show("a\27[2Jb\0"))
  end)

  it("cuts long words between two characters", function()
    assert.equal(("a"):rep(40), check.show(("a"):rep(40)))
    assert.equal(("a"):rep(40) .. "...", check.show(("a"):rep(50)))
    assert.equal("...", check.show(("\128"):rep(50)))
    assert.equal(("a"):rep(39) .. "...", check.show(("a"):rep(39) .. "\195\164" .. ("b"):rep(9)))
  end)
end)

describe("check.invalid", function()
  it("makes an error of kind validation about which nothing was sent", function()
    local nothing, err = check.invalid("invalid_count", "count", "count must be 1")
    assert.is_nil(nothing)
    assert.equal("validation", err.kind)
    assert.equal("invalid_count", err.code)
    assert.equal("count", err.field)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.is_false(err.retryable)
    assert.equal("count must be 1 (validation/invalid_count)", tostring(err))
  end)
end)

describe("check.integer", function()
  it("gives whole numbers as integers and nothing for others", function()
    assert.equal("2", tostring(check.integer(2.0)))
    for _, value in ipairs({ 2.5, 1 / 0, -1 / 0, 0 / 0, 2 ^ 60, "2", false }) do
      assert.is_nil(check.integer(value))
    end
  end)
end)

describe("check.is_list", function()
  it("tells lists from tables with holes or other keys", function()
    assert.is_true(check.is_list({}))
    assert.is_true(check.is_list({ 1, 2 }))
    assert.is_false(check.is_list({ 1, nil, 3 }))
    assert.is_false(check.is_list({ 1, x = 2 }))
    assert.is_false(check.is_list("ab"))
  end)
end)

describe("check.trim", function()
  it("takes white space of all Unicode from both ends only", function()
    assert.equal("a \n b", check.trim(" \t\r\n\v\fa \n b \n"))
    assert.equal("", check.trim(" \n "))
    local inside = "a\227\128\128b"
    assert.equal(inside, check.trim("\194\160\227\128\128" .. inside .. "\226\128\139"))
    assert.equal("a\0", check.trim(" a\0"))
  end)
end)

describe("check.visible_ascii and check.has_control", function()
  it("find what may not stand in a header", function()
    assert.is_true(check.visible_ascii("aZ0!~"))
    for _, text in ipairs({ "a b", "a\n", "a\0b", "\127", "\195\164" }) do
      assert.is_false(check.visible_ascii(text))
    end
    assert.is_false(check.has_control("a b \195\164"))
    for _, text in ipairs({ "a\n", "a\0b", "\127", "\27" }) do
      assert.is_true(check.has_control(text))
    end
  end)
end)

describe("check.utf8_error", function()
  it("accepts all lengths and their outermost characters", function()
    for _, text in ipairs({
      "",
      "plain \0 \127",
      "\194\128\223\191",
      "\224\160\128\237\159\191\238\128\128\239\191\191",
      "\240\144\128\128\244\143\191\191",
      "caf\195\169 \228\189\160\229\165\189 \240\159\150\188",
    }) do
      assert.is_nil(check.utf8_error(text))
    end
  end)

  it("refuses overlong forms, surrogates, too high and stray bytes", function()
    for _, bad in ipairs({
      "\128",
      "\191",
      "\192\128",
      "\193\191",
      "\224\159\191",
      "\237\160\128",
      "\237\191\191",
      "\240\143\191\191",
      "\244\144\128\128",
      "\245\128\128\128",
      "\255",
      "\195",
      "\195a",
      "\226\130",
      "\226\130a",
      "\240\159\150",
      "\195\195\169",
    }) do
      assert.equal(3, check.utf8_error("ok" .. bad))
      assert.equal(3, check.utf8_error("ok" .. bad .. "ok"))
    end
  end)

  it("gives the position of the first bad byte behind good ones", function()
    assert.equal(7, check.utf8_error("\195\169\226\130\172a\255"))
  end)
end)
