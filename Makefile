# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help says what there is. Every tool can be overridden: make GO=go1.26 test

GO          ?= go
GOFMT       ?= gofmt
INSTALL     ?= install
SHELLCHECK  ?= shellcheck -S warning
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
GOLANGCI    ?= golangci-lint
LAB         ?= $(GO) run ./scripts/lab/cmd/klp-lab

NFPM        ?= $(GO) run github.com/goreleaser/nfpm/v2/cmd/nfpm@v2.45.2

prefix      ?= /usr/local
exec_prefix ?= $(prefix)
bindir      ?= $(exec_prefix)/bin
datarootdir ?= $(prefix)/share
datadir     ?= $(datarootdir)
pkgdatadir  ?= $(datadir)/klp-convert
docdir      ?= $(datarootdir)/doc/klp-convert
mandir      ?= $(datarootdir)/man
man1dir     ?= $(mandir)/man1
bashcompletiondir ?= $(datadir)/bash-completion/completions
zshcompletiondir  ?= $(datadir)/zsh/site-functions
fishcompletiondir ?= $(datadir)/fish/vendor_completions.d
DESTDIR     ?=

VERSION     ?=
builddir    ?= bin
FUZZTIME    ?= 10s
BENCH       ?= .
BENCHPAIRS  ?= 10
BENCHDOC    ?=
TESTFLAGS   ?=

# The race detector watches this project and its libraries, but for the decoder of LZMA: that
# runs in one goroutine, over all of a kernel's image, and takes three times as long when watched.
RACE        ?= -race -gcflags=github.com/klp-convert/klp-convert/sympos/lzma=-race=false

# They start first, so that none of them is left alone at the end.
LONGEST     ?= ./scripts/lab ./sympos ./cmd/klp-convert ./scripts/packages

SAMPLE       = testdata/x86_64/livepatch-cmdline.ko

# Static, without a path of the machine, and quicker to start than with cgo.
GOBUILD = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.buildVersion=$(VERSION)'

# The date of the manual pages is that of the sources.
SOURCE_DATE_EPOCH ?= $(shell git log -1 --format=%ct 2>/dev/null || stat -c %Y README.md)

# What kernel builds and dkms need, as far as it is there, goes below pkgdatadir as
# it lies below scripts.
EXTRAS = $(shell cd scripts && find kbuild dkms -type f ! -name '*.go' 2>/dev/null)

# What the documents work on: sources, not what somebody has built of them.
SAMPLES = $(shell cd testdata/samples && find . -type f \( -name Makefile -o -name Kbuild -o -name '*.[ch]' ! -name '*.mod.c' \))

# Installed, the documents are in one directory.
LINKS = -e 's|](docs/|](|g' -e 's|](\.\./README\.md|](README.md|g' -e 's|](\(\.\./\)*testdata/samples/|](samples/|g' \
	-e 's|](scripts/include/|]($(pkgdatadir)/include/|g'

.DELETE_ON_ERROR:
.PHONY: help build man docs demo quick test prerequisites vet unit lab fuzz corpus bench lint testdata install uninstall packages clean

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

build: ## build bin/klp-convert
	$(GOBUILD) -o $(builddir)/klp-convert ./cmd/klp-convert

