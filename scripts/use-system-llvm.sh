#!/usr/bin/env bash
# Lets the `cuda` feature build with the LLVM of a Linux distribution.
#
# CubeCL's CUDA runtime links LLVM. Its build script looks for a copy in the user's data folder and downloads one from a code
# host if there is none. Where that host is out of reach, this script puts links to an installed LLVM in that place.
#
# usage: scripts/use-system-llvm.sh [LLVM_CONFIG]
#
# LLVM_CONFIG is the installed llvm-config, llvm-config-22 by default. On Debian:
#   apt-get install llvm-22-dev libpolly-22-dev libzstd-dev zlib1g-dev libxml2-dev
# To undo it, remove the folder that the script names.
set -euo pipefail

# The name of the folder that cubecl 0.11.3 (tracel-llvm-bundler 23.1.0-4) looks for.
bundle=tracel-llvm-23.1.0-4

config=${1:-llvm-config-22}
if ! config=$(command -v "$config"); then
    echo "${1:-llvm-config-22} is not installed: install LLVM's development files or name its llvm-config" >&2
    exit 1
fi
case $(uname -s) in
Linux) data=${XDG_DATA_HOME:-$HOME/.local/share} ;;
*)
    echo "this script knows Linux alone" >&2
    exit 1
    ;;
esac

target=$data/tracel/$bundle
if [ -e "$target" ] && [ ! -e "$target/.system-llvm" ]; then
    echo "$target exists and was not made by this script: it is left as it is" >&2
    exit 1
fi
rm -rf "$target"
mkdir -p "$target/bin"
ln -s "$("$config" --libdir)" "$target/lib"
ln -s "$("$config" --includedir)" "$target/include"

# Distributions name some system libraries by absolute path, which the build script would take for a library's name.
cat >"$target/bin/llvm-config" <<EOF
#!/bin/sh
'$config' "\$@" | sed -E 's#(^| )/[^ ]*/lib([^ /]+)\.so[^ ]*#\1-l\2#g'
EOF
chmod +x "$target/bin/llvm-config"
: >"$target/.system-llvm"
: >"$target/.tracel-llvm-installed"
echo "$target now leads to LLVM $("$config" --version)"
