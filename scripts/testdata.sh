#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
#
# testdata.sh - build the binaries of testdata/ from testdata/src and samples
#
#	scripts/testdata.sh [all]	everything
#	scripts/testdata.sh small	the hand-made modules, no kernel headers
#	scripts/testdata.sh patches	of these, what klpreloc/klppatch reads
#	scripts/testdata.sh entries	functions with ftrace entries, over flags
#	scripts/testdata.sh hardening	code with and without landing pads and hashes
#	scripts/testdata.sh types	types of C, in every format
#	scripts/testdata.sh declared	livepatches and the types of their kernel
#	scripts/testdata.sh inlining	functions of which the compiler makes copies
#	scripts/testdata.sh dwz		of declared and inlining, what dwz makes of a vmlinux
#	scripts/testdata.sh distilled	of declared, livepatches with BTF only
#	scripts/testdata.sh relaxed	of types and inlining, what linkers may shorten
#	scripts/testdata.sh kbuild	the samples, by a stock kernel's Kbuild
#	scripts/testdata.sh special	of these the ones with special sections
#	scripts/testdata.sh many FILE	a module of more than 0xff00 sections
#
# The binaries are committed, so that tests need no cross compilers. The same
# compilers give the same bytes: no date, host or path gets into them. They were
# made on Debian 12 with the packages that need() names.
#
# kbuild takes KDIR, a directory of kernel headers. Without it, apt-get downloads
# the current ones of this Debian release, which are unpacked, not installed.
# shellcheck disable=SC2046,SC2086	# flags are lists of words
set -eu
self=$(realpath "$0")
cd "${self%/*}/../testdata"
export LC_ALL=C

need() {
	missing=
	for pair; do
		command -v "${pair%:*}" >/dev/null || missing="$missing ${pair#*:}"
	done
	if [ -n "$missing" ]; then
		echo "testdata.sh: not installed; run: apt-get install$missing" >&2
		exit 1
	fi
}

# What all C modules have in common with the kernel's flags.
cflags="-std=gnu11 -O2 -Wall -Wextra -Werror -ffreestanding -fno-common
	-fno-strict-aliasing -fno-stack-protector -fno-asynchronous-unwind-tables
	-fno-unwind-tables -fno-builtin -fno-ident
	-Isrc -I../scripts/include"

# arch ARCH: the toolchain and the code model that the kernel uses for modules
arch() {
	case $1 in
	x86_64)	 tool=x86_64-linux-gnu
		 model="-mcmodel=kernel -fno-pic -mno-red-zone -mno-sse -fcf-protection=none" ;;
	s390x)	 tool=s390x-linux-gnu
		 model="-fPIC -march=z10 -mbackchain -msoft-float" ;;
	ppc64le) tool=powerpc64le-linux-gnu
		 model="-mabi=elfv2 -mcmodel=medium -fno-pic -mno-altivec -mno-vsx -msoft-float" ;;
	aarch64) tool=aarch64-linux-gnu
		 model="-mcmodel=small -fno-pic -mgeneral-regs-only -mbranch-protection=none" ;;
	ppc32)	 tool=powerpc-linux-gnu
		 model="-fno-pic -msoft-float -mno-altivec" ;;
	loongarch64) tool=loongarch64-linux-gnusf
		 model="-fno-pic -mabi=lp64s" ;;
	loongarch64-relax) tool=loongarch64-linux-gnu
		 model="-fno-pic -mabi=lp64s -msoft-float -mrelax" ;;
	esac
}

