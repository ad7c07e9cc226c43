--- A page of pictures: one static file, from data. Pure: data and a digest in, HTML out.

local script = require("gptimage2.pages.script")
local style = require("gptimage2.pages.style")
local text = require("gptimage2.pages.text")

local pages = {}

local POLICY = "default-src 'none'; img-src 'self' file:; style-src 'sha256-%s'; "
  .. "script-src 'sha256-%s'; base-uri 'none'; form-action 'none'"

--- By this a page is known as one of ours.
pages.SIGN = '<meta name="generator" content="gptimage2">'

local PAGE = [[<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="gptimage2">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<noscript><p>This page shows its pictures by a script of its own, which the browser has switched
off.</p></noscript>
<script type="application/json" id="data">{data}</script>
<script>{script}</script>
</body>
</html>
]]

---@class gptimage2.pages.Candidate
---@field n integer
---@field src string|nil a link beside the page
---@field prompt string|nil the final prompt, as the service told it
---@field seed string|nil
---@field accepted boolean|nil
---@field rejected boolean|nil

---@class gptimage2.pages.Picture
---@field path string
---@field hash string|nil
---@field state string
---@field reason string
---@field cost integer of what is not made yet
---@field command string|nil that makes it
---@field prompt string as it was asked for
---@field ratio string|nil
---@field axes table<string, string>
---@field candidates gptimage2.pages.Candidate[]

---@class gptimage2.pages.Data
---@field title string
---@field view "review"|"grid"|"sheet" what is shown first
---@field decides boolean whether there is something to decide
---@field axes string[] names
---@field pictures gptimage2.pages.Picture[]

--- The page.
---@param data gptimage2.pages.Data
---@param digest fun(text: string): string the SHA-256 of a text, in hex
---@return string html
function pages.render(data, digest)
  local parts = {
    policy = POLICY:format(text.base64(digest(style)), text.base64(digest(script))),
    title = text.html(data.title),
    style = style,
    data = text.encode(data),
    script = script,
  }
  return (PAGE:gsub("{(%l+)}", function(name)
    return parts[name]
  end))
end

return pages
