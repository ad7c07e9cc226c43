--- The table of states, a row at a time: what the manifest, the lock, the disk, the stores and the
--- ledger say, and what follows from it. Pure.

local globs = require("gptimage2.assets.plan.globs")
local states = require("gptimage2.assets.plan.states")
local words = require("gptimage2.assets.plan.words")

local HASH, OLD = ("a"):rep(64), ("b"):rep(64)
local NONE = {}
local P, Q = ("1"):rep(64), ("2"):rep(64) -- pictures

local function row(meaning)
  return { meaning = meaning, state = "s", key = "the-key", error = "some_code" }
end

--- The verdict on facts: those given, over a picture with one candidate of which nothing is known.
local function verdict(given)
  local known, stored = given.known or {}, given.stored or {}
  return states.of({
    hash = HASH,
    candidates = given.candidates or 1,
    review = false,
    pin = given.pin or false,
    line = given.line,
    file = given.file,
    stale = given.stale or "keep",
    candidate = function(n)
      return known[n] or { t = 0 }
    end,
    stored = function(n)
      return given.made and given.made[n] or { object = P }
    end,
    has = function(digest)
      return stored[digest] or false
    end,
    job = function()
      return given.line and given.line.job
    end,
  })
end

--- A line of the lock with an accepted picture.
local function line(more)
  local made = { path = "a.png", hash = HASH, n = 1, made = 1, original = P, file = P }
  for name, value in pairs(more or {}) do
    made[name] = value
  end
  return made
end

local function without(fields, name)
  fields[name] = nil
  return fields
end

