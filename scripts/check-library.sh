#!/usr/bin/env bash
# Checks that the library compiles without all that it can do without: for this machine, and for other targets whose standard
# library is installed (rustup target add TARGET).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

check() {
    # The profile that optimises nothing, as macros and build scripts run briefly.
    cargo check --locked --profile kernels --lib --no-default-features "$@"
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
