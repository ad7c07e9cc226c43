-- err.retryable: whether the same call may go well later.

local core = require("gptimage2.core")
local folder = require("spec.folder")
local picture = require("spec.helpers.picture")
local support = require("spec.support")

describe("err.retryable", function()
  local place

  before_each(function()
    place = folder.new()
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- The codes of errors that saving can give, by their kinds.
  local TABLE = {
    io = {
      disk_full = true,
      permission_denied = true,
      too_many_files = true,
      file_failed = true,
      out_of_memory = true,
      no_thread = true,
      no_randomness = true,
      interrupted = true,
      file_exists = false,
      bad_place = false,
      path_too_long = false,
    },
    network = {
      dns_failed = true,
      connect_failed = true,
      connect_timeout = true,
      connection_lost = true,
      proxy_failed = true,
      reply_timeout = true,
      reply_cut_off = true,
      out_of_memory = true,
    },
    tls = { handshake_failed = true, certificate_refused = false, ca_file_unreadable = false },
    timeout = { deadline_passed = true, wait_timeout = true },
    protocol = {
      not_an_image = true,
      unexpected_status = true,
      image_too_large = false,
      image_url_refused = false,
      too_many_redirects = false,
      reply_too_large = false,
    },
    validation = {
      cannot_wait_here = true,
      not_succeeded = false,
      where_empty = false,
      ext_in_folder = false,
    },
    ledger = { ledger_locked = true, ledger_unwritable = true, ledger_damaged = false },
    cancelled = { cancelled = false, task_closed = false },
    closed = { client_closed = false, forked = false },
    budget = { budget_exceeded = false },
    credits = { insufficient_credits = false },
    auth = { unauthorized = false },
    lost = { connection_lost = false },
    job_failed = { generation_failed = false },
  }

  it("is told by the kind and the code", function()
    for kind, codes in pairs(TABLE) do
      for code, expected in pairs(codes) do
        local err = core.error({ kind = kind, code = code, message = "" })
        assert.equal(expected, err.retryable, kind .. "/" .. code)
      end
    end
  end)

  it("is told of an image's host by its status", function()
    for status, expected in pairs({
      [302] = false,
      [400] = false,
      [401] = false,
      [402] = false,
      [403] = false,
      [404] = false,
      [408] = true,
      [410] = false,
      [416] = true,
      [425] = true,
      [429] = true,
      [451] = false,
      [500] = true,
      [503] = true,
      [599] = true,
    }) do
      local fields = { kind = "network", code = "image_refused", status = status, message = "" }
      assert.equal(expected, core.error(fields).retryable, status)
    end
  end)

  it("is left as it was told where somebody knows better", function()
    local fields = { kind = "network", code = "connect_failed", message = "", retryable = false }
    assert.is_false(core.error(fields).retryable)
  end)

  --- What goes wrong with the save of a job that has succeeded; its code; whether it may pass.
  local SAVES = {
    ["a page of the host's maintenance"] = {
      { action = "not_image" },
      "not_an_image",
      true,
    },
    ["a host that has forgotten it"] = {
      { action = "status", status = 410, times = math.huge },
      "image_refused",
      false,
    },
    ["a host that does not have it yet"] = {
      { action = "status", status = 404, times = math.huge },
      "image_refused",
      true,
    },
    ["too many redirects"] = {
      { action = "redirect", to = "self", times = math.huge },
      "too_many_redirects",
      false,
    },
  }

  for what, row in pairs(SAVES) do
    it("of a save that fails: " .. what, function()
      local job, box = picture.made()
      local fault = row[1]
      fault.on = "image"
      box:fault(fault)
      local paths, err = job:save(place)
      assert.is_nil(paths)
      assert.equal(row[2], err.code, err.message)
      assert.equal(row[3], err.retryable, err.message)
      box:clear()
      assert(job:save(place))
    end)
  end

  it("is true where the service could not be asked for a new URL", function()
    local job, box = picture.made()
    box:fault({ on = "image", action = "status", status = 410, times = math.huge })
    box:fault({ on = "poll", action = "status", status = 429, times = math.huge })
    local _, err = job:save(place)
    assert.equal("image_refused", err.code)
    assert.equal(410, err.status)
    assert.is_true(err.retryable)
  end)

  it("of data that is no image", function()
    local job, box = picture.made()
    box:fault({ on = "image", action = "html", status = 200 })
    local _, err = job:data()
    assert.is_true(err.retryable, err.message)
    assert(job:data())
  end)

  it("of a save in places that cannot be", function()
    local job = picture.made()
    folder.write(place .. "/file", "mine")
    folder.write(place .. "/1.png", "mine")
    for where, code in pairs({
      ["/file/below/"] = "bad_place",
      ["/{n}.png"] = "file_exists",
      ["/" .. ("x"):rep(300)] = "path_too_long",
    }) do
      local paths, err = job:save(place .. where)
      assert.is_nil(paths)
      assert.equal(code, err.code, err.message)
      assert.is_false(err.retryable, code)
    end
  end)

  it("of a save is true when the place may be had later", function()
    local job = picture.made()
    local _, err = job:save("/proc/self/fdinfo") -- where not even root may write
    assert.equal("io", err.kind)
    assert.is_true(err.retryable, err.code)
  end)
end)