--- What is given, the state, the credits, words of the reason.
local ROWS = {
  { "new", {}, "new", 10, "1 candidate" },
  { "new, three", { candidates = 3 }, "new", 30, "3 candidates" },
  {
    "new, two there",
    { candidates = 3, known = { [1] = { object = P }, [3] = { object = Q } } },
    "new",
    10,
    "1 candidate more",
  },
  { "cached", { known = { { object = P } } }, "cached", 0, "a store has it" },
  { "cached, and at its path already", { known = { { object = P } }, file = P }, "cached", 0, "" },
  { "taken", { file = P }, "taken", 0, "no build made" },
  {
    "made, and at its path already",
    {
      candidates = 2,
      line = { hash = HASH, made = 2 },
      file = P,
      known = { NONE, { object = P } },
    },
    "unreviewed",
    0,
    "2 candidates wait",
  },
  {
    "derived, and at its path already",
    { known = { { object = P, derived = Q } }, file = Q },
    "cached",
    0,
    "a store has it",
  },
  { "taken, though cached", { known = { { object = P } }, file = Q }, "taken", 0, "" },
  { "fresh", { line = line(), file = P }, "fresh", 0, "" },
  {
    "fresh, fewer candidates",
    { line = line({ made = 3, rejected = { [2] = true, [3] = true } }), file = P },
    "fresh",
    0,
    "",
  },
  {
    "more candidates",
    { candidates = 3, line = line(), file = P },
    "new",
    20,
    "2 candidates more",
  },
  { "asked for again", { line = line({ want = 2 }), file = P }, "new", 10, "1 candidate more" },
  {
    "again is there",
    { line = line({ made = 2 }), file = P },
    "unreviewed",
    0,
    "1 candidate waits",
  },
  { "lost, in a store", { line = line(), stored = { [P] = true } }, "lost", 0, "a store has it" },
  { "lost, job known", { line = line({ job = "j1" }) }, "lost", 0, "job j1" },
  {
    "lost, and another asked for",
    { line = line({ want = 2 }), stored = { [P] = true } },
    "lost",
    10,
    "a store has it; 1 candidate more",
  },
  { "gone", { line = line() }, "gone", 0, "no store has it" },
  { "gone, made again", { line = line(), stale = "make" }, "gone", 10, "" },
  { "edited", { line = line(), file = Q }, "edited", 0, "not what was accepted" },
  { "edited: no file", { line = line(), file = "other" }, "edited", 0, "" },
  {
    "unreviewed",
    { candidates = 2, line = without(line({ made = 2 }), "n") },
    "unreviewed",
    0,
    "2 candidates wait",
  },
  {
    "candidates gone",
    {
      candidates = 3,
      line = without(line({ made = 3, rejected = { [2] = true } }), "n"),
      made = { NONE, NONE, NONE },
    },
    "gone",
    0,
    "no store has the picture of candidates 1, 3: ",
  },
  {
    "candidates gone, made again",
    {
      candidates = 3,
      line = without(line({ made = 3 }), "n"),
      made = { NONE, nil, NONE },
      stale = "make",
    },
    "gone",
    20,
    "candidates 1, 3",
  },
  {
    "candidate gone, its job known",
    { candidates = 2, line = without(line({ made = 2 }), "n"), made = { { job = "j" } } },
    "in_flight",
    0,
    "candidate 1: its job is asked for it",
  },
  {
    "more candidates are there",
    { line = line({ want = 2 }), file = P, known = { [2] = { object = Q } } },
    "cached",
    0,
    "a store has more candidates",
  },
  { "a link at its path", { file = "link" }, "taken", 0, "a link lies there" },
  { "a link in its place", { line = line(), file = "link" }, "edited", 0, "a link lies there" },
  {
    "one rejected",
    { candidates = 2, line = without(line({ made = 2, rejected = { [1] = true } }), "n") },
    "unreviewed",
    0,
    "1 candidate waits",
  },
  {
    "rejected",
    { line = without(line({ rejected = { [1] = true } }), "n") },
    "rejected",
    0,
    "again",
  },
  { "stale", { line = line({ hash = OLD }), file = P }, "stale", 0, "the request changed" },
  {
    "stale, make",
    { candidates = 2, line = line({ hash = OLD }), file = P, stale = "make" },
    "stale",
    20,
    "",
  },
  {
    "stale, all there",
    { line = line({ hash = OLD }), file = P, stale = "make", known = { { object = Q } } },
    "stale",
    0,
    "",
  },
  { "stale, and never accepted", { line = without(line({ hash = OLD }), "n") }, "new", 10, "" },
  {
    "new ones beside an older picture",
    { candidates = 2, line = line({ of = OLD, made = 2 }), file = P },
    "unreviewed",
    0,
    "2 candidates wait",
  },
  {
    "stale, and edited",
    { line = line({ hash = OLD }), file = Q, stale = "make" },
    "edited",
    0,
    "not what was accepted",
  },
  {
    "edited, and made",
    { line = line({ of = OLD }), file = Q },
    "edited",
    0,
    "not what was accepted",
  },
  { "kept", { candidates = 3, line = line({ n = 0, made = 0 }), file = P }, "fresh", 0, "" },
  {
    "kept for an older request, and changed",
    { candidates = 3, line = line({ n = 0, made = 0, hash = OLD }), file = P, stale = "make" },
    "stale",
    30,
    "",
  },
  {
    "kept for an older request, and making",
    { candidates = 3, line = line({ n = 0, made = 1, of = OLD }), file = P },
    "new",
    20,
    "2 candidates more",
  },
  { "kept, and again", { line = line({ n = 0, made = 0, want = 1 }), file = P }, "new", 10, "" },
  {
    "failed",
    { known = { { failed = "generation_failed", t = 1 } } },
    "failed",
    10,
    "generation_failed",
  },
  { "pinned", { pin = true, line = line(), file = P }, "pinned", 0, "pinned" },
  {
    "pinned by the lock",
    { line = line({ pin = true, hash = OLD }), file = P, stale = "make" },
    "pinned",
    0,
    "",
  },
  { "pinned, never made", { pin = true }, "pinned", 0, "never made" },
  {
    "never sent",
    { candidates = 2, known = { { row = row("unsent") } } },
    "new",
    20,
    "2 candidates; 1 recorded, and never sent",
  },
  { "in flight", { known = { { row = row("open") } } }, "in_flight", 0, "taken up" },
  {
    "in flight, and two more",
    { candidates = 3, known = { { row = row("paid") } } },
    "in_flight",
    20,
    "not fetched yet",
  },
  {
    "in flight for a change",
    { candidates = 2, line = line({ hash = OLD }), file = P, known = { { row = row("open") } } },
    "in_flight",
    0,
    "",
  },
  { "unknown", { known = { { row = row("unknown") } } }, "unknown", 0, 'client:resolve("the-key"' },
  {
    "unknown, the others are made",
    { candidates = 2, known = { { row = row("unknown") } } },
    "unknown",
    10,
    "",
  },
  {
    "unknown, two of them",
    { candidates = 2, known = { { row = row("unknown") }, { row = row("doubtful") } } },
    "unknown",
    0,
    'candidate 1: it may have been paid (s): client:resolve("the-key", "resend" | "abandon" | '
      .. "its job id); candidate 2: an attempt ended as some_code",
  },
  { "doubtful", { known = { { row = row("doubtful") } } }, "unknown", 0, "some_code" },
}

