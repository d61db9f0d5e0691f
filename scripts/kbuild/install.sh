#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# install.sh - hook klp-convert into a kernel tree
#
#	install.sh TREE			hook it; again: bring the added files up to date
#	install.sh --remove TREE	undo that: each file is as it was, to the byte
#	install.sh --check TREE		say whether it is hooked; exit status 1: it is not
#
# Three files are added: the header for authors, Makefile.klp, which has modules
# converted, and what modpost is to know of livepatches. A line here and there in
# the tree's own files leads to them. Everything is worked out before the first
# file is touched; then whole files are put in place by rename. A tree that does
# not look as expected at one of these places is refused, and nothing is changed.
set -eu
LC_ALL=C
export LC_ALL

here=$(dirname "$0")

# FILE FROM: what is added to the tree
added='scripts/Makefile.klp Makefile.klp
scripts/mod/klp.h klp.h
include/linux/klp_convert.h ../include/klp_convert.h'

# FILE|LINE|PLACE: the lines that the tree's own files get, each in front of the
# line PLACE, of which there must be one. These are for all trees; tree_edits knows
# what some need besides.
edits='scripts/Makefile.modfinal|include $(srctree)/scripts/Makefile.klp|.PHONY: $(PHONY)
scripts/Makefile.modinst|include $(srctree)/scripts/Makefile.klp|.PHONY: $(PHONY)
scripts/mod/modpost.c|#include "klp.h"|static void handle_symbol(struct module *mod, struct elf_info *info,
scripts/mod/modpost.c|		if (klp_borrowed(info, symname)) break;|		if (ignore_undef_symbol(info, symname))
scripts/mod/modpost.c|		klp_note(&info, modname);|		license = get_modinfo(&info, "license");'