# c ARCH OUT SOURCE [FLAG...]: compile, and link as Kbuild does, with ld -r. OUT
# is a name in the directory ARCH, or a path.
c() {
	case $2 in
	*/*)	out=$2.ko ;;
	*)	out=$1/$2.ko ;;
	esac
	a=$1 src=src/$3.c
	shift 3
	compile "$a" "$out" "$src" "$@"
}

# compile ARCH FILE SOURCE [FLAG...]: the same with paths
compile() {
	arch "$1"
	out=$2 src=$3
	shift 3
	mkdir -p "${out%/*}"
	"$tool-gcc" $cflags $model "$@" "-ffile-prefix-map=$PWD=." \
		-c -o "$tmp/c.o" "$src"
	hide "$tmp/c.o"
	"$tool-ld" -r -o "$out" "$tmp/c.o"
}

# hide FILE: take this directory out of BTF, where gcc's -ffile-prefix-map does not reach
hide() {
	HERE=$PWD perl -pi -e 's/\Q$ENV{HERE}\E/"." . "\/" x (length($ENV{HERE}) - 1)/ge' "$1"
}

# twins ARCH: files that share a name, with debug information, linked as a kernel
# and as a module. One is compiled in its own directory, so that the path is in two
# parts.
twins() {
	arch "$1"
	flags="$cflags $model -gdwarf-5 -ffunction-sections
		-fdebug-prefix-map=$PWD/src/twins=/build/linux"
	mkdir -p twins
	(
		cd src/twins
		for f in fs/proc/twin kernel/other kernel/main; do
			"$tool-gcc" $flags -c -o "$tmp/${f##*/}.o" $f.c
		done
		cd fs/ext
		"$tool-gcc" $flags -c -o "$tmp/ext.o" twin.c
	)
	set -- "$1" "$tmp/twin.o" "$tmp/ext.o" "$tmp/other.o" "$tmp/main.o"
	a=$1
	shift
	"$tool-ld" -e 0 -Ttext=0x10000000 -z max-page-size=0x1000 -z noseparate-code \
		-o twins/$a-vmlinux "$@"
	chmod -x twins/$a-vmlinux
	"$tool-ld" -r -o twins/$a.ko "$@"
}

# s ARCH OUT SOURCE [FLAG...]: assemble and link; a line "ld: FLAGS" in the source
# is for the linker
s() {
	arch "$1"
	out=$2
	src=$3
	shift 3
	mkdir -p "${out%/*}"
	"$tool-as" -I src "$@" -o "$tmp/s.o" "$src"
	"$tool-ld" -r $(sed -n 's/^ \* ld: //p' "$src") -o "$out" "$tmp/s.o"
}

small() {
	need x86_64-linux-gnu-gcc:gcc clang:clang \
	     s390x-linux-gnu-gcc:gcc-s390x-linux-gnu \
	     powerpc64le-linux-gnu-gcc:gcc-powerpc64le-linux-gnu \
	     aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu \
	     powerpc-linux-gnu-gcc:gcc-powerpc-linux-gnu

	for a in x86_64 s390x ppc64le aarch64 ppc32; do
		c $a records-rfc records-rfc
		c $a records-v7 records-v7
		c $a labels-dot labels
		c $a labels-comma labels -DKLP_RELOC_SYMBOL_COMMA
		c $a mixed mixed -g -ffunction-sections -fdata-sections
		c $a files/$a-records records-file
		c $a files/$a-labels labels-file
	done
	c x86_64 files/x86_64-debug records-file -g -O0 -ffunction-sections -fdata-sections

	for a in x86_64 s390x; do
		arch $a
		clang --target=$tool $cflags $model -DQUOTED \
			-c -o "$tmp/c.o" src/labels.c
		"$tool-ld" -r -o $a/labels-quoted.ko "$tmp/c.o"
		for kind in records labels; do
			clang --target=$tool $cflags $model \
				-c -o "$tmp/c.o" src/$kind-file.c
			"$tool-ld" -r -o files/$a-clang-$kind.ko "$tmp/c.o"
		done
	done

	patches
	entries
	hardening
	types
	declared
	inlining
	for a in s390x ppc64le aarch64 ppc32; do
		twins $a
	done

	for src in src/bad/*.S src/odd/*.S; do
		name=${src#src/} name=${name%.S}
		case $name in
		*/ppc64le-*) s ppc64le "$name.ko" "$src" ;;
		*/s390x-*)   s s390x "$name.ko" "$src" ;;
		*)	     s x86_64 "$name.ko" "$src" ;;
		esac
	done
	for src in src/arch/*.S; do
		name=${src#src/arch/} name=${name%.S}
		s x86_64 "arch/4.19/$name.ko" "$src" --defsym .LABI=419
		s x86_64 "arch/6.1/$name.ko" "$src" --defsym .LABI=601
	done
	special
}

# Modules with special sections, named by their architecture.
special() {
	need x86_64-linux-gnu-as:binutils \
	     s390x-linux-gnu-as:binutils-s390x-linux-gnu \
	     powerpc64le-linux-gnu-as:binutils-powerpc64le-linux-gnu \
	     aarch64-linux-gnu-as:binutils-aarch64-linux-gnu \
	     powerpc-linux-gnu-as:binutils-powerpc-linux-gnu

	for src in src/special/*.S; do
		name=${src#src/} name=${name%.S}
		base=${name#*/}
		s "${base%%-*}" "$name.ko" "$src"
	done
}

