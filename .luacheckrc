-- One set of files for Lua 5.1 to 5.4 and LuaJIT.
std = "max"
max_line_length = 100
cache = false
exclude_files = { "build" } -- what the specs of hosts unpack there
files["spec/**/*_spec.lua"].std = "max+busted"
files["rockspec/*.rockspec"].std = "rockspec"
files["examples/nginx/*.lua"].std = "max+ngx_lua"
files["examples/haproxy/*.lua"].globals = { "core" }
-- What hosts give to their scripts.
for _, folder in ipairs({ "examples/%s/", "spec/hosts/%s/" }) do
  for name, globals in pairs({
    blocking = { "lighty" },
    love = { "love" },
    ["love-art"] = { "love" },
    minetest = { "minetest" },
    mpv = { "mp" },
    nvim = { "vim" },
    pandoc = { "pandoc", "PANDOC_STATE", "Pandoc", "Image" },
    weechat = { "weechat" },
  }) do
    files[folder:format(name) .. "**/*.lua"] = {
      globals = globals,
      ignore = name == "weechat" and { "111", "131" } or nil, -- it calls globals by their names
    }
  end
end
