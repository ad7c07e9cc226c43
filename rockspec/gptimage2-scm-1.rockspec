rockspec_format = "3.0"
package = "gptimage2"
version = "scm-1"
source = {
  url = "git+https://github.com/gptimage2/gptimage2-lua.git",
  branch = "main",
}
description = {
  summary = "The GPTImage2.ai image service for any Lua program",
  detailed = [[
Describe a picture, get files: a C core on its own thread does the HTTP, the
polling and the downloads, so that a frame loop never stalls; coroutines and
plain scripts use the same calls. The ledger is built where the headers of
SQLite and libsodium are.]],
  homepage = "https://github.com/gptimage2/gptimage2-lua",
  license = "MIT",
  labels = { "http", "image" },
}
dependencies = {
  "lua >= 5.1, < 5.6",
  "lua-cjson >= 2.1.0",
  "argparse >= 0.7.1", -- of the program alone
}
external_dependencies = {
  CURL = { library = "curl" },
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_C_FLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    BINDIR = "$(BINDIR)",
    CURL_INCDIR = "$(CURL_INCDIR)",
    CURL_LIBDIR = "$(CURL_LIBDIR)",
    GPTIMAGE2_CORE = "ON",
    GPTIMAGE2_SANDBOX = "OFF",
  },
  copy_directories = { "examples", "library" },
}
test = {
  type = "command",
  command = "./spec/run quick",
}