# patches: what klpreloc/klppatch reads, with the structures of some kernels
patches() {
	dir=../klpreloc/klppatch/testdata
	for a in x86_64 s390x ppc64le aarch64 ppc32; do
		for klp in 412 505; do
			compile $a $dir/$a-$klp.ko $dir/patch.c -DKLP=$klp
		done
		compile $a $dir/$a-sections.ko $dir/patch.c -DKLP=505 \
			-ffunction-sections -fdata-sections
	done
	for klp in 407 415 416 501; do
		compile x86_64 $dir/x86_64-$klp.ko $dir/patch.c -DKLP=$klp
	done
}

# entries: what the flags of a kernel's build make of ftrace entries (arch/*/Makefile,
# CC_FLAGS_FTRACE and PADDING_CFLAGS)
entries() {
	need x86_64-linux-gnu-gcc:gcc clang-22:clang-22 \
	     s390x-linux-gnu-gcc:gcc-s390x-linux-gnu \
	     powerpc64le-linux-gnu-gcc:gcc-powerpc64le-linux-gnu \
	     aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
	pad=-fpatchable-function-entry
	bti=-mbranch-protection=pac-ret+bti
	ibt=-fcf-protection=branch

	calls="-pg -mfentry -mrecord-mcount"
	entry x86_64 fentry gcc $calls
	entry x86_64 fentry-ibt gcc $calls $ibt
	entry x86_64 fentry-16-16 gcc $calls $pad=16,16
	entry x86_64 fentry-16-16-ibt gcc $calls $pad=16,16 $ibt
	entry x86_64 fentry-16-16-ibt-clang clang -pg -mfentry $pad=16,16 $ibt
	entry s390x fentry gcc $calls -mnop-mcount
	entry ppc64le mprofile gcc -pg -mprofile-kernel
	entry ppc64le 2 gcc -DPATCHABLE $pad=2
	for n in 1 2; do
		entry ppc64le $n-clang clang -DPATCHABLE $pad=$n
	done
	for c in gcc clang; do
		entry aarch64 2-$c $c -DPATCHABLE $pad=2
		entry aarch64 2-bti-$c $c -DPATCHABLE $pad=2 $bti
		entry aarch64 4-2-$c $c -DPATCHABLE $pad=4,2 -falign-functions=8
		entry aarch64 4-2-bti-$c $c -DPATCHABLE $pad=4,2 $bti -falign-functions=8
	done
	entry loongarch64 2-clang clang -DPATCHABLE $pad=2
}