# The program prints its completion scripts: one for this machine, whatever GOARCH says.
man: build ## make manual pages and completion scripts in bin/man and bin/completions
	@rm -rf $(builddir)/man $(builddir)/completions
	@mkdir -p $(builddir)/man $(addprefix $(builddir)/completions/,bash zsh fish)
	@if [ "$$($(GO) env GOOS GOARCH)" = "$$($(GO) env GOHOSTOS GOHOSTARCH)" ]; then \
		cp $(builddir)/klp-convert $(builddir)/completions/; \
	else \
		set -x; GOOS= GOARCH= $(GOBUILD) -o $(builddir)/completions/klp-convert ./cmd/klp-convert; \
	fi
	$(builddir)/completions/klp-convert completion bash >$(builddir)/completions/bash/klp-convert
	$(builddir)/completions/klp-convert completion zsh >$(builddir)/completions/zsh/_klp-convert
	$(builddir)/completions/klp-convert completion fish >$(builddir)/completions/fish/klp-convert.fish
	@date=$$(date -u -d @$(SOURCE_DATE_EPOCH) +%F) && \
	version=$$($(builddir)/completions/klp-convert --version | sed -n 's/^klp-convert //p') && \
	for page in cmd/klp-convert/man/*.1.in; do \
		sed -e "s|@DATE@|$$date|" -e "s|@VERSION@|$$version|" -e 's|@DATADIR@|$(pkgdatadir)|' -e 's|@DOCDIR@|$(docdir)|' \
			"$$page" >$(builddir)/man/$$(basename "$$page" .in) || exit; \
	done
	@rm $(builddir)/completions/klp-convert

docs: ## make docs/errors.md and docs/messages.md from klpreloc/diag and klpreloc/explain
	$(GO) generate ./docs

demo: build ## convert the shipped sample and show it before and after
	@mkdir -p bin/demo
	bin/klp-convert inspect $(SAMPLE)
	@echo
	bin/klp-convert -v $(SAMPLE) bin/demo/livepatch-cmdline.ko
	@echo
	bin/klp-convert inspect bin/demo/livepatch-cmdline.ko

quick: ## run the tests that need no kernel, network or root, without repeating what has passed
	$(GO) vet ./...
	$(GO) test -short $(TESTFLAGS) ./...

test: prerequisites unit fuzz ## run all tests, on this machine's kernel in QEMU too; make lab and make corpus are beyond

prerequisites:
	@scripts/prerequisites.sh

vet:
	$(GO) vet ./...

# -vet=off: all of vet has just run.
unit: vet
	@race='$(RACE)'; if ! command -v gcc >/dev/null || [ ! -e /usr/include/stdlib.h ]; then race=; echo "no C compiler here: without the race detector"; fi; \
	set -x; $(GO) test $$race -vet=off -count=1 -timeout 60m $(TESTFLAGS) $(LONGEST) ./...

lab: prerequisites ## run the kernel scenarios on KLP_LAB_KERNELS, KLP_LAB_ROOT (default all: docs/lab.md)
	@[ -n "$$KLP_LAB_KERNELS$$KLP_LAB_ROOT" ] || export KLP_LAB_KERNELS=all; set -ex; \
	$(GO) test -count=1 -timeout 8h $(TESTFLAGS) ./scripts/lab; \
	$(GO) test -count=1 -timeout 2h -run '^(TestRunningKernelAgrees|TestCopiesOfRealModules)$$' -v $(TESTFLAGS) ./sympos

fuzz: ## run each fuzz target for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

corpus: ## read every .ko below KLP_CORPUS=dir[:dir] (default: the lab's kernels, three architectures)
	@dirs="$${KLP_CORPUS:-$$($(LAB) corpus)}"; \
	if [ -z "$$dirs" ]; then echo "corpus: not run: no kernel packages are to be had here"; [ "$$CI" != true ]; exit; fi; \
	KLP_CORPUS="$$dirs" $(GO) test -vet=off -count=1 -timeout 30m -run '^TestCorpus$$' -v ./elfrw ./klpreloc/special ./klpreloc/klppatch && \
	{ [ -n "$$KLP_CORPUS" ] || KLP_CHECK_KERNEL="$${dirs%%:*}" $(GO) test -vet=off -count=1 -run '^TestOwnModulesLoad$$' -v ./klpreloc/loader; }

# BENCHDOC=docs/performance.md puts the table there.
bench: build ## print one table, beside objcopy, cp, nm and xz; BENCH=regexp, BENCHPAIRS=10
	$(GO) build -trimpath -o $(builddir)/klp-bench ./scripts/bench
	$(builddir)/klp-bench -tool $(builddir)/klp-convert -run '$(BENCH)' -pairs $(BENCHPAIRS) $(if $(BENCHDOC),-doc '$(BENCHDOC)')

lint: vet ## gofmt, go vet, staticcheck; golangci-lint and shellcheck if they are installed
	@out=$$($(GOFMT) -l .); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(STATICCHECK) ./...
	@if command -v $(firstword $(GOLANGCI)) >/dev/null; then echo $(GOLANGCI) run; $(GOLANGCI) run; else echo "golangci-lint is not installed: .golangci.yml not checked"; fi
	@if command -v $(firstword $(SHELLCHECK)) >/dev/null; then echo $(SHELLCHECK) scripts; $(SHELLCHECK) scripts/*.sh scripts/*/*.sh .ci/run; else echo "shellcheck is not installed: scripts not checked"; fi

testdata: ## rebuild the binaries in testdata from their sources
	scripts/testdata.sh

# The commands below take these as words: an empty one, or one with a space, would
# lead somewhere else, and uninstall removes what is there.
ifneq ($(filter install uninstall,$(MAKECMDGOALS)),)
$(foreach x,bindir pkgdatadir docdir man1dir bashcompletiondir zshcompletiondir fishcompletiondir,\
	$(if $($x),,$(error $x is empty))$(if $(word 2,[$(DESTDIR)$($x)]),$(error $x is "$(DESTDIR)$($x)": give a path without a space)))
