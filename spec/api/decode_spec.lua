local support = require("spec.support")

local function is_integer(value)
  return math.type == nil or math.type(value) == "integer"
end

local ID = "job-1"

-- What one poll makes of a body.
local function read(body, status)
  local client, box = support.pair()
  support.answer(box, "poll", status or 200, body)
  local job, err = client:poll(ID)
  return job, err, client
end

local function succeeded(results)
  return ('{"jobId":"job-1","status":"succeeded","results":%s}'):format(results)
end

local URL = '"imageUrl":"https://file.example.com/1.png"'

local function assert_unusable(body, status)
  local job, err = read(body, status)
  assert.is_nil(job, body)
  assert.equal("protocol", err.kind)
  assert.equal("unreadable_reply", err.code)
  assert.equal(ID, err.job_id)
end

describe("the results of a reply", function()
  after_each(support.clean)

  it("have URL, seed and final prompt", function()
    local job = assert(read(succeeded("[{" .. URL .. ',"seed":"1","finalPrompt":"a cup"}]')))
    local expected = {
      { image_url = "https://file.example.com/1.png", seed = "1", final_prompt = "a cup" },
    }
    assert.same(expected, job.results)
  end)

  it("keep their order", function()
    local list = {}
    for i = 1, 4 do
      list[i] = ('{"imageUrl":"https://e.com/%d.png","seed":"%d"}'):format(i, i)
    end
    local job = assert(read(succeeded("[" .. table.concat(list, ",") .. "]")))
    assert.equal(4, #job.results)
    for i = 1, 4 do
      assert.equal(tostring(i), job.results[i].seed)
    end
  end)

  it("have seeds that stay strings, every digit of them", function()
    local seed = "018446744073709551615123"
    local job = assert(read(succeeded("[{" .. URL .. ',"seed":"' .. seed .. '"}]')))
    assert.equal(seed, job.results[1].seed)
  end)

  it("have seeds that become strings where the service sent a number", function()
    local job = assert(read(succeeded("[{" .. URL .. ',"seed":42}]')))
    assert.equal("42", job.results[1].seed)
  end)

  it("lose no digit of a seed that was sent as a number", function()
    local job = assert(read(succeeded("[{" .. URL .. ',"seed":12345678901234567890}]')))
    assert.equal("12345678901234567890", job.results[1].seed)
  end)

  it("are read whatever is escaped in them", function()
    local url = [["imageUrl":"https:\/\/e.com\/\u0061.png"]]
    local prompt = [["finalPrompt":"a \"cup\"\n\u00e9 \ud83c\udf75"]]
    local job = assert(read(succeeded("[{" .. url .. "," .. prompt .. "}]")))
    assert.equal("https://e.com/a.png", job.results[1].image_url)
    assert.equal('a "cup"\n\195\169 \240\159\141\181', job.results[1].final_prompt)
  end)

  it("are not lost for half a surrogate pair, or a bare line end, in a text", function()
    local job = assert(read(succeeded("[{" .. URL .. ',"finalPrompt":"a\\ud83cb\nc"}]')))
    assert.equal("a\239\191\189b\nc", job.results[1].final_prompt)
  end)

  it("may lack seed and final prompt, which must be texts", function()
    local job = assert(read(succeeded("[{" .. URL .. ',"seed":null,"finalPrompt":[1]}]')))
    assert.is_nil(job.results[1].seed)
    assert.is_nil(job.results[1].final_prompt)
  end)

  it("show control characters instead of obeying them", function()
    local body = succeeded("[{" .. URL .. ',"finalPrompt":"a\\u001b[2Jb\\u009bc\\u007f\\nd\\te"}]')
    local job = assert(read(body))
    assert.equal("a\\x1B[2Jb\\x9Bc\\x7F\nd\te", job.results[1].final_prompt)
  end)

  it("are those that have a URL: one without costs the others nothing", function()
    for _, broken in ipairs({ '{"seed":"0"}', '{"imageUrl":null}', "null", '"text"' }) do
      local results = ('[%s,{%s,"seed":"2"}]'):format(broken, URL)
      local job = assert(read(succeeded(results)))
      assert.same({ { image_url = "https://file.example.com/1.png", seed = "2" } }, job.results)
    end
  end)

  it("are not usable without any URL", function()
    assert_unusable(succeeded("[]"))
    assert_unusable(succeeded("{}"))
    assert_unusable(succeeded("null"))
    assert_unusable(succeeded("[{}]"))
    assert_unusable(succeeded('["https://e.com/1.png"]'))
    assert_unusable(succeeded('[{"seed":"1"},{"seed":"2"}]'))
    assert_unusable('{"jobId":"job-1","status":"succeeded"}')
  end)

  it("are the first 64 when there are more than any job has", function()
    local list = {}
    for i = 1, 5000 do
      list[i] = ('{"seed":"%d",%s}'):format(i, URL)
    end
    local job = assert(read(succeeded("[{}," .. table.concat(list, ",") .. "]")))
    assert.equal(64, #job.results)
    assert.equal("1", job.results[1].seed)
    assert.equal("64", job.results[64].seed)
  end)
end)

describe("the balance of a reply", function()
  after_each(support.clean)

  local function balance(text)
    local body = '{"jobId":"job-1","status":"running","balance":' .. text .. "}"
    return assert(read(body, 202)).balance
  end

  it("has our names and integers", function()
    local read_balance =
      balance('{"paidCredits":490,"freeImagesRemaining":0,"totalImages":49.0,"freeImagesPerDay":0}')
    local expected = {
      paid_credits = 490,
      free_images_remaining = 0,
      total_images = 49,
      free_images_per_day = 0,
    }
    assert.same(expected, read_balance)
    for _, value in pairs(read_balance) do
      assert.is_true(is_integer(value))
    end
    assert.equal("490", tostring(read_balance.paid_credits))
  end)

  it("may be short, and holds nothing but numbers", function()
    local expected = { paid_credits = 5, total_images = 1 }
    assert.same(expected, balance('{"paidCredits":5,"totalImages":1}'))
    assert.same({ total_images = 1 }, balance('{"paidCredits":"5","totalImages":1,"other":7}'))
  end)

  it("keeps what is no whole number", function()
    assert.equal(2.5, balance('{"paidCredits":2.5}').paid_credits)
  end)

  it("leaves out a number that is too long to be exact", function()
    local told = balance('{"paidCredits":1234567890123456789,"totalImages":123456789012345}')
    assert.same({ total_images = 123456789012345 }, told)
  end)

  it("is absent when the service tells none", function()
    assert.is_nil(balance("null"))
    assert.is_nil(balance("7"))
    assert.is_nil(assert(read('{"jobId":"job-1","status":"running"}', 202)).balance)
  end)

  it("of the client stays when a reply has none", function()
    local client, box = support.pair()
    assert(client:generate({ prompt = "a cup" }))
    support.answer(box, "poll", 202, '{"jobId":"job-1","status":"running"}')
    assert(client:poll(ID))
    assert.equal(490, client.balance.paid_credits)
  end)
end)

describe("the status of a reply", function()
  after_each(support.clean)

  it("is pending or running while the job goes on, whatever the HTTP status", function()
    for _, http in ipairs({ 200, 202 }) do
      for _, status in ipairs({ "pending", "running" }) do
        local job = assert(read(('{"jobId":"job-1","status":"%s"}'):format(status), http))
        assert.equal(status, job.status)
      end
    end
  end)

  it("counts, whatever 2xx it comes with", function()
    for _, http in ipairs({ 200, 201, 202, 206 }) do
      local job = assert(read(succeeded("[{" .. URL .. "}]"), http))
      assert.equal("succeeded", job.status)
      local _, err = read('{"jobId":"job-1","status":"failed","error":"unlucky"}', http)
      assert.equal("job_failed", err.kind)
      assert.equal("unlucky", err.code)
      assert.equal("running", assert(read('{"status":"running"}', http)).status)
    end
  end)

  it("may be any word that says the same", function()
    for _, word in ipairs({ "completed", "complete", "success", "done", "Succeeded" }) do
      local body = ('{"status":"%s","results":[{%s}]}'):format(word, URL)
      assert.equal("succeeded", assert(read(body, 200)).status)
    end
    for _, word in ipairs({ "queued", "waiting" }) do
      assert.equal("pending", assert(read(('{"status":"%s"}'):format(word), 202)).status)
    end
    for _, word in ipairs({ "processing", "in_progress" }) do
      assert.equal("running", assert(read(('{"status":"%s"}'):format(word), 200)).status)
    end
  end)

  it("is not usable when it is no word we know", function()
    assert_unusable('{"jobId":"job-1","status":"paused"}')
    assert_unusable('{"jobId":"job-1","status":7}')
    assert_unusable('{"jobId":"job-1"}')
  end)

  it("may be failed, with the service's code", function()
    local job, err = read('{"jobId":"job-1","status":"failed","error":"content_policy"}')
    assert.is_nil(job)
    assert.equal("job_failed", err.kind)
    assert.equal("content_policy", err.code)
    assert.equal("refund_expected", err.charged)
  end)
end)

describe("the job id of a reply", function()
  after_each(support.clean)

  it("must be the one that was asked for", function()
    assert_unusable('{"jobId":"job-2","status":"running"}', 202)
    assert_unusable('{"jobId":"job-2","status":"failed","error":"x"}')
  end)

  it("may be missing where the URL names the job", function()
    assert.equal("running", assert(read('{"status":"running"}', 202)).status)
    local job = assert(read('{"jobId":7,"status":"succeeded","results":[{' .. URL .. "}]}"))
    assert.equal(ID, job.id)
  end)
end)

describe("an error code of the service", function()
  after_each(support.clean)

  local function code(text)
    local _, err = read('{"jobId":"job-1","status":"failed","error":' .. text .. "}")
    return err.code, err
  end

  it("has its control characters shown, in the message too", function()
    local read_code, err = code('"bad\\u001b[31m"')
    assert.equal("bad\\x1B[31m", read_code)
    assert.is_nil(err.message:find("%c"))
    assert.is_nil(tostring(err):find("%c"))
  end)

  it("is cut when it is long", function()
    assert.equal(("x"):rep(128), (code('"' .. ("x"):rep(5000) .. '"')))
  end)

  it("has a stand-in when there is none or it is no text", function()
    assert.equal("generation_failed", (code("null")))
    assert.equal("generation_failed", (code('""')))
    assert.equal("generation_failed", (code("{}")))
    assert.equal("generation_failed", (code('["x"]')))
    assert.equal("generation_failed", (code("17")))
  end)

  it("may stand in an object", function()
    assert.equal("policy", (code('{"message":"We cannot","code":"policy","type":"x"}')))
    assert.equal("1013", (code('{"code":1013,"message":"We cannot"}')))
    assert.equal("We cannot", (code('{"code":null,"message":"We cannot"}')))
  end)
end)

describe("a body", function()
  after_each(support.clean)

  local good = '{"jobId":"job-1","status":"running"}'

  it("is not usable when it is no JSON object", function()
    assert_unusable("", 200)
    assert_unusable("<html>busy</html>")
    assert_unusable("[" .. good .. "]")
    assert_unusable('"running"')
    assert_unusable(good:sub(1, -2))
    assert_unusable(good .. "x")
    assert_unusable(good .. "\0")
    assert_unusable(good .. "\0x")
    assert_unusable('{"jobId":"job-1","status":"running","n":NaN}')
    assert_unusable('{"jobId":"job-1","status":"running","n":0x10}')
    assert_unusable('{"jobId":"job-1","status":"running","n":inf}')
  end)

  it("is not usable when it is nested deeper than 32", function()
    local function nested(depth)
      local inner = ("["):rep(depth) .. ("]"):rep(depth)
      return '{"jobId":"job-1","status":"running","n":' .. inner .. "}"
    end
    assert.equal("running", assert(read(nested(31))).status)
    assert_unusable(nested(32))
  end)

  it("may hold what we do not know, and blanks", function()
    local job = assert(read(' { "jobId" : "job-1", "status" : "running", "eta" : [1, {}] } \n'))
    assert.equal("running", job.status)
  end)

  it("is kept as it came in job:raw(), and up to 4 KiB of it in the error", function()
    local job = assert(read(good))
    assert.equal(good, job:raw())
    local long = "<html>" .. ("busy "):rep(2000)
    local _, err = read(long)
    assert.equal(long:sub(1, 4096), err.body)
  end)
end)
