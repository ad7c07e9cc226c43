# shellcheck shell=bash
# What the packaging tests share.  To be sourced; defines $root, the checkout,
# and $temp, a folder that goes away at the end.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
temp=$(mktemp -d -t gptimage2-packaging.XXXXXX)
trap 'rm -rf "$temp"' EXIT
unset GPTIMAGE2_API_KEY GPTIMAGE2_BASE_URL "${!LUA_@}"
export HOME=$temp/home
mkdir "$HOME"

fail() {
  echo "not ok: $*" >&2
  exit 1
}

# For tests that build the same files again and again; packaging/cmake builds
# them as users do.  ctest says where ccache keeps them (CCACHE_DIR); to it a
# file below $temp is the same in every test.
build_in_a_hurry() {
  export CC=$root/spec/packaging/quick-cc CCACHE_BASEDIR=$temp
  ! command -v ninja >/dev/null || export CMAKE_GENERATOR=Ninja
}

# The version, as src/engine/version.h states it.
source_version() {
  sed -n 's/^#define GPTIMAGE2_VERSION "\(.*\)"$/\1/p' \
    "$root/src/engine/version.h"
}

# Copies the checkout, without what builds leave in it, to the folder $1.
copy_checkout() {
  mkdir -p "$1"
  tar -C "$root" --exclude=./.git --exclude=./build --exclude=./build.luarocks \
    --exclude=./out -cf - . | tar -C "$1" -xf -
}

interpreter() {
  case $1 in
    jit) command -v luajit ;;
    *) command -v "lua$1" ;;
  esac
}

# The version in Lua's paths.
abi() {
  case $1 in
    jit) echo 5.1 ;;
    *) echo "$1" ;;
  esac
}

# The installed cjson of the interpreter $1: the path of its shared object.
cjson_of() {
  "$1" -e '
    for path in package.cpath:gmatch("[^;]+") do
      local name = path:gsub("?", "cjson")
      local file = io.open(name, "rb")
      if file then
        file:close()
        print(name)
        return
      end
    end
    error("cjson is not installed")'
}

# Prints the files below $1, sorted, relative to it.
tree_of() {
  (cd "$1" && find . -type f | sed 's|^\./||' | LC_ALL=C sort)
}

# Runs the quickstart with the Lua version $1 from an empty folder, with only
# the tree $2 (and cjson) on its paths, and looks at what it says and leaves.
run_quickstart() {
  local lua abi tree=$2 work=$temp/work said
  lua=$(interpreter "$1")
  abi=$(abi "$1")
  mkdir -p "$temp/cjson"
  cp "$(cjson_of "$lua")" "$temp/cjson/cjson.so"
  rm -rf "$work"
  mkdir "$work"
  export LUA_PATH="$tree/share/lua/$abi/?.lua;$tree/share/lua/$abi/?/init.lua"
  export LUA_CPATH="$tree/lib/lua/$abi/?.so;$temp/cjson/?.so"
  said=$(cd "$work" && "$lua" -e 'print(require("gptimage2")._VERSION)')
  [ "$said" = "gptimage2 $(source_version)" ] ||
    fail "_VERSION is '$said', version.h says $(source_version)"
  (cd "$work" && timeout 60 "$lua" "$root/examples/quickstart.lua")
  find "$work/out" -name '*.png' | grep -q . || fail "no picture under out/"
  find "$work/out" -name '*.json' | grep -q . || fail "no sidecar under out/"
  unset LUA_PATH LUA_CPATH
}

# The program $1: finds its modules by itself, and starts a sandbox that
# answers.
run_program() {
  local said pid url
  said=$("$1" --version) || fail "$1 --version"
  [ "$said" = "gptimage2 $(source_version)" ] || fail "$1 --version says '$said'"
  "$1" sandbox --duration 0 >"$temp/sandbox" 2>&1 &
  pid=$!
  for _ in {1..100}; do
    [ ! -s "$temp/sandbox" ] || break
    sleep 0.1
  done
  url=$(sed -n 's/.*"url": "\([^"]*\)".*/\1/p' "$temp/sandbox")
  said=$(curl --silent --max-time 10 -H "Authorization: Bearer sandbox" \
    -H "Content-Type: application/json" \
    -d '{"mode":"text-to-image","prompt":"a cup"}' "$url/api/generate") || true
  kill "$pid"
  wait "$pid" || true
  grep -q jobId <<<"$said" ||
    fail "$1 sandbox does not answer at '$url': $said $(cat "$temp/sandbox")"
}
