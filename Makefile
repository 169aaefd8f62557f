# Two commands matter to a newcomer: `make demo` and `make test`. `make help` lists the rest.
SHELL := /bin/bash
.DEFAULT_GOAL := help

PREFIX   ?= /usr/local
DESTDIR  ?=
SWIFT    ?= swift
EACH     ?= 60
JOBS     ?= $(shell nproc)
# Only used to place files, so a path with spaces is not supported.
BINDIR   := $(DESTDIR)$(PREFIX)/bin
LIBEXEC  := $(DESTDIR)$(PREFIX)/libexec/goodgate
UNITDIR  := $(DESTDIR)$(PREFIX)/lib/systemd/system
SHARE    := $(DESTDIR)$(PREFIX)/share/goodgate
RELEASE  := .build/release

.PHONY: help api-test demo test build install uninstall bench counters systemd fuzz conformance compatibility tidy clean packages

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 22

packages: ## Install the Debian packages that the build needs (prints the apt line when not root)
	@Scripts/install-packages build

build: packages ## Release build
	$(SWIFT) build -c release -j $(JOBS)

demo: build ## Build, then run Goodgate in front of two instances of a demo app until Ctrl-C
	@Scripts/demo $(RELEASE)

test: ## Install what the tests need, then run every test
	@Scripts/install-packages build test
	@Scripts/tidy
	@Scripts/run-tests

install: build ## Install under PREFIX (default /usr/local); DESTDIR is honoured
	install -d $(BINDIR) $(LIBEXEC) $(UNITDIR) $(SHARE)
	cp -r examples docs $(SHARE)/
	@Scripts/install $(RELEASE) $(BINDIR) $(LIBEXEC) $(UNITDIR) $(PREFIX)

uninstall: ## Remove what `make install` put under PREFIX
	rm -f $(BINDIR)/goodgate $(UNITDIR)/goodgate.service
	rm -rf $(LIBEXEC) $(SHARE)

bench: ## CPU per request, syscalls, memory and start-up, beside nginx (about 7 minutes)
	@Scripts/install-packages build bench
	$(SWIFT) build -c release -j $(JOBS)
	@Scripts/bench.py --binary $(RELEASE)/goodgate $(BENCH)

.PHONY: doctor-bench
doctor-bench: ## What goodgate doctor costs on 1 GB of access log, beside grep -c (a minute)
	@Scripts/install-packages build
	$(SWIFT) build -c release -j $(JOBS)
	@Scripts/bench_doctor.py --binary $(RELEASE)/goodgate-control $(BENCH)

counters: ## Instructions, retains and heap allocations per request, held against the committed counts (UPDATE=--update writes them)
	@Scripts/install-packages build counters
	$(SWIFT) build -c release -j $(JOBS)
	@Scripts/counters.py --binary $(RELEASE)/goodgate $(UPDATE)

systemd: ## Run under a real systemd in namespaces (root): start, reload, kill -9, upgrade, stop
	@Scripts/install-packages build systemd
	$(SWIFT) build -j $(JOBS)
	@Scripts/test-systemd .build/debug || [ $$? -eq 77 ]

.PHONY: faults
faults: ## Make each failure for real, and check what why and doctor say of it (root, 5 minutes; writes the table of docs/verdicts)
	@Scripts/install-packages build faults
	$(SWIFT) test --disable-xctest --filter OtherRulesTests
	@Scripts/faults.py .build/debug $(or $(FAULTS),--write docs/verdicts/README.md) || [ $$? -eq 77 ]

fuzz: ## Fuzz every parser for EACH seconds (default 60)
	@Scripts/install-packages build
	@Scripts/fuzz $(EACH)

.PHONY: fuzz-corpus
fuzz-corpus: ## Choose the committed corpora anew from what `make fuzz` found
	@Scripts/fuzz corpus

conformance: ## nginx's own test suite against our binary: make conformance SUITE=path/to/nginx-tests
	@test -n "$(SUITE)" || { echo "usage: make conformance SUITE=path/to/a/checkout/of/nginx-tests [AREA=A8,A9]"; exit 2; }
	@Scripts/install-packages build conformance
	$(SWIFT) build -c release -j $(JOBS)
	@Scripts/conformance.py --suite "$(SUITE)" --binary $(RELEASE)/goodgate $(if $(AREA),--area $(AREA) --at-least 0.997,--at-least 0.999)

compatibility: ## Write the tables of docs/nginx-compatibility.md anew from the code
	$(SWIFT) build --product goodgate-control
	@head=$$(sed -n "/^## Directives/q;p" docs/nginx-compatibility.md); \
	  { echo "$$head"; echo; .build/debug/goodgate-control compatibility; } > docs/nginx-compatibility.md.new && mv docs/nginx-compatibility.md.new docs/nginx-compatibility.md

api-test: ## Run schemathesis (from PyPI) against the control API of a running Goodgate
	@Scripts/install-packages build api
	$(SWIFT) build -j $(JOBS)
	@Scripts/api-test .build/debug

tidy: ## Check style, module arrows and links
	@Scripts/tidy

clean: ## Remove build products
	rm -rf .build .build-* FuzzTesting/.build
