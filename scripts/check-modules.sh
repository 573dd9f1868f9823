#!/bin/sh
# check-modules.sh OBJECTS - what the modules really call: no object file of a module may need a symbol that is
# defined in a module which it may not use (scripts/modules.sh). OBJECTS: the directory of the library's object
# files, one folder a module below it. Prints what breaks the order; exit status 1 then.
export LC_ALL=C # [a-z] has all letters
cd "$(dirname "$0")/.." || exit 1
. scripts/modules.sh
bad=0
table=$(mktemp) || exit 1
trap 'rm -f "$table"' EXIT
# objects of sources that are there: a build directory also keeps those of the past
objects() { for source in src/"$1"/*.c; do [ -f "$objects/$1/${source##*/}.o" ] && echo "$objects/$1/${source##*/}.o"; done; }
objects=$1
for directory in src/*/; do
    module=$(basename "$directory")
    objects "$module" | xargs -r nm -P -g --defined-only | sed -n "s/ [A-Z] .*/ $module/p"
done | sort -u >"$table"
[ -s "$table" ] || { echo "$objects: no object files there"; exit 1; }
for directory in src/*/; do
    module=$(basename "$directory")
    may=" $module $(allowed "$module") "
    objects "$module" | xargs -r nm -P -g -u -A | sed 's/^[^ ]*\/\([^/ ]*\)\.c\.o[^ ]* \([^ ]*\) .*/\2 \1/' | sort -u | join "$table" - |
        while read -r symbol owner user; do
            case $may in *" $owner "*) ;; *) echo "src/$module/$user.c: $module must not call $owner's $symbol" ;; esac
        done
done | grep . && bad=1
exit $bad
