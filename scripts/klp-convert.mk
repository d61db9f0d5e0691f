# SPDX-License-Identifier: GPL-2.0-or-later
#
# klp-convert.mk - build and convert livepatch modules against a stock kernel
#
# A module's Makefile needs one line of it:
#
#	obj-m := livepatch-foo.o
#	include $(or $(src),.)/../path/to/scripts/klp-convert.mk
#
# (an absolute path needs no $(src): that is for Kbuild, which reads the same
# Makefile again, mostly from another directory). Then
#
#	make			build, and convert every module of obj-m
#	make modules_install	the same, and install
#	make clean		remove what was built
#	make klp-convert	convert what a Kbuild called by hand has left
#
# docs/kbuild.md has the rest. In short:
#
#	KDIR=...		the kernel's headers; default: of the running kernel
#	M=... MO=... O=...	the modules' sources, their output (6.13 and later),
#				the kernel's output
#	KLP_CONVERT=...		the tool; default: bin/klp-convert of this tree when
#				built, else klp-convert from PATH
#	KLP_CONVERT_FLAGS=...	flags for all modules
#	KLP_CONVERT_FLAGS_foo.o=...	and for foo.ko
#	KLP_KERNEL=...		what --kernel gets; default: the kernel of KDIR;
#				empty: nothing is looked up
#	KLP_SIGN_KEY=...	sign with this key, and KLP_SIGN_CERT, after conversion
#	KLP_STRIP=1		strip debug information, before conversion
#	V=1			show the commands
#
# Kbuild links X.ko; what is made of it takes its place, whole, by rename, and
# X.ko.klp says with which flags. So an X.ko newer than its X.ko.klp is one that
# Kbuild has linked again, and is converted; one whose X.ko.klp says otherwise
# than now is linked again. Kbuild's own clean removes X.ko.*.

klp-mk := $(abspath $(lastword $(MAKEFILE_LIST)))
klp-scripts := $(patsubst %/,%,$(dir $(klp-mk)))

ifdef srctree

# Kbuild reads the Makefile. It exports srctree; the better known KERNELRELEASE
# is also set by dkms, which calls make as an author does.
subdir-ccflags-y += -I$(klp-scripts)/include

