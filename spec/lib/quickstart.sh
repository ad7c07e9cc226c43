#!/usr/bin/env bash
# The newcomer's command: examples/quickstart, from an empty folder, with a
# build folder of its own and no API key, leaves a picture and its sidecar.
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
temp=$(mktemp -d -t gptimage2-quickstart.XXXXXX)
trap 'rm -rf "$temp"' EXIT
unset GPTIMAGE2_API_KEY GPTIMAGE2_BASE_URL

cd "$temp"
GPTIMAGE2_BUILD=$temp/build "$root/examples/quickstart"
for kind in png json; do
  find "$temp/out" -name "*.$kind" | grep -q . || {
    echo "not ok: no $kind file under out/" >&2
    exit 1
  }
done

# What a configuration that failed left does not stand in the way of the next.
rm "$temp/build/Makefile"
GPTIMAGE2_BUILD=$temp/build "$root/examples/quickstart" >"$temp/log" 2>&1 || {
  cat "$temp/log" >&2
  echo "not ok: quickstart after a configuration that failed" >&2
  exit 1
}
echo "ok: quickstart"
