--- Pictures in Markdown: see plugin/gptimage2_nvim.lua. In your init.lua, if you like:
---
---   require("gptimage2_nvim").setup({ ratio = "16:9", client = { budget = 500 } })
local M = {}

--- ratio: of all pictures. client: options of gptimage2.new.
local settings = { ratio = "4:3", client = {} }
local marks = vim.api.nvim_create_namespace("gptimage2")
local client

function M.setup(given)
  settings = vim.tbl_extend("force", settings, given or {})
  client = nil -- the next picture has a client of its own
end

local function tell(text)
  vim.notify("GptImage: " .. tostring(text), vim.log.levels.ERROR)
end

--- The command line tells how far it is. Nothing is asked, and nothing kept in :messages.
local function on_event(e)
  if e.type ~= "failed" and e.type ~= "saved" then
    local text = ("GptImage: %s (%.0f s) %s"):format(e.status, e.job.elapsed, e.job.request.prompt)
    vim.api.nvim_echo({ { vim.fn.strcharpart(text, 0, vim.o.columns - 20) } }, false, {})
  end
end

local function get_client()
  if not client then
    local ours = { on_event = on_event, on_error = tell }
    local options = vim.tbl_extend("keep", settings.client, ours)
    client = assert(require("gptimage2").new(options))
  end
  return client
end

--- Where the picture's file goes: beside the buffer's, named after the prompt.
local function place(buffer, prompt)
  local name = vim.api.nvim_buf_get_name(buffer)
  local folder = name ~= "" and vim.fn.fnamemodify(name, ":p:h") or vim.fn.getcwd()
  if folder:find("[{}]") then -- braces are placeholders in a pattern
    return folder
  end
  local words = prompt:lower():gsub("[^%w]+", "-"):gsub("^%-", ""):sub(1, 40):gsub("%-$", "")
  return ("%s/%s{id}.{ext}"):format(folder, words == "" and "" or words .. "-")
end

--- Puts the link where the cursor was; the mark has moved with the text since.
local function insert_link(buffer, mark, prompt, path)
  if not vim.api.nvim_buf_is_loaded(buffer) then
    return tell("its buffer is gone; the picture is " .. path)
  end
  local row, column = unpack(vim.api.nvim_buf_get_extmark_by_id(buffer, marks, mark, {}))
  vim.api.nvim_buf_del_extmark(buffer, marks, mark)
  local link = ("![%s](%s)"):format(prompt:gsub("[%[%]\\]", "\\%0"), vim.fn.fnamemodify(path, ":t"))
  local ok, why = pcall(vim.api.nvim_buf_set_text, buffer, row, column, row, column, { link })
  if not ok then
    return tell(("%s; the picture is %s"):format(why, path))
  end
  vim.api.nvim_echo({ { "GptImage: " .. path } }, true, {})
end

--- Waits: in a coroutine, so the editor goes on meanwhile.
local function make(buffer, mark, prompt)
  local where = { place(buffer, prompt), sidecar = false }
  local job = assert(get_client():generate({ prompt = prompt, ratio = settings.ratio }, {
    save = where,
  }))
  if not job.files then
    local text = "%s; it is paid: job %s, %s"
    error(text:format(tostring(job.save_error), job.id, job.results[1].image_url), 0)
  end
  insert_link(buffer, mark, prompt, job.files[1])
end

--- Makes a picture and links it where the cursor is. Returns at once.
---@param prompt string
function M.insert(prompt)
  local buffer = vim.api.nvim_get_current_buf()
  local row, column = unpack(vim.api.nvim_win_get_cursor(0))
  row = math.max(row, 1) -- 0 while the editor starts
  -- What is typed here meanwhile comes behind the link.
  local mark =
    vim.api.nvim_buf_set_extmark(buffer, marks, row - 1, column, { right_gravity = false })
  coroutine.wrap(function()
    local ok, err = pcall(make, buffer, mark, prompt)
    if not ok then
      pcall(vim.api.nvim_buf_del_extmark, buffer, marks, mark)
      tell(err)
    end
  end)()
end

return M
