--- Programs with Lua in them and no loop for it: the module loads, submits and steps there. None
--- of them should wait.

local folder = require("spec.folder")
local program = require("spec.helpers.program")
local support = require("spec.support")

local HERE = program.ROOT .. "/spec/hosts/blocking/"
local PROBE = HERE .. "probe.lua"

--- Where lua-cjson is, for programs whose own Lua does not look there.
local DEBIAN = "/usr/lib/x86_64-linux-gnu/lua/%s/?.so;/usr/local/lib/lua/%s/?.so"

--- Lua's version by the libraries that a program or a plugin of it opens.
local function linked_version(path)
  local libraries = path and folder.run("ldd " .. folder.quote(path)) or ""
  return libraries:find("luajit", 1, true) and "jit" or libraries:match("lib%l*lua%-?(5%.?%d)")
end

local MAGNET = folder.run("find /usr/lib -path '*/lighttpd/mod_magnet.so'"):match("^/%S+")

--- Name -> program, version of its Lua, and the words of its command line.
local HOSTS = {
  vim = {
    path = program.find("vim.nox", "vim.gtk3", "vim.gtk"),
    words = { "-es", "-u", "NONE", "-i", "NONE", "-c", "luafile " .. PROBE, "-c", "qa!" },
  },
  texlua = { path = program.find("texlua"), version = "5.3", words = { PROBE } },
  ["darktable-cli"] = { path = program.find("darktable-cli") },
}

--- Runs the probe in a host: what it tells.
local function probe(host, box)
  local home = folder.new()
  local variables = program.environment(host.version, box)
  local more = DEBIAN:gsub("%%s", host.version)
  variables.LUA_CPATH = variables.LUA_CPATH:gsub(";;$", ";" .. more .. ";;")
  variables.HOME, variables.SPEC_REPORT = home, home .. "/report"
  local words = { host.path }
  for _, word in ipairs(host.words or host.command(home)) do
    words[#words + 1] = word
  end
  local exit, output = program.run(words, variables)
  return program.read_report(home .. "/report"), exit, output
end

--- darktable develops a picture: one of the sandbox's.
HOSTS["darktable-cli"].command = function(home)
  local box = support.sandbox()
  local client = support.client(box)
  local job = assert(client:generate({ prompt = "a raw picture" }, { save = home .. "/in.png" }))
  assert(job.files, job.save_error)
  local command = ("dofile('%s')"):format(PROBE)
  local words =
    { home .. "/in.png", home .. "/out.jpg", "--core", "--configdir", home .. "/config" }
  for _, word in ipairs({ "--cachedir", home .. "/cache", "--library", ":memory:", "--luacmd" }) do
    words[#words + 1] = word
  end
  words[#words + 1] = command
  return words
end

local function about(name, is_there, test)
  local lacks = name .. " is not installed, has no Lua, or the module is not built for that"
  program.it({ it = it, pending = pending }, is_there, lacks)(name, test)
end

describe("A host without a loop loads, submits and steps:", function()
  after_each(support.clean)
  after_each(folder.clean)

  for name, host in pairs(HOSTS) do
    host.version = host.version or linked_version(host.path)
    about(name, host.version and host.path and program.is_built(host.version), function()
      local box = support.sandbox({ duration = 60 })
      local seen, exit, output = probe(host, box)
      assert.equal("nil", seen.error, output)
      assert.equal(0, exit, output)
      local jobs = box:ledger().jobs
      assert.equal(1, #jobs)
      assert.equal(jobs[1].id, seen.id)
    end)
  end

  about("lighttpd", MAGNET and program.is_built(linked_version(MAGNET) or "none"), function()
    local box = support.sandbox({ duration = 0.3 })
    local home, _, port = folder.new(), support.nowhere()
    local conf = 'server.modules = ("mod_magnet")\nserver.document-root = "%s"\n'
      .. 'server.port = %d\nserver.bind = "127.0.0.1"\nserver.errorlog = "%s/errors"\n'
      .. 'magnet.attract-raw-url-to = ("%smagnet.lua")\n'
    folder.write(home .. "/conf", conf:format(home, port, home, HERE))
    local server = program.find("lighttpd", "/usr/sbin/lighttpd")
    local variables = program.environment(linked_version(MAGNET), box)
    local start = program.command({ server, "-D", "-f", home .. "/conf" }, variables)
    local pid = folder.run(start .. " >" .. home .. "/out 2>&1 </dev/null & echo $!")
    local ask = ("curl -s --max-time 5 http://127.0.0.1:%d/"):format(port)
    local first, last
    local ok, why = pcall(support.step_until, function()
      last = folder.run(ask)
      first = first or last:find("%l") and last
      return last:find("succeeded", 1, true)
    end)
    folder.run("kill " .. pid)
    assert(ok, tostring(why) .. last .. (folder.read(home .. "/errors") or ""))
    assert.falsy(first:find("succeeded", 1, true)) -- it did not wait
    assert.equal(1, #box:ledger().jobs)
  end)
end)
