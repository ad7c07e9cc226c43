--- What came of a build, in words: each candidate counts once, and what is paid can be found again.

local build_view = require("gptimage2.command.parts.build_view")
local commands = require("spec.helpers.commands")
local folder = require("spec.folder")
local pictures = require("spec.helpers.pictures")
local support = require("spec.support")

local function report(fields)
  local all = { made = 0, restored = 0, credits = 0, failed = {}, unknown = {}, warnings = {} }
  all.plan = { lines = {}, counts = {}, cost = 0 }
  for name, value in pairs(fields) do
    all[name] = value
  end
  return all
end

local function failure(path, kind)
  return { path = path, n = 1, error = { kind = kind, code = "x", message = "why" } }
end

describe("the words of a build", function()
  it("tell what was made and did not come to its path apart from what failed", function()
    local list =
      { failure("a.png", "build"), failure("b.png", "build"), failure("c.png", "server") }
    local made = report({ made = 3, credits = 30, failed = list })
    assert.equal(
      "made 3 pictures for 30 credits, 1 failed, 2 not put to their paths",
      build_view.summary(made, list)
    )
  end)

  it("count nothing twice", function()
    local list = { failure("a.png", "io"), failure("b.png", "io"), failure("c.png", "io") }
    local made = report({
      failed = list,
      unknown = { { path = "b.png", n = 1, key = "k" } },
      plan = {
        lines = {
          { path = "a.png", state = "in_flight", jobs = { "1", "2" } },
          { path = "d.png", state = "in_flight" },
        },
        counts = { unreviewed = 4 },
        cost = 0,
      },
    })
    assert.equal(
      "made 0 pictures for 0 credits, 1 failed, 3 in flight, 1 that may have been paid, "
        .. "4 to be reviewed",
      build_view.summary(made, list)
    )
  end)
end)

describe("a full disk", function()
  after_each(support.clean)
  after_each(folder.clean)

  --- A build, or a batch, whose pictures are larger than any file may be.
  local function run(args, options)
    local line = "ulimit -f 1024; timeout 60 sh -c %s 2>&1; echo =$?"
    local out = folder.run(line:format(folder.quote(commands.line(args, options))))
    local text, status = out:match("^(.*)=(%d+)$")
    return text, tonumber(status)
  end

  it("leaves a paid job, whose id is told", function()
    local box = support.sandbox({ image_bytes = 2 * 1024 * 1024 })
    local art = pictures.new({ ["a.png"] = "subject = 'a'" })
    folder.write(art.base .. "rows.jsonl", '{"prompt":"b"}\n')
    local options = { box = box, here = art.base }
    for _, args in ipairs({ "build -y ", "batch rows.jsonl -y -o out " }) do
      local text, status = run(args .. commands.UNIT, options)
      assert.equal(1, status, text)
      assert.matches("failed +.*%(job [%x-]+ is paid%)\n", text)
    end
  end)

  -- The ledger cannot keep the id then, either: it has what was sent, and no more.
  it("does not look like a service that cannot be reached", function()
    local art = pictures.new({ ["a.png"] = "subject = 'a'" })
    local stub = [[
      require("gptimage2.assets").build = function()
        local err = { kind = "io", code = "disk_full", message = "full", charged = "yes",
          job_id = "the-id", idempotency_key = "the-key" }
        return { made = 0, restored = 0, credits = 10, warnings = {}, over = false, ok = false,
          failed = { { path = "a.png", n = 1, error = err } },
          unknown = { { path = "a.png", n = 1, key = "the-key", reason = "sent" } },
          plan = { lines = {}, counts = {}, cost = 0 } }
      end
    ]]
    local options = { box = support.sandbox(), here = art.base, main = stub }
    local said = commands.run("build -y", options)
    assert.equal(1, said.status, said.err)
    assert.matches("failed +a.png: full %(job the%-id is paid%)\n", said.out)
    assert.matches("unknown +a.png: sent %(its job is the%-id%)\n", said.out)
    assert.matches("made 0 pictures for 10 credits, 1 that may have been paid\n$", said.out)
    said = commands.json("build -y", options)
    assert.equal("the-id", said.objects[2].job)
  end)
end)
