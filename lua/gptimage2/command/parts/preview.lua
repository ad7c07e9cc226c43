--- A picture in the terminal: by the protocols of kitty and iTerm2 where the terminal says that it
--- has one, else by chafa or img2sixel where they are installed. Pure but for `show`.

local core = require("gptimage2.core")
local contents = require("gptimage2.files.contents")

local preview = {}

local CHUNK = 4096 -- bytes of base64 in one piece, as kitty wants them
local MAX_PICTURE = 64 * 1024 * 1024 -- bytes
local TIMEOUT = 60 -- seconds for a program that draws

local LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

--- Three bytes as four letters.
local function triple(a, b, c)
  local bits = a * 65536 + (b or 0) * 256 + (c or 0)
  local letters = {}
  for i = 4, 1, -1 do
    local at = bits % 64 + 1
    letters[i], bits = LETTERS:sub(at, at), math.floor(bits / 64)
  end
  letters[4] = c and letters[4] or "="
  letters[3] = b and letters[3] or "="
  return table.concat(letters)
end

--- base64, with its padding.
---@param bytes string
---@return string
function preview.base64(bytes)
  local parts = {}
  for at = 1, #bytes, 3 do
    parts[#parts + 1] = triple(bytes:byte(at, at + 2))
  end
  return table.concat(parts)
end

--- A PNG for kitty: shown where the cursor is.
---@param bytes string
---@return string
function preview.kitty(bytes)
  local text, parts = preview.base64(bytes), {}
  for at = 1, #text, CHUNK do
    local more = at + CHUNK <= #text and 1 or 0
    local keys = at == 1 and "a=T,f=100,q=2," or ""
    parts[#parts + 1] = ("\27_G%sm=%d;%s\27\\"):format(keys, more, text:sub(at, at + CHUNK - 1))
  end
  return table.concat(parts) .. "\n"
end

--- A picture of any kind for iTerm2.
---@param bytes string
---@return string
function preview.iterm2(bytes)
  local keys = ("inline=1;size=%d;preserveAspectRatio=1"):format(#bytes)
  return ("\27]1337;File=%s:%s\7\n"):format(keys, preview.base64(bytes))
end

--- What the terminal says that it can.
---@param env fun(name: string): string|nil
---@return "kitty"|"iterm2"|nil
function preview.protocol(env)
  local term, program = env("TERM") or "", env("TERM_PROGRAM") or ""
  if (env("TMUX") or "") ~= "" or term:find("^screen") or term:find("^tmux") then
    return nil -- it passes neither on
  elseif (env("KITTY_WINDOW_ID") or "") ~= "" or term == "xterm-kitty" or program == "ghostty" then
    return "kitty"
  elseif program == "iTerm.app" or program == "WezTerm" or env("LC_TERMINAL") == "iTerm2" then
    return "iterm2"
  end
end

--- The path of the first of these programs that there is.
local function find(...)
  for _, name in ipairs({ ... }) do
    for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
      local path = folder .. "/" .. name
      if core.file_id(path, true) then
        return path
      end
    end
  end
end

--- Shows a file on a terminal; where nothing can, its path, which is told anyway, is all.
---@param path string
---@param out gptimage2.command.Output
function preview.show(path, out)
  if out.json or not core.terminal.is(1) then
    return
  end
  local protocol, bytes = preview.protocol(os.getenv), nil
  local is_png = core.disk.image_kind(path) == "png"
  if protocol == "iterm2" or protocol == "kitty" and is_png then
    bytes = contents.read(path, MAX_PICTURE)
  end
  local drawer = not bytes and find("chafa", "img2sixel")
  if bytes then
    out:write(preview[protocol](bytes))
  elseif drawer then
    core.run_program({ drawer, path }, TIMEOUT)
  end
end

return preview
