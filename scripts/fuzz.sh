#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Runs each fuzz target of the module for a while: fuzz.sh [TIME]
#
# Before Go 1.27, go test sometimes treats the end of -fuzztime as a failure
# (go.dev/issue/75804): "context deadline
# exceeded" and nothing else, no input. That is printed and not counted. A failing
# input is written to testdata and always counted.
set -euo pipefail
cd "$(dirname "$0")/.."
time=${1:-10s}
found=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# From the sources: go test -list would build the tests of every package.
files=$(${GO:-go} list -f '{{$p := .}}{{range .TestGoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}
{{end}}{{range .XTestGoFiles}}{{$p.ImportPath}} {{$p.Dir}}/{{.}}
{{end}}' ./...)
while read -r pkg file <&3; do
	for target in $(sed -n 's/^func \(Fuzz[[:alnum:]_]*\)(.*/\1/p' "$file"); do
		found=$((found + 1))
		echo "fuzz $pkg $target $time"
		if ${GO:-go} test -vet=off -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$pkg" 2>&1 | tee "$log"; then
			continue
		fi
		# All that a run with nothing but a late timer says.
		if grep -vE '^(fuzz: elapsed: .*|--- FAIL: Fuzz.*|    context deadline exceeded|FAIL|exit status 1|FAIL[[:space:]].*)$' "$log" ||
			! grep -q '^    context deadline exceeded$' "$log"; then
			exit 1
		fi
		echo "fuzz: $target ended with its time, which go test calls a failure: nothing was found"
	done
done 3< <(grep . <<<"$files")
if [ "$found" -eq 0 ]; then
	echo "fuzz: no fuzz targets found" >&2
	exit 1
fi
