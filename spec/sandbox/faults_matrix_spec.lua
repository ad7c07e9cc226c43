-- Answers that break off, in all three phases. Every other fault, in every mode, is told and tried
-- by spec/faults/matrix_run.

local folder = require("spec.folder")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local HEADERS = 40 -- bytes: the status line is there, the headers are not all

describe("an answer that breaks off", function()
  after_each(support.clean)
  after_each(folder.clean)

  --- A client whose creates break off after so many bytes, its job's end and the POSTs.
  local function create(mode, fault)
    local client, box = support.pair({ retry = mode, max_attempts = 2 })
    fault.on = "create"
    box:fault(fault)
    local job = support.finish(assert(client:submit(CUP)))
    return job, box:ledger()
  end

  it("among its headers is no answer: the create is lost, and not sent again", function()
    for _, mode in ipairs({ "safe", "documented" }) do
      local job, books = create(mode, { action = "cut", bytes = HEADERS })
      assert.equal("unknown", job.status)
      assert.equal("lost", job.error.kind)
      assert.equal("reply_cut_off", job.error.code)
      assert.equal("unknown", job.error.charged)
      assert.equal(job.idempotency_key, job.error.idempotency_key)
      assert.equal(1, books.requests.create)
      assert.equal(10, books.charged)
    end
  end)

  it("among its headers is asked for again where keys are honoured", function()
    local job, books = create("idempotent", { action = "cut", bytes = HEADERS })
    assert.equal("succeeded", job.status)
    assert.equal(2, books.requests.create)
    assert.equal(10, books.charged)
  end)

  it("after an early 1xx is no answer either", function()
    local early = "HTTP/1.1 103 Early Hints\r\n\r\n"
    local job, books = create("safe", { action = "raw", body = early })
    assert.equal("lost", job.error.kind)
    assert.equal("unknown", job.error.charged)
    assert.equal(1, books.requests.create)
  end)

  it("behind the job's id is read when no attempt is left", function()
    local cut = { action = "truncate", bytes = 60, times = math.huge }
    local job, books = create("idempotent", cut)
    assert.equal("succeeded", job.status)
    assert.equal(2, job.attempts)
    assert.equal(books.jobs[1].id, job.id)
    assert.equal(1, #books.jobs)
  end)

  it("while an image comes is tried again", function()
    local client, box = support.pair()
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "cut", bytes = HEADERS })
    local paths = assert(job:save(folder.new()))
    assert.truthy(paths[1]:find("%.png$"))
    assert.equal(2, box:ledger().requests.image)
  end)
end)
