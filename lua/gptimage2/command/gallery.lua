--- `gptimage2 gallery`: a page of all pictures in a folder.

local assets = require("gptimage2.assets")
local options = require("gptimage2.command.parts.options")
local page = require("gptimage2.command.parts.page")

local gallery = {}

gallery.summary = "Writes a page of the pictures in a folder, and says where it is."
gallery.description = "The page is index.html in that folder, with what the pictures' sidecars "
  .. "tell. Never over one that is not ours."
gallery.examples = { "gptimage2 gallery out" }

--- Its options and arguments.
---@param command table of argparse
function gallery.define(command)
  command:argument("folder", "The folder with the pictures.")
  options.json(command)
end

---@param args table
---@param out gptimage2.command.Output
---@return integer status
function gallery.run(args, out)
  return page.tell(out, assets.gallery(args.folder))
end

return gallery
