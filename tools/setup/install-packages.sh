#!/bin/sh
# Installs the Debian packages named as arguments, as root. Their services are held back for this
# call by a policy-rc.d, or Debian would start an nginx on port 80; whatever policy there was
# before is put back, also after a failure or a signal. It touches nothing else of the machine.
set -eu

marker='# fairlead set-up: services are held back for one call of apt-get'
policy=${FAIRLEAD_POLICY_FILE:-/usr/sbin/policy-rc.d}
saved=$policy.before-fairlead
lists=${FAIRLEAD_APT_LISTS:-/var/lib/apt/lists}

# Puts the earlier policy back. A policy with our marker is ours, also one that a killed call left.
restore() {
  if [ -e "$saved" ] || [ -L "$saved" ]; then
    mv -f "$saved" "$policy"
  elif [ -f "$policy" ] && grep -qF "$marker" "$policy"; then
    rm -f "$policy"
  fi
}

hold_services() {
  restore
  trap restore EXIT
  trap 'exit 129' HUP
  trap 'exit 130' INT
  trap 'exit 143' TERM
  if [ -e "$policy" ] || [ -L "$policy" ]; then
    mv "$policy" "$saved"
  fi
  printf '#!/bin/sh\n%s\nexit 101\n' "$marker" >"$policy"
  chmod 755 "$policy"
}

install() {
  DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install \
    --yes --no-install-recommends "$@" </dev/null
}

update() {
  apt-get -o DPkg::Lock::Timeout=300 update </dev/null
}

[ "$#" -gt 0 ] || { echo "usage: install-packages.sh PACKAGE..." >&2; exit 2; }
hold_services
updated=no
if ! ls "$lists"/*Packages* >/dev/null 2>&1; then
  update
  updated=yes
fi
# Lists that are there may be old: an answer of "not found" is asked again after an update.
if ! install "$@"; then
  [ "$updated" = no ] || exit 1
  update
  install "$@"
fi
