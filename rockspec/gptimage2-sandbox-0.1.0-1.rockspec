rockspec_format = "3.0"
package = "gptimage2-sandbox"
version = "0.1.0-1"
source = {
  url = "git+https://github.com/gptimage2/gptimage2-lua.git",
  tag = "v0.1.0",
}
description = {
  summary = "A stand-in for the GPTImage2.ai image service, inside the process",
  detailed = [[
A test double for programs that use gptimage2: real HTTP on loopback, real
JSON, keys, credits, pictures and faults, without an account. Built with
libmicrohttpd, jansson, cairo and gnutls, which pkg-config has to know.]],
  homepage = "https://github.com/gptimage2/gptimage2-lua",
  license = "MIT",
  labels = { "http", "image", "test" },
}
dependencies = {
  "lua >= 5.1, < 5.6",
}
build = {
  type = "cmake",
  variables = {
    CMAKE_BUILD_TYPE = "Release",
    CMAKE_C_FLAGS = "$(CFLAGS)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    GPTIMAGE2_CORE = "OFF",
    GPTIMAGE2_SANDBOX = "ON",
  },
  copy_directories = {},
}
test = {
  type = "command",
  command = "./spec/run quick",
}
