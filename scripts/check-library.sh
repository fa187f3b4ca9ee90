#!/usr/bin/env bash
# Checks that the library compiles, without a warning, where a program leaves out what it does not want: without any feature, for this
# machine and for other targets whose standard library is installed (rustup target add TARGET), and in a new program by the README.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD

# The profile that optimises nothing, as macros and build scripts run briefly.
check() {
    cargo clippy --locked --profile kernels --lib --no-default-features "$@" -- -D warnings
}

# program FEATURE...: a new package with the README's ten lines, which depends on the library by its path.
program() {
    local features folder
    folder=$(mktemp -d)
    trap "rm -rf '$folder'" EXIT
    features=$(printf '"%s", ' "$@")
    mkdir "$folder/src"
    sed -n '/^```rust/,/^```$/{/^```/!p}' README.md >"$folder/src/main.rs"
    # The versions and the profile from here, so that what is compiled already is not compiled again.
    cp Cargo.lock "$folder"
    cat - <(sed -n '/^\[profile\.kernels\]/,$p' Cargo.toml) >"$folder/Cargo.toml" <<TOML
[package]
name = "program"
edition = "2024"

[dependencies]
whisper-rs = { path = "$root", default-features = false, features = [${features%, }] }

TOML
    CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$root/target}" cargo check --profile kernels --manifest-path "$folder/Cargo.toml" 2>&1 |
        tee "$folder/log"
    ! grep -q '^warning' "$folder/log"
}

check

for target in aarch64-unknown-linux-gnu wasm32-unknown-unknown; do
    if ! [ -d "$(rustc --print target-libdir --target "$target")" ]; then
        echo "$target: its standard library is not installed, left out"
        continue
    fi
    # Nothing is linked, so zlib need not be compiled, which would take a C compiler for the target.
    check --target "$target" --config "target.$target.z.rustc-link-lib = ['z']"
done

program audio-files