# FILE|PATTERN: what Makefile.klp works with, one line of each.
shape='scripts/Makefile.modfinal|^__modfinal: \$(modules\(:%\.o=%\.ko\)\{0,1\})$
scripts/Makefile.modfinal|^\(\$(modules): \)\{0,1\}%\.ko: %\.o %\.mod\.o 
scripts/Makefile.modfinal|^	+\$(call if_changed\(_except\)\{0,1\},ld_ko_o
scripts/Makefile.modfinal|^-include \$(foreach f,\$(existing-targets),
scripts/Makefile.modinst|^__modinst:$
scripts/Makefile.modinst|^	*\$(call cmd,strip)$\|^ *\$(mod_strip_cmd) '

usage() {
	echo "usage: install.sh [--remove | --check] TREE"
}

misused() {
	usage >&2
	exit 2
}

help() {
	usage
	cat <<-END

		Hook klp-convert into the kernel's source tree TREE: its builds convert livepatches
		then. In a hooked tree: bring the added files up to date.

		  --remove   undo that: each file is as it was, to the byte
		  --check    say whether TREE is hooked; exit status 1: it is not
	END
	exit
}

die() {
	echo "install.sh: $*" >&2
	exit 1
}

# tree_edits prints the edits of this tree.
tree_edits() {
	# So that there is a vmlinux to hold annotations against. 5.10's Kbuild has it
	# anyway; 6.1's waits for vmlinux only with CONFIG_DEBUG_INFO_BTF_MODULES.
	if ! grep -q '^modules: \$(if \$(KBUILD_BUILTIN),vmlinux) ' "$tree/Makefile"; then
		echo 'Makefile|modules: $(if $(and $(CONFIG_LIVEPATCH),$(KBUILD_BUILTIN)),vmlinux)|modules: modules_prepare'
	fi
	# modpost has become another program: it must run again. 6.1's Makefile.modpost
	# names it among the prerequisites, 5.10's does not.
	if ! grep -q '\$(MODPOST) FORCE$\|^modpost-deps := \$(MODPOST)$' "$tree/scripts/Makefile.modpost"; then
		echo 'scripts/Makefile.modpost|$(output-symdump): scripts/mod/modpost|__modpost: $(output-symdump)'
	fi
	echo "$edits"
}

# states reads $work/edits, and writes what each file of it is without the lines to
# plain/FILE and what it is with them to hooked/FILE, in $work. It prints, in front of
# each edit, how many lines PLACE and LINE the tree's file has. One process does it all:
# a tree is examined often, and a process costs more than the reading.
states() {
	TREE=$tree WORK=$work awk -F '|' '
		{
			edit[NR] = $0; file[NR] = $1; line[NR] = $2; place[NR] = $3
		}
		END {
			for (i = 1; i <= NR; i++) {
				if (!(file[i] in done)) split_states(file[i])
				done[file[i]] = 1
				print places[i] + 0 "|" lines[i] + 0 "|" edit[i]
			}
		}
		function split_states(name, from, plain, hooked, text, got, i, ours) {
			from = ENVIRON["TREE"] "/" name
			plain = ENVIRON["WORK"] "/plain/" name
			hooked = ENVIRON["WORK"] "/hooked/" name
			printf "" >plain
			printf "" >hooked
			while ((got = (getline text <from)) > 0) {
				ours = 0
				for (i = 1; i <= NR; i++) {
					if (file[i] != name) continue
					if (text == line[i]) { lines[i]++; ours = 1 }
					if (text == place[i]) { places[i]++; print line[i] >hooked }
				}
				if (ours) continue
				print text >plain
				print text >hooked
			}
			if (got < 0) {
				print "install.sh: " from " cannot be read" >"/dev/stderr"
				exit 1
			}
			close(from); close(plain); close(hooked)
		}' "$work/edits"
}

# examine works out, in $work, both states of each file that is edited: plain/FILE
# and hooked/FILE. It sets state to plain, hooked or mixed, and edited to the files.
examine() {
	state=
	tree_edits >"$work/edits"
	mkdir -p "$work/plain/scripts/mod" "$work/hooked/scripts/mod" "$work/hooked/include/linux"
	states >"$work/counts"
	while IFS='|' read -r places n file line place; do
		[ "$places" = 1 ] || die "$tree is not a tree that this knows: $file: $places lines \"$(echo $place)\", not 1"
		case $n in
		0) this=plain ;;
		1) this=hooked ;;
		*) die "$tree: $file: $n lines \"$(echo $line)\", where there can be one at most: edited by hand?" ;;
		esac
		[ "${state:-$this}" = "$this" ] && state=$this || state=mixed
	done <"$work/counts"
	echo "$shape" >"$work/shape"
	while IFS='|' read -r file pattern; do
		n=$(grep -c -e "$pattern" "$tree/$file" || :)
		[ "$n" = 1 ] || die "$tree is not a tree that this knows: $file: $n lines that match $pattern, not 1"
	done <"$work/shape"
	# What is not one of the two is neither: a line moved by hand, or a file that
	# would not come back to the byte.
	edited=$(cut -d '|' -f 1 "$work/edits" | sort -u)
	for file in $edited; do
		cmp -s "$tree/$file" "$work/plain/$file" && continue
		cmp -s "$tree/$file" "$work/hooked/$file" && continue
		die "$tree: $file: not all of klp-convert's lines are there, or not where they belong: edited by hand?"
	done
}

# stamped FILE: the file with a last line that tells whether it was edited since.
stamped() {
	sum=$(cksum <"$1")
	cat "$1"
	case $1 in
	*.h) echo "/* klp-convert install.sh: $sum */" ;;
	*) echo "# klp-convert install.sh: $sum" ;;
	esac
}

# examine_added sets files to current, none, older (or some of these): the files
# that are added to the tree, as they are in it. One that is not from here is refused.
examine_added() {
	files=
	echo "$added" >"$work/added"
	while read -r file from; do
		stamped "$here/$from" >"$work/hooked/$file"
		if [ ! -e "$tree/$file" ]; then
			this=none
		elif cmp -s "$tree/$file" "$work/hooked/$file"; then
			this=current
		else
			sed '$d' "$tree/$file" >"$work/body"
			tail -n 1 "$tree/$file" | grep -qF " klp-convert install.sh: $(cksum <"$work/body")" ||
				die "$tree/$file: not install.sh's, or edited since"
			this=older
		fi
		[ "${files:-$this}" = "$this" ] && files=$this || files=some
	done <"$work/added"
}

# staging FILE: set tmp to where stage puts the file's new contents.
staging() {
	case $1 in
	*/*) tmp=$tree/${1%/*}/.klp-install.${1##*/} ;;
	*) tmp=$tree/.klp-install.$1 ;;
	esac
}

