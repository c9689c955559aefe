#!/bin/sh
# Builds the modules again: ./build.sh, with a Python in $PYTHON that has ziglang
# 0.17.1 (as `make runtime-tools` installs it). They are committed so that tests
# need no compiler.
set -eu
cd "$(dirname "$0")"
PYTHON=${PYTHON:-../../../../.tools/ziglang-0.17.1/bin/python}
suffix=cpython-314-wasm32-wasi.so
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT

common="-target wasm32-wasi -mcpu=generic -Os -g0 -fPIC -Wall -Werror -Wno-unused-parameter"
cc() { "$PYTHON" -m ziglang cc $common -std=c17 -c "$@"; }
cxx() {
	"$PYTHON" -m ziglang c++ $common -std=c++20 -fvisibility=hidden -fno-exceptions -fno-rtti \
		-U_LIBCPP_ABI_NAMESPACE -D_LIBCPP_ABI_NAMESPACE=__2 -U_LIBCPP_ABI_VERSION -D_LIBCPP_ABI_VERSION=2 -c "$@"
}
ld() {
	"$PYTHON" -m ziglang wasm-ld -shared --experimental-pic --unresolved-symbols=import-dynamic --strip-debug "$@"
}

cc -fvisibility=hidden crt.c -o "$tmp/crt.o"
cc -fvisibility=hidden counter.c -o "$tmp/counter.o"
cc -fvisibility=default user.c -o "$tmp/user.o"
cxx plus.cc -o "$tmp/plus.o"

ld --entry _initialize --Bsymbolic -o "$tmp/counter.$suffix" "$tmp/crt.o" "$tmp/counter.o"
# Without --Bsymbolic it asks for its own symbols by name. It has no start-up
# code, and says that it needs the other one.
ld --no-entry -o "$tmp/_user.$suffix" "$tmp/user.o" "$tmp/counter.$suffix"
ld --entry _initialize --Bsymbolic -o "$tmp/plus.$suffix" "$tmp/crt.o" "$tmp/plus.o"

# As others might build it: hardly optimized, for a CPU with more features, what
# it defines may be replaced, names are kept, and there is no start-up code.
mkdir -p elsewhere
"$PYTHON" -m ziglang c++ -target wasm32-wasi -mcpu=lime1 -O1 -g0 -fPIC -std=c++17 -fno-exceptions \
	-U_LIBCPP_ABI_NAMESPACE -D_LIBCPP_ABI_NAMESPACE=__2 -U_LIBCPP_ABI_VERSION -D_LIBCPP_ABI_VERSION=2 \
	-c plus.cc -o "$tmp/elsewhere.o"
"$PYTHON" -m ziglang wasm-ld -shared --experimental-pic --unresolved-symbols=import-dynamic --no-entry --export-dynamic \
	-o "elsewhere/plus.abi3.so" "$tmp/elsewhere.o"

for module in counter _user plus; do
	cat "$tmp/$module.$suffix" > "$module.$suffix"
done