# entry ARCH NAME COMPILER FLAG...: compile testdata/src/entries.c, with a list of the
# calls of __fentry__ and _mcount as recordmcount and objtool --mcount make one
entry() {
	arch "$1"
	out=entries/$1-$2.ko
	back=0
	[ "$1" != x86_64 ] || back=1	# the relocation is one byte into the call
	case $3 in
	gcc)	cc="$tool-gcc" ;;
	clang)	cc="clang-22 --target=$tool" ;;
	esac
	shift 3
	mkdir -p entries
	$cc $cflags $model "$@" "-ffile-prefix-map=$PWD=." -c -o "$tmp/c.o" src/entries.c
	set -- "$tmp/c.o"
	"$tool-objdump" -dr "$tmp/c.o" >"$tmp/code" 2>/dev/null || :
	if ! grep -Eq '__mcount_loc' "$tmp/c.o" && grep -Eq '(__fentry__|_mcount)' "$tmp/code"; then
		{
			echo '.section .note.GNU-stack, "", @progbits'
			echo '.section __mcount_loc, "a"'
			awk -v back=$back '
				/^[0-9a-f]+ <.*>:$/ { base = $1; name = $2; gsub(/[<>:]/, "", name) }
				/R_[^ \t]*[ \t](__fentry__|_mcount)/ {
					sub(/:.*/, ""); sub(/^[ \t]*/, "")
					print ".quad " name " + 0x" $0 " - 0x" base " - " back
				}' "$tmp/code"
		} >"$tmp/m.s"
		"$tool-as" -o "$tmp/m.o" "$tmp/m.s"
		set -- "$@" "$tmp/m.o"
	fi
	if [ $tool = loongarch64-linux-gnusf ]; then
		cp "$tmp/c.o" "$out"	# Debian 12 has no linker for it
	else
		"$tool-ld" -r -o "$out" "$@"
	fi
}

# hardening: what the compiler's flags make of functions that are called by address
hardening() {
	need x86_64-linux-gnu-gcc:gcc clang-22:clang-22 \
	     aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu
	kcfi=-fsanitize=kcfi
	for a in x86_64 aarch64; do
		case $a in
		x86_64)	 pads="-fcf-protection=branch -mfunction-return=thunk-extern"
			 more=-fpatchable-function-entry=11,11 ;;
		aarch64) pads=-mbranch-protection=pac-ret+bti
			 more=-fpatchable-function-entry=2 ;;
		esac
		c $a hardening/$a-bare hardening
		c $a hardening/$a-pads hardening $pads
		hashed $a pads-kcfi $pads $kcfi
		hashed $a pads-kcfi-entry $pads $kcfi $more
		hashed $a kcfi $kcfi
	done
}

# hashed ARCH NAME FLAG...: compile testdata/src/hardening.c with clang
hashed() {
	arch "$1"
	out=hardening/$1-$2.ko
	shift 2
	clang-22 --target=$tool $cflags $model "$@" "-ffile-prefix-map=$PWD=." -c -o "$tmp/c.o" src/hardening.c
	"$tool-ld" -r -o "$out" "$tmp/c.o"
}

# types: testdata/src/types in BTF and in each version of DWARF, in both byte orders
types() {
	need x86_64-linux-gnu-gcc:gcc clang:clang \
	     s390x-linux-gnu-gcc:gcc-s390x-linux-gnu
	mkdir -p types
	s x86_64 types/undescribed.ko src/undescribed/undescribed.S
	for a in x86_64 s390x; do
		arch $a
		described $a-btf kernel "$tool-gcc" -gbtf
		for version in 2 3 4 5; do
			described $a-dwarf$version kernel "$tool-gcc" -g -gdwarf-$version
		done
		described $a-patch patch "$tool-gcc" -g
	done
	arch x86_64
	described x86_64-clang kernel "clang --target=$tool" -g
	for version in 4 5; do
		described x86_64-units$version kernel "$tool-gcc" -g -gdwarf-$version -fdebug-types-section
	done
}

# described NAME SOURCE COMPILER FLAG...: compile testdata/src/types/SOURCE.c
described() {
	out=types/$1.ko
	src=src/types/$2.c
	cc=$3
	shift 3
	$cc $cflags $model "$@" "-ffile-prefix-map=$PWD=." \
		-c -o "$tmp/c.o" "$src"
	"$tool-ld" -r -o "$out" "$tmp/c.o"
}

