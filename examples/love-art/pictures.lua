-- What the game shows. A word that changes makes that picture stale: `gptimage2 plan` tells.
return {
  prompt = { style = "isometric game art, soft colours", light = "evening sun" },
  ratio = "1:1",
  pictures = {
    ["art/{what}.png"] = {
      each = { what = { "bakery", "bridge", "cottage", "mill", "tower", "well" } },
      subject = "a {what} in a small village",
    },
  },
}
