-- TLS is verified, with no switch to turn it off.

local folder = require("spec.folder")
local gptimage2 = require("gptimage2")
local support = require("spec.support")

local CUP = { prompt = "a cup" }
--- Options that look at references, on this machine too.
local CAREFUL = { verify_references = true, allow_private_references = true }

describe("TLS", function()
  local box

  before_each(function()
    box = support.sandbox({ tls = true })
  end)

  after_each(function()
    support.clean()
    folder.clean()
  end)

  --- A client that does not know the sandbox's authority, or knows what `options` say.
  local function stranger(options)
    return support.client({ url = box.url, api_key = box.api_key }, options)
  end

  local function expect_refusal(client, code)
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("tls", err.kind, err.message)
    assert.equal(code or "certificate_refused", err.code, err.message)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.is_false(err.retryable)
    assert.equal(1, err.attempts)
    assert.equal(0, client.spent)
    assert.equal(0, #box:ledger().log)
    return err
  end

  it("carries calls and pictures when the authority is known", function()
    local client = support.client(box)
    local job = assert(client:generate(CUP))
    assert.truthy(box.url:find("^https://"))
    assert.truthy(job.results[1].image_url:find("^https://"))
    assert.equal("\137PNG", assert(job:data()):sub(1, 4))
    local place = folder.new()
    assert(job:save(place))
    assert.equal(job.id .. "-1.png " .. job.id .. ".json", folder.list(place))
    local requests = box:ledger().requests
    assert.equal(1, requests.create)
    assert.equal(2, requests.image)
  end)

  it("carries looks at references", function()
    local client = support.client(box, CAREFUL)
    assert(client:generate({ prompt = "like this", image_urls = { box:reference("cup") } }))
    assert.equal(1, box:ledger().requests.reference)
  end)

  it("refuses a certificate of an unknown authority, at once and for good", function()
    local err = expect_refusal(stranger())
    assert.truthy(err.message:find("no secure connection", 1, true))
    assert.truthy(err.message:find("nothing was sent", 1, true))
  end)

  it("refuses a certificate of another authority than the one told", function()
    local other = support.sandbox({ tls = true })
    expect_refusal(stranger({ ca_file = other.ca_file }))
  end)

  it("is refused when the file of authorities holds none, and the error names the file", function()
    local path = folder.new() .. "/authorities.pem"
    for _, text in ipairs({ "", "no certificate\n", "-----BEGIN CERTIFICATE-----\nAAAA\n" }) do
      folder.write(path, text)
      local err = expect_refusal(stranger({ ca_file = path }), "ca_file_unreadable")
      assert.truthy(err.message:find("ca_file", 1, true), err.message)
      os.remove(path)
    end
  end)

  it("refuses a certificate for another name", function()
    local there = { url = box.url:gsub("127%.0%.0%.1", "gptimage2.localhost") }
    there.api_key, there.ca_file = box.api_key, box.ca_file
    local err = expect_refusal(support.client(there))
    assert.truthy(err.message:find("gptimage2.localhost", 1, true), err.message)
  end)

  it("accepts the certificate for the name that it is for", function()
    local there = { url = box.url:gsub("127%.0%.0%.1", "localhost") }
    there.api_key, there.ca_file = box.api_key, box.ca_file
    assert(support.client(there):generate(CUP))
  end)

  it("fails as a handshake, and is tried again, where the other side speaks no TLS", function()
    local plain = support.sandbox()
    local there = { url = plain.url:gsub("^http:", "https:"), api_key = plain.api_key }
    local client = support.client(there, { max_attempts = 2 })
    local job, err = client:generate(CUP)
    assert.is_nil(job)
    assert.equal("tls", err.kind)
    assert.equal("handshake_failed", err.code)
    assert.equal("no", err.sent)
    assert.equal("no", err.charged)
    assert.equal(2, err.attempts)
    assert.equal(0, plain:ledger().requests.create)
  end)

  it("cannot be turned off: there is no such option", function()
    for _, name in ipairs({ "insecure", "verify", "verify_tls", "ssl_verify", "tls_verify" }) do
      assert.has_error(function()
        gptimage2.new({ api_key = "k", [name] = false })
      end)
    end
  end)

  it("is verified for image hosts, too", function()
    local other = support.sandbox({ tls = true })
    local client = support.client(box)
    local job = assert(client:generate(CUP))
    box:fault({ on = "image", action = "redirect", location = other:reference("cup") })
    local bytes, err = job:data()
    assert.is_nil(bytes)
    assert.equal("tls", err.kind)
    assert.equal("certificate_refused", err.code)
    assert.equal("succeeded", job.status)
    assert.equal(0, other:ledger().requests.reference)
  end)

  it("is verified for references, too", function()
    local other = support.sandbox({ tls = true })
    local client = support.client(box, CAREFUL)
    local request = { prompt = "like this", image_urls = { other:reference("cup") } }
    local job, err = client:generate(request)
    assert.is_nil(job)
    assert.equal("reference_unreachable", err.code)
    assert.equal(0, other:ledger().requests.reference)
    assert.equal(0, box:ledger().requests.create)
  end)

  it("lets a create that dies be one POST and lost", function()
    local client = support.client(box)
    assert(client:generate(CUP))
    for i, action in ipairs({ "reset", "close", "truncate" }) do
      box:fault({ on = "create", action = action, bytes = action == "truncate" and 9 or nil })
      local job, err = client:generate(CUP)
      assert.is_nil(job)
      assert.equal("lost", err.kind)
      assert.equal("unknown", err.charged)
      assert.equal(1 + i, box:ledger().requests.create)
    end
  end)
end)
