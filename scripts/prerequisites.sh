#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Makes sure that what the tests need is here. As root on a machine with apt it
# installs what is missing; otherwise it prints the line to run, and the tests
# that need it say that they did not run. With CI=true that is a failure.
set -euo pipefail
PATH=$PATH:/usr/sbin:/sbin # modinfo

# command:package:what is not run without it
tools="
qemu-system-x86_64:qemu-system-x86:the kernel lab (scripts/lab, sympos against a running kernel)
gcc:gcc:the kernel lab, and the race detector
make:make:the kernel lab
dpkg-deb:dpkg:the kernel lab, and the corpus of real modules
unshare:util-linux:the kernel lab
readelf:binutils:readelf as a judge of converted modules
objdump:binutils:objdump as a reader of copies for debuggers
gdb:gdb:gdb as a reader of copies for debuggers
objcopy:binutils:objcopy beside klp-convert in make bench
modinfo:kmod:modinfo as a judge of converted modules
eu-elflint:elfutils:eu-elflint as a judge of converted modules
xz:xz-utils:compressed modules and kernel images
zstd:zstd:compressed modules and kernel images
bzip2:bzip2:compressed kernel images
lz4:lz4:compressed kernel images
flex:flex:building a kernel to hook (scripts/kbuild, in the kernel lab)
bison:bison:building a kernel to hook
bc:bc:building a kernel to hook
openssl:openssl:building a kernel to hook, and signing its modules
depmod:kmod:installing the modules of a kernel that was built
git:git:install.sh as git sees it
clang:clang:klp_convert.h with a second compiler
bpftool:bpftool:bpftool as a second reader of the types of real kernels
aarch64-linux-gnu-gcc:gcc-aarch64-linux-gnu:klp_convert.h, what weak symbols would be there
s390x-linux-gnu-gcc:gcc-s390x-linux-gnu:klp_convert.h, what weak symbols would be there
shellcheck:shellcheck:make lint of the scripts
man:man-db:man as a judge and reader of the manual pages
mandoc:mandoc:mandoc as a judge of the manual pages
script:bsdutils:completions as typed into bash and zsh
zsh:zsh:completions in zsh
fish:fish:completions in fish
dpkg:dpkg:the .deb, installed
rpm:rpm:the .rpm, installed
lintian:lintian:lintian as a judge of the .deb
chromium-headless-shell:chromium-headless-shell:the page of check --html in a browser
npm:npm:axe-core as a judge of that page
"

# From Debian 13 on, the headers ship a vmlinux and Kbuild adds .BTF to modules.
version=$(sed -n 's/^VERSION_ID="\([0-9]*\).*/\1/p' /etc/os-release 2>/dev/null || true)
if [ "${version:-0}" -ge 13 ]; then
	tools+="pahole:pahole:the kernel lab
"
fi

# With KLP_LAB_DEBUG, which takes gigabytes of debug packages.
if [ -n "${KLP_LAB_DEBUG:-}" ]; then
	tools+="crash:crash:crash as a reader of copies for debuggers
"
fi

missing=()
while IFS=: read -r tool package what; do
	if [ -n "$tool" ] && ! command -v "$tool" >/dev/null; then
		missing+=("$package")
		echo "$tool is not here; not run without it: $what"
	fi
done <<<"$tools"
# Libraries: the C library's headers, and libelf for the kernel's objtool.
if [ ! -e /usr/include/stdlib.h ]; then
	missing+=(libc6-dev)
	echo "the C library's headers are not here; not run without them: the kernel lab, and the race detector"
fi
if ! compgen -G '/usr/lib/*/libelf.so.1' >/dev/null; then
	missing+=(libelf1)
	echo "libelf is not here; not run without it: the kernel lab"
fi
if [ ! -e /usr/share/bash-completion/bash_completion ]; then
	missing+=(bash-completion)
	echo "bash-completion is not here; not run without it: completions in bash"
fi
while IFS=: read -r header package; do
	if [ ! -e "/usr/include/$header" ] && ! compgen -G "/usr/include/*/$header" >/dev/null; then
		missing+=("$package")
		echo "/usr/include/$header is not here; not run without it: building a kernel to hook (scripts/kbuild, in the kernel lab)"
	fi
done <<<'libelf.h:libelf-dev
openssl/opensslv.h:libssl-dev'

# axe-core is of npm alone; npm checks what it gets against the registry's checksum.
axe="axe-core@4.14.1"
need_axe() {
	! command -v npm >/dev/null || [ ! -e "$(npm root --global)/axe-core/axe.min.js" ]
}
is_root() { [ "$(id -u)" -eq 0 ]; }

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ${#missing[@]} -gt 0 ]; then
	mapfile -t missing < <(printf '%s\n' "${missing[@]}" | sort -u)
	if is_root && command -v apt-get >/dev/null; then
		echo "installing ${missing[*]}"
		export DEBIAN_FRONTEND=noninteractive
		if { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
			missing=()
		else
			tail -n 20 "$log" >&2
		fi
	fi
fi
lines=()
[ ${#missing[@]} -eq 0 ] || lines+=("apt-get install --no-install-recommends ${missing[*]}")
if need_axe; then
	echo "axe-core is not here; not run without it: axe-core as a judge of the page of check --html"
	if is_root && command -v npm >/dev/null; then
		echo "installing $axe"
		npm install --global --ignore-scripts --no-audit --no-fund "$axe" >"$log" 2>&1 || tail -n 20 "$log" >&2
	fi
	if need_axe; then
		missing+=("$axe")
		lines+=("npm install --global --ignore-scripts $axe")
	fi
fi
[ ${#missing[@]} -eq 0 ] && exit 0
echo "missing for some tests: ${missing[*]}"
echo "to have them:"
printf '\t%s\n' "${lines[@]}"
[ "${CI:-}" != true ]
