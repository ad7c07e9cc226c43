# shellcheck shell=bash
# Finds out what a purpose lacks, by trying it, and installs the Debian
# packages of that and nothing else; where it cannot, it says what is missing.
# To be sourced.
#
#   need_packages <purpose>...    purposes: run, build, test, host
#
# What works counts, whatever package it came from, or none.  What only tests
# need, and is not to be had, is named: those tests are skipped by name.
#
# GPTIMAGE2_PACKAGES=skip in the environment trusts that all is there.

# One line a thing: how it is tried (a function try_<word> below, with its
# arguments), and behind the colon the packages that bring it on different
# releases: the first that apt knows is installed.
wants_of() {
  case $1 in
    run) # to run a program that uses the module
      cat <<'END'
program lua5.4 lua-5.4 lua54 : lua5.4
module 5.4 cjson : lua-cjson
module 5.4 argparse : lua-argparse
opens libcurl.so.4 libcurl-gnutls.so.4 libcurl.4.dylib : libcurl4t64 libcurl4 libcurl3t64-gnutls libcurl3-gnutls
opens libsqlite3.so.0 libsqlite3.dylib : libsqlite3-0
opens libsodium.so.23 libsodium.so.26 libsodium.dylib : libsodium23
file /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/ca-bundle.pem /etc/ssl/cert.pem : ca-certificates
END
      ;;
    build) # to build the module and the sandbox
      cat <<'END'
compiler : gcc clang
program make gmake ninja : make
program cmake : cmake
header stdio.h : libc6-dev
lua 5.4 : liblua5.4-dev
library curl curl/curl.h : libcurl4-openssl-dev libcurl4-gnutls-dev libcurl4-nss-dev
library sqlite3 sqlite3.h : libsqlite3-dev
library sodium sodium.h : libsodium-dev
library microhttpd microhttpd.h : libmicrohttpd-dev
library jansson jansson.h : libjansson-dev
library cairo cairo.h : libcairo2-dev
library gnutls gnutls/gnutls.h : libgnutls28-dev
END
      ;;
    test) # to run every test
      cat <<'END'
program gcc : gcc
program readelf : binutils
program pkg-config : pkgconf pkg-config
program curl : curl
program lua5.1 lua-5.1 lua51 : lua5.1
program lua5.2 lua-5.2 lua52 : lua5.2
program lua5.3 lua-5.3 lua53 : lua5.3
program lua5.5 lua-5.5 lua55 : lua5.5
program luajit : luajit
lua 5.1 : liblua5.1-0-dev
lua 5.2 : liblua5.2-dev
lua 5.3 : liblua5.3-dev
lua 5.5 : liblua5.5-dev
lua jit : libluajit-5.1-dev
program busted : lua-busted
program luacheck : lua-check
program luarocks : luarocks
library cmocka cmocka.h : libcmocka-dev
library nghttp2 nghttp2/nghttp2.h : libnghttp2-dev
program valgrind : valgrind
file /usr/share/i18n/locales/de_DE : locales
program sqlite3 : sqlite3
program strace : strace
program clang : clang
fuzzer : libclang-rt-dev
program clang-format : clang-format
program clang-tidy : clang-tidy
program cppcheck : cppcheck
program shellcheck : shellcheck
program ldoc ldoc.lua : lua-ldoc
program ccache : ccache
program ninja : ninja-build
END
      ;;
    host) # programs that embed Lua, and libraries with loops of their own
      cat <<'END'