# stage FILE KIND: put the file's new contents beside it. Whatever can go wrong does so
# here, before the first file is replaced.
stage() {
	staging "$1"
	echo "$tmp" >>"$work/staged"
	(
		if [ -e "$tree/$1" ]; then cp -p "$tree/$1" "$tmp"; else : >"$tmp" && chmod 644 "$tmp"; fi &&
			cat "$work/$2/$1" >"$tmp"
	) 2>"$work/why" || die "nothing changed: $(head -n 1 "$work/why")"
}

place() {
	staging "$1"
	mv -f "$tmp" "$tree/$1"
}

cleanup() {
	[ ! -e "$work/staged" ] || while read -r tmp; do rm -f "$tmp"; done <"$work/staged"
	rm -rf "$work"
}

mode=install tree=
for arg; do
	case $arg in
	--help | -h) help ;;
	--remove | --check) [ "$mode" = install ] || misused; mode=${arg#--} ;;
	-*) misused ;;
	*) [ -z "$tree" ] || misused; tree=$arg ;;
	esac
done
[ -n "$tree" ] || misused

for file in Makefile scripts/Makefile.modfinal scripts/Makefile.modpost scripts/Makefile.modinst scripts/mod/modpost.c include/linux/module.h; do
	[ -e "$tree/$file" ] || die "$tree is no kernel source tree: $file is not there"
	[ ! -L "$tree/$file" ] || die "$tree: $file is a symbolic link: give the tree that it leads to"
done
work=$(mktemp -d)
trap cleanup EXIT
trap 'exit 1' HUP INT TERM
version=$(sed -n 's/^\(VERSION\|PATCHLEVEL\) = \([0-9]*\)$/\2/p' "$tree/Makefile" | paste -sd .)
examine
examine_added
new=$(cut -d ' ' -f 1 "$work/added")

# Of one that was killed while it staged.
if [ "$mode" != check ]; then
	set --
	for file in $new $edited; do
		staging "$file"
		set -- "$@" "$tmp"
	done
	rm -f "$@"
fi

case $mode in
check)
	case $state-$files in
	hooked-current) echo "$tree: linux $version, hooked" ;;
	plain-none) echo "$tree: linux $version, not hooked" && exit 1 ;;
	hooked-*) echo "$tree: linux $version, hooked, but not by this install.sh: run it again" && exit 1 ;;
	*) echo "$tree: linux $version, half hooked: install.sh --remove, then again" && exit 1 ;;
	esac
	;;
install)
	[ "$state" != mixed ] || die "$tree is half hooked: install.sh --remove $tree first"
	if [ "$state-$files" = hooked-current ]; then
		echo "$tree: linux $version: is hooked, nothing to do"
		exit 0
	fi
	changed=
	for file in $new $edited; do
		cmp -s "$tree/$file" "$work/hooked/$file" && continue
		stage "$file" hooked
		changed="$changed $file"
	done
	trap '' HUP INT TERM
	echo "$tree: linux $version"
	for file in $changed; do
		case " $(echo $edited) $([ ! -e "$tree/$file" ] || echo old) " in
		*" $file "*) what='edited ' ;;
		*" old ") what='renewed' ;;
		*) what='added  ' ;;
		esac
		place "$file"
		echo "  $what  $file"
		awk -F '|' -v file="$file" '$1 == file { sub(/^[ \t]*/, "", $2); print "             + " $2 }' "$work/edits"
	done
	;;
remove)
	if [ "$state-$files" = plain-none ]; then
		echo "$tree: linux $version: is not hooked, nothing to do"
		exit 0
	fi
	for file in $edited; do
		cmp -s "$tree/$file" "$work/plain/$file" || stage "$file" plain
	done
	trap '' HUP INT TERM
	echo "$tree: linux $version"
	for file in $edited; do
		cmp -s "$tree/$file" "$work/plain/$file" && continue
		place "$file" && echo "  restored  $file"
	done
	for file in $new; do
		[ ! -e "$tree/$file" ] || { rm -f "$tree/$file" && echo "  removed   $file"; }
	done
	;;
esac
