#!/bin/bash
# Runs one lint over the checkout: lint.sh <tool> <its program> <build folder>
set -euo pipefail

tool=$1
program=$2
build=$3
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

# Prints the files below the given folders whose names match, NUL-terminated.
files() {
  local pattern=$1 folders=()
  shift
  for folder in "$@"; do
    [ ! -d "$folder" ] || folders+=("$folder")
  done
  find "${folders[@]}" -name "$pattern" -type f -print0 | sort -z
}

lua_files() {
  files '*.lua' lua spec examples library doc
}

c_files() {
  files '*.[ch]' src spec
}

# One process a core: the file given, or a non-zero exit when any is bad.
each() {
  xargs -0 -r -n 1 -P "$(nproc)" "$@"
}

# By their first line, or, for those that are sourced, by their name.
shell_files() {
  {
    grep -rlZE '^#!/bin/(ba)?sh' .ci doc examples spec
    files '*.sh' spec
  } | sort -zu
}

case $tool in
  luacheck)
    { lua_files; files '*.rockspec' rockspec; } | xargs -0 "$program" -q --no-color --
    ;;
  stylua)
    lua_files | xargs -0 "$program" --check --
    ;;
  clang-format)
    c_files | xargs -0 "$program" --dry-run -Werror --
    ;;
  clang-tidy)
    files '*.c' src spec/c | each "$program" --quiet -p "$build" \
      --warnings-as-errors='*'
    ;;
  cppcheck)
    "$program" --quiet --error-exitcode=1 --std=c11 --language=c \
      --enable=warning,performance,portability --inline-suppr \
      --suppress=missingIncludeSystem --library=posix -j "$(nproc)" \
      -D__GNUC__ -D_GNU_SOURCE -UGPTIMAGE2_LIBCURL -Isrc src
    ;;
  shellcheck)
    shell_files | xargs -0 "$program" -x --
    ;;
  *)
    echo "lint.sh: unknown tool $tool" >&2
    exit 2
    ;;
esac
