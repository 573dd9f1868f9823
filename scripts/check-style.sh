#!/bin/sh
# check-style.sh - rules that a machine can check: the modules' order, what depends on the locale, sizes of files
# and functions, white space, and, where clang-format 14 is there, the formatting. Prints what breaks a rule; exit status 1
# then.
export LC_ALL=C # [a-z] has all letters
cd "$(dirname "$0")/.." || exit 1
bad=0
complain() { echo "$1"; bad=1; }

# module: what it may use, apart from itself; scripts/check-modules.sh holds the calls to the same list
. scripts/modules.sh
for file in src/*/*.[ch]; do
    module=${file#src/} module=${module%%/*}
    may=" $module $(allowed "$module") "
    for used in $(sed -n 's|^#include "\([a-z]*\)/.*|\1|p' "$file"); do
        case $may in *" $used "*) ;; *) complain "$file: $module must not include $used" ;; esac
    done
done
for file in cli/*.[ch]; do
    for used in $(sed -n 's|^#include "\(.*\)"|\1|p' "$file"); do
        case $used in caelum.h | cli.h | server.h | base/clock.h | base/dist.h | base/error.h | base/file.h | base/json.h | base/mem.h | base/nearest.h | base/number.h | base/option.h | base/path.h) ;;
        *) complain "$file: the command line knows only caelum.h and a few headers of base, not $used" ;; esac
    done
done

# Statements of the files that have a word like $2, a line each, unless in the file $3; $1: what to use instead
nowhere() {
    use=$1 word=$2 but=$3
    shift 3
    for file; do
        case $file in $but) continue ;; esac
        tr '\n' ' ' <"$file" | tr -s ' ' | tr ';' '\n' | grep -oE "(^|[^a-z_0-9])$word.*" |
            sed "s|^|$file: $use: |" | grep . && bad=1
    done
}
# A program around the library may have set a locale: numbers and names must not depend on it. Only sentences, by
# caelum_fail and its like, have numbers without number_print.
number='%[-+#0-9.*]*[aefgAEFG]'
nowhere "read it by base/number.h" '(strto[a-z]+|ato[fil]+|[fs]scanf)\(' 'src/base/number.[ch]' src/*/*.[ch] cli/*.[ch]
nowhere "print it by base/number.h" "(f|s|sn)printf\\(.*$number" src/base/number.c src/*/*.[ch]
nowhere "print it by base/number.h" 'v[a-z]*printf\(' src/base/number.c src/*/*.[ch]
nowhere "use base/ascii.h" '(is(al|up|low|dig|x|sp|pu|pr|gr|bl|cn)[a-z]+|to(upper|lower)|strn?casecmp|strcoll)\(' '' src/*/*.[ch]
nowhere "use base/json.h" 'json_(dump|load)[a-z_]*\(' src/base/json.c src/*/*.[ch] cli/*.[ch]

files=$(echo include/*.h src/*/*.[ch] cli/*.[ch] tests/*.[ch] mpi/*.c page/wasm/*.[ch] tests/fuzz/*.[ch] tests/sham/*.c tests/torture/*.c bench/peers/*.[ch]*)
for file in $files; do
    lines=$(wc -l < "$file")
    case $file in
    include/caelum.h) most=1240 ;; # the one public header, half of it comments
    bench/peers/*) most=600 ;;
    *) most=500 ;; esac
    [ "$lines" -le $most ] || complain "$file: $lines lines, at most $most"
    grep -n "$(printf '\t')" "$file" | sed "s|^|$file: tab in line |" | grep . && bad=1
    grep -nE ' +$' "$file" | sed "s|^|$file: blank at the end of line |" | grep . && bad=1
    [ -z "$(tail -c 1 "$file")" ] || complain "$file: no newline at the end"
done

# functions of at most 60 lines and 8 parameters, but for these
but='conv_tile|dw_band|input_tiles'
awk -f scripts/limits.awk $files |
    grep -vE ": ($but) has " && bad=1

if clang-format --version 2>/dev/null | grep -q 'version 14'; then
    clang-format --dry-run -Werror $files || bad=1
fi
exit $bad
