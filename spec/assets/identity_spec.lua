--- The identity of pictures, frozen: whoever has paid for one finds it again, on every Lua, and in
--- every version of this module. A vector that changes is a picture that is paid twice.

local core = require("gptimage2.core")
local identity = require("gptimage2.assets.identity")
local manifest = require("gptimage2.assets.manifest")

local SALT = "000102030405060708090a0b0c0d0e0f"

--- A manifest's fields -> the bytes, and their hash for two services.
local GOLDEN = {
  {
    "subject = 'fire mage'",
    [[{"prompt":"fire mage","mode":"text-to-image","count":1}]],
    "ff29ccbaf535109bf9211a46485c4349bc4417c384d61c0787f29c9909674201",
    "77e6b5fea2370104b1ee99a23b4e340e1645045aae99cae76b1f60244b5c1070",
  },
  {
    "subject = 'Grüße / \"x\" \\\\ \\n\\t\\127 \\1', style = 'woodcut', light = 'noon', "
      .. "frame = 'wide', text = { 'A', 'B \"C\"' }, ratio = '16:9', preset = 'cinematic', "
      .. "lighting = 'l', camera = 'c', negative = 'n', candidates = 4, review = true",
    [[{"prompt":"Grüße \/ \"x\" \\ \n\t\u007f \u0001, woodcut, noon, wide, with the text \"A\"]]
      .. [[ and “B \"C\"”","mode":"text-to-image","ratio":"16:9","count":1,"style":"cinematic",]]
      .. [["lighting":"l","camera":"c","negative":"n"}]],
    "50d24106aa0f8ba03f8c1cb3bd24e31526376d2d042646cf025268a606a55f73",
    "f1838b6a21ef3c4f000ee91e9a9f8696a0e9242fe614869aa8568be8fe9f1fbe",
  },
  {
    "subject = 'x', refs = { subject = 'https://a.example/1.png?a=b/c', "
      .. "palette = { 'https://a.example/2.png', 'https://a.example/3.png' } }",
    [[{"prompt":"x. Keep the subject from ref 1, use the color palette from refs 2 and 3.",]]
      .. [["mode":"image-to-image","count":1,"imageUrls":["https:\/\/a.example\/1.png?a=b\/c",]]
      .. [["https:\/\/a.example\/2.png","https:\/\/a.example\/3.png"]}]],
    "9b0e44a62258bf5f83af261871dd06cf817db0c8567ab51b2e61ade79e34424c",
    "1e155a188d176a63b9acf02faa543707bd9ca11426847947b4b6f2df544bb3a9",
  },
}

local function body_of(fields)
  local text = "return { pictures = { ['a.png'] = { " .. fields .. " } } }"
  return assert(manifest.parse("/x/pictures.lua", text)).pictures[1].body
end

describe("the identity of a picture", function()
  it("is that of the very bytes and the service", function()
    for _, case in ipairs(GOLDEN) do
      local body = body_of(case[1])
      assert.equal(case[2], body)
      assert.equal(case[3], identity.hash("https://gptimage2.ai:443", body))
      assert.equal(case[4], identity.hash("loopback", body))
    end
  end)

  it("names services one way", function()
    for url, name in pairs({
      ["https://gptimage2.ai"] = "https://gptimage2.ai:443",
      ["HTTPS://GPTImage2.AI:443/"] = "https://gptimage2.ai:443",
      ["http://a.example/Path/"] = "http://a.example:80/Path",
      ["https://a.example:8443/v1"] = "https://a.example:8443/v1",
      ["http://127.0.0.1:1234"] = "loopback",
      ["https://localhost:99"] = "loopback",
      ["http://[::1]:80"] = "loopback",
      ["https://[2001:DB8::1]"] = "https://[2001:db8::1]:443",
    }) do
      assert.equal(name, identity.service(url))
    end
  end)

  it("gives each attempt a key", function()
    local hash = ("ab"):rep(32)
    assert.equal("o3cIk-v5SPB0jAzlLghqJ3XqMHUtKC5xlh6JQOhNDVE", identity.key(SALT, hash, 1, 0))
    assert.equal("t_fck0deIcvnI1Lvo81D-jnq9jIQ87QoyamrhqLwM2Q", identity.key(SALT, hash, 1, 1))
    assert.equal("Ly91gRVZ1HSJ0wJajkfCFkosJm0Y85WJBNkTKQOJrDI", identity.key(SALT, hash, 2, 0))
    assert.equal(
      "nqbAgzZG5RvRkTgskN5Iv7dOHGWDSZjJtAA9P_H-4Yw",
      identity.key(("f"):rep(32), hash, 1, 0)
    )
  end)

  it("has digests that are what they are called", function()
    local empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert.equal(empty, core.digest.sha256(""))
    -- RFC 4231, test case 2, in base64url.
    local mac = core.digest.hmac("Jefe", "what do ya want for nothing?")
    assert.equal("W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM", mac)
    local salt = identity.new_salt()
    assert.matches("^%x+$", salt)
    assert.equal(32, #salt)
    assert.not_equal(salt, identity.new_salt())
    local digest, why = core.digest.sha256_file("/nowhere/at/all")
    assert.is_nil(digest)
    assert.matches("No such file", why)
  end)
end)
