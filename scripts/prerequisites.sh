#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes sure that what the tests need is here. As root on a machine with apt it
# installs what is missing; otherwise it prints the line to run, and the tests
# that need it say that they did not run. With CI=true that is a failure.
set -euo pipefail

# command:package, for what the tests call.
tools="
qemu-system-x86_64:qemu-system-x86
gcc:gcc
make:make
readelf:binutils
objcopy:binutils
modinfo:kmod
eu-elflint:elfutils
xz:xz-utils
zstd:zstd
bzip2:bzip2
lz4:lz4
dpkg-deb:dpkg
clang:clang
shellcheck:shellcheck
"
missing=()
for t in $tools; do
	command -v "${t%%:*}" >/dev/null || missing+=("${t##*:}")
done
# Libraries: the C library's headers, and libelf for the kernel's objtool.
[ -e /usr/include/stdlib.h ] || missing+=(libc6-dev)
compgen -G '/usr/lib/*/libelf.so.1' >/dev/null || missing+=(libelf1)
[ ${#missing[@]} -eq 0 ] && exit 0

mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
line="apt-get install --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
	echo "installing ${missing[*]}"
	export DEBIAN_FRONTEND=noninteractive
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
	if { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
		exit 0
	fi
	tail -n 20 "$log" >&2
fi
echo "missing for some tests: ${missing[*]}"
echo "to have them: $line"
[ "${CI:-}" != true ]
