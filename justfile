# Every chore of the project, each written once: `just` lists them, and `.ci/run` calls them.
# `.ci/tools` installs `just` itself and what else the recipes call, below target/tools.

set shell := ["bash", "-euo", "pipefail", "-c"]

export PATH := justfile_directory() / "target/tools/bin" + ":" + env("PATH")

# Pipedrive's own documents and the checker that reads them. They are not part of this repository.
shared := justfile_directory() / "../shared"

connector := "cargo run --quiet --locked -p connector-host --"

[private]
list:
    @just --list --unsorted

# Build the workspace
build:
    cargo build --workspace --locked

# Run every test
test:
    cargo test --workspace

# Run the tests of the store, and those of the host that need one, over a PostgreSQL of their own
test-postgres:
    tests/postgres.sh cargo test -p connector-connections --all-features --locked
    tests/postgres.sh .ci/filtered_tests -p connector-host --features postgres --locked --test suite -- http::routes:: http::views:: http::postgres:: oauth:: gateway::requests:: cli::shared_limits:: cli::upserts::

# Run the tests of the command line and the server with a second connector linked in: none may break
test-two:
    CONNECTOR_TEST_TWO=1 .ci/filtered_tests -p connector-host --locked --test suite -- cli:: http:: oauth:: gateway::

# Run the tests of the export of traces, which a plain build leaves out
test-otel:
    .ci/filtered_tests -p connector-host --features otel-test --locked --test suite -- otlp::

# Check floors, sizes, names and docs of the whole tree
house:
    .ci/filtered_tests --quiet --locked -p connector-host --test suite -- house::

# Look for secrets in all that the tests showed or stored (after `CONNECTOR_TEST_EVIDENCE=$PWD/target/evidence just test`)
secrets:
    #!/usr/bin/env bash
    set -euo pipefail
    evidence=$PWD/target/evidence
    for kind in log outcome metrics audit spans error stderr store; do
      compgen -G "$evidence/shown/$kind-*" >/dev/null || { echo "the tests left no $kind to search" >&2; exit 1; }
    done
    cp target/traffic.jsonl "$evidence/shown/traffic"
    # The search must find a secret that is planted, and nothing else.
    shuf -n 1 "$evidence/secrets" >"$evidence/shown/planted"
    found=$(grep -rlFf "$evidence/secrets" "$evidence/shown")
    rm "$evidence/shown/planted"
    if [ "$found" != "$evidence/shown/planted" ]; then
      printf 'these files hold a token, code, key or link:\n%s\n' "$found" >&2
      exit 1
    fi
    echo "none of $(wc -l <"$evidence/secrets") secrets is in any of $(find "$evidence/shown" -type f | wc -l) files"

# Format the code
fmt:
    cargo fmt --all

# Check the format, and run clippy with every warning an error
lint:
    cargo fmt --all -- --check
    cargo clippy --workspace --all-targets --locked -- -D warnings
    cargo clippy -p connector-connections -p connector-host --all-features --all-targets --locked -- -D warnings

# Build the documentation of the code, with every warning an error
docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked

# Build the documentation as a site in target/site, and check its links
site:
    .ci/site.py

# Check the spelling
typos:
    typos

# Check licences, versions and sources of dependencies
deny:
    cargo deny --locked check bans licenses sources

# Look for known vulnerabilities of dependencies (reads the RustSec database on GitHub)
advisories:
    cargo deny --locked check advisories

# Write a bill of materials (CycloneDX) to target/sbom, and check that it names every crate of the build
sbom:
    mkdir -p target/sbom
    cargo sbom --output-format cyclone_dx_json_1_6 >target/sbom/connector.cdx.json
    python3 .ci/check_sbom.py target/sbom/connector.cdx.json

# Rewrite the fixtures and the snapshots of every connector; then read the difference
fixtures:
    UPDATE_FIXTURES=1 INSTA_UPDATE=always .ci/filtered_tests -p connector-host --test suite -- catalogue:: runtime::bad_input:: cli::first_hour::
    UPDATE_FIXTURES=1 INSTA_UPDATE=always cargo test -p connector-testkit -p example-connector --locked

