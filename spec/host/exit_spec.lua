local child = require("spec.helpers.child")
local storm = require("spec.faults.exit.storm")

local LUA = os.getenv("GPTIMAGE2_SPEC_LUA")
local SLOW = os.getenv("GPTIMAGE2_SPEC_SLOW") ~= nil

-- Processes for each case; the long form has many more (spec/faults/exit_run). Valgrind and the
-- sanitizers take a second or more for each.
local LIVES = SLOW and 2 or 6
local AT_ONCE = 4

-- Seconds that the end of a process may take, besides the time that the machine takes, busy as it
-- is, for what the end may have to wait for.
local LIMIT = 0.05

-- Which way of ending each scene gets here; the long form has all of them.
local CASES = SLOW
    and {
      plain = { "exit", "close", "end" },
      tls = { "exit" },
      ledger = { "exit" },
      ["own-tls"] = { "exit" },
    }
  or {
    plain = { "exit", "close", "end", "error", "term", "finalizer", "main" },
    tls = { "exit", "end" },
    name = { "exit", "end" },
    ledger = { "exit", "finalizer" },
    own = { "exit", "end" },
    ["own-tls"] = { "exit", "close" },
  }

describe("a process that ends soon after its first submit", function()
  local lives_of

  setup(function()
    lives_of = storm.new(LUA)
  end)

  teardown(function()
    lives_of:stop()
  end)

  for _, scene in ipairs(storm.SCENES) do
    for _, ending in ipairs(CASES[scene] or {}) do
      it(("neither crashes nor hangs (%s, %s)"):format(scene, ending), function()
        if ending == "main" and not lives_of:has_main() then
          return
        end
        for _, life in ipairs(lives_of:run(scene, ending, LIVES, AT_ONCE)) do
          local where = ("after %.6f s"):format(life.delay)
          local wrong = ("%s: %s: %s"):format(where, tostring(life.wrong), life.text)
          assert.is_nil(life.wrong, wrong)
        end
      end)
    end
  end

  -- A sanitizer's launcher has the last word on LD_PRELOAD.
  if not SLOW then
    local function with_slow_start(seconds, rest)
      local library = LUA:gsub("lua/[^/]+/lua$", "tools/slow_start.so")
      return child.run([[
        local gptimage2 = require("gptimage2")
        local client = gptimage2.new({ api_key = "key", base_url = "https://127.0.0.1:1" })
        client:submit({ prompt = "a cup" })
      ]] .. rest, {}, ("SLOW_START=%g LD_PRELOAD=%s"):format(seconds, library))
    end

    -- Nothing is written where this libcurl has another TLS library.
    it("waits until the engine is out of a TLS library that begins", function()
      local result = with_slow_start(1, "require('spec.host').pause(0.5) os.exit(0)")
      assert.equal(0, result.exit)
      assert.is_true(result.errors == "" or result.errors == "in out ", result.errors)
    end)

    it("is not given a cleanup that could come while the engine is in OpenSSL", function()
      local result = with_slow_start(0, "gptimage2.step(0.5) os.exit(0)")
      assert.equal(0, result.exit)
      assert.is_true(result.errors == "" or result.errors == "in out ", result.errors)
    end)

    it("does not wait for what goes on in its engine", function()
      local control = lives_of:run("load", "exit", LIVES, 2)
      local lives = lives_of:run("plain", "exit", LIVES, 2)
      local took, limit = storm.quantile(lives, 0.5), LIMIT + 3 * storm.quantile(control, 0.5)
      assert.is_true(took < limit, ("%.3f s, %.3f s at the most"):format(took, limit))
    end)
  end
end)
