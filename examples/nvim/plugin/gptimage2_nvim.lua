-- :GptImage a lighthouse at dusk    a picture beside this buffer's file, and a link to it here.
-- Copy the folder's content to ~/.local/share/nvim/site/pack/pictures/start/gptimage2/, or try it:
--   GPTIMAGE2_API_KEY=... nvim --cmd 'set rtp+=examples/nvim' notes.md
-- :checkhealth gptimage2_nvim tells what is missing. Neovim 0.7 or later.
if vim.g.loaded_gptimage2 then
  return
end
vim.g.loaded_gptimage2 = true

-- Loaded with the first picture: the editor's start costs nothing.
vim.api.nvim_create_user_command("GptImage", function(command)
  require("gptimage2_nvim").insert(command.args)
end, { nargs = "+", desc = "A picture from a prompt, linked here" })
