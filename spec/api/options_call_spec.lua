--- The options of a call and of saving: defaults, types and ranges.

local options = require("gptimage2.objects.options")
local raises = require("spec.helpers.raises")

describe("the options of a call", function()
  it("are nothing by default", function()
    assert.same({}, options.job(nil))
  end)

  it("are taken over, tables as copies", function()
    local metadata = { customer = "7" }
    local read = options.job({ timeout = 5, idempotency_key = "order-7", metadata = metadata })
    assert.same({ timeout = 5, idempotency_key = "order-7", metadata = { customer = "7" } }, read)
    assert.is_false(rawequal(metadata, read.metadata))
  end)

  it("take a place to save to, with or without options", function()
    assert.same(
      { where = "out", overwrite = false, sidecar = true },
      options.job({ save = "out" }).save
    )
    assert.same(
      { where = "out", overwrite = true, sidecar = false },
      options.job({ save = { "out", overwrite = true, sidecar = false } }).save
    )
  end)

  it("refuse metadata of over 64 KiB, and texts of any size, before any work", function()
    assert(options.job({ metadata = { a = ("x"):rep(65536 - 7) } }))
    local big, many = ("x"):rep(2 ^ 25), {}
    for i = 1, 20000 do
      many[("%08d"):format(i)] = ""
    end
    collectgarbage()
    local before = collectgarbage("count")
    collectgarbage("stop")
    for _, bad in ipairs({ { a = big }, { [big] = "" }, many, { a = ("x"):rep(65530) } }) do
      local read, err = options.job({ metadata = bad })
      assert.is_nil(read)
      assert.equal("too_long", err.code)
      assert.equal("metadata", err.field)
    end
    local _, err = require("gptimage2.request.request").normalise({ prompt = big .. " " })
    assert.equal("too_long", err.code)
    local grown = collectgarbage("count") - before
    collectgarbage("restart")
    assert.truthy(grown < 3 * 32768, grown) -- KiB: the text above, and no copy of it
  end)

  it("refuse metadata that is no text", function()
    for field, metadata in pairs({
      ["metadata.order"] = { order = "17\255" },
      ["metadata.caf\233"] = { ["caf\233"] = "yes" },
    }) do
      local read, err = options.job({ metadata = metadata })
      assert.is_nil(read)
      assert.equal("validation", err.kind)
      assert.equal("invalid_utf8", err.code)
      assert.equal(field, err.field)
      assert.equal("no", err.sent)
    end
    local good = { ["caf\195\169"] = "\226\130\172", empty = "" }
    assert.same(good, options.job({ metadata = good }).metadata)
  end)

  it("raise for wrong names, types and ranges, naming the call", function()
    raises(
      "bad argument #2 to 'submit' (unknown option 'timout', did you mean 'timeout'?)",
      function()
        options.job({ timout = 1 }, "submit")
      end
    )
    raises("bad argument #2 to 'submit' (option 'timeout' must be", function()
      options.job({ timeout = 0 }, "submit")
    end)
    raises("option 'metadata' must be a table of strings", function()
      options.job({ metadata = { customer = 7 } })
    end)
    raises("option 'metadata' must be a table of strings", function()
      options.job({ metadata = { "a" } })
    end)
    raises("option 'save' must be a string, or a table", function()
      options.job({ save = { overwrite = true } })
    end)
    raises("unknown option 'save.overwirte', did you mean 'save.overwrite'?", function()
      options.job({ save = { "out", overwirte = true } })
    end)
    raises("option 'save' must be a string or table, got number", function()
      options.job({ save = 7 })
    end)
    raises("option 'idempotency_key' must be a string, got number", function()
      options.job({ idempotency_key = 7 })
    end)
  end)

  it("blame the caller of the public function", function()
    local function submit(opts)
      local read = options.job(opts, "submit")
      return read
    end
    for _, opts in ipairs({
      { timout = 1 },
      { timeout = 0 },
      { metadata = { 1 } },
      { save = {} },
      { save = { "out", x = 1 } },
    }) do
      local ok, message = pcall(function()
        submit(opts)
      end)
      assert.is_false(ok)
      local line = debug.getinfo(1, "l").currentline - 3
      assert.is_truthy(message:find("options_call_spec.lua:" .. line .. ":", 1, true), message)
    end
    assert.equal(math.huge, submit({ timeout = math.huge }).timeout)
  end)

  it("refuse an idempotency key that fits no header", function()
    for _, key in ipairs({ "", "a b", "a\r\nX: y", "\195\164", "a\0", ("x"):rep(256) }) do
      local read, err = options.job({ idempotency_key = key })
      assert.is_nil(read)
      assert.equal("validation", err.kind)
      assert.equal("invalid_idempotency_key", err.code)
    end
    local longest = ("x"):rep(255)
    assert.equal(longest, options.job({ idempotency_key = longest }).idempotency_key)
  end)
end)

describe("the options of save", function()
  it("are not to overwrite, and to write the sidecar", function()
    assert.same({ overwrite = false, sidecar = true }, options.save())
    assert.same(
      { overwrite = true, sidecar = false },
      options.save({ overwrite = true, sidecar = false })
    )
  end)

  it("raise for others", function()
    raises("bad argument #2 to 'save' (unknown option 'overwirte'", function()
      options.save({ overwirte = true })
    end)
    raises("option 'sidecar' must be a boolean, got string", function()
      options.save({ sidecar = "no" })
    end)
    local function save(opts)
      local read = options.save(opts)
      return read
    end
    local line = debug.getinfo(1, "l").currentline + 2
    raises("options_call_spec.lua:" .. line .. ":", function()
      save({ x = 1 })
    end)
  end)
end)
