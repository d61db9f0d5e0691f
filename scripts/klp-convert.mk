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
#
#	KDIR=...		the kernel's headers; default: of the running kernel
#	KLP_CONVERT=...		the tool; default: bin/klp-convert of this tree when
#				built, else klp-convert from PATH
#	V=1			show the commands
#
# Modules are converted in place, all of them: the tool leaves alone what holds
# no annotations, and says so when a module has some but is no livepatch.
# X.ko.klp marks X.ko as converted. An X.ko that is newer than its mark, because
# Kbuild has linked it again, is converted again. Kbuild's own clean removes the
# marks (it removes *.ko.*).

klp-mk := $(abspath $(lastword $(MAKEFILE_LIST)))
klp-scripts := $(patsubst %/,%,$(dir $(klp-mk)))
klp-quiet := $(if $(findstring 1,$(V)),,@)

ifdef srctree

# Kbuild reads the Makefile. It exports srctree; the better known KERNELRELEASE
# is also set by dkms, which calls make as an author does.
subdir-ccflags-y += -I$(klp-scripts)/include

else ifdef klp-convert-modules

# Second step, in a make of its own: Kbuild has linked the modules by now, so
# that their times can be compared. modules.order lists X.ko, or X.o since 6.2.
klp-ko := $(patsubst %.o,%.ko,$(shell cat modules.order))
klp-tag := $(if $(findstring s,$(firstword -$(MAKEFLAGS))),:,echo '  KLP    ')

all: $(klp-ko:=.klp)
	@:

# An unconverted module must not be mistaken for a finished one: a failure takes
# the .ko with it, and the next make links it again. make -k goes on to the
# other modules for the same reason.
$(klp-ko:=.klp): %.klp: %
	$(if $(klp-quiet),@$(klp-tag) $(<F))
	$(klp-quiet)$(KLP_CONVERT) $< $< || { rm -f $<; exit 1; }
	@touch $@

else

KDIR ?= /lib/modules/$(shell uname -r)/build
KLP_CONVERT ?= $(or $(wildcard $(klp-scripts:scripts=bin)/klp-convert),klp-convert)

# Annotated symbols are undefined, as far as modpost knows: warnings, not errors.
klp-kbuild = $(MAKE) -C $(KDIR) M=$(CURDIR) KBUILD_MODPOST_WARN=1

all: modules
modules:
	+$(klp-quiet)$(klp-kbuild) $@
	$(klp-quiet)$(MAKE) --no-print-directory -k -f $(klp-mk) \
		klp-convert-modules=y KLP_CONVERT='$(KLP_CONVERT)'

modules_install: modules
	+$(klp-quiet)$(klp-kbuild) $@

clean:
	+$(klp-quiet)$(klp-kbuild) $@

.PHONY: all modules modules_install clean

endif
