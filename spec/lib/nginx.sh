#!/usr/bin/env bash
# Gets nginx with its Lua module, for specs: prints the program and, where it is
# none that was installed, the folder it was unpacked in.  The argument is that
# folder.
#
# Debian's packages want a LuaJIT that takes the place of the one the other
# specs use: so they are only unpacked.  Prints why not to stderr, and fails,
# where there is none to be had.
set -euo pipefail

folder=$1
wanted='nginx nginx-common libnginx-mod-http-lua libnginx-mod-http-ndk
  lua-resty-core lua-resty-lrucache'

# Whether the program can load its Lua module the way its system does.
has_lua() {
  local prefix result=0
  prefix=$(mktemp -d)
  mkdir "$prefix/logs"
  echo 'include /etc/nginx/modules-enabled/*.conf; events {}
    pid logs/pid; http { access_log off; init_by_lua_block { } }' >"$prefix/conf"
  "$1" -t -q -p "$prefix" -e logs/error.log -c conf >/dev/null 2>&1 || result=1
  rm -rf "$prefix"
  return $result
}

# Prints the LuaJIT that Debian's module asks for first, in two packages.
luajit_of_module() {
  apt-cache depends --important libnginx-mod-http-lua 2>/dev/null |
    sed -n 's/^.*Depends: \(libluajit.*\)-2$/\1-2 \1-common/p' | head -n 1
}

download_and_unpack() {
  local package
  mkdir "$1/deb" && cd "$1/deb" || return
  # shellcheck disable=SC2046,SC2086 # one word a package
  timeout 120 apt-get -q -q -o APT::Sandbox::User="$(id -un)" download $wanted $(luajit_of_module) || return
  for package in *.deb; do
    dpkg -x "$package" "$1" || return
  done
  rm -r "$1/deb"
}

# Two specs may want it at the same time: what is there is whole.
unpack() {
  local temp
  mkdir -p "$(dirname "$folder")"
  temp=$(mktemp -d "$folder.XXXXXX")
  (download_and_unpack "$temp") >&2 || true
  if [ -x "$temp/usr/sbin/nginx" ] && [ ! -d "$temp/deb" ]; then
    mv -T "$temp" "$folder" 2>/dev/null || true
  fi
  rm -rf "$temp"
  [ -d "$folder" ]
}

for program in nginx openresty; do
  if path=$(command -v "$program") && has_lua "$path"; then
    echo "$path"
    exit
  fi
done
if [ ! -d "$folder" ]; then
  if ! command -v apt-get >/dev/null || ! unpack; then
    echo "no nginx with a Lua module is installed, and apt has none" >&2
    exit 1
  fi
fi
echo "$folder/usr/sbin/nginx"
echo "$folder"
