--- A ledger that is there already: who gets it, what a client takes up, and what is none.

local book = require("spec.helpers.book")
local child = require("spec.helpers.child")
local folder = require("spec.folder")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
local ledger_path, pair, row_of = book.path, book.pair, book.row
local try_client, closed_ledger = book.try, book.closed

describe("the ledger", function()
  after_each(support.clean)
  after_each(folder.clean)

  describe("is spent on by one client of a process, and by one alone that wants that:", function()
    it("a second client in the process is refused", function()
      local _, box, path = pair()
      local second, err = try_client(box, path)
      assert.is_nil(second)
      assert.equal("ledger", err.kind)
      assert.equal("ledger_locked", err.code)
    end)

    it("a client in another process is refused, and may have it afterwards", function()
      local client, box, path = pair({ ledger_alone = true })
      local code = [[
        local _, url, key, path = ...
        local options = { api_key = key, base_url = url, ledger = path }
        local client, err = require("gptimage2").new(options)
        print(client and "open" or err.code)
      ]]
      local arguments = { box.url, box.api_key, path }
      assert.equal("ledger_locked\n", child.run(code, arguments).output)
      client:close()
      support.step_until(function()
        return child.run(code, arguments).output == "open\n"
      end)
    end)

    it("the refused one does not free the lock of the first", function()
      local _, box, path = pair({ ledger_alone = true })
      assert.is_nil((try_client(box, path)))
      assert.is_nil((try_client(box, path)))
      local code = [[
        local _, url, key, path = ...
        local _, err = require("gptimage2").new({ api_key = key, base_url = url, ledger = path })
        print(err and err.code)
      ]]
      assert.equal("ledger_locked\n", child.run(code, { box.url, box.api_key, path }).output)
    end)
  end)

  it("takes each key once", function()
    local client, box = pair()
    assert(client:generate(CUP, { idempotency_key = "mine" }))
    local job, err = client:generate(CUP, { idempotency_key = "mine" })
    assert.is_nil(job)
    assert.equal("ledger", err.kind)
    assert.equal("key_in_use", err.code)
    assert.equal(1, box:ledger().requests.create)
  end)

  describe("takes up", function()
    --- A job whose answer nobody got: its client is closed while the create hangs.
    local function left_behind()
      local client, box, path = pair()
      box:fault({ on = "create", action = "reset", work = true })
      local _, err = client:generate(CUP)
      assert.equal("lost", err.kind)
      client:close()
      return box, path, err.idempotency_key
    end

    local function reopened(box, path, options)
      options = options or {}
      options.ledger = path
      return support.client(box, options)
    end

    it("what may have been made without sending it again", function()
      local box, path, key = left_behind()
      local jobs = assert(reopened(box, path):recover())
      assert.equal(1, #jobs)
      assert.equal("unknown", jobs[1].status)
      assert.equal(key, jobs[1].idempotency_key)
      assert.equal(1, box:ledger().requests.create)
    end)

    it("what may have been made under the same key where the service honours keys", function()
      local box, path, key = left_behind()
      local jobs = assert(reopened(box, path, { retry = "idempotent" }):recover())
      support.finish(jobs[1])
      assert.equal("succeeded", jobs[1].status)
      assert.equal(1, #box:ledger().jobs)
      assert.equal(key, box:ledger().jobs[1].key)
      assert.equal(2, box:ledger().jobs[1].posts)
    end)

    it("what belongs to the same service, however it is spelled", function()
      local box, path, key = left_behind()
      local id = box:ledger().jobs[1].id
      local loud = { base_url = box.url:gsub("^http", "HTTP") .. "//" }
      local client = reopened(box, path, loud)
      assert.equal(1, #assert(client:recover()))
      local job = support.finish(assert(client:resolve(key, id)))
      assert.equal("succeeded", job.status)
      client:close()
      support.step_until(function()
        client = try_client(box, path)
        return client
      end)
      assert.equal(key, assert(client:wait(id)).idempotency_key)
      local _, err = client:resolve(key, "abandon")
      assert.equal("not_unknown", err.code)
    end)

    it("nothing that belongs to another service", function()
      local _, path, key = left_behind()
      local other = support.sandbox()
      local client = reopened(other, path, { retry = "idempotent" })
      assert.same({}, assert(client:recover()))
      local job, err = client:resolve(key, "resend")
      assert.is_nil(job)
      assert.equal("other_service", err.code)
      assert.equal(0, other:ledger().connections)
    end)

    it("no id from an answer that is whole and broken, as version 0.1 left it", function()
      local client, box, path = pair()
      local body = '{"jobId":"8b93b17d",,"status":"pending"}'
      box:fault({ on = "create", action = "body", body = body })
      local _, err = client:generate(CUP)
      assert.equal("unreadable_reply", err.code)
      client:close()
      assert.equal("", book.query(path, "UPDATE jobs SET attempt_id = NULL"))
      local jobs = assert(reopened(box, path):recover())
      assert.equal("unknown", jobs[1].status)
      assert.is_nil(jobs[1].id)
      assert.equal(0, box:ledger().requests.poll)
    end)

    it("nothing that was abandoned, from the moment that resolve is back", function()
      local box, path, key = left_behind()
      local client = reopened(box, path)
      assert(client:resolve(key, "abandon"))
      assert.equal("abandoned", row_of(path).state)
      assert.same({}, assert(client:recover()))
    end)
  end)

  describe("that is not one is refused, untouched:", function()
    local function refused(path, code)
      local box = support.sandbox()
      local before = folder.read(path)
      local client, err = try_client(box, path)
      assert.is_nil(client)
      assert.equal("ledger", err.kind)
      assert.equal(code, err.code)
      assert.equal(before, folder.read(path))
    end

    local function patched(path, offset, bytes)
      local file = assert(io.open(path, "r+b"))
      file:seek("set", offset)
      file:write(bytes)
      file:close()
      return path
    end

    it("a symbolic link", function()
      local path = ledger_path()
      local link = path .. ".link"
      folder.run(("ln -s %s %s"):format(folder.quote((closed_ledger())), folder.quote(link)))
      refused(link, "ledger_symlink")
    end)

    it("a text", function()
      local path = ledger_path()
      folder.write(path, ("not a database\n"):rep(100))
      refused(path, "not_a_ledger")
    end)

    it("a database of something else", function()
      refused(patched((closed_ledger()), 68, "\0\0\0\1"), "not_a_ledger")
    end)

    it("one of a newer version", function()
      refused(patched((closed_ledger()), 60, "\0\0\0\9"), "ledger_newer")
    end)

    it("one that is damaged", function()
      refused(patched((closed_ledger()), 4096 + 3, ("\255"):rep(64)), "ledger_damaged")
    end)

    it("one of another user", function()
      if folder.run("id -u") ~= "0" then
        pending("only root can give a file to somebody else")
        return
      end
      local path = closed_ledger()
      folder.run("chown 1 " .. folder.quote(path))
      refused(path, "ledger_foreign")
    end)

    it("a folder", function()
      local box = support.sandbox()
      local client, err = try_client(box, folder.new())
      assert.is_nil(client)
      assert.equal("ledger_unopenable", err.code)
    end)
  end)
end)
