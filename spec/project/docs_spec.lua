--- What is documented is what there is: every public name, found in the running module or in the
--- sources, has its line in the README or doc/ and its annotation in library/, and the other way
--- round.

local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local pages = require("spec.helpers.pages")
local support = require("spec.support")

local DOCS = pages.ALL
local set_of, keys_of = pages.set_of, pages.keys_of
local assert_same_names = pages.assert_same_names

local function merge(...)
  local all = {}
  for _, set in ipairs({ ... }) do
    for name in pairs(set) do
      all[name] = true
    end
  end
  return all
end

-- Names in the running module and in the sources.

--- The value of an upvalue that `fn`, or a function it uses, has under this name.
local function upvalue(fn, name, seen)
  seen = seen or {}
  local nested = {}
  for i = 1, 100 do
    local found, value = debug.getupvalue(fn, i)
    if not found then
      break
    elseif found == name then
      return value
    elseif type(value) == "function" and not seen[value] then
      seen[value] = true
      nested[#nested + 1] = value
    end
  end
  for _, inner in ipairs(nested) do
    local value = upvalue(inner, name, seen)
    if value ~= nil then
      return value
    end
  end
  return nil
end

local ALL_C = "$(find src -name '*.c')"
local ENGINE_C = "$(find src/engine -name '*.c')"
local BINDING_C = "$(find src/lua -name '*.c')"
local MODULE_C = ENGINE_C .. " " .. BINDING_C
local ALL_LUA = "$(find lua -name '*.lua')"

--- All first captures of the patterns in the files that a shell pattern names.
local function scan(files, ...)
  local text = folder.run("cat " .. files)
  local found = {}
  for _, pattern in ipairs({ ... }) do
    for name in text:gmatch(pattern) do
      found[name] = true
    end
  end
  return found
end

local function fields_of(file)
  return scan(file, '{"([%l_]+)", JOB_', 'strcmp%(name, "([%l_]+)"%)')
end

--- The strings of an array in a C file.
local function strings_of(file, declaration)
  local text = folder.read(file)
  local _, stop = text:find(declaration, 1, true)
  local found = {}
  for name in text:match("^[^;]*", stop + 1):gmatch('"([%w_]+)"') do
    found[name] = true
  end
  return found
end

-- Names in library/: class or alias -> set.

local function read_annotations()
  local annotated, class, variables = {}, nil, {}
  local function add(name, member)
    annotated[name] = annotated[name] or {}
    if member then
      annotated[name][member] = true
    end
  end
  for line in folder.run("cat library/*.lua library/*/*.lua"):gmatch("[^\n]+") do
    local name = line:match("^%-%-%-@class ([%w.]+)") or line:match("^%-%-%-@alias ([%w.]+)")
    local variable = line:match("^local ([%w_]+) = {}")
    local owner, method = line:match("^function ([%w_]+)[.:]([%w_]+)%(")
    if name then
      class = name
      add(class)
    elseif variable then
      variables[variable] = class
    elseif owner then
      add(variables[owner], method)
    elseif class then
      local member = line:match("^%-%-%-@field ([%w_]+)") or line:match('^%-%-%-| "([%w_]+)"')
      if member then
        add(class, member)
      end
    end
  end
  return annotated
end

-- Names in the documentation.

--- The text of a section, without those below it.
local function section(title)
  local text = (DOCS .. "\n# "):match("\n##? " .. title .. "\n(.-)\n##? ")
  return assert(text, "there is no section " .. title)
end

--- The first cells of the table that begins with these cells.
local function first_cells(title, header)
  local text = section(title) .. "\n\n"
  local _, stop = text:find("| " .. header .. " |", 1, true)
  assert(stop, "no table with " .. header)
  local rows = text:match("^[^\n]*\n|[-|]+\n(.-)\n\n", stop + 1)
  return rows:gsub("\\|", "/"):gsub("[^\n]+", function(row)
    return row:match("^| *(.-) *|")
  end)
end

--- The names in code spans of the first column: `pattern` captures them in a span.
local function listed(title, header, pattern)
  local found = {}
  for span in first_cells(title, header):gmatch("`([^`]+)`") do
    local name = span:match(pattern or "^[%w_]+")
    found[name or span] = true
  end
  return found
end

local function prompt_methods()
  return keys_of(upvalue(debug.getmetatable(gptimage2.prompt({})).__index, "methods"))
end

describe("the documentation", function()
  local core = require("gptimage2.core")
  local options = require("gptimage2.objects.options")
  local annotated = read_annotations()

  after_each(function()
    support.clean()
    folder.clean()
  end)

  local function of(class)
    local names = assert(annotated["gptimage2" .. class], "no annotation of " .. class)
    return names
  end

  it("names what the module has", function()
    local there = merge(keys_of(gptimage2), { on_error = true }) -- which is nil at first
    assert_same_names(there, of(""), "library")
    local table_of_calls = first_cells("The module", "call of the module")
    for name in pairs(there) do
      local shown = table_of_calls:find("gptimage2." .. name, 1, true)
        or table_of_calls:find("`" .. name .. "`", 1, true)
      assert.is_truthy(shown, name .. " has no line")
    end
  end)

  it("names the options of a client", function()
    local there = keys_of(upvalue(options.client, "CLIENT_SPEC"))
    assert_same_names(there, of(".Options"), "library")
    assert_same_names(there, listed("Clients", "option | default"), "doc")
  end)

  it("names the options of polling, of a job and of saving", function()
    assert_same_names(keys_of(upvalue(options.client, "POLL_SPEC")), of(".PollOptions"))
    local there = keys_of(upvalue(options.job, "JOB_SPEC"))
    assert_same_names(there, of(".JobOptions"), "library")
    assert_same_names(there, listed("Clients", "option |"), "doc")
    there = keys_of(upvalue(options.save, "SAVE_SPEC"))
    assert_same_names(there, of(".SaveOptions"), "library")
    for name in pairs(there) do
      assert.is_truthy(section("Saving"):find("`" .. name .. "`", 1, true), name)
    end
    for name in pairs(of(".PollOptions")) do
      assert.is_truthy(section("Clients"):find(name .. " = ", 1, true), name)
    end
  end)

  it("names the calls and fields of clients and jobs", function()
    local there = merge(keys_of(core.client_methods), fields_of("src/lua/objects/client.c"))
    assert_same_names(there, of(".Client"), "library")
    local shown = listed("Clients", "call | what it does", "client[.:]([%w_]+)")
    assert_same_names(there, shown, "doc")
    local fields = merge(fields_of("src/lua/objects/job.c"), { status = true })
    assert_same_names(merge(keys_of(core.job_methods), fields), of(".Job"), "library")
    shown = listed("Jobs", "call | what it does", "job:([%w_]+)")
    assert_same_names(keys_of(core.job_methods), shown, "doc")
    assert_same_names(fields, listed("Jobs", "field |"), "doc")
  end)

  it("names the fields of requests, results, balances and tasks", function()
    local request = require("gptimage2.request.request")
    local there = set_of(upvalue(request.normalise, "FIELDS"))
    assert_same_names(there, of(".Request"), "library")
    assert_same_names(there, listed("Requests", "field | type | rule"), "doc")
    local client = support.pair()
    local job = assert(client:generate({ prompt = "x" }))
    assert(job:data())
    there = keys_of(job.results[1])
    assert_same_names(there, of(".Result"), "library")
    for name in pairs(there) do
      assert.is_truthy(section("Jobs"):find("`" .. name .. "`", 1, true), name)
    end
    there = keys_of(client.balance)
    assert_same_names(there, of(".Balance"), "library")
    for name in pairs(there) do
      assert.is_truthy(section("Clients"):find("`" .. name .. "`", 1, true), name)
    end
    there = keys_of(debug.getmetatable(gptimage2.spawn(function() end)).__index)
    assert_same_names(there, of(".Task"), "library")
    for name in pairs(there) do
      assert.is_truthy(DOCS:find("`task:" .. name .. "(", 1, true), name)
    end
  end)

  it("names every status and every type of event", function()
    local there = scan("src/lua/objects/job.c", '%[JOB_%u+%] = "(%l+)"')
    assert_same_names(there, of(".Status"), "library")
    assert_same_names(there, listed("Jobs", "status |"), "doc")
    there = merge(
      scan("src/lua/shown/reply.c", 'return "(%l+)";', '%? "(%l+)" : NULL', 'NULL : "(%l+)"'),
      scan("src/lua/waiting/step.c", 'push_call%(L, 1, "(%l+)"'),
      scan(ALL_LUA, 'events%.tell%([^"\n]+, "(%l+)"')
    )
    assert_same_names(there, of(".EventType"), "library")
    assert_same_names(there, listed("Events", "type | when"), "doc")
    there =
      scan("src/lua/waiting/step.c", 'setfield%(L, %-2, "(%l+)"%)', 'error_set[_%l]*%(L, "(%l+)"')
    there = merge(there, scan("src/lua/waiting/step.c", 'JOB_%u+, "(%l+)"%)'))
    there = merge(there, scan("lua/gptimage2/files/events.lua", "\n      (%l+) = "))
    assert_same_names(merge(there, { type = true }), of(".Event"), "library")
    for name in pairs(there) do
      assert.is_truthy(section("Events"):find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("names every kind, field and code of errors", function()
    local kinds = of(".Kind")
    local there = merge(
      scan(ALL_C, 'error_push%(L, "([%l_]+)", "', 'failure_set%([^,]+, "([%l_]+)"'),
      scan(ENGINE_C, '%.kind = "([%l_]+)"'),
      scan(BINDING_C, '{%d+, "([%l_]+)", "', '{status, "([%l_]+)"', '"kind", "([%l_]+)"'),
      scan(BINDING_C, 'failure.kind : "([%l_]+)"', 'job_cancel%(L, %-?%d, "([%l_]+)"'),
      scan(ALL_LUA, 'kind = "([%l_]+)"')
    )
    assert_same_names(there, kinds, "library")
    assert_same_names(there, listed("Errors", "kind | when"), "doc")
    local fields = listed("Errors", "field |")
    assert_same_names(of(".Error"), merge(fields, keys_of(core.error_methods)), "doc")
    for name in pairs(core.error_methods) do
      assert.is_truthy(section("Errors"):find("`err:" .. name .. "(", 1, true), name)
    end
    there = scan("src/lua/shown/verdict.c src/lua/shown/error.c", 'error_set[_%l]*%(L, "([%l_]+)"')
    there =
      merge(there, scan("src/lua/shown/verdict.c src/lua/shown/error.c", '%-[23], "([%l_]+)"%)'))
    there = merge(there, scan("lua/gptimage2/files/save.lua", "err%.([%l_]+) = "))
    for name in pairs(there) do
      local own = name:find("^_") or name:find("_methods$") or of(".Error")[name]
      own = own or name == "charged"
      assert.is_truthy(own, "err." .. name .. " is not documented")
    end
  end)

  it("names every code of errors", function()
    local codes = scan(ALL_LUA, 'invalid%(%s*"([%l_%d]+)"', 'code = "([%l_]+)"')
    codes = merge(codes, scan(ALL_LUA, 'failure%.new%(%s*"([%l_]+)"', 'return "(path_%l+)"'))
    codes = merge(codes, scan(ALL_LUA, 'auth_error%(%s*"([%l_]+)"'))
    codes = merge(codes, scan(MODULE_C, 'code = "([%l_]+)"', '[?:] "([%l]+_[%l_]+)"'))
    codes = merge(codes, scan("src/engine/http/http_reply.c", 'return "([%l_]+)"'))
    codes = merge(codes, scan(BINDING_C, 'give_up%(L, core, at, event,%s*"([%l_]+)"'))
    codes = merge(codes, scan("src/lua/shown/reply.c", '"(%l+_failed)"'))
    for kind in pairs(of(".Kind")) do
      codes = merge(codes, scan(MODULE_C, '"' .. kind .. '",%s*"([%l_]+)"'))
    end
    codes.invalid_ = nil -- the beginning of three others
    for code in pairs(codes) do
      local kind = of(".Kind")[code] and code ~= "not_found" and code ~= "cancelled"
      assert.is_truthy(kind or section("Errors"):find('`"?' .. code .. '"?`'), code)
    end
  end)

  it("names the calls of the prompt builder, its pieces and references", function()
    assert_same_names(keys_of(gptimage2.prompt), of(".PromptModule"), "library")
    assert_same_names(prompt_methods(), of(".Prompt"), "library")
    local template = assert(gptimage2.prompt.template(""))
    assert_same_names(keys_of(debug.getmetatable(template).__index), of(".Template"), "library")
    local text = section("Prompts")
    for name in pairs(merge(keys_of(gptimage2.prompt), prompt_methods(), of(".Template"))) do
      local shown = text:find("`prompt." .. name .. "(", 1, true)
        or text:find("`p:" .. name .. "(", 1, true)
        or text:find("`t:" .. name .. "(", 1, true)
      assert.is_truthy(shown, name .. " has no line")
    end
    local build = debug.getmetatable(gptimage2.prompt).__call
    assert_same_names(keys_of(upvalue(build, "PIECE_SPEC")), of(".Pieces"), "library")
    assert_same_names(keys_of(upvalue(build, "PURPOSE_SPEC")), of(".Refs"), "library")
    for name in pairs(merge(of(".Pieces"), of(".Refs"))) do
      assert.is_truthy(text:find(name .. " = ", 1, true) or text:find("`" .. name .. "`", 1, true))
    end
    local fields = upvalue(gptimage2.prompt({}).request, "REQUEST_SPEC")
    assert_same_names(keys_of(fields), of(".RequestFields"), "library")
  end)

  it("names the calls of migrate", function()
    assert_same_names(keys_of(gptimage2.migrate), of(".MigrateModule"), "library")
    for name in pairs(gptimage2.migrate) do
      assert.is_truthy(DOCS:find("`migrate." .. name .. "(", 1, true), name)
    end
  end)

  it("names all of builds", function()
    local assets = require("gptimage2.assets")
    assert_same_names(keys_of(assets), of(".AssetsModule"), "library")
    assert_same_names(
      keys_of(assets),
      listed("The calls of builds", "call of `assets` | what it does", "assets%.([%w_]+)"),
      "doc"
    )
    local of_plan = keys_of(upvalue(assets.plan, "PLAN_SPEC"))
    local of_build = keys_of(upvalue(assets.build, "BUILD_SPEC"))
    assert_same_names(of_plan, merge(of(".AssetsOptions"), of(".PlanOptions")), "library")
    assert_same_names(of_build, of(".BuildOptions"), "library")
    local of_check = keys_of(upvalue(assets.check, "CHECK_SPEC"))
    assert_same_names(of_check, merge(of(".AssetsOptions"), of(".CheckOptions")), "library")
    local of_derive = keys_of(upvalue(assets.derive, "DERIVE_SPEC"))
    assert_same_names(of_derive, merge(of(".AssetsOptions"), of(".DeriveOptions")), "library")
    local of_gc = keys_of(upvalue(assets.gc, "GC_SPEC"))
    assert_same_names(of_gc, merge(of(".AssetsOptions"), of(".GcOptions")), "library")
    local shown = listed("The calls of builds", "option of `assets` |")
    assert_same_names(merge(of_plan, of_build, of_check, of_derive, of_gc), shown, "doc")
    local of_open = keys_of(upvalue(assets.open, "OPEN_SPEC"))
    assert_same_names(of_open, of(".OpenOptions"), "library")
    assert_same_names(of_open, listed("In a game", "option of `open` |"), "doc")
    local methods = { path = true, close = true }
    assert_same_names(methods, of(".Art"), "library")
    assert_same_names(
      methods,
      listed("In a game", "call of `art` | what it does", "art:([%w_]+)"),
      "doc"
    )
    local states = keys_of(require("gptimage2.assets.plan.states").ALL)
    assert_same_names(states, of(".PictureState"), "library")
    assert_same_names(states, listed("States", "state | when"), "doc")
    local text = section("The calls of builds") .. section("The manifest")
    for name in pairs(merge(of(".BuildReport"), of(".Plan"), of(".BuildEvent"), of(".PlanLine"))) do
      assert.is_truthy(text:find("`" .. name .. "`", 1, true), name)
    end
    local entry = require("gptimage2.assets.manifest.entry")
    local spec = upvalue(entry.check, "SPEC")
    assert_same_names(keys_of(spec), listed("The manifest", "field of a picture |"), "doc")
    for name in pairs(upvalue(entry.check_common, "COMMON_SPEC")) do
      assert.is_truthy(text:find("%f[%w]" .. name .. "%f[%W]"), name)
    end
  end)

  it("names all of the sandbox", function()
    local source = "src/sandbox/main.c"
    local box = support.sandbox()
    assert_same_names(keys_of(require("gptimage2.sandbox")), of(".SandboxModule"), "library")
    local methods = strings_of(source, " METHODS[] = {")
    local there = merge(methods, fields_of(source))
    for name in pairs(methods) do
      assert.is_function(box[name])
    end
    assert_same_names(there, of(".Sandbox"), "library")
    local shown = listed("The sandbox", "field or call |", "sandbox[.:]([%w_]+)")
    assert_same_names(there, shown, "doc")
    there = strings_of(source, 'NAMES[] = {\n      "port"')
    there.port = true
    assert_same_names(there, of(".SandboxOptions"), "library")
    assert_same_names(there, listed("The sandbox", "option of `start` | default"), "doc")
    there = {}
    local names = { action = true, on = true, times = true, after = true }
    for _, fault in ipairs(require("gptimage2.sandbox").faults()) do
      there[fault.action] = true
      for key, value in pairs(fault.options) do
        names[type(key) == "number" and value or key] = true
      end
    end
    assert_same_names(there, of(".FaultAction"), "library")
    assert_same_names(there, listed("The sandbox", "`action` | what happens"), "doc")
    for name in pairs(names) do
      assert.is_truthy(of(".Fault")[name], name)
      assert.is_truthy(section("The sandbox"):find("`" .. name .. "`", 1, true), name)
    end
    -- What is annotated with a field, behind it or in the lines above, names its actions.
    local text = folder.read("library/gptimage2/sandbox.lua")
    text = "\n" .. text:match("class gptimage2.Fault\n(.-\n)\n")
    local common = { on = true, times = true, after = true, work = true, seconds = true }
    for _, fault in ipairs(require("gptimage2.sandbox").faults()) do
      for key, value in pairs(fault.options) do
        local name = type(key) == "number" and value or key
        local above, line = text:match("(.*)\n%-%-%-@field " .. name .. "%?([^\n]*)")
        above = above:match(".*@field[^\n]*(.*)$")
        local named = (above .. line):find('"' .. fault.action .. '"', 1, true)
        assert.is_truthy(common[name] or named, name .. " of " .. fault.action)
      end
    end
    assert_same_names(keys_of(box:ledger()), of(".SandboxLedger"), "library")
    for name in pairs(box:ledger()) do
      assert.is_truthy(section("The sandbox"):find("`" .. name .. "`", 1, true), name)
    end
  end)

  it("names the fields of the sandbox's jobs and log", function()
    local client, box = support.pair()
    assert(client:generate({ prompt = "x" }))
    local ledger = box:ledger()
    for name in pairs(ledger.jobs[1]) do
      assert.is_truthy(of(".SandboxJob")[name], name)
    end
    for _, entry in ipairs(ledger.log) do
      for name in pairs(entry) do
        assert.is_truthy(of(".SandboxLogEntry")[name], name)
      end
    end
  end)
end)
