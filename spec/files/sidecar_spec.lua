-- The text beside the images: what it makes of metadata, and what that costs.

local cjson = require("cjson")
local core = require("gptimage2.core")
local json = require("gptimage2.files.json")
local sidecar = require("gptimage2.files.sidecar")

--- What a job looks like to its sidecar.
local function job_with(metadata)
  return { id = "job-1", created_at = 0, elapsed = 1, cost = 10, results = {}, metadata = metadata }
end

local function text_of(metadata)
  return table.concat(sidecar.pieces(job_with(metadata), {}))
end

--- The seconds of a call, at best.
local function cost_of(fn, ...)
  local best = math.huge
  for _ = 1, 25 do -- a busy machine lets few of them run undisturbed
    collectgarbage()
    collectgarbage("stop")
    local begun = os.clock()
    fn(...)
    best = math.min(best, os.clock() - begun)
    collectgarbage("restart")
  end
  return best
end

describe("a sidecar's metadata", function()
  it("is as it was given, whatever the texts hold", function()
    local all = {}
    for i = 0, 127 do
      all[#all + 1] = string.char(i)
    end
    local metadata = {
      [""] = "",
      a = table.concat(all),
      [table.concat(all)] = "kännchen/\226\128\168",
      long = ('x"'):rep(10000),
    }
    for i = 1, 300 do
      metadata["k" .. i] = ("\n"):rep(i)
    end
    assert.same(metadata, cjson.decode(text_of(metadata)).metadata)
    assert.same({}, cjson.decode(text_of({})).metadata)
  end)

  it("is written as the encoder writes it, but for slashes", function()
    for i = 0, 127 do
      local text = ("a%sb"):format(string.char(i))
      local expected = ("{ %s: %s }"):format(json.encode("k"), json.encode(text))
      assert.equal(expected, table.concat(core.encode_map({ k = text })), i)
    end
    assert.equal("{ }", (json.object({}):gsub(" +", " ")))
  end)

  it("has its fields by their bytes", function()
    local names = { "B", "a", "a b", "aa" }
    for letter in ("abcdefghij"):gmatch(".") do
      names[#names + 1] = "begins alike, " .. letter
    end
    for _, name in ipairs({ "k", "k1", "k10", "k2", "ä" }) do
      names[#names + 1] = name
    end
    local metadata = {}
    for _, name in ipairs(names) do
      metadata[name] = "x"
    end
    local found = {}
    for name in json.object(metadata):gmatch('"([^"]*)": ') do
      found[#found + 1] = name
    end
    assert.same(names, found)
  end)

  it("is left to others where it is not of texts alone", function()
    assert.is_nil(core.encode_map({ a = 1 }))
    assert.is_nil(core.encode_map({ a = {} }))
    assert.is_nil(core.encode_map({ "a" }))
    assert.equal('{ "a": 1 }', json.object({ a = 1 }))
  end)

  it("is made in pieces, of which none is large", function()
    for _, piece in ipairs(core.encode_map({ a = ("x"):rep(50000) })) do
      assert.is_true(#piece <= 4096)
    end
  end)

  --- Instructions of Lua in a call.
  local function steps_of(fn, ...)
    local jit = rawget(_G, "jit")
    local compiles, count = jit and jit.status(), 0
    if compiles then -- what is compiled is not counted
      jit.off()
      jit.flush()
    end
    debug.sethook(function()
      count = count + 1
    end, "", 1)
    fn(...)
    debug.sethook()
    if compiles then
      jit.on()
    end
    return count
  end

  --- So many fields, and their names.
  local function many(count)
    local metadata, names = {}, {}
    for i = 1, count do
      names[i] = "k" .. i
      metadata[names[i]] = ("v"):rep(20)
    end
    return metadata, names
  end

  it("is not made field by field", function()
    local metadata, names = many(2000)
    assert.is_true(steps_of(json.object, metadata, names) > 10 * 2000)
    assert.is_true(steps_of(sidecar.pieces, job_with(metadata), {}) < 2000)
  end)

  it("takes far less time than field by field", function()
    if os.getenv("GPTIMAGE2_SPEC_SLOW") then
      return -- what watches over C slows it down alone
    end
    local metadata, names = many(2000)
    local by_field = cost_of(json.object, metadata, names)
    local cost = cost_of(sidecar.pieces, job_with(metadata), {})
    local share = rawget(_G, "jit") and 1 or 0.5 -- LuaJIT compiles the loop over the fields
    assert.is_true(cost < by_field * share, ("%g of %g"):format(cost, by_field))
  end)
end)