# modpost reads it too (scripts/Makefile.modpost, for KBUILD_EXTRA_SYMBOLS).
ifneq ($(filter __modpost,$(PHONY)),)
ifndef klp-driven
$(info klp-convert.mk: Kbuild called by hand converts nothing: run make in the modules' directory, or, after KBUILD_MODPOST_WARN=1, make klp-convert)
endif
endif

else

# A make that is started here reads the same makefiles, for what they set.
klp-top := $(firstword $(MAKEFILE_LIST))
klp-self = $(MAKE) --no-print-directory -f $(klp-top)
klp-quiet := $(if $(findstring 1,$(or $(V),$(KBUILD_VERBOSE))),,@)
klp-comma := ,
define klp-newline


endef

KDIR ?= /lib/modules/$(or $(KERNELRELEASE),$(shell uname -r))/build
KLP_CONVERT ?= $(or $(wildcard $(klp-scripts:scripts=bin)/klp-convert),klp-convert)

# make -n, -q and -t stop here: the + of Kbuild's rule for X.ko has it linked again
# by these too (ld_ko_o in scripts/Makefile.modfinal, 5.10 to 7.3).
klp-mode := $(firstword -$(MAKEFLAGS))
klp-sub := $(if $(findstring n,$(klp-mode))$(findstring q,$(klp-mode))$(findstring t,$(klp-mode)),,+)

# make's list of makefiles is one of words.
$(if $(wildcard $(klp-mk)),,$(error klp-convert.mk: make takes no path with a space or the like: put what ends in "$(lastword $(MAKEFILE_LIST))" elsewhere))

# Directories: of the modules' sources, of what is made of them, of the built kernel.
klp-src := $(or $(M),$(KBUILD_EXTMOD),$(CURDIR))
klp-mo := $(or $(MO),$(KBUILD_EXTMOD_OUTPUT))
klp-out := $(or $(klp-mo),$(klp-src))
klp-obj := $(or $(O),$(KBUILD_OUTPUT),$(KDIR))

# Kbuild speaks of these late or not at all; some it hands to a shell as they are.
klp-odd := : % ' " ` $$ \# ; & | ( ) < > [ ] * ? \ $(klp-comma)
$(foreach x,klp-src klp-out klp-obj,$(if $(word 2,$($x))$(strip $(foreach c,$(klp-odd),$(findstring $c,$($x)))),\
	$(error klp-convert.mk: $($x): Kbuild takes no path with a space or one of $(klp-odd))) \
	$(eval $x := $(abspath $($x))))

klp-release := $(shell sed -n 's/.*UTS_RELEASE "\(.*\)"/\1/p' $(klp-obj)/include/generated/utsrelease.h 2>/dev/null)

# What modules.order has: X.ko, since 6.2 X.o; since 6.13 relative to the output; before
# 5.4 with kernel/ before an absolute path (modorder in scripts/Makefile.build).
klp-paths = $(foreach x,$(patsubst kernel//%,/%,$(1:.o=.ko)),$(if $(filter /%,$x),$x,$(klp-out)/$(x:./%=%)))
klp-order := $(if $(filter klp-%,$(MAKECMDGOALS)),$(shell cat $(klp-out)/modules.order 2>/dev/null))
klp-ko := $(call klp-paths,$(klp-order))

# Which of them are livepatches: .modinfo says so, of X.ko, or of the X.o that it is
# linked from. By name on stdin: all together are more than a shell takes.
klp-livepatches := $(sort $(call klp-paths,$(if $(klp-order),$(shell cd $(klp-out) && \
	sed 's|^kernel//|/|; s|\.[ko]*$$||; s|.*|&.o &.ko|' modules.order | \
	LC_ALL=C xargs grep -alszE '(^|[^[:print:][:space:]])livepatch='))))
klp-ordinary := $(filter-out $(klp-livepatches),$(klp-ko))

# Flags of the tool for the module $1. Undefined symbols are checked against all
# exports: the kernel's, and those of modules that are built here or elsewhere.
# A kernel's symbols are where its image is, which need not be here. Those of ordinary
# modules, which a livepatch may be for, are in what is built here. The author's own
# flags come last: of two files for one module, klp-convert takes the last, but --kernel
# is one.
klp-symvers := $(wildcard $(klp-obj)/Module.symvers)
KLP_KERNEL ?= $(if $(klp-symvers),$(klp-obj)$(klp-comma)$(klp-symvers),$(patsubst %/vmlinux,%,$(wildcard $(klp-obj)/vmlinux)))
klp-own-flags = $(KLP_CONVERT_FLAGS) $(KLP_CONVERT_FLAGS_$(basename $(notdir $1)).o)
klp-flags = $(strip \
	$(if $(KLP_KERNEL),$(if $(filter -k% --kernel --kernel=%,$(klp-own-flags)),,--kernel $(KLP_KERNEL))) \
	$(if $(filter $1,$(klp-livepatches)),$(addprefix --module ,$(klp-ordinary))) \
	$(if $(klp-symvers),$(addprefix --symvers ,$(klp-symvers) $(wildcard $(klp-out)/Module.symvers) $(KBUILD_EXTRA_SYMBOLS))) \
	$(klp-own-flags))

# Signing, for builds that don't leave it to modules_install, dkms or others.
ifneq ($(KLP_SIGN_KEY),)
KLP_SIGN_CERT ?= $(KLP_SIGN_KEY)
KLP_SIGN_HASH ?= $(or $(shell sed -n 's/^CONFIG_MODULE_SIG_HASH="\(.*\)"/\1/p' $(klp-obj)/include/config/auto.conf 2>/dev/null),sha256)
KLP_SIGN_FILE ?= $(klp-obj)/scripts/sign-file
klp-sign := $(KLP_SIGN_FILE) $(KLP_SIGN_HASH) $(KLP_SIGN_KEY) $(KLP_SIGN_CERT)
endif

# As scripts/Makefile.modinst. The tools of the cross compiler; LLVM=-14, LLVM=/directory/
# as in the kernel's Makefile (5.18 and later).
klp-llvm = $(filter %/,$(LLVM))llvm-strip$(filter -%,$(LLVM))
STRIP := $(if $(filter default undefined,$(origin STRIP)),$(if $(LLVM),$(klp-llvm),$(CROSS_COMPILE)strip),$(STRIP))
klp-strip := $(if $(KLP_STRIP),$(STRIP) $(if $(filter 1,$(KLP_STRIP)),--strip-debug,$(KLP_STRIP)))

# The files that go into it and that no build here makes: the kernel, modules that
# were named, the key, this. By size and date, since what a package brings may be
# older than what was made of its predecessor.
klp-words = $(sort $(subst =, ,$(subst $(klp-comma), ,$(KLP_KERNEL) $(klp-own-flags))))
klp-files = $(foreach f,$(filter-out $(klp-ko),$(sort $(abspath $(wildcard $(KLP_SIGN_KEY) $(KLP_SIGN_CERT) \
	$(foreach w,$(klp-words),$w $w/vmlinux $w/System.map) \
	$(if $(KLP_KERNEL),$(foreach r,$(klp-release) $(klp-words),/boot/vmlinuz-$r /lib/modules/$r/vmlinuz)))))),$(if $(wildcard $f/.),,$f))
klp-seen = $(shell LC_ALL=C stat -Lc '%n %s %.9Y' -- $(patsubst %,'%',$(klp-files)) $(klp-mk))

# What is done to a module, as its .klp says.
klp-how = $(strip $(klp-strip) | $(KLP_CONVERT) $(call klp-flags,$1) | $(klp-sign) | $(klp-seen))

# Annotated symbols are undefined, as far as modpost knows, or exports of a namespace
# that is not imported: warnings, not errors (modpost -w and -N). Both are for klp-convert
# to check, the latter only with --symvers.
# A Kbuild file beside the Makefile, and sources elsewhere, are read without us:
# the header's directory comes by KCPPFLAGS then.
klp-alone := $(wildcard $(klp-src)/Kbuild)$(filter $(klp-mk),$(abspath $(klp-top)))
klp-kbuild = $(if $(klp-alone),KCPPFLAGS='$(strip $(KCPPFLAGS) -I$(klp-scripts)/include)') \
	$(MAKE) -C $(KDIR) M=$(klp-src) $(if $(klp-mo),MO=$(klp-out)) $(if $(O),O=$(klp-obj)) \
	KBUILD_MODPOST_WARN=1 $(if $(klp-symvers),CONFIG_MODULE_ALLOW_MISSING_NAMESPACE_IMPORTS=y) klp-driven=y

# A command that leaves no unconverted module when it fails or Ctrl-C ends it.
klp-guarded = trap '$(klp-self) klp-failed; exit 1' HUP INT; $1 || { $(klp-self) klp-failed; exit 1; }

all: modules

modules: klp-ready
	$(klp-sub)$(klp-quiet)$(klp-self) klp-stale
	$(klp-sub)$(klp-quiet)$(call klp-guarded,{ $(klp-kbuild) $@ && \
		{ [ -z "$$($(klp-self) -s klp-overtaken)" ] || $(klp-kbuild) $@; } && $(klp-self) klp-convert; })

# Each fails early, with a line that says what to do.
klp-ready:
	@command -v $(firstword $(KLP_CONVERT)) >/dev/null || { \
		echo "klp-convert.mk: no $(firstword $(KLP_CONVERT)) here: make build in klp-convert's sources, or KLP_CONVERT=/path/to/klp-convert" >&2; exit 1; }
	@[ -e $(klp-obj)/include/config/auto.conf ] || { \
		echo "klp-convert.mk: $(klp-obj): no kernel was built here, and these are no headers (no include/config/auto.conf): KDIR=/lib/modules/.../build$(if $(O),; for the modules' own output MO=)" >&2; exit 1; }
	@[ ! -d $(klp-out) ] || [ -w $(klp-out) ] || { \
		echo "klp-convert.mk: $(klp-out): not writable, and Kbuild writes its output there: copy the sources, or MO=DIR (6.13 and later)" >&2; exit 1; }
ifneq ($(klp-mo),)
	@printf '%s\n' 6.13 "$(klp-release)" | sort -CV || { \
		echo "klp-convert.mk: MO=$(klp-mo): $(klp-release) puts the modules' output beside their sources (MO= is for 6.13 and later)" >&2; exit 1; }
endif

ifneq ($(INSTALL_MOD_STRIP),)
modules_install:
	@echo "klp-convert.mk: INSTALL_MOD_STRIP would strip what is converted, which strip damages or refuses: KLP_STRIP=$(INSTALL_MOD_STRIP) strips before the conversion" >&2; exit 1
else
modules_install: modules
	$(klp-sub)$(klp-quiet)$(klp-kbuild) $(if $(klp-sign),CONFIG_MODULE_SIG_ALL=) $@
endif

clean:
	$(klp-sub)$(klp-quiet)$(klp-kbuild) $@

# Kbuild links again what is gone: modules that a former make has not finished, or
# has converted in another way or with another tool.
# (A line for each: all together are more than a shell takes.)
klp-tool := $(shell command -v $(firstword $(KLP_CONVERT)))
klp-stale:
	@:
	$(foreach x,$(wildcard $(klp-ko:=.klp)),\
		@echo '$(subst ','\'',$(call klp-how,$(x:.klp=)))' | cmp -s - $x && [ ! "$(klp-tool)" -nt $x ] || rm -f $x $(x:.klp=)$(klp-newline))

# The same for livepatches that Kbuild has left as they are, when a module beside
# them, which they may be for, has been compiled since: names those.
klp-overtaken:
	@:
	$(foreach x,$(patsubst %.klp,%,$(wildcard $(klp-livepatches:=.klp))),\
		@[ ! $x -nt $x.klp ] || exit 0; for o in $(klp-ordinary:.ko=.o); do \
			if [ $$o -nt $x.klp ]; then rm -f $x $x.klp; echo $x; break; fi; done$(klp-newline))

# Ordinary modules first: livepatches look at them, as they are when they are finished.
# The failed ones go when the others, which may look at them, are done: an
# unconverted module must not be mistaken for a finished one.
klp-convert: klp-ready
	$(klp-sub)$(klp-quiet)$(call klp-guarded,{ $(klp-self) -k klp-first; r=$$?; $(klp-self) -k klp-then && [ $$r = 0 ]; })
klp-first: $(klp-ordinary:=.klp)
	@:
klp-then: $(klp-livepatches:=.klp)
	@:
klp-failed:
	@:
	$(foreach x,$(klp-ko),@[ ! $x -nt $x.klp ] && grep -qs ' | ' $x.klp || rm -f $x$(klp-newline))

klp-tag := $(if $(findstring s,$(klp-mode)),:,echo '  KLP    ')

# X.ko.klp is empty while X.ko takes its place: killed there, it is done again.
$(klp-ko:=.klp): %.klp: %
	$(if $(klp-quiet),@$(klp-tag) $(<F))
	@rm -f $@ $@.tmp
	$(if $(klp-strip),$(klp-quiet)$(klp-strip) $<)
	$(klp-quiet)$(KLP_CONVERT) $(call klp-flags,$<) $< $@.tmp || { : >$@; exit 1; }
	$(if $(klp-sign),$(klp-quiet)$(klp-sign) $@.tmp || { rm -f $@.tmp; : >$@; exit 1; })
	@: >$@; mv $@.tmp $< && echo '$(subst ','\'',$(call klp-how,$<))' >$@

# (make -B comes here too, with what Kbuild has linked.)
$(klp-ko):
	@[ -e $@ ] || { echo "klp-convert.mk: $@ is not linked: make modules" >&2; exit 1; }

.PHONY: all modules modules_install clean klp-ready klp-stale klp-overtaken klp-convert klp-first klp-then klp-failed

endif
