# Everything a developer runs. `make` alone lists it.

SHELL := /bin/sh
.DEFAULT_GOAL := help
# Tools that scripts/install-tools had to build.
export PATH := $(CURDIR)/.bulkhead/tools/bin:$(PATH)

# `cargo fmt` does not look behind the macro that declares the modules of resources.
SOURCES := crates tests/src tests/tests

.PHONY: help run test quick unit blackbox bench fmt lint doc openapi clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-9s %s\n", $$1, $$2 }' Makefile

run: ## serve the API with a private PostgreSQL and demo tenants
	@scripts/install-postgres
	@[ -x target/debug/bulkhead ] || echo "building; the first time takes some minutes ..." >&2
	@cargo build --quiet --package bulkhead-cli
	@exec target/debug/bulkhead dev

test: quick lint doc unit blackbox ## every check, with a private PostgreSQL

quick:
	@scripts/install-tools
	find $(SOURCES) -name '*.rs' -exec rustfmt --edition 2024 --check {} +
	scripts/check-source
	scripts/check-walls
	cargo deny --all-features --log-level error check licenses bans sources

lint: ## clippy, warnings are errors
	cargo clippy --quiet --workspace --all-targets --locked -- -D warnings

# Links to private items are wanted: who reads this works on the code.
doc: ## the documentation of the code, warnings are errors
	RUSTDOCFLAGS="-D warnings -A rustdoc::private-intra-doc-links" cargo doc --quiet --workspace --no-deps --document-private-items --locked

unit:
	@scripts/install-postgres
	cargo nextest run --workspace --exclude bulkhead-tests --locked --no-tests=pass

blackbox:
	@scripts/install-postgres
	@scripts/install-test-clients
	cargo build --quiet --package bulkhead-cli --locked
	BULKHEAD_TEST_BINARY="$(CURDIR)/target/debug/bulkhead" scripts/with-test-cluster cargo nextest run --package bulkhead-tests --locked

bench: ## the table of docs/performance.md
	@scripts/install-postgres
	@bench/run

fmt: ## format the sources
	find $(SOURCES) -name '*.rs' -exec rustfmt --edition 2024 {} +

openapi: ## rewrite docs/openapi.json from the code
	cargo run --quiet --package bulkhead-cli -- openapi > docs/openapi.json.new
	mv docs/openapi.json.new docs/openapi.json

clean: ## remove what was built, and the development database
	cargo clean --quiet
	rm -rf .bulkhead test_tokens.json
