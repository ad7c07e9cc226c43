-- What a process has said before it ends is in its ledger, however soon that is.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")

local JOBS = 5
local LIVES = support.slow and 1 or 3

-- Submits jobs and ends as the last argument says; the others: base_url, key, the ledger's path,
-- and how many jobs.
local SUBMIT = [[
  local gptimage2 = require("gptimage2")
  local _, url, key, path, jobs, ending = ...
  local client = assert(gptimage2.new({
    api_key = key, base_url = url, ledger = path, allow_private_references = true,
  }))
  local last
  for i = 1, tonumber(jobs) do
    last = assert(client:submit({
      prompt = "cup " .. i,
      image_urls = i % 2 == 0 and { "http://127.0.0.1:9/a.png" } or nil,
    }))
  end
  if ending:find("cancel") then last:cancel() end
  if ending:find("closed") then client:close() end
  if ending:find("now") then os.exit(0) end
  if ending:find("exit") then os.exit(0, true) end
]]

-- Saves pictures and ends at once; arguments: as above, and the folder.
local SAVE = [[
  local gptimage2 = require("gptimage2")
  local _, url, key, path, dir = ...
  local client = assert(gptimage2.new({ api_key = key, base_url = url, ledger = path }))
  assert(assert(client:generate({ prompt = "cups", count = 4 })):save(dir, { sidecar = false }))
  os.exit(0, true)
]]

--- The rows that a process leaves which ends so.
local function left_by(ending, url)
  local path = book.path()
  local result = child.run(SUBMIT, { url, support.KEY, path, JOBS, ending })
  assert.equal(0, result.exit, result.errors)
  return book.rows(path), path
end

describe("the ledger of a process that ends at once", function()
  after_each(support.clean)
  after_each(folder.clean)

  local endings = support.slow and { "now", "closed exit", "script" }
    or { "now", "exit", "script", "closed now", "closed exit", "closed script" }
  for _, ending in ipairs(endings) do
    it(("has all that was submitted, not sent (%s)"):format(ending), function()
      local url = support.nowhere()
      for _ = 1, LIVES do
        local rows = left_by(ending, url)
        assert.equal(JOBS, #rows)
        for _, row in ipairs(rows) do
          assert.equal("intent", row.state)
          assert.equal("no", row.charged)
        end
      end
    end)
  end

  it("lets the next process send it, once", function()
    local url, port = support.nowhere()
    local _, path = left_by("exit", url)
    local box = support.sandbox({ port = port })
    for _, job in ipairs(assert(book.open(box, path):recover())) do
      assert.equal("succeeded", support.finish(job).status)
    end
    assert.equal(JOBS, box:ledger().requests.create)
  end)

  it("lets no process send what was cancelled", function()
    local url = support.nowhere()
    for _ = 1, LIVES do
      local rows = left_by("cancel exit", url)
      assert.equal(JOBS, #rows)
      assert.equal("cancelled", rows[JOBS].state)
    end
  end)

  it("knows the pictures that were saved", function()
    local box = support.sandbox({ credits = 1000 })
    for _ = 1, LIVES do
      local path = book.path()
      local result = child.run(SAVE, { box.url, box.api_key, path, folder.new() })
      assert.equal(0, result.exit, result.errors)
      assert.equal(4, #book.row(path).files)
    end
  end)
end)
