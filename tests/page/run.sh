#!/bin/sh
# run.sh TEST.mjs - a test of the page in Node; skipped where that, or the page, is not there.
skip() { echo "skipped: needs $1"; exit 77; }
command -v node >/dev/null || skip "node"
[ -e "$BUILD_DIR/page/fused.wasm" ] || skip "the page, which clang-19, lld-19, wasi-libc and python3 build"
exec node "$(dirname "$0")/$1"
