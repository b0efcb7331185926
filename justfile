# The steps of CI, one recipe each. What they do is in .ci/run; `just ci` is what CI runs.

# List the recipes
default:
    @just --list --unsorted

# Check the formatting, and that no line of Rust is longer than 120 columns
fmt:
    .ci/run fmt

# clippy, warnings denied
lint:
    .ci/run lint

# rustdoc, warnings denied
doc:
    .ci/run doc

# The oldest supported Rust compiles everything (rustup installs it)
msrv:
    .ci/run msrv

# All tests, on SQLite and on PostgreSQL
test:
    .ci/run test

# All tests, on SQLite alone
test-sqlite:
    .ci/run test-sqlite

# The differential script, several nodes and the store on PostgreSQL 18, which npm has (needs Node.js)
test-postgres18:
    .ci/run test-postgres18

# Write entity/src/tables and entity/src/generated.rs from the migrated schema
entities:
    .ci/run entities

# entity/src/tables and entity/src/generated.rs are what the schema gives, on SQLite and on PostgreSQL
entities-check:
    .ci/run entities-check

# Write docs/openapi.json from the code
openapi:
    .ci/run openapi

# Write the tables of docs/roles.md, docs/events.md and docs/operations.md from the code (a test compares them)
docs:
    .ci/run docs

# Make a plain aggregate, in the wing `work` if none is named: `just new-aggregate site_note money`
new-aggregate NAME WING="work":
    .ci/new-aggregate {{ NAME }} {{ WING }}

# docs/openapi.json keeps the rules of .spectral.yaml and redocly.yaml (needs Node.js)
openapi-lint:
    .ci/run openapi-lint

# A TypeScript and a Python client of docs/openapi.json are generated and compile (needs Node.js and Python)
clients:
    .ci/run clients

# Advisories, licences, bans and sources of all dependencies
deny:
    .ci/run deny

# No dependency that nothing uses
machete:
    .ci/run machete

# deploy/ and the files of a release: promtool, systemd-analyze, nginx and Caddy read them
deploy:
    .ci/run deploy

# The manifests of Kubernetes and the workflows of GitHub keep their schemas (needs Node.js and Python)
deploy-lint:
    .ci/run deploy-lint

# Traces, metrics and the log over OTLP: the feature `otel` compiles without warnings, and its tests pass
otel:
    .ci/run otel

# Documents in DynamoDB: the feature `dynamodb` compiles without warnings, and keeps the promises of engines on moto
dynamodb:
    .ci/run dynamodb

# Documents in MongoDB and Firestore: the features compile without warnings, and what is sent is what is to be sent
unverified-engines:
    .ci/run unverified-engines

# Files in S3: the feature `s3` compiles without warnings, and its tests pass on moto
s3:
    .ci/run s3

# A file of ATTACHMENT_MIB (1024) up and down in little memory, and uploads that are killed at each place
attachments:
    .ci/run attachments

# A disk that is full or fails at BEGIN, at each statement, at COMMIT and at checkpoints, with 1, 4 and 64 writers
disk-full:
    .ci/run disk-full

# 10,000 transfers of 16 clients between 200 accounts, and one who looks on
ledger:
    .ci/run ledger

# PostgreSQL crashes, is replaced by its replica and vanishes while clients write, FAILOVER_ROUNDS times (3)
failover:
    .ci/run failover

# How many requests the limits let pass, and what a check costs; limits of two nodes with a Redis that goes away
limits:
    .ci/run limits

# Nodes that are killed under load, NODES_ROUNDS times: what was acknowledged, what others go on with, and when
nodes:
    .ci/run nodes

# Two PouchDBs, of npm, with random offline edits converge with steward in the middle
pouchdb:
    .ci/run pouchdb

# The clients of InfluxDB, of npm and of PyPI, write readings
influx:
    .ci/run influx

# Two clients with random offline edits converge, and no edit is lost silently
offline:
    .ci/run offline

# Large files are imported, or taken back, wherever the process ends, on both databases
imports:
    .ci/run imports

# Members are offboarded, or stay, wherever the process ends, on both databases
offboarding:
    .ci/run offboarding

# Payouts, while the process ends at every place between two of their steps
payouts:
    .ci/run payouts

# PostgreSQL behind PgBouncer: what is refused, and what is in force
pooler:
    .ci/run pooler

# A replica that is paused, behind, away and promoted; readers on two nodes for REPLICA_SECONDS (30)
replica:
    .ci/run replica

# Random reads and writes on two nodes, while their Redis is killed, emptied, stopped, filled and cut off
redis:
    .ci/run redis

# 200 keys, each 50 times at once
retries:
    .ci/run retries

# A release takes the place of the one before under requests: `just rolling-upgrade v0.1.0`; the newest tag by default
rolling-upgrade PREVIOUS="":
    PREVIOUS={{ PREVIOUS }} .ci/run rolling-upgrade

# Budget thresholds and large expenses are told once, while the process is killed
thresholds:
    .ci/run thresholds

# 2,000 events to a receiver that fails three times in ten, while the sender is killed ten times
webhooks:
    .ci/run webhooks

# Write the databases of a release to tests/fixtures, which the tests of upgrades start from (needs pg_dump)
fixture RELEASE:
    WRITE_FIXTURE={{ RELEASE }} .ci/run fixture

# Fuzz the CSV reader and the merge patch, each for FUZZ_SECONDS, 60 by default (needs a nightly Rust)
fuzz:
    .ci/run fuzz

# Change the rules.rs files in small ways, and show which changes no unit test notices: `just mutants --shard 1/8`
mutants *ARGUMENTS:
    MUTANTS="{{ ARGUMENTS }}" .ci/run mutants

# The benchmarks (docs/benchmarks.md)
bench:
    .ci/run bench

# Everything that CI checks
ci:
    .ci/run
