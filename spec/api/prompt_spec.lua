local prompt = require("gptimage2.prompt")

local A = "https://cdn.example.com/a.png"
local B = "https://cdn.example.com/b.png"
local C = "https://cdn.example.com/c.png"

local function raises(needle, fn)
  local ok, message = pcall(fn)
  assert.is_false(ok)
  assert.is_truthy(tostring(message):find(needle, 1, true), tostring(message))
  assert.is_truthy(tostring(message):find("prompt_spec.lua:", 1, true), tostring(message))
end

describe("a prompt", function()
  it("puts subject, style, light, frame and text in this order", function()
    local p = prompt({
      text = "OPEN 24H",
      frame = "wide shot",
      light = "neon at dusk",
      style = "editorial photo",
      subject = "a diner",
    })
    assert.equal(
      'a diner, editorial photo, neon at dusk, wide shot, with the text "OPEN 24H"',
      tostring(p)
    )
  end)

  it("joins lists, trims pieces and leaves empty ones out", function()
    local p = prompt({ subject = { " a fox ", "", "in snow" }, style = "  ", light = {} })
    assert.equal("a fox, in snow", tostring(p))
    assert.equal("", tostring(prompt({})))
  end)

  it("sets a text with straight quotes in curly ones", function()
    local p = prompt({ text = 'SAY "HI"' })
    assert.equal('with the text \226\128\156SAY "HI"\226\128\157', tostring(p))
  end)

  it("names several texts", function()
    assert.equal('with the text "A" and "B"', tostring(prompt({ text = { "A", "B" } })))
    assert.equal('with the text "A", "B" and "C"', tostring(prompt({ text = { "A", "B", "C" } })))
  end)

  it("raises for unknown pieces, with a suggestion", function()
    raises("unknown option 'sujbect', did you mean 'subject'?", function()
      prompt({ sujbect = "a fox" })
    end)
  end)

  it("raises for wrong types", function()
    raises("bad argument #1 to 'prompt' (table expected, got string)", function()
      prompt("a fox")
    end)
    raises("table expected, got nil", function()
      prompt()
    end)
    raises("option 'style' must be a string or table, got number", function()
      prompt({ style = 3 })
    end)
    raises("option 'style' must be a string or a list of strings", function()
      prompt({ style = { "a", 3 } })
    end)
    raises("option 'style' must be a string or a list of strings", function()
      prompt({ style = { first = "a" } })
    end)
  end)

  it("never changes", function()
    local list = { "a fox" }
    local p = prompt({ subject = list })
    list[1] = "a dog"
    raises("a prompt never changes; p:with{ style = ... }", function()
      p.style = "oil"
    end)
    raises("a prompt never changes", function()
      p.subject = "a dog"
    end)
    assert.equal("a fox", tostring(p))
  end)

  it("shows its pieces as copies", function()
    local p = prompt({ subject = "a fox", style = { "oil", "loose" }, refs = { palette = A } })
    assert.equal("a fox", p.subject)
    assert.is_nil(p.light)
    p.style[1] = "ink"
    p.refs.palette = B
    assert.same({ "oil", "loose" }, p.style)
    assert.same({ palette = A }, p.refs)
  end)

  it("given to the builder comes back as it is", function()
    local p = prompt({ subject = "a fox" })
    assert.is_true(rawequal(p, prompt(p)))
  end)

  it("is told from other values by prompt.is", function()
    assert.is_true(prompt.is(prompt({})))
    for _, other in ipairs({ {}, "a", 1, false, prompt }) do
      assert.is_false(prompt.is(other))
    end
    assert.is_false(prompt.is(nil))
  end)

  it("equals another of the same text and references", function()
    assert.is_true(prompt({ subject = "a fox" }) == prompt({ subject = { " a fox " } }))
    assert.is_false(prompt({ subject = "a fox" }) == prompt({ subject = "a dog" }))
    local one, other = { refs = { subject = A } }, { refs = { subject = B } }
    assert.is_false(prompt(one) == prompt(other))
    assert.is_true(prompt(one) == prompt(one))
  end)

  it("is freed when nobody holds it", function()
    local seen = setmetatable({ prompt({ subject = "a fox" }) }, { __mode = "v" })
    collectgarbage()
    collectgarbage()
    assert.is_nil(seen[1])
  end)
end)

describe("prompt:with", function()
  it("gives a changed copy and leaves the original alone", function()
    local p = prompt({ subject = "a fox", style = "oil" })
    local q = p:with({ style = "ink", light = "dawn" })
    assert.equal("a fox, oil", tostring(p))
    assert.equal("a fox, ink, dawn", tostring(q))
  end)

  it("takes a piece out with an empty one", function()
    local p = prompt({ subject = "a fox", style = "oil", refs = { subject = A } })
    assert.equal("a fox", tostring(p:with({ style = "", refs = {} })))
  end)

  it("raises like the builder", function()
    raises("bad argument #1 to 'with' (unknown option 'stlye', did you mean 'style'?)", function()
      prompt({}):with({ stlye = "oil" })
    end)
    raises("table expected", function()
      prompt({}):with("oil")
    end)
  end)
end)

describe("the .. of prompts", function()
  it("gives a string on either side", function()
    local p = prompt({ subject = "a fox" })
    assert.equal("a fox more", p .. " more")
    assert.equal("not a fox", "not " .. p)
    assert.equal("a fox1", p .. 1)
    assert.equal("a foxa fox", p .. p)
  end)

  it("raises for what is no text", function()
    raises("attempt to concatenate a nil value with a prompt", function()
      return prompt({}) .. nil
    end)
    raises("attempt to concatenate a table value with a prompt", function()
      return {} .. prompt({})
    end)
  end)
end)

