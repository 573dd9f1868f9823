# lib.sh - sourced by the command-line tests: a scratch directory and expectations on exit status and words.
set -u
: "${CAELUM:?path of the program}" "${SOURCE_DIR:?root of the source}"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
REAL_DATA=${CAELUM_DATA:-}
# nothing that the user has set may reach the tests
for variable in $(env | sed -n 's/^\(CAELUM_[A-Z0-9_]*\)=.*/\1/p') NO_COLOR FORCE_COLOR CLICOLOR_FORCE; do
    unset "$variable"
done
CAELUM_CACHE=$scratch/cache HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config
export CAELUM_CACHE HOME XDG_CONFIG_HOME
failures=0

# expect STATUS COMMAND...: runs it; what it said is in out and err
expect() {
    wanted=$1
    shift
    "$@" >"$scratch/out" 2>"$scratch/err" </dev/null
    status=$?
    if [ $status != "$wanted" ]; then
        echo "FAILED: exit status $status, expected $wanted: $*"
        cat "$scratch/out" "$scratch/err"
        failures=$((failures + 1))
    fi
}
# says out|err WORDS: that the last command said them
says() {
    grep -qF -e "$2" "$scratch/$1" && return
    echo "FAILED: std$1 lacks '$2'; it is:"
    cat "$scratch/$1"
    failures=$((failures + 1))
}
# holds DESCRIPTION COMMAND...: that a command succeeds
holds() {
    what=$1
    shift
    "$@" && return
    echo "FAILED: $what"
    failures=$((failures + 1))
}
finish() { [ $failures = 0 ] && echo "all as expected"; exit $((failures > 0)); }
# CIFAR-10's directory, or empty
real_data() {
    for place in "${REAL_DATA:-}" "$SOURCE_DIR/../shared/cifar10"; do
        if [ -n "$place" ] && [ -e "$place" ]; then echo "$place"; return; fi
    done
}
