#!/bin/sh
# Builds fixtures/*.wasm from the sources in this folder. The fixtures are committed, so that tests need no compiler.
#
# Debian 12 packages: rustc libstd-rust-dev-wasm32 clang-14 lld-14 wasi-libc libclang-rt-14-dev-wasm32
# Go 1.24 or newer (`go:wasmexport`), here in /usr/local/go. Other places: RUSTC, CLANG, GO.
set -eu
cd "$(dirname "$0")"
RUSTC=${RUSTC:-/usr/bin/rustc}
CLANG=${CLANG:-clang-14}
GO=${GO:-/usr/local/go/bin/go}
OUT=$PWD/fixtures
# clang runs whatever `wasm-opt` it finds, for example one of npm, and the result would depend on it.
PATH=/usr/bin:/bin
mkdir -p "$OUT"

# $1 source, $2 target, $3 fixture, then options. Paths are taken out, so that the result does not name this machine.
rust() {
  source=$1 target=$2 fixture=$3
  shift 3
  "$RUSTC" --edition 2021 --target "$target" -C opt-level=3 -C lto=fat -C panic=abort -C strip=symbols \
    -C linker=wasm-ld --remap-path-prefix "$PWD=guests" "$@" -o "$OUT/$fixture" "rust/$source"
}
rust log.rs wasm32-unknown-unknown rust_log.wasm --crate-type cdylib
rust kv_sql.rs wasm32-unknown-unknown rust_kv_sql.wasm --crate-type cdylib
rust tx.rs wasm32-unknown-unknown rust_tx.wasm --crate-type cdylib
rust wasi.rs wasm32-wasi rust_wasi.wasm --crate-type bin
rust files.rs wasm32-wasi rust_files.wasm --crate-type bin

"$CLANG" --target=wasm32-wasi -mexec-model=reactor -O2 -Wall -Wextra -Werror -Wl,--strip-all \
  -o "$OUT/c_sensor.wasm" c/sensor.c
"$CLANG" --target=wasm32-wasi -mexec-model=reactor -O2 -Wall -Wextra -Werror -Wl,--strip-all \
  -o "$OUT/c_files.wasm" c/files.c

# The hostile ones, without any library.
for name in loop bomb recurse logflood badptr badalloc; do
  "$CLANG" --target=wasm32 -nostdlib -fno-builtin -O1 -Wall -Wextra -Werror -fno-optimize-sibling-calls -Wno-infinite-recursion \
    -Wl,--no-entry -Wl,--strip-all -o "$OUT/$name.wasm" "c/$name.c"
done

# $1 folder of the program, $2 fixture.
go_guest() {
  (cd go && GOOS=wasip1 GOARCH=wasm "$GO" build -trimpath -buildvcs=false -buildmode=c-shared -ldflags='-s -w' \
    -o "$OUT/$2" "$1")
}
go_guest . go_log.wasm
go_guest ./files go_files.wasm
go_guest ./flow go_flow.wasm
chmod -x "$OUT"/*.wasm
ls -l "$OUT"
