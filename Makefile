# make help lists the targets.

GO       ?= go
PREFIX   ?= /usr/local
DESTDIR  ?=
FUZZTIME ?= 10s
ROUNDS   ?= 100
VM       ?= vm-run --
VM_USER  ?= as-rootless

BUILD_DEPS = gcc libc6-dev libseccomp-dev pkg-config
TEST_DEPS  = $(BUILD_DEPS) git uidmap busybox-static util-linux python3

# The pure packages build anywhere.
PURE = ./sandbox/definition ./sandbox/plan ./script/... ./project ./recipes ./templates

.DELETE_ON_ERROR:
.PHONY: help build demo test test-user test-vm check format vet lint golden golden-check fuzz bench install clean deps test-deps

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | awk -F'\t' '{printf "  %-10s %s\n", $$1, $$2}'

# The runner is copied: what the linker writes page by page the page cache holds in
# single pages, and each start then takes 0.3 to 0.6 ms longer.
build: deps ## build bin/sandbox and bin/sandbox-kit
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags "-s -w" -o bin/sandbox.linked ./cmd/sandbox
	dd if=bin/sandbox.linked of=bin/sandbox.copied bs=16M status=none # in one write
	chmod 755 bin/sandbox.copied && mv bin/sandbox.copied bin/sandbox && rm bin/sandbox.linked
	CGO_ENABLED=1 $(GO) build -trimpath -ldflags "-s -w" -o bin/sandbox-kit ./cmd/sandbox-kit

demo: build ## build and test this repository in a container
	$(GO) mod download
	bin/sandbox run go

test: test-deps ## run the tests; as root also as an ordinary user
	$(GO) test -timeout 4m ./...
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) --no-print-directory test-user; fi

test-user: test-deps
	.ci/test-as-user -timeout 4m ./...

test-vm: test-deps ## test what touches the kernel in a virtual machine that VM="vm-run --" starts
	VM_USER="$(VM_USER)" TEST_FLAGS="$(TEST_FLAGS)" .ci/test-vm $(VM)

check: test-deps format vet lint golden-check fuzz ## format, vet, lint, import rules, goldens clean, fuzz

format:
	@unformatted=$$(gofmt -l $$($(GO) list -f '{{.Dir}}' ./...)); \
	if [ -n "$$unformatted" ]; then echo "gofmt these files:"; echo "$$unformatted"; exit 1; fi

vet:
	$(GO) vet ./...
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet ./cmd/sandbox ./sandbox/... ./script/... ./project/...
	GOOS=darwin CGO_ENABLED=0 $(GO) vet $(PURE)

lint:
	$(GO) test -count=1 .

golden-check:
	$(GO) test -count=1 -run 'Golden|Generated|Embedded' ./...

golden: ## write the golden files and docs/reference anew
	$(GO) test -count=1 -run Golden ./sandbox/plan ./script ./script/docs ./project -args -update

fuzz: ## run every fuzz target for FUZZTIME
	.ci/fuzz $(FUZZTIME)

bench: build ## compare starts with the peers in PATH or PEERS=DIR
	$(GO) run ./internal/bench -rounds $(ROUNDS) -runner bin/sandbox -o bench.json

install: build ## install both programs below PREFIX
	install -D -m 755 bin/sandbox $(DESTDIR)$(PREFIX)/bin/sandbox
	install -D -m 755 bin/sandbox-kit $(DESTDIR)$(PREFIX)/bin/sandbox-kit

clean: ## remove what was built
	rm -rf bin dist bench.json

deps:
	@.ci/deps $(BUILD_DEPS)

test-deps:
	@.ci/deps $(TEST_DEPS)
