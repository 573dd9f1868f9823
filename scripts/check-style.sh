#!/bin/sh
# check-style.sh - rules that a machine can check: the rooms' dependency order, file sizes, white space,
# and, where clang-format 14 is there, the formatting. Prints what breaks a rule; exit status 1 then.
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() { echo "$1"; bad=1; }

# room: what it may include, apart from itself
allowed() {
    case $1 in
    base) echo "" ;;
    kernels) echo "base" ;;
    layers) echo "kernels base" ;;
    net) echo "layers kernels base" ;;
    engine) echo "net layers kernels base" ;;
    train) echo "engine net layers kernels base" ;;
    report) echo "train engine net layers kernels base" ;;
    image) echo "base" ;;
    data) echo "image base" ;;
    code) echo "layers kernels base" ;;
    exchange) echo "net layers kernels base" ;;
    api) echo "code exchange report train engine net layers kernels data image base" ;;
    *) complain "src/$1: a room that docs/design.md does not know" ;;
    esac
}
for file in src/*/*.[ch]; do
    room=${file#src/} room=${room%%/*}
    may=" $room $(allowed "$room") "
    for used in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file"); do
        case $may in *" $used "*) ;; *) complain "$file: $room must not include $used" ;; esac
    done
done
for file in cli/*.[ch]; do
    for used in $(sed -n 's|^#include "\(.*\)"|\1|p' "$file"); do
        case $used in caelum.h | cli.h | base/json.h | base/number.h | base/path.h) ;;
        *) complain "$file: the command line knows only caelum.h and three headers of base, not $used" ;; esac
    done
done

for file in include/*.h src/*/*.[ch] cli/*.[ch] tests/*.[ch] bench/peers/*.[ch]*; do
    lines=$(wc -l < "$file")
    most=600
    [ "$file" = include/caelum.h ] && most=1000 # the one public header, half of it comments
    [ "$lines" -le $most ] || complain "$file: $lines lines, at most $most"
    grep -n "$(printf '\t')" "$file" | sed "s|^|$file: tab in line |" | grep . && bad=1
    grep -nE ' +$' "$file" | sed "s|^|$file: blank at the end of line |" | grep . && bad=1
    [ -z "$(tail -c 1 "$file")" ] || complain "$file: no newline at the end"
done

if clang-format --version 2>/dev/null | grep -q 'version 14'; then
    clang-format --dry-run -Werror include/*.h src/*/*.[ch] cli/*.[ch] tests/*.[ch] bench/peers/*.[ch]* || bad=1
fi
exit $bad
