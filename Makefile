# The front door. `make help` lists what there is.
#
#   make report                 from a fresh Debian 12 machine with Rust to a report to open
#   make report CAPTURE=x.pcap  the same for a capture of yours
#   make test                   everything that can be checked

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := all
.PHONY: all help build geo install parquet report reproduce reproduce-study test crosscheck lint docs accuracy bench guard lab clean

BIN := $(CURDIR)/target/release
OUT ?= out
CAPTURE ?=
# For reproduce: captures of either configuration, joined by commas, and the monitored addresses.
PASSIVE ?=
HONEYPOT ?=
TELESCOPE ?=
# Where the tools go: beside cargo, which is on the PATH of everyone who can run this file.
BINDIR ?= $(shell scripts/setup/bindir)
# What plain `make` builds; csv2parquet is for those who ask for it.
TOOLS := $(filter-out csv2parquet,$(notdir $(wildcard tools/*)))

all: build geo install ## build the tools, get the databases, put the tools on the PATH

help: ## what there is to make
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 17

build: ## build every tool, optimised
	@scripts/setup/packages build
	cargo build --release --locked --bins

geo: ## install the default city and AS number databases
	@scripts/geo/install

install: build ## put the tools beside cargo (or into BINDIR)
	@install -d '$(BINDIR)'
	@for tool in $(TOOLS); do install -m 755 "$(BIN)/$$tool" '$(BINDIR)/'; done
	@echo "installed in $(BINDIR): $(TOOLS)"

parquet: ## build csv2parquet as well, and put it beside the other tools
	@scripts/setup/packages build
	cargo build --release --locked -p probeline-csv2parquet
	@install -d '$(BINDIR)'
	@install -m 755 '$(BIN)/csv2parquet' '$(BINDIR)/'

report: build geo ## run the pipeline on CAPTURE (or the bundled ones) and write OUT/report.html
	@scripts/setup/packages report
	PATH="$(BIN):$$PATH" scripts/report/report -o '$(OUT)' $(CAPTURE)

reproduce: build geo ## every table of the study, from PASSIVE and HONEYPOT captures or the bundled pair
	@scripts/setup/packages report
ifeq ($(PASSIVE)$(HONEYPOT),)
	PATH="$(BIN):$$PATH" scripts/report/report -o '$(OUT)'
else
	PATH="$(BIN):$$PATH" scripts/report/reproduce -o '$(OUT)' $(if $(TELESCOPE),-t '$(TELESCOPE)') \
	    $(if $(PASSIVE),--passive '$(PASSIVE)') $(if $(HONEYPOT),--honeypot '$(HONEYPOT)')
endif

reproduce-study: build geo ## every table at the published scale, from two simulated captures, beside the published figures
	@scripts/setup/packages report
	PATH="$(BIN):$$PATH" scripts/report/study -o '$(OUT)/study'

test: build geo parquet ## run every test
	@scripts/setup/packages test
	@scripts/setup/python >/dev/null || echo 'without PyPI: some checks will be skipped' >&2
# The laboratory needs network namespaces, and so root; what needs it is skipped otherwise, and says so.
	@[[ $$EUID -ne 0 ]] || { scripts/setup/packages lab && scripts/setup/cowrie >/dev/null; }
	PATH="$(BIN):$$PATH" PROBELINE_BIN_DIR="$(BIN)" cargo test --workspace --locked --no-fail-fast

lint: ## format, clippy, documentation, licences
	@scripts/setup/packages build
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps --locked

docs: build ## write the generated documents anew
	PATH="$(BIN):$$PATH" scripts/docs/fields > docs/FIELDS.md
	PATH="$(BIN):$$PATH" scripts/docs/rules > docs/RULES.md

accuracy: build ## hold the tools' names against captures and chance, into docs/ACCURACY.md (some minutes)
	PATH="$(BIN):$$PATH" scripts/docs/accuracy > docs/ACCURACY.md

crosscheck: build geo ## compare geo-enrich with Python's readers on 100,000 addresses
	@scripts/setup/packages test
	"$$(scripts/setup/python)" scripts/geo/crosscheck --geo-enrich "$(BIN)/geo-enrich" \
	    "$$(dirname "$$("$(BIN)/geo-enrich" --list-databases | grep -m1 -o '^[^,]*[.]mmdb')")"

bench: ## measure against the tools a user would pick instead, into docs/BENCHMARKS.md
	@scripts/setup/packages bench
	scripts/bench/bench

guard: build ## fail where a tool takes 5 % more instructions than it did
	@scripts/setup/packages guard
	scripts/bench/instructions

lab: build ## record the laboratory's telescopes, passive and honeypot, into OUT/lab (root, about seven minutes)
	PATH="$(BIN):$$PATH" scripts/lab/make-capture -o '$(OUT)/lab'

clean: ## remove everything that was built
	cargo clean
	rm -rf '$(OUT)'
