#!/bin/sh
# Builds the libraries again: ./build.sh, with a Python in $PYTHON that has
# ziglang 0.17.1 (as `make runtime-tools` installs it), and wasm-tools.
# They are committed so that tests need no compiler.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-../../../.tools/ziglang-0.17.1/bin/python}
WASM_TOOLS=${WASM_TOOLS:-../../../.tools/bin/wasm-tools}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

cc() { "$PYTHON" -m ziglang cc -target wasm32-wasi -mcpu=generic "$@" -std=c17 -O2 -g0 -fPIC -fvisibility=default -ffreestanding -c; }
ld() { "$PYTHON" -m ziglang wasm-ld -shared --experimental-pic --unresolved-symbols=import-dynamic --no-entry --export=__wasm_call_ctors "$@"; }

# The first clears its memory in a start function, the second has zeros as
# data: compilers do either, by whether bulk memory is enabled.
cc -mbulk-memory first.c -o "$tmp/first.o"
cc -mno-bulk-memory second.c -o "$tmp/second.o"
ld -o "$tmp/libsecond.so" "$tmp/second.o"
ld -o "$tmp/libfirst.so" "$tmp/first.o" "$tmp/libsecond.so"
"$WASM_TOOLS" component embed pair.wit "$tmp/libfirst.so" -o libfirst.so
cat "$tmp/libsecond.so" > libsecond.so
chmod 644 libfirst.so libsecond.so