# declared: testdata/src/declared, a kernel with its types in BTF and in DWARF, and livepatches that
# declare them rightly and wrongly
declared() {
	need x86_64-linux-gnu-gcc:gcc
	mkdir -p declared
	arch x86_64
	d="x86_64-linux-gnu-gcc $cflags $model -Isrc/declared -ffile-prefix-map=$PWD=. -c"
	for how in btf dwarf; do
		flag=-gbtf
		[ $how = btf ] || flag=-gdwarf-5
		$d $flag -o "$tmp/kernel.o" src/declared/vmlinux.c
		hide "$tmp/kernel.o"
		set -- "$tmp/kernel.o"
		if [ $how = dwarf ]; then
			$d $flag -o "$tmp/first.o" src/declared/twin.c
			$d $flag -o "$tmp/second.o" src/declared/other.c
			set -- "$@" "$tmp/first.o" "$tmp/second.o"
		fi
		x86_64-linux-gnu-ld -e 0 -Ttext=0xffffffff81000000 -z max-page-size=0x1000 -z noseparate-code \
			-o declared/vmlinux-$how "$@"
		chmod -x declared/vmlinux-$how
	done
	for how in GOOD DECLARED SIGNATURE LAYOUT PRIVATE TWIN=1 TWIN=2; do
		out=declared/$(echo "$how" | tr -d = | tr A-Z a-z)
		compile x86_64 "$out.ko" src/declared/livepatch.c -g -Isrc/declared -D$how
	done
	compile x86_64 declared/renamed.ko src/declared/livepatch.c -g -Isrc/declared -DDECLARED -DRENAMED
	compile x86_64 declared/plain.ko src/declared/livepatch.c -Isrc/declared
}

# inlining: testdata/src/inlining as a module and as a kernel, and livepatches of these
inlining() {
	need x86_64-linux-gnu-gcc:gcc clang:clang \
	     s390x-linux-gnu-gcc:gcc-s390x-linux-gnu
	mkdir -p inlining
	for a in x86_64 s390x; do
		arch $a
		for version in 4 5; do
			copied $a-dwarf$version.ko "$tool-gcc" -gdwarf-$version -fipa-cp-clone
		done
	done
	arch x86_64
	copied x86_64-stripped.ko "$tool-gcc" -g0 -fipa-cp-clone
	copied x86_64-clang.ko "clang --target=$tool" -g
	copied x86_64-vmlinux "$tool-gcc" -g -fipa-cp-clone
	compile x86_64 inlining/x86_64-folded.ko src/folded/folded.c -g
	c x86_64 inlining/x86_64-patch inlining/patch
	c x86_64 inlining/x86_64-patch-callers inlining/patch -DCALLERS
}

# copied NAME COMPILER FLAG...: compile the files of testdata/src/inlining, and link them
copied() {
	out=inlining/$1
	cc=$2
	shift 2
	for f in disk tape; do
		(cd src/inlining && $cc $cflags $model "$@" \
			"-ffile-prefix-map=$PWD=/build/linux" -c -o "$tmp/$f.o" $f.c)
	done
	case $out in
	*vmlinux)
		"$tool-ld" -e 0 -Ttext=0xffffffff81000000 --defsym outb=0xffffffff81008000 \
			-z max-page-size=0x1000 -z noseparate-code -o "$out" "$tmp/disk.o" "$tmp/tape.o"
		chmod -x "$out" ;;
	*)
		"$tool-ld" -r -o "$out" "$tmp/disk.o" "$tmp/tape.o" ;;
	esac
}

