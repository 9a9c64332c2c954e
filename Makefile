# edgelab. make help lists the targets.

SHELL := /bin/bash
GO ?= go
# Run only benchmarks like this one.
BENCH ?= .

.DEFAULT_GOAL := build
.PHONY: build test lint bench fuzz mutants vuln release conformance images screenshots tools clean help

build: ## build bin/edgelab
	$(GO) build -trimpath -ldflags '-s -w' -o bin/edgelab ./cmd/edgelab

test: tools ## go vet, and every test with the race detector
	$(GO) vet ./...
	$(GO) test -race -timeout 60m ./...

lint: ## golangci-lint as .golangci.yml says
	@.ci/lint

bench: ## what a leg, a sweep, a thousand partners and the start cost, beside the last release's figures
	@GO='$(GO)' BENCH='$(BENCH)' .ci/bench

fuzz: ## every fuzz test for FUZZTIME each, 10 s unless set
	@.ci/fuzz

mutants: ## mutation testing of the policy engine, the plan and the verdict; an hour or more
	@.ci/mutants

vuln: ## known vulnerabilities that the code calls; GOVULNDB names a copy of the database
	@.ci/vuln

release: ## binaries, SBOM and checksums in dist/, signed with SIGNING_KEY
	@.ci/release

conformance: tools ## measure real products and compare them with the policies; needs root, debootstrap and a Debian mirror
	EDGELAB_CONFORMANCE=1 $(GO) test -count=1 -timeout=60m ./peers/conformance/...

images: ## the images of docker-compose.yml, Prosody's and Kamailio's included, without a registry; as root, for debootstrap
	@.docker/images real

screenshots: ## pictures of each view of the training site, in the folder screenshots
	EDGELAB_SCREENSHOTS="$(CURDIR)/screenshots" $(GO) test -count=1 -timeout 30m -run '^TestScreenshots$$' ./lab/web

tools: ## see that the programs that tests talk to are there; as root on Debian, install them
	@.ci/tools

clean: ## remove what build made
	rm -rf bin

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
