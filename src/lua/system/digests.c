/*
 * Digests for Lua, each as text: who compares two, compares two strings.
 */
#include "digests.h"

#include "engine/base/platform.h"
#include "engine/store/digest.h"
#include "lua/shown/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define RANDOM_MAX 256

static void push_hex(lua_State *L, const unsigned char *bytes, size_t length) {
  static const char digits[] = "0123456789abcdef";
  char text[2 * RANDOM_MAX];
  for (size_t i = 0; i < length; i++) {
    text[2 * i] = digits[bytes[i] >> 4];
    text[2 * i + 1] = digits[bytes[i] & 15];
  }
  lua_pushlstring(L, text, 2 * length);
}

/* base64url without padding. */
static void push_base64(lua_State *L,
                        const unsigned char digest[DIGEST_BYTES]) {
  static const char letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char text[(DIGEST_BYTES * 8 + 5) / 6];
  unsigned bits = 0;
  unsigned held = 0; /* bits that wait */
  size_t at = 0;
  for (size_t i = 0; i < DIGEST_BYTES; i++) {
    bits = bits << 8 | digest[i];
    for (held += 8; held >= 6; held -= 6)
      text[at++] = letters[bits >> (held - 6) & 63];
  }
  if (held > 0)
    text[at++] = letters[bits << (6 - held) & 63];
  lua_pushlstring(L, text, at);
}

/* False: pushes the error that there are none. */
static bool usable(lua_State *L) {
  const char *missing = digest_missing();
  if (!missing)
    return true;
  lua_pushfstring(
      L, "this gptimage2 builds no pictures: it was built without %s", missing);
  error_push(L, "build", "builds_unsupported", lua_tostring(L, -1));
  return false;
}

/* RES: true | nil, err */
static int f_usable(lua_State *L) {
  if (!usable(L))
    return error_return(L);
  lua_pushboolean(L, 1);
  return 1;
}

/* ARG: text, [another]
** RES: the SHA-256 of one behind the other, in hex | nil, err */
static int f_sha256(lua_State *L) {
  unsigned char digest[DIGEST_BYTES];
  size_t length, more_length;
  const char *text = luaL_checklstring(L, 1, &length);
  const char *more = luaL_optlstring(L, 2, "", &more_length);
  if (!usable(L))
    return error_return(L);
  digest_of(digest, text, length, more, more_length);
  push_hex(L, digest, sizeof digest);
  return 1;
}

/* ARG: path of a file
** RES: its SHA-256 in hex | nil, what the system says | nil, err */
static int f_sha256_file(lua_State *L) {
  unsigned char digest[DIGEST_BYTES];
  const char *path = luaL_checkstring(L, 1);
  int fd, error;
  if (!usable(L))
    return error_return(L);
  fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  error = fd < 0 ? errno : digest_of_file(digest, fd);
  if (fd >= 0)
    close(fd);
  if (error) {
    lua_pushnil(L);
    lua_pushstring(L, strerror(error));
    return 2;
  }
  push_hex(L, digest, sizeof digest);
  return 1;
}

#define HASHER_TYPE "gptimage2.Hasher"

/* RES: one that takes a text piece by piece | nil, err */
static int f_hasher(lua_State *L) {
  if (!usable(L))
    return error_return(L);
  digest_begin(lua_newuserdata(L, sizeof(DigestState)));
  luaL_getmetatable(L, HASHER_TYPE);
  lua_setmetatable(L, -2);
  return 1;
}

/* ARG: hasher, piece */
static int m_add(lua_State *L) {
  size_t length;
  DigestState *state = luaL_checkudata(L, 1, HASHER_TYPE);
  const char *piece = luaL_checklstring(L, 2, &length);
  digest_more(state, piece, length);
  return 0;
}

/* ARG: hasher: it begins anew
** RES: the SHA-256 of all pieces in hex */
static int m_finish(lua_State *L) {
  unsigned char digest[DIGEST_BYTES];
  DigestState *state = luaL_checkudata(L, 1, HASHER_TYPE);
  digest_end(state, digest);
  digest_begin(state);
  push_hex(L, digest, sizeof digest);
  return 1;
}

/* ARG: key, text
** RES: the text's HMAC-SHA-256 in base64url | nil, err */
static int f_hmac(lua_State *L) {
  unsigned char digest[DIGEST_BYTES];
  size_t key_length, length;
  const char *key = luaL_checklstring(L, 1, &key_length);
  const char *text = luaL_checklstring(L, 2, &length);
  if (!usable(L))
    return error_return(L);
  digest_keyed(digest, key, key_length, text, length);
  push_base64(L, digest);
  return 1;
}

/* ARG: how many bytes
** RES: so many that nobody can guess, in hex | nil */
static int f_random(lua_State *L) {
  unsigned char bytes[RANDOM_MAX];
  lua_Integer count = luaL_checkinteger(L, 1);
  luaL_argcheck(L, count > 0 && count <= RANDOM_MAX, 1, "out of range");
  if (!platform_random(bytes, (size_t)count)) {
    lua_pushnil(L);
    return 1;
  }
  push_hex(L, bytes, (size_t)count);
  return 1;
}

void digests_open(lua_State *L) {
  static const luaL_Reg functions[] = {{"usable", f_usable},
                                       {"sha256", f_sha256},
                                       {"sha256_file", f_sha256_file},
                                       {"hmac", f_hmac},
                                       {"random", f_random},
                                       {"hasher", f_hasher},
                                       {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"add", m_add}, {"finish", m_finish}, {NULL, NULL}};
  luaL_newmetatable(L, HASHER_TYPE);
  compat_setfuncs(L, methods);
  lua_pushvalue(L, -1);
  lua_setfield(L, -2, "__index");
  lua_pop(L, 1);
  lua_newtable(L);
  compat_setfuncs(L, functions);
  lua_setfield(L, -2, "digest");
}
