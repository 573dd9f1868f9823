#!/bin/sh
# run.sh bits|served|BROWSER - a test of the page in Node; skipped where something that it needs is not there.
skip() { echo "skipped: needs $1"; exit 77; }
cd "$(dirname "$0")" || exit 1
command -v node >/dev/null || skip "node"
[ -e "$BUILD_DIR/caelum.html" ] || skip "the page, which clang-19, lld-19, wasi-libc and python3 build"
case $1 in
bits) exec node bits.mjs ;;
served)
    "$CAELUM" version | grep -q ' microhttpd' || skip "a build with libmicrohttpd"
    program=/usr/bin/chromium ;;
chromium) program=/usr/bin/chromium ;;
firefox) program=/usr/bin/firefox-esr ;;
esac
[ -x "$program" ] || skip "$program"
[ -d node_modules/playwright-core ] && [ -d node_modules/axe-core ] || skip "what 'npm install' in tests/page brings"
[ "$1" != served ] || exec node served.mjs
exec node browser.mjs "$1"