describe("references", function()
  it("are numbered by purpose: subject, palette, composition, material", function()
    local p = prompt({
      subject = "a cup",
      refs = { material = C, composition = B, palette = A, subject = "https://e.com/s.png" },
    })
    assert.equal(
      "a cup. Keep the subject from ref 1, use the color palette from ref 2, "
        .. "follow the composition of ref 3, use the material from ref 4.",
      tostring(p)
    )
    assert.same({ "https://e.com/s.png", A, B, C }, p:request().image_urls)
  end)

  it("may be several for one purpose", function()
    local p = prompt({ refs = { subject = { A, B }, palette = C } })
    assert.equal(
      "Keep the subject from refs 1 and 2, use the color palette from ref 3.",
      tostring(p)
    )
    assert.same({ A, B, C }, prompt.image_urls(p))
  end)

  it("follow a sentence that has ended already", function()
    local p = prompt({ subject = "A cup!", refs = { palette = A } })
    assert.equal("A cup! Use the color palette from ref 1.", tostring(p))
  end)

  it("are kept when empty, so that the request can refuse them", function()
    assert.same({ "" }, prompt({ refs = { palette = "" } }):request().image_urls)
  end)

  it("raise for unknown purposes and wrong types", function()
    raises("unknown option 'refs.pallete', did you mean 'refs.palette'?", function()
      prompt({ refs = { pallete = A } })
    end)
    raises("option 'refs.palette' must be a string or a list of strings", function()
      prompt({ refs = { palette = { 1 } } })
    end)
    raises("option 'refs.palette' must be a string or table, got number", function()
      prompt({ refs = { palette = 1 } })
    end)
    raises("option 'refs' takes subject=, palette=, composition= and material=", function()
      prompt({ refs = { A } })
    end)
    raises("option 'refs' must be a table, got string", function()
      prompt({ refs = A })
    end)
  end)

  it("are absent where none are given", function()
    assert.is_nil(prompt.image_urls(prompt({ subject = "a cup", refs = {} })))
  end)
end)

describe("prompt:request", function()
  it("gives the finished request", function()
    local p = prompt({ subject = "a cup", refs = { subject = A } })
    assert.same({
      prompt = "a cup. Keep the subject from ref 1.",
      image_urls = { A },
      ratio = "1:1",
      count = 2,
    }, p:request({ ratio = "1:1", count = 2 }))
    assert.same({ prompt = "a fox" }, prompt({ subject = "a fox" }):request())
  end)

  it("raises for unknown fields, and for image_urls beside references", function()
    local p = prompt({ subject = "a cup", refs = { subject = A } })
    raises("unknown option 'raito', did you mean 'ratio'?", function()
      p:request({ raito = "1:1" })
    end)
    raises("unknown option 'prompt'", function()
      p:request({ prompt = "a dog" })
    end)
    raises("image_urls cannot be given beside the prompt's refs", function()
      p:request({ image_urls = { B } })
    end)
  end)
end)

describe("prompt.variants", function()
  local function all(pieces)
    local texts = {}
    for p, n in prompt.variants(pieces) do
      texts[n] = tostring(p)
    end
    return texts
  end

  it("gives all combinations, the last field fastest", function()
    assert.same({
      "fox, oil, dawn",
      "fox, oil, dusk",
      "fox, ink, dawn",
      "fox, ink, dusk",
      "owl, oil, dawn",
      "owl, oil, dusk",
      "owl, ink, dawn",
      "owl, ink, dusk",
    }, all({ light = { "dawn", "dusk" }, subject = { "fox", "owl" }, style = { "oil", "ink" } }))
  end)

  it('keeps a single string fixed, takes inner lists together and "" as left out', function()
    assert.same(
      { "fox, oil, loose", "fox" },
      all({ subject = "fox", style = { { "oil", "loose" }, "" } })
    )
  end)

  it("takes an empty list for a piece left out", function()
    assert.same({ "fox" }, all({ subject = "fox", style = {} }))
    assert.same({ "" }, all({}))
  end)

  it("varies references", function()
    local urls = {}
    for p in prompt.variants({ subject = "cup", refs = { { subject = A }, { subject = B } } }) do
      urls[#urls + 1] = p:request().image_urls[1]
    end
    assert.same({ A, B }, urls)
    assert.same(
      { "cup. Keep the subject from ref 1." },
      all({ subject = "cup", refs = { subject = A } })
    )
  end)

  it("says how many there are without making them", function()
    local many = {}
    for i = 1, 1000 do
      many[i] = "s" .. i
    end
    local next_one, total = prompt.variants({ subject = many, style = many, light = many })
    assert.equal(1e9, total)
    local p, n = next_one()
    assert.equal("s1, s1, s1", tostring(p))
    assert.equal(1, n)
  end)

  it("raises before the first combination", function()
    raises("unknown option 'stlye', did you mean 'style'?", function()
      prompt.variants({ stlye = { "oil" } })
    end)
    raises("option 'style' must be", function()
      prompt.variants({ style = { "oil", 3 } })
    end)
    raises("option 'style' must be a string or a list of strings", function()
      prompt.variants({ style = { a = "oil" } })
    end)
    raises("unknown option 'refs.pallete'", function()
      prompt.variants({ refs = { { pallete = A } } })
    end)
  end)
end)
