#!/usr/bin/env bash
# Builds policy-engine.wasm. Usage: build.sh [FILE] (default: policy-engine.wasm beside this script).
# The bytes depend on the toolchain (rust-toolchain.toml) and on Cargo.lock, and on nothing else: no path, time or user.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd -P)
out=${1:-$here/policy-engine.wasm}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cargo_home=$(cd "${CARGO_HOME:-$HOME/.cargo}" && pwd -P)
cd "$here"

export SOURCE_DATE_EPOCH=0 CARGO_INCREMENTAL=0 CARGO_TARGET_DIR="$work"
unset RUSTC_WRAPPER RUSTC_WORKSPACE_WRAPPER CARGO_BUILD_RUSTFLAGS CARGO_ENCODED_RUSTFLAGS \
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS
export RUSTFLAGS="--remap-path-prefix=$here=/policy-engine --remap-path-prefix=$cargo_home=/cargo \
--remap-path-prefix=$work=/target --cfg getrandom_backend=\"unsupported\" \
-C link-arg=--max-memory=536870912 -C link-arg=-zstack-size=8388608"
cargo build --locked --release --lib --target wasm32-unknown-unknown
cp "$work/wasm32-unknown-unknown/release/pm_policy_engine.wasm" "$out"
sha256sum "$out"
