-- Files read whole, up to a bound.

local contents = require("gptimage2.files.contents")
local folder = require("spec.folder")

describe("the contents of a file", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(folder.clean)

  local function file(bytes)
    local path = place .. "/file"
    local handle = assert(io.open(path, "wb"))
    handle:write(bytes)
    handle:close()
    return path
  end

  it("are its bytes, whatever they are", function()
    for _, bytes in ipairs({ "", "a\r\n\0b", ("0123456789"):rep(20000) }) do
      assert.is_true(contents.read(file(bytes), 200000) == bytes)
    end
  end)

  it("are told to be too large one byte after the bound", function()
    assert.equal(1000, #contents.read(file(("x"):rep(1000)), 1000))
    local bytes, why = contents.read(file(("x"):rep(1001)), 1000)
    assert.is_nil(bytes)
    assert.equal("it is larger than 1000 bytes", why)
    bytes, why = contents.read(file(("x"):rep(3 * 1024 * 1024)), 2 * 1024 * 1024)
    assert.is_nil(bytes)
    assert.equal("it is larger than 2 MiB", why)
  end)

  it("are refused with the reason where there are none", function()
    local bytes, why = contents.read(place .. "/nothing", 10)
    assert.is_nil(bytes)
    assert.matches("^it cannot be read: .*No such file", why)
    bytes, why = contents.read(place, 10)
    assert.is_nil(bytes)
    assert.matches("^it cannot be read: ", why)
  end)

  -- Lua sets aside what `read` is asked for before it reads.
  it("take memory for what there is, and not for the bound", function()
    local open, most = io.open, 0
    local path = file("a line")
    io.open = function(...) -- luacheck: ignore
      local handle = assert(open(...))
      return {
        read = function(_, size)
          most = math.max(most, size)
          return handle:read(size)
        end,
        close = function()
          return handle:close()
        end,
      }
    end
    local bytes = contents.read(path, 512 * 1024 * 1024)
    io.open = open -- luacheck: ignore
    assert.equal("a line", bytes)
    assert.is_true(most <= 1024 * 1024, most)
  end)
end)