endif

# Root often has no Go, or no HOME for it: what was made before will do then.
installed-from := build man
ifneq ($(filter install,$(MAKECMDGOALS)),)
ifeq ($(shell $(GO) env GOMODCACHE 2>/dev/null),)
installed-from :=
ifneq ($(words $(wildcard $(addprefix $(builddir)/,klp-convert man/klp-convert.1 completions/bash/klp-convert))),3)
$(error $(GO) does not run here, and $(builddir) does not have all: "make build man" where it does; then make install takes what is in $(builddir))
endif
$(info $(GO) does not run here: installing what is in $(builddir))
endif
endif

install: $(installed-from) ## install below DESTDIR and prefix (/usr/local)
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(pkgdatadir)/include $(DESTDIR)$(docdir) $(DESTDIR)$(man1dir) \
		$(DESTDIR)$(bashcompletiondir) $(DESTDIR)$(zshcompletiondir) $(DESTDIR)$(fishcompletiondir)
	$(INSTALL) -m 755 $(builddir)/klp-convert $(DESTDIR)$(bindir)/
	$(INSTALL) -m 644 scripts/klp-convert.mk $(DESTDIR)$(pkgdatadir)/
	$(INSTALL) -m 644 scripts/include/klp_convert.h $(DESTDIR)$(pkgdatadir)/include/
	@cd scripts && for f in $(EXTRAS); do mode=644; if [ -x $$f ]; then mode=755; fi; set -x; \
		$(INSTALL) -D -m $$mode $$f $(DESTDIR)$(pkgdatadir)/$$f || exit; { set +x; } 2>/dev/null; done
	$(INSTALL) -m 644 $(builddir)/man/*.1 $(DESTDIR)$(man1dir)/
	$(INSTALL) -m 644 $(builddir)/completions/bash/klp-convert $(DESTDIR)$(bashcompletiondir)/
	$(INSTALL) -m 644 $(builddir)/completions/zsh/_klp-convert $(DESTDIR)$(zshcompletiondir)/
	$(INSTALL) -m 644 $(builddir)/completions/fish/klp-convert.fish $(DESTDIR)$(fishcompletiondir)/
	$(INSTALL) -m 644 README.md CHANGELOG.md SECURITY.md docs/*.md $(DESTDIR)$(docdir)/
	@cd testdata/samples && for f in $(SAMPLES); do $(INSTALL) -D -m 644 $$f $(DESTDIR)$(docdir)/samples/$$f || exit; done
	sed -i $(LINKS) $(DESTDIR)$(docdir)/*.md
	sed -i 's|^include .*/klp-convert\.mk$$|include $(pkgdatadir)/klp-convert.mk|' $(DESTDIR)$(docdir)/samples/*/Makefile

uninstall: ## remove what make install with the same variables installed
	rm -f $(DESTDIR)$(bindir)/klp-convert $(DESTDIR)$(man1dir)/klp-convert.1 $(DESTDIR)$(man1dir)/klp-convert-*.1 \
		$(DESTDIR)$(bashcompletiondir)/klp-convert $(DESTDIR)$(zshcompletiondir)/_klp-convert $(DESTDIR)$(fishcompletiondir)/klp-convert.fish \
		$(addprefix $(DESTDIR)$(docdir)/,README.md CHANGELOG.md SECURITY.md $(notdir $(wildcard docs/*.md)))
	rm -f $(addprefix $(DESTDIR)$(pkgdatadir)/,klp-convert.mk include/klp_convert.h $(EXTRAS)) $(addprefix $(DESTDIR)$(docdir)/samples/,$(SAMPLES))
	@rmdir $(addprefix $(DESTDIR)$(docdir)/samples/,$(sort $(dir $(SAMPLES)))) $(DESTDIR)$(docdir)/samples 2>/dev/null || :
	@rmdir $(addprefix $(DESTDIR)$(pkgdatadir)/,include kbuild dkms) $(DESTDIR)$(pkgdatadir) $(DESTDIR)$(docdir) 2>/dev/null || :

packages: ## make the .deb and the .rpm of GOARCH in bin/packages
	NFPM='$(NFPM)' VERSION='$(VERSION)' SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH) scripts/packages/build.sh $(builddir)/packages

clean: ## remove what was made: bin
	rm -rf bin