# Rewrite the complaints of the macros; then read the difference
complaints:
    TRYBUILD=overwrite cargo test -p connector-macros

# Rewrite what is generated from the catalogue: the manifest, and the reference in docs/reference/
manifest:
    {{ connector }} manifest pipedrive --write manifests/pipedrive.json
    {{ connector }} manifest pipedrive --docs docs/reference

# Check that the manifest is up to date
manifest-check:
    {{ connector }} manifest pipedrive --check manifests/pipedrive.json

# Build each library crate from the files in its package
packages:
    #!/usr/bin/env bash
    set -euo pipefail
    mapfile -t libraries < <(cargo metadata --locked --no-deps --format-version 1 |
      python3 -c 'import json, sys; [print(package["name"]) for package in json.load(sys.stdin)["packages"] if package["publish"] is None]')
    cargo package --quiet --locked --allow-dirty --no-verify "${libraries[@]/#/--package=}"
    rm -rf target/packaged && mkdir target/packaged
    for library in "${libraries[@]}"; do
      # With new times: those in a package are older than any build, so that Cargo would not see a change.
      tar -xzmf target/package/"$library"-[0-9]*.crate -C target/packaged
    done
    {
      printf '[workspace]\nresolver = "3"\nmembers = ["*"]\n[patch.crates-io]\n'
      for library in "${libraries[@]}"; do
        printf '%s = { path = "%s" }\n' "$library" "$(basename target/packaged/"$library"-[0-9]*)"
      done
      # The same profile, so that the dependencies need not be built again.
      sed -n '/^\[profile\.dev/,/^$/p' Cargo.toml
    } >target/packaged/Cargo.toml
    cp Cargo.lock target/packaged/
    cargo build --quiet --manifest-path target/packaged/Cargo.toml --target-dir target --workspace
    echo "built from their packages: ${libraries[*]}"

# Hold requests, responses and manifest against Pipedrive's own documents in ../shared (after `just test`)
conform:
    python3 {{ shared }}/conformance/conform.py requests target/traffic.jsonl --all --allow spec/pipedrive/allow.json
    python3 {{ shared }}/conformance/conform.py responses target/traffic.jsonl --allow spec/pipedrive/allow.json
    python3 {{ shared }}/conformance/conform.py manifest manifests/pipedrive.json --allow spec/pipedrive/allow.json
    PIPEDRIVE_DOCUMENTS={{ shared }}/pipedrive .ci/filtered_tests --locked -p connector-host --test suite -- catalogue::documents::
    python3 spec/pipedrive/extract.py {{ shared }}/pipedrive --check

# Check that each commit subject has at most 72 characters
subjects:
    .ci/subjects

# Compare the runtime with plain reqwest, side by side; add --quick for fewer rounds
bench *arguments:
    cargo run --release --locked -p connector-bench -- {{ arguments }}

# Send a million invocations under every fault, kill the host a hundred times, and prove what it answered (docs/internals/soak.md is its report)
soak *arguments:
    cargo build --release --locked -p connector-host -p connector-soak
    target/release/connector-soak --report docs/internals/soak.md {{ arguments }}

# The same with 20,000 invocations over each store, in a few minutes (PostgreSQL must be installed)
soak-short:
    cargo build --locked -p connector-host --features postgres -p connector-soak
    target/debug/connector-soak --short
    tests/postgres.sh target/debug/connector-soak --short --postgres

# Stop a batch of 20,000 creates by Ctrl-C and SIGKILL, go on with it, and prove what it answered (docs/internals/soak-batch.md is its report)
soak-batch:
    cargo build --locked -p connector-host -p connector-soak
    target/debug/connector-soak --batch --report docs/internals/soak-batch.md

# Invoke one action against the embedded sandbox
try:
    {{ connector }} invoke searchDeals --input '{"term": "audit", "limit": 1}'

# Print ten functions and ten comments of each crate, for a person to read
sample seed="1":
    tests/house/sample.py {{ seed }}