# dwz: a vmlinux whose units have their common part in partial units, and one that shares a file
# with another vmlinux. dwz does not take modules.
dwz() {
	need dwz:dwz
	command dwz -o declared/vmlinux-dwz declared/vmlinux-dwarf
	command dwz -o inlining/x86_64-vmlinux-dwz inlining/x86_64-vmlinux
	cp inlining/x86_64-vmlinux "$tmp/first"
	cp inlining/x86_64-vmlinux "$tmp/second"
	command dwz -m "$tmp/common" -M common.debug "$tmp/first" "$tmp/second"
	cp "$tmp/first" inlining/x86_64-vmlinux-multi
	chmod -x declared/vmlinux-dwz inlining/x86_64-vmlinux-dwz inlining/x86_64-vmlinux-multi
}

# distilled: livepatches as pahole and strip leave them: BTF with a base of its own (pahole since
# 1.28, Debian 13), and BTF that needs the kernel's
distilled() {
	need pahole:pahole x86_64-linux-gnu-objcopy:binutils
	for how in base split; do
		features=encode_force,var,float,decl_tag,type_tag,enum64,optimized_func,consistent_func
		[ $how = split ] || features=$features,distilled_base
		cp declared/signature.ko "$tmp/$how.ko"
		pahole -J --btf_features=$features --btf_base=declared/vmlinux-btf "$tmp/$how.ko"
		x86_64-linux-gnu-objcopy -g "$tmp/$how.ko" declared/signature-$how.ko
	done
}

# relaxed: debug information of code that the linker may shorten: distances are relocations
# (gcc 14 of Debian 13)
relaxed() {
	need loongarch64-linux-gnu-gcc:gcc-loongarch64-linux-gnu
	arch loongarch64-relax
	described loongarch64-relax kernel "$tool-gcc" -gdwarf-5
	copied loongarch64-relax.ko "$tool-gcc" -gdwarf-5 -fipa-cp-clone
}

# headers: unpack the current kernel's headers below $tmp and set KDIR
headers() {
	need apt-get:apt dpkg-deb:dpkg
	dir=$tmp/headers
	mkdir -p "$dir"
	image=$(apt-cache depends linux-headers-amd64 | awk '/Depends:/ { print $2; exit }')
	for pkg in $image $(apt-cache depends "$image" | awk '/Depends: linux-/ { print $2 }'); do
		(cd "$dir" && apt-get -qq -o APT::Sandbox::User=root download "$pkg")
	done
	for deb in "$dir"/*.deb; do
		dpkg-deb -x "$deb" "$dir"
	done
	KDIR=$dir/usr/src/$image
	sed -i "s|/usr/src|$dir/usr/src|" "$KDIR/Makefile"
}

# The samples as Kbuild leaves them: built by make with a converter that does
# nothing, in a copy, with every path mapped away.
kbuild() {
	need make:make gcc:gcc
	[ -n "${KDIR:-}" ] || headers
	src=$(sed -n 's|^include \(.*\)-common.*|\1|p' "$KDIR/Makefile")
	mkdir -p "$tmp/testdata" x86_64
	cp -R samples "$tmp/testdata"
	mkdir "$tmp/scripts"
	cp -R ../scripts/include ../scripts/klp-convert.mk "$tmp/scripts"
	for dir in cmdline ownmod; do
		make -s -C "$tmp/testdata/samples/$dir" KDIR="$KDIR" KLP_CONVERT=true \
			KCFLAGS="-ffile-prefix-map=$tmp/= -ffile-prefix-map=${src%/*}/=/usr/src/"
		for ko in "$tmp/testdata/samples/$dir"/*.ko; do
			cp "$ko" x86_64/
		done
	done
}

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

case ${1:-all} in
all)	small && kbuild ;;
small)	small ;;
patches) patches ;;
entries) entries ;;
hardening) hardening ;;
types)	types ;;
declared) declared ;;
inlining) inlining ;;
dwz)	dwz ;;
distilled) distilled ;;
relaxed) relaxed ;;
special) special ;;
kbuild)	kbuild ;;
many)	s x86_64 "$2" src/many-sections.S ;;
*)	sed -n '4,/^$/s/^# \{0,1\}//p' "$self" | sed '/^ *shellcheck/,$d' >&2; exit 2 ;;
esac
