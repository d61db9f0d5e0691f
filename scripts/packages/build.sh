#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# build.sh OUT - make the .deb and the .rpm of GOARCH in OUT, by make packages
#
# What is in them is what make install installs. The same sources, version and
# SOURCE_DATE_EPOCH make the same bytes.
#
#	VERSION			else by git: the last tag, or 0~git<date>.<commit>
#	SOURCE_DATE_EPOCH	else the time of the last commit
#	GOARCH			else this machine's
#	NFPM			the command that packs (make packages gives it)
set -euo pipefail
cd "$(dirname "$0")/../.."
out=$(mkdir -p "$1" && cd "$1" && pwd)
export LC_ALL=C TZ=UTC GOOS=linux
umask 022
# Where things go is for stage to say.
unset MAKEFLAGS DESTDIR exec_prefix bindir datarootdir datadir pkgdatadir docdir mandir man1dir \
	bashcompletiondir zshcompletiondir fishcompletiondir

VERSION=${VERSION:-}
if [ -z "$VERSION" ]; then
	# A hyphen is not for versions of packages; what comes before a release
	# sorts before it by a tilde.
	VERSION=$(git describe --tags --match 'v[0-9]*' 2>/dev/null |
		sed -E 's/^v//; s/-([0-9]+)-g([0-9a-f]+)$/+git\1.\2/; s/-/~/g') || true
	[ -n "$VERSION" ] || VERSION=$(git log -1 --date=format:%Y%m%d --format='0~git%cd.%h' 2>/dev/null) || {
		echo "which version this is git does not tell: make packages VERSION=1.2.3" >&2
		exit 1
	}
fi
if ! [[ $VERSION =~ ^[0-9][0-9A-Za-z.+~]*$ ]]; then
	echo "VERSION is \"$VERSION\"; want a digit, then letters, digits and . + ~" >&2
	exit 1
fi
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
GOARCH=${GOARCH:-$("${GO:-go}" env GOARCH)}
export VERSION SOURCE_DATE_EPOCH GOARCH STAGE

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp scripts/packages/nfpm.yaml "$work/"
date=$(date -R -d "@$SOURCE_DATE_EPOCH")
maintainer=$(sed -n 's/^maintainer: //p' scripts/packages/nfpm.yaml)

# stage DIR [VARIABLE=...] is make install for a distribution, manual pages packed.
stage() {
	STAGE=$1
	shift
	make --no-print-directory install DESTDIR="$STAGE" builddir="$work/bin" prefix=/usr VERSION="$VERSION" "$@" >"$work/log" 2>&1 || {
		cat "$work/log" >&2
		exit 1
	}
	gzip -9n "$STAGE"/usr/share/man/man1/*
}
# pack KIND makes a package of what is staged. nfpm runs here, whatever it packs for.
pack() {
	(
		arch=$GOARCH
		unset GOARCH GOOS
		ARCH=$arch ${NFPM:?is the command that packs: make packages} package --config "$work/nfpm.yaml" --packager "$1" --target "$out/"
	) >"$work/log" || {
		cat "$work/log" >&2
		exit 1
	}
	sed -n 's/^created package: //p' "$work/log"
}

stage "$work/deb" zshcompletiondir=/usr/share/zsh/vendor-completions
doc=$STAGE/usr/share/doc/klp-convert
install -m 644 scripts/packages/copyright "$doc/"
printf 'klp-convert (%s) unstable; urgency=medium\n\n  * What changed, the history of the sources tells.\n\n -- %s  %s\n' \
	"$VERSION" "$maintainer" "$date" | gzip -9n >"$doc/changelog.gz"
install -D -m 644 scripts/packages/lintian-overrides "$STAGE/usr/share/lintian/overrides/klp-convert"
pack deb

stage "$work/rpm"
install -D -m 644 LICENSE "$STAGE/usr/share/licenses/klp-convert/LICENSE"
# rpm knows of each file whether it can be left out (--nodocs).
docs=$work/docs
(cd "$STAGE" && find usr/share/doc usr/share/man usr/share/licenses -type f | sort) >"$work/list"
while read -r path; do
	kind=doc
	[[ $path != */licenses/* ]] || kind=license
	install -D -m 644 "$STAGE/$path" "$docs/$path"
	printf '  - {src: "%s", dst: "/%s", type: %s}\n' "$docs/$path" "$path" $kind >>"$work/nfpm.yaml"
done <"$work/list"
rm -r "$STAGE/usr/share/doc" "$STAGE/usr/share/man" "$STAGE/usr/share/licenses"
pack rpm
