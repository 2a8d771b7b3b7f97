# What a developer types. Every target works in a fresh clone with Rust, a C compiler and make.
.DEFAULT_GOAL := help
.PHONY: help serve wasm wasm-dev wasm-test ui browser-test worker worker-dev worker-test bench-edge bench-browser deploy with-node wasm32 test bench lint purity peers soak doc

CARGO ?= cargo
DATA ?= reqlog-data
LISTEN ?= 127.0.0.1:7070
SOAK_CASES ?= 20000
REQLOG_SIM_SECONDS ?= 600
PEERS := target/peers
# not by way of npx, which would keep signals from reaching it
WRANGLER := WRANGLER_SEND_METRICS=false node node_modules/wrangler/bin/wrangler.js
WASM := wasm32-unknown-unknown
# without these, nothing that is not exported would be compiled and linked, and the check would look at an empty module
EVERYTHING := -C link-dead-code -C link-arg=--no-gc-sections

help: ## this list
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | expand -t 13

serve: ## build in release mode, with the web UI where there is Node, and serve ./reqlog-data on 127.0.0.1:7070
	@$(MAKE) --no-print-directory with-node TARGET=ui
	$(CARGO) run --release --package reqlog -- serve --data $(DATA) --listen $(LISTEN)

ui: wasm www/node_modules ## build the web UI into target/www, from where the server embeds it and the Worker serves it
	node www/build.mjs

browser-test: ui wasm-test ## the UI in Node and real Chromium, and the package (UPDATE_BASELINES=1 takes new pictures)
	cd www && node node_modules/typescript/bin/tsc --project .
	node --test --test-timeout=300000 --test-concurrency=1 www/test/*.test.mjs www/test/browser/*.test.mjs

www/node_modules: www/package.json www/package-lock.json
	cd www && npm ci --no-audit --no-fund
	@touch $@

worker: wasm32 worker/node_modules ## build the Cloudflare Worker into target/worker (Node 20 or later)
	CARGO=$(CARGO) node worker/build.mjs

worker/node_modules: worker/package.json worker/package-lock.json
	cd worker && npm ci --no-audit --no-fund
	@touch $@

worker-dev: ui worker ## the Worker on this machine, its D1 and KV kept in worker/.wrangler
	cd worker && $(WRANGLER) d1 migrations apply DB --local
	cd worker && $(WRANGLER) dev --local

worker-test: worker ## the built Worker against the limits of the platform and on workerd
	node --test --test-timeout=120000 worker/test/*.test.mjs

deploy: ui worker ## migrate the database of worker/wrangler.jsonc, then deploy
	cd worker && $(WRANGLER) d1 migrations apply DB --remote
	cd worker && $(WRANGLER) deploy

wasm: wasm32 wasm/node_modules ## build the npm package of the browser's engine into target/wasm (Node 20 or later)
	CARGO=$(CARGO) node wasm/build.mjs

wasm-dev: wasm32 wasm/node_modules ## the same, neither small nor fast, but built at once
	CARGO=$(CARGO) node wasm/build.mjs --dev

wasm/node_modules: wasm/package.json wasm/package-lock.json
	cd wasm && npm ci --no-audit --no-fund
	@touch $@

wasm-test: wasm ## the built package in Node, in Chromium, and in the hands of bundlers
	node --test --test-concurrency=1 --test-timeout=300000 wasm/test/*.test.mjs

test: lint purity ## everything that must hold before a change is merged
	@$(MAKE) --no-print-directory with-node TARGET='ui worker'
	$(CARGO) test
	@$(MAKE) --no-print-directory with-node TARGET='worker-test browser-test'
	@$(MAKE) --no-print-directory peers

# make TARGET where there is Node; REQLOG_EDGE=required or REQLOG_BROWSER=required makes its absence a failure
with-node:
	@if node --eval 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null; then \
	  $(MAKE) --no-print-directory $(TARGET); \
	else \
	  echo "$(TARGET) is left out: it needs Node 20 or later"; test "$$REQLOG_EDGE" != required -a "$$REQLOG_BROWSER" != required; \
	fi

wasm32:
	@rustup target add $(WASM)

lint: wasm32 ## formatting and clippy, both without mercy
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --exclude reqlog-worker --exclude reqlog-wasm --all-targets -- --deny warnings
	$(CARGO) clippy --package reqlog-worker --package reqlog-wasm --target $(WASM) -- --deny warnings

purity: wasm32 ## the core builds for wasm32 and imports nothing from its host
	$(CARGO) rustc --package reqlog-core --lib --crate-type cdylib --target $(WASM) -- $(EVERYTHING)
	$(CARGO) run --quiet --package reqlog-tests --example wasm_imports -- target/$(WASM)/debug/reqlog_core.wasm

# REQLOG_PEERS=required makes their absence a failure
peers: ## the running server as an OpenAPI validator, a request generator and parsers of others find it (Python 3 with venv)
	@if python3 -c 'import ensurepip, venv' 2>/dev/null; then \
	  set -e; $(CARGO) build --quiet --package reqlog; \
	  test -x $(PEERS)/bin/schemathesis || python3 -m venv $(PEERS); \
	  $(PEERS)/bin/pip install --quiet --disable-pip-version-check --requirement tests/peers/requirements.txt; \
	  REQLOG_BINARY=$(CURDIR)/target/debug/reqlog PYTHONDONTWRITEBYTECODE=1 $(PEERS)/bin/python tests/peers/run.py; \
	else \
	  echo "the checks by peers are left out: they need Python 3 with venv"; test "$$REQLOG_PEERS" != required; \
	fi

bench: ## criterion for the core, then the end-to-end tables (rg and jq are asked where they are there), then bench-edge
	$(CARGO) build --release --package reqlog
	$(CARGO) bench --package reqlog-tests
	@$(MAKE) --no-print-directory with-node TARGET=bench-edge

bench-browser: ui www/bench/node_modules ## opening and asking of a gigabyte in Chromium, beside DuckDB-Wasm (REQLOG_BENCH_BROWSER=quick only shows that it runs)
	$(CARGO) build --release --package reqlog --package reqlog-tests --bins
	node www/bench/main.mjs

www/bench/node_modules: www/bench/package.json www/bench/package-lock.json
	cd www/bench && npm ci --no-audit --no-fund
	@touch $@

bench-edge: worker ## what the Worker costs on workerd, beside a row a record in D1 (REQLOG_BENCH_EDGE=quick only shows that it runs)
	node worker/bench/main.mjs

soak: ## the properties with SOAK_CASES cases each, walks to their ends, a sweep over a million records, a million records one by one, the simulation for REQLOG_SIM_SECONDS
	PROPTEST_CASES=$(SOAK_CASES) $(CARGO) test --release --package reqlog-core --package reqlog-tests
	REQLOG_SOAK=1 $(CARGO) test --release --package reqlog --test e2e -- dialects fanout trickle
	REQLOG_SIM_SECONDS=$(REQLOG_SIM_SECONDS) $(CARGO) test --release --package reqlog-tests --test simulation every_law

doc: ## the documentation of every public item
	RUSTDOCFLAGS="--deny warnings" $(CARGO) doc --no-deps
