#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# POST_BUILD of dkms: klp-check.sh RELEASE HEADERS MODULE
#
# By now dkms has signed the module, compressed it and put it away, and it may
# install it even when this fails (3.0.10 does). So one that is no good is taken
# away.
set -u
release=$1 headers=$2 module=$3
tool=${KLP_CONVERT:-klp-convert}

# good says why the module is not.
good() {
	case $("$tool" inspect "$1" | sed -n 1p) in
	*', converted') ;;
	# Whether it needs none: then all that it uses is exported.
	*', livepatch without annotations') "$tool" -q -n --symvers "$headers/Module.symvers" "$1" >/dev/null || return 1 ;;
	*) echo "klp-check.sh: $1: not converted, or edited afterwards" && return 1 ;;
	esac
	# Where the kernel's image is here too, it can be told whether it will load.
	"$tool" sympos --kernel "$headers" klp_enable_patch@vmlinux >/dev/null 2>&1 || return 0
	"$tool" check --kernel "$headers" "$1"
}

# This runs in dkms_tree/NAME/VERSION/build.
for ko in ../"$release"/*/module/"$module".ko*; do
	[ -e "$ko" ] || { echo "klp-check.sh: $ko: dkms has put no module there" >&2; exit 1; }
	good "$ko" >&2 || { rm -f "$ko"; exit 1; }
done