module 5.4 luv : lua-luv
module 5.4 cqueues : lua-cqueues
module 5.3 lgi : lua-lgi
module 5.4 socket : lua-socket
program nvim : neovim
program haproxy /usr/sbin/haproxy : haproxy
program chromium chromium-browser : chromium
module 5.2 http.server : lua-http
program nmap : nmap
program love : love
program Xvfb : xvfb
program pandoc : pandoc
program mpv : mpv
program weechat-headless : weechat-headless
file /usr/lib/*/weechat/plugins/lua.so : weechat-lua
program /usr/games/minetestserver minetestserver luantiserver : minetest-server luanti-server
program vim.nox vim.gtk3 : vim-nox
program texlua : texlive-binaries
program lighttpd /usr/sbin/lighttpd : lighttpd
file /usr/lib/lighttpd/mod_magnet.so : lighttpd-modules-lua
END
      ;;
    *)
      echo "wants_of: unknown purpose '$1'" >&2
      return 2
      ;;
  esac
}

# Each try_<word> gives 0 when it works, 1 when not, and 2 when that cannot be
# told yet, because what it is tried with is missing itself.

try_program() {
  local name
  for name in "$@"; do
    ! command -v "$name" >/dev/null || return 0
  done
  return 1
}

try_file() {
  local name
  for name in "$@"; do
    [ ! -r "$name" ] || return 0
  done
  return 1
}

# Prints the interpreter of a Lua version.
lua_program() {
  local name
  for name in "lua$1" "lua-$1" "lua${1/./}"; do
    ! command -v "$name" || return 0
  done
  return 1
}

# A Lua module, for the version $1.
try_module() {
  local lua
  lua=$(lua_program "$1") || return 2
  "$lua" -e "require('$2')" >/dev/null 2>&1
}

# A shared library that the dynamic linker finds: Lua can try that.
try_opens() {
  local lua name
  lua=$(lua_program 5.4) || return 2
  for name in "$@"; do
    ! "$lua" -e "assert(package.loadlib('$name', '*'))" >/dev/null 2>&1 ||
      return 0
  done
  return 1
}

# Prints how many processors there are.
cores() {
  nproc 2>/dev/null || getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2
}

# Prints the C compiler, as CMake would choose it.
c_compiler() {
  local name
  for name in ${CC:+"$CC"} cc gcc clang; do
    ! command -v "$name" || return 0
  done
  return 1
}

try_compiler() {
  c_compiler >/dev/null
}

# Compiles and links the program that is read, with the arguments.
compiles() {
  local cc result=0 out
  cc=$(c_compiler) || return 2
  out=$(mktemp) || return 2
  "$cc" -x c - -o "$out" "$@" >/dev/null 2>&1 || result=1
  rm -f "$out"
  return $result
}

try_header() {
  printf '#include <%s>\nint main(void) { return 0; }\n' "$1" | compiles
}

# Prints, one a line, the folders the headers of $1 may be in besides the
# compiler's own; pkg-config is asked where it is there.
header_folders() {
  pkg-config --cflags-only-I "$1" 2>/dev/null | tr ' ' '\n' | sed -n 's/^-I//p'
  printf '%s\n' {/usr,/usr/local,/opt/homebrew}/include/"$1"
}

# Libraries with their headers: pairs of the two.
try_library() {
  local flags=() libraries=() headers=() folder
  while [ $# -gt 0 ]; do
    for folder in $(header_folders "$1"); do
      flags+=(-I"$folder")
    done
    libraries+=("-l$1")
    headers+=("$2")
    shift 2
  done
  {
    printf '#include <%s>\n' stddef.h stdarg.h stdint.h setjmp.h "${headers[@]}"
    echo 'int main(void) { return 0; }'
  } | compiles "${flags[@]}" "${libraries[@]}"
}

# The headers of a Lua version.
try_lua() {
  c_compiler >/dev/null || return 2
  local name number abi=$1 folder result=1 names
  names="lua$1 lua-$1 lua${1/./} lua"
  if [ "$1" = jit ]; then
    abi=5.1 names='luajit luajit-2.1 luajit-2.0'
  fi
  number=${abi/./0}
  for name in $names; do
    for folder in $(header_folders "$name"); do
      [ -r "$folder/lua.h" ] || continue
      result=0
      compiles -fsyntax-only -I"$folder" <<END || result=$?
#include <lua.h>
#if LUA_VERSION_NUM != $number
#error another version
#endif
int main(void) { return 0; }
END
      [ $result = 1 ] || return $result
    done
  done
  return $result
}

# The libraries that clang's fuzzer needs.
try_fuzzer() {
  local folder
  folder=$(clang -print-resource-dir 2>/dev/null) || return 2
  [ -n "$(find "$folder/" -name 'libclang_rt.fuzzer*')" ]
}

# Reads lines and prints them without the libraries, if all of those work:
# one try for all of them is much faster.
without_libraries() {
  local lines pairs
  lines=$(cat)
  pairs=$(sed -n 's/^library \(.*\) : .*/\1/p' <<<"$lines")
  # shellcheck disable=SC2086 # pairs of words
  if [ -n "$pairs" ] && try_library $pairs; then
    sed '/^library /d' <<<"$lines"
  else
    echo "$lines"
  fi
}

