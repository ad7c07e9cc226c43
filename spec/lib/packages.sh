# shellcheck shell=bash
# Installs the Debian packages a purpose needs, and only those that are
# missing; elsewhere names them and stops.  To be sourced.
#
#   need_packages <purpose>...    purposes: run, build, test
#
# GPTIMAGE2_PACKAGES=skip in the environment trusts that all is there (another
# system, where the packages have other names).

# One line a package; a|b means that either will do, and a is installed.
packages_for() {
  case $1 in
    run) # to run a program that uses the module
      cat <<'END'
ca-certificates
lua5.4
lua-cjson
libcurl4|libcurl3-gnutls
libsqlite3-0
END
      ;;
    build) # to build the module and the sandbox
      cat <<'END'
gcc|clang
libc6-dev
make
cmake
pkg-config|pkgconf
liblua5.4-dev
libcurl4-openssl-dev|libcurl4-gnutls-dev|libcurl4-nss-dev
libsqlite3-dev
libmicrohttpd-dev
libjansson-dev
libcairo2-dev
libgnutls28-dev
END
      ;;
    test) # to run every test
      cat <<'END'
gcc
binutils
curl
lua5.1
lua5.2
lua5.3
luajit
liblua5.1-0-dev
liblua5.2-dev
liblua5.3-dev
libluajit-5.1-dev
lua-busted
lua-check
luarocks
libcmocka-dev
valgrind
sqlite3
strace
clang
libclang-rt-dev
clang-format
clang-tidy
cppcheck
shellcheck
END
      ;;
    *)
      echo "packages_for: unknown purpose '$1'" >&2
      return 2
      ;;
  esac
}

package_installed() {
  local status
  status=$(dpkg-query -W -f '${Status}' "$1" 2>/dev/null) || return 1
  [ "$status" = "install ok installed" ]
}

# Prints, of the given purposes' packages, those that are missing.
missing_packages() {
  local purpose line name found
  for purpose in "$@"; do
    packages_for "$purpose"
  done | sort -u | while read -r line; do
    found=no
    for name in ${line//|/ }; do
      if package_installed "$name"; then
        found=yes
        break
      fi
    done
    [ $found = yes ] || echo "${line%%|*}"
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

apt_install() {
  local apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300)
  as_root "${apt[@]}" update ||
    echo "packages: apt-get update failed, going on with the lists there are" >&2
  as_root "${apt[@]}" install -y --no-install-recommends "$@"
}

# Names what to install, for a person.
name_packages() {
  echo "packages: these are missing, please install them:" >&2
  printf '  %s\n' "$@" >&2
}

need_packages() {
  [ "${GPTIMAGE2_PACKAGES:-}" != skip ] || return 0
  if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
    local purpose
    # shellcheck disable=SC2046 # one word a package
    name_packages $(for purpose in "$@"; do packages_for "$purpose"; done | sort -u)
    echo "packages: (their names on Debian) then run this again with" \
      "GPTIMAGE2_PACKAGES=skip" >&2
    return 1
  fi
  local missing
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # one word a package
  set -- $missing
  if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
    name_packages "$@"
    echo "packages: as root: apt-get install $*" >&2
    return 1
  fi
  echo "packages: installing $*"
  apt_install "$@" || {
    name_packages "$@"
    return 1
  }
}
