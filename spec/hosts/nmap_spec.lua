--- examples/nmap in the real nmap.

local curl = require("spec.helpers.curl")
local folder = require("spec.folder")
local server = require("spec.helpers.server")
local support = require("spec.support")

local PAGE = "HTTP/1.1 200 OK\r\nContent-Length: 38\r\nConnection: close\r\n\r\n"
  .. "<html><TITLE> The harbour </TITLE>\n..."

local function missing()
  local said = folder.run("nmap --version")
  local version = said:match("liblua%-(%d%.%d)")
  if not version then
    return "no nmap with Lua is installed"
  elseif not server.has_module(version) then
    return "this build has no module for Lua " .. version .. ", which nmap has"
  end
  return nil, version
end

local why, lua = missing()

local function it_there(name, fn)
  it(name, function()
    if why then
      pending(why)
      return
    end
    fn()
  end)
end

describe("examples/nmap", function()
  after_each(server.clean)

  --- Scans web servers of three ports; gives what nmap says, and the folder it ran in.
  local function scan(box, more)
    local ports = {}
    for i = 1, 3 do
      local page = support.sandbox()
      page:fault({ on = "any", action = "raw", body = PAGE, times = math.huge })
      assert.matches("harbour", curl.fetch(page.url .. "/").body)
      ports[i] = page.url:match("%d+$")
    end
    local dir = folder.new()
    local command = "cd %s && %s GPTIMAGE2_API_KEY=%s GPTIMAGE2_BASE_URL=%s timeout 100 nmap "
      .. "-Pn -sT -n -d -p %s --script +%s/examples/nmap/poster.nse "
      .. "--script-args poster.folder=out%s 127.0.0.1"
    local list = table.concat(ports, ",")
    local paths = server.paths(lua)
    return folder.run(
      command:format(folder.quote(dir), paths, box.api_key, box.url, list, server.ROOT, more or "")
    ),
      dir
  end

  it_there("makes a poster for each web server, all at the same time", function()
    local box = support.sandbox({ duration = 1 })
    local said, dir = scan(box)
    assert.equal(3, curl.count(said, "poster: out/127%.0%.0%.1%-%d+%-1%.png"), said)
    assert.equal(3, curl.count(folder.list(dir), "%-1%.png"))
    local jobs, log = box:ledger().jobs, box:ledger().log
    assert.equal(3, #jobs)
    for _, job in ipairs(jobs) do
      assert.matches('the text "The harbour"', job.prompt)
    end
    for i = 1, 3 do
      assert.equal("POST", log[i].method, "one script waited for another")
    end
    assert.is_nil(said:find(support.KEY, 1, true))
  end)

  it_there("keeps to its budget, and says so", function()
    local box = support.sandbox()
    local said = scan(box, ",poster.budget=20")
    assert.equal(2, curl.count(said, "poster: out/"), said)
    assert.equal(1, curl.count(said, "budget/budget_exceeded"), said)
    assert.equal(2, #box:ledger().jobs)
  end)
end)