# Prints the lines of the given purposes whose thing does not work.  The first
# argument says what becomes of those that cannot be told yet: with or without.
lacking() {
  local untold=$1 purpose line result
  shift
  for purpose in "$@"; do
    wants_of "$purpose" || return
  done | sort -u | without_libraries | while read -r line; do
    result=0
    # shellcheck disable=SC2086 # a line is words
    try_${line%% : *} </dev/null || result=$?
    case $result-$untold in
      0-* | 2-without) ;;
      *) echo "$line" ;;
    esac
  done
}

# Runs a command as root: prints nothing, asks for a password at most.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

# Nothing that is there is taken away for it.
apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive apt-get -q \
    -o DPkg::Lock::Timeout=300 "$@"
}

# Prints the first of the packages that apt can install.
first_known() {
  local name
  for name in "$@"; do
    if [[ $(apt-cache policy "$name" 2>/dev/null) == *"Candidate: "[!\(]* ]]; then
      echo "$name"
      return 0
    fi
  done
  return 1
}

# Prints a package for each of the lines that are read, where apt knows one.
packages_of() {
  local line
  while read -r line; do
    # shellcheck disable=SC2086 # one word a package
    first_known ${line#* : } || true
  done | sort -u
}

# Installs what the lines $1 ask for.
install_for() {
  local packages
  packages=$(packages_of <<<"$1")
  [ -n "$packages" ] || return 0
  echo "packages: installing ${packages//$'\n'/ }"
  # shellcheck disable=SC2086 # one word a package
  apt_get install -y --no-remove --no-install-recommends $packages
}

# Says to a person what the lines $1 lack, and what would bring it.
name_lacking() {
  local line names
  echo "packages: these do not work here, please install them:" >&2
  while read -r line; do
    names=${line#* : }
    printf '  %-44.44s on Debian: %s\n' "${line%% : *}" "${names// / or }" >&2
  done <<<"$1"
}

# Without a system that installs, or the right to: the names, and the end.
ask_for() {
  name_lacking "$1"
  if command -v apt-get >/dev/null; then
    # shellcheck disable=SC2046 # one word a package
    echo "packages: as root: apt-get install" $(packages_of <<<"$1") >&2
  fi
  echo "packages: then run this again; GPTIMAGE2_PACKAGES=skip goes on" \
    "without looking" >&2
  return 1
}

# Prints the lines that are lacking for other purposes than the tests.
lacking_but_for_tests() {
  local purpose needed=()
  for purpose in "$@"; do
    [ "$purpose" = test ] || [ "$purpose" = host ] || needed+=("$purpose")
  done
  [ ${#needed[@]} = 0 ] || lacking with "${needed[@]}"
}

# Whether apt has its lists, and nothing in them for the lines $1.
knows_nothing_of() {
  [ -z "$(packages_of <<<"$1")" ] &&
    [ -n "$(find /var/lib/apt/lists -name '*_Packages*' 2>/dev/null)" ]
}

# What is still lacking after the installation: the end, but for tests.
settle() {
  local lines
  lines=$(lacking_but_for_tests "$@")
  if [ -n "$lines" ]; then
    name_lacking "$lines"
    return 1
  fi
  lines=$(lacking with "$@")
  [ -z "$lines" ] || {
    echo "packages: not to be had here, so some tests are skipped by name:"
    sed 's/ : .*//; s/^/  /' <<<"$lines"
  } >&2
}

need_packages() {
  [ "${GPTIMAGE2_PACKAGES:-}" != skip ] || return 0
  local lines
  lines=$(lacking with "$@")
  [ -n "$lines" ] || return 0
  # A release that lacks what only tests need is not asked again each time.
  if command -v apt-get >/dev/null && knows_nothing_of "$lines" &&
    [ -z "$(lacking_but_for_tests "$@")" ]; then
    settle "$@"
    return
  fi
  if ! command -v apt-get >/dev/null ||
    { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
    ask_for "$lines"
    return
  fi
  apt_get update ||
    echo "packages: apt-get update failed, going on with the lists there are" >&2
  # What the others are tried with comes first: then nothing is installed
  # beside another package that would do.
  if install_for "$(lacking without "$@")" &&
    install_for "$(lacking without "$@")"; then
    settle "$@"
  else
    ask_for "$(lacking with "$@")"
  fi
}
