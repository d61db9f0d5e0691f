# SPDX-License-Identifier: GPL-2.0-or-later
#
# make help says what there is. Every tool can be overridden: make GO=go1.26 test

GO          ?= go
GOFMT       ?= gofmt
INSTALL     ?= install
SHELLCHECK  ?= shellcheck -S warning
STATICCHECK ?= $(GO) run honnef.co/go/tools/cmd/staticcheck@v0.8.2
LAB         ?= $(GO) run ./scripts/lab/cmd/klp-lab

prefix      ?= /usr/local
bindir      ?= $(prefix)/bin
datadir     ?= $(prefix)/share/klp-convert
docdir      ?= $(prefix)/share/doc/klp-convert
DESTDIR     ?=

VERSION     ?=
FUZZTIME    ?= 10s
BENCH       ?= .
TESTFLAGS   ?=

SAMPLE       = testdata/x86_64/livepatch-cmdline.ko

# Static, without a path of the machine, and quicker to start than with cgo.
GOBUILD = CGO_ENABLED=0 $(GO) build -trimpath -ldflags '-s -w -X main.buildVersion=$(VERSION)'

.DELETE_ON_ERROR:
.PHONY: help build demo test prerequisites unit lab fuzz corpus bench lint testdata install clean

help: ## show this
	@sed -n 's/^\([a-z]*\):.*## /  \1\t/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

build: ## build bin/klp-convert
	$(GOBUILD) -o bin/klp-convert ./cmd/klp-convert

demo: build ## convert the shipped sample and show it before and after
	@mkdir -p bin/demo
	bin/klp-convert inspect $(SAMPLE)
	@echo
	bin/klp-convert -v $(SAMPLE) bin/demo/livepatch-cmdline.ko
	@echo
	bin/klp-convert inspect bin/demo/livepatch-cmdline.ko

test: prerequisites unit fuzz corpus ## run all tests, real kernels in QEMU among them

prerequisites:
	@scripts/prerequisites.sh

unit:
	$(GO) vet ./...
	@race=-race; if ! command -v gcc >/dev/null || [ ! -e /usr/include/stdlib.h ]; then race=; echo "no C compiler here: without the race detector"; fi; \
	set -x; $(GO) test $$race -count=1 -timeout 30m $(TESTFLAGS) ./...

lab: prerequisites ## run the kernel scenarios on KLP_LAB_KERNELS (default all: 5.10, 6.1, 6.12, 7.x)
	KLP_LAB_KERNELS="$${KLP_LAB_KERNELS:-all}" $(GO) test -count=1 -timeout 60m $(TESTFLAGS) ./scripts/lab
	KLP_LAB_KERNELS="$${KLP_LAB_KERNELS:-all}" $(GO) test -count=1 -timeout 60m -run '^TestRunningKernelAgrees$$' -v $(TESTFLAGS) ./sympos

fuzz: ## run each fuzz target for FUZZTIME (10s)
	scripts/fuzz.sh $(FUZZTIME)

corpus: ## read every .ko below KLP_CORPUS=dir[:dir] (default: the lab's kernels, three architectures)
	@dirs="$${KLP_CORPUS:-$$($(LAB) corpus)}"; \
	if [ -z "$$dirs" ]; then echo "corpus: not run: no kernel packages are to be had here"; [ "$$CI" != true ]; exit; fi; \
	KLP_CORPUS="$$dirs" $(GO) test -count=1 -timeout 30m -run '^TestCorpus$$' -v ./elfrw ./klpreloc/special ./klpreloc/klppatch

bench: build ## run the benchmarks; ratios to GNU objcopy and cp among them
	$(GO) test -run '^$$' -bench '$(BENCH)' -benchmem ./...

lint: ## gofmt, go vet, staticcheck, shellcheck
	@out=$$($(GOFMT) -l .); if [ -n "$$out" ]; then echo "gofmt would change:"; echo "$$out"; exit 1; fi
	$(GO) vet ./...
	$(STATICCHECK) ./...
	@if command -v $(firstword $(SHELLCHECK)) >/dev/null; then echo $(SHELLCHECK) scripts; $(SHELLCHECK) scripts/*.sh scripts/dkms/*.sh .ci/run; else echo "shellcheck is not here: scripts not checked"; fi

testdata: ## rebuild the binaries in testdata from their sources
	scripts/testdata.sh

install: build ## install below DESTDIR and prefix (/usr/local)
	$(INSTALL) -d $(DESTDIR)$(bindir) $(DESTDIR)$(datadir)/include $(DESTDIR)$(docdir)
	$(INSTALL) -m 755 bin/klp-convert $(DESTDIR)$(bindir)/
	$(INSTALL) -m 644 scripts/klp-convert.mk $(DESTDIR)$(datadir)/
	$(INSTALL) -m 644 scripts/include/klp_convert.h $(DESTDIR)$(datadir)/include/
	$(INSTALL) -m 644 README.md docs/*.md $(DESTDIR)$(docdir)/

clean: ## remove what make build and make demo made
	rm -rf bin
