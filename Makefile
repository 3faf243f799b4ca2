# The one door: `make help` says what each target does.
SHELL := /bin/bash
GO ?= go
BIN := bin/statincidents
GOLANGCI := github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
CLUSTER := $(GO) run ./internal/testkit/pgcluster --

.PHONY: help run demo build test lint bench e2e pictures clean ui tools test-tools

help: ## say what each target does
	@grep -E '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

run: demo ## start the demonstration and print its address and accounts

demo: build ## the same
	@$(BIN) demo --live

build: tools ui ## build bin/statincidents
	@mkdir -p bin
	@CGO_ENABLED=0 $(GO) build -trimpath -o $(BIN) ./cmd/statincidents

ui: tools ## build scripts and styles into the embedded folder
	@./ui/build.sh

tools: ## check that Go and Node are here
	@command -v $(GO) >/dev/null || { echo "Go 1.26 is missing: install it from your system's packages or go.dev/dl, then run make again."; exit 1; }
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "Node 20 (with npm) is missing: install it (Debian: apt-get install nodejs npm), then run make again."; exit 1; }

test-tools: ## install PostgreSQL and Chromium from Debian's packages if missing and permitted
	@./.ci/test-tools

test: build test-tools ## every test: unit, both databases, browser
	@$(CLUSTER) $(GO) test -timeout 20m ./...

e2e: build test-tools ## only the tests in a real browser
	@$(GO) test -count=1 -timeout 20m ./internal/e2e/...

pictures: build test-tools ## make the pictures of the guides anew, in docs/pictures
	@$(GO) test -count=1 -timeout 10m ./internal/e2e -run '^TestPictures$$' -pictures $(CURDIR)/docs/pictures

lint: tools ui ## static checks
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { gofmt -l $$(git ls-files '*.go'); echo "run gofmt -w on these"; exit 1; }
	@$(GO) vet ./...
	@$(GO) run $(GOLANGCI) run

bench: ## benchmarks with allocations (see docs/performance.md)
	@$(CLUSTER) $(GO) test -run '^$$' -bench . -benchmem -timeout 60m ./...

clean: ## delete what was built
	@rm -rf bin ui/node_modules
	@find internal/web/static -mindepth 1 ! -name .keep -delete
