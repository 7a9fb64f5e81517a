# shellcheck shell=bash
# SPDX-License-Identifier: MIT
# What ./dev installs, and how. Sourced by it; uses its say, die and have.

# Packages of Debian 12 and newer. a|b: the first that exists; ?a: only where the archive has it.
base_packages=(g++ meson ninja-build pkg-config libuv1-dev 'libllhttp-dev|node-llhttp'
  doctest-dev nlohmann-json3-dev libssl-dev libedit-dev)
clang_packages=('?clang-19' '?libclang-rt-19-dev')
test_packages=(openssl nginx-light curl nodejs python3-httpbin python3-requests wrk strace
  libpq-dev postgresql libcurl4-openssl-dev)
bench_packages=(wrk nodejs valgrind python3-uvloop python3-aiohttp libboost-dev
  libcurl4-openssl-dev)
lint_packages=(python3 clang-format-19)

installed() {  # PACKAGE
  if [[ $1 == nodejs ]] && have node; then return; fi  # wherever it came from
  [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

available() { [[ -n $(apt-cache show --no-all-versions "$1" 2>/dev/null) ]]; }

satisfied() {  # WORD
  local name
  for name in $(tr '|' ' ' <<<"${1#\?}"); do
    if installed "$name"; then return; fi
  done
  # An optional package that the known archives lack is no reason to go on line.
  [[ $1 == \?* ]] && compgen -G '/var/lib/apt/lists/*Packages*' >/dev/null && ! available "$name"
}

# Prints the package that WORD stands for in the archives that apt knows.
resolve() {  # WORD
  local name
  for name in $(tr '|' ' ' <<<"${1#\?}"); do
    if available "$name"; then printf '%s\n' "$name"; return; fi
  done
  [[ $1 == \?* ]] || die "apt knows no package $name"
}

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"
  elif have sudo; then sudo "$@"
  else die "installing packages needs root or sudo"
  fi
}

# While packages are installed, no service of theirs may start.
policy=/usr/sbin/policy-rc.d
deny_services() {
  if [[ -e $policy && ! -e $policy.before-cuvee ]]; then
    as_root mv "$policy" "$policy.before-cuvee"
  fi
  printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
  as_root chmod 755 "$policy"
}
restore_services() {
  as_root rm -f "$policy"
  if [[ -e $policy.before-cuvee ]]; then as_root mv "$policy.before-cuvee" "$policy"; fi
}

# A subshell, so that its trap restores the service policy however this ends.
apt_install() (  # PACKAGE...
  trap restore_services EXIT
  trap 'exit 130' INT TERM HUP
  deny_services
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" \
    </dev/null || exit 1
  for name in "$@"; do
    # Nor at the next boot.
    if [[ $name == nginx* ]]; then as_root update-rc.d nginx disable; fi
    if [[ $name == postgresql ]]; then as_root update-rc.d postgresql disable; fi
  done
)

# Installs what is missing of a tier; fails, after a word about it, if that cannot be done.
ensure() {  # TIER WORD...
  local tier=$1 word wanted=() names
  shift
  if ! have apt-get; then
    say "$tier: no apt-get here, taking its packages for granted ($*)"
    return
  fi
  for word in "$@"; do
    satisfied "$word" || wanted+=("$word")
  done
  if [[ ${#wanted[@]} -eq 0 ]]; then return; fi
  say "$tier: installing ${wanted[*]#\?}"
  as_root apt-get update -q </dev/null || say "apt-get update failed; going on with what apt knows"
  names=()
  for word in "${wanted[@]}"; do
    word=$(resolve "$word") || return 1
    if [[ $word ]]; then names+=("$word"); fi
  done
  if [[ ${#names[@]} -gt 0 ]] && ! apt_install "${names[@]}"; then
    say "$tier: apt-get could not install ${names[*]}"
    return 1
  fi
}

ensure_base() {
  if [[ $compiler == gcc ]]; then ensure base "${base_packages[@]}"
  else ensure base "${base_packages[@]}" "${clang_packages[@]}"
  fi
}
