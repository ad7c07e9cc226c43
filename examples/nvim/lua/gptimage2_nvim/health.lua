--- :checkhealth gptimage2_nvim
local M = {}

-- Neovim 0.10 has vim.health.ok; those before it have report_ok, in 0.7 in a module.
local health = vim.health or require("health")

local function report(kind, ...)
  (health[kind] or health["report_" .. kind])(...)
end

local function check_key()
  if (vim.env.GPTIMAGE2_API_KEY or "") ~= "" then
    report("ok", "GPTIMAGE2_API_KEY is set")
  else
    report("warn", "GPTIMAGE2_API_KEY is not set", { "set it, or give setup a client.api_key" })
  end
end

function M.check()
  report("start", "gptimage2")
  local ok, found = pcall(require, "gptimage2")
  if not ok then
    report("error", "the module cannot be loaded: " .. tostring(found), {
      "install it for Lua 5.1, whose modules LuaJIT loads",
    })
    return
  end
  report("ok", found._VERSION .. " is loaded")
  check_key()
  local client, err = found.new()
  if client then
    client:close()
    report("ok", "a client can be made")
  else
    report("error", tostring(err))
  end
end

return M