describe("the state of a picture", function()
  for _, case in ipairs(ROWS) do
    it("is known: " .. case[1], function()
      local found = verdict(case[2] or NONE)
      assert.equal(case[3], found.state)
      assert.equal(case[4], found.cost)
      assert.equal(case[4], 10 * #found.make)
      assert.is_truthy(found.reason:find(case[5], 1, true), found.reason)
      assert.is_boolean(states.ALL[found.state])
    end)
  end

  it("tells what a pinned picture lacks", function()
    assert.equal("gone", verdict({ pin = true, line = line() }).problem)
    assert.equal("new", verdict({ pin = true }).problem)
    assert.is_nil(verdict({ pin = true, file = Q }).problem)
    assert.is_nil(verdict({ pin = true, line = line(), file = P }).problem)
  end)

  it("asks for a new candidate where the paid one is gone", function()
    assert.same({ 2 }, verdict({ line = line(), stale = "make" }).make)
  end)
end)

describe("the words that changed", function()
  local CASES = {
    { "a red fox", "a blue fox", "red", "blue" },
    { "a fox", "a big red fox", "", "big red" },
    { "a big red fox", "a fox", "big red", "" },
    { "one two three four", "four two three one", "one four", "four one" },
    { "x", "x", "", "" },
    { "", "new words", "", "new words" },
    { "a a a", "a a", "a", "" },
  }
  for _, case in ipairs(CASES) do
    it(("are found: '%s', '%s'"):format(case[1], case[2]), function()
      local gone, come = words.changed(case[1], case[2])
      assert.equal(case[3], table.concat(gone, " "))
      assert.equal(case[4], table.concat(come, " "))
    end)
  end

  it("are found in long texts, too", function()
    local many = {}
    for i = 1, 3000 do
      many[i] = "w" .. i * 7 % 3001
    end
    local before = table.concat(many, " ")
    many[1], many[1500], many[3000] = "first", "middle", "last"
    local gone, come = words.changed(before, table.concat(many, " "))
    assert.equal(3, #gone)
    assert.equal("first middle last", table.concat(come, " "))
  end)

  it("are told for each field, with nothing that a terminal would obey", function()
    local before = '{"prompt":"a red fox","ratio":"1:1","count":1}'
    local after =
      '{"prompt":"a \\u001b[31m fox","style":"cinematic","count":1,"imageUrls":["https://a"]}'
    local told = words.of(before, after)
    assert.equal(4, #told)
    assert.matches("^prompt %-red %+.+%[31m$", told[1])
    assert.is_nil(told[1]:find("\27", 1, true))
    assert.equal("ratio -1:1", told[2])
    assert.equal("preset +cinematic", told[3])
    assert.equal("image_urls +https://a", told[4])
    assert.same({}, words.of("{", after))
  end)
end)

describe("a glob", function()
  it("stops at slashes", function()
    local function matches(only, path)
      return globs.matcher(only)(path)
    end
    assert.is_true(matches(nil, "a/b.png"))
    assert.is_true(matches("a/*.png", "a/b.png"))
    assert.is_false(matches("*.png", "a/b.png"))
    assert.is_true(matches("**.png", "a/b.png"))
    assert.is_true(matches("a/?.png", "a/b.png"))
    assert.is_false(matches("a?b.png", "a/b.png"))
    assert.is_false(matches("a.png", "axpng"))
    assert.is_true(matches({ "x", "a/**" }, "a/b/c.png"))
    assert.is_false(matches({}, "a"))
  end)
end)
