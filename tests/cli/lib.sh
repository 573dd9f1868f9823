# lib.sh - sourced by the command-line tests: a scratch directory and expectations on exit status and words.
set -u
: "${CAELUM:?path of the program}" "${SOURCE_DIR:?root of the source}"
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
REAL_DATA=${CAELUM_DATA:-}
LONG=${CAELUM_LONG:-} # not empty: the long set, which takes in what is slow and rarely breaks
# the program runs in the locale of the tests; what reads its words, in C's, whose [a-z] has all letters
for tool in awk cut grep sed sort tr; do eval "$tool() { LC_ALL=C command $tool \"\$@\"; }"; done
# nothing that the user has set may reach the tests
for variable in $(env | sed -n 's/^\(CAELUM_[A-Z0-9_]*\)=.*/\1/p') NO_COLOR FORCE_COLOR CLICOLOR_FORCE; do
    unset "$variable"
done
CAELUM_CACHE=$scratch/cache HOME=$scratch/home XDG_CONFIG_HOME=$scratch/home/.config XDG_DATA_HOME=$scratch/home/.local/share
export CAELUM_CACHE HOME XDG_CONFIG_HOME XDG_DATA_HOME
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
# until_it PROCESS COMMAND...: waits until the command succeeds, or the process has ended
until_it() {
    waited=$1
    shift
    until "$@" || ! kill -0 "$waited" 2>/dev/null; do sleep 0.02; done
}
# lines_of N WORDS FILE: whether N lines of the file have the words
lines_of() { [ "$(grep -c -e "$2" "$3")" -ge "$1" ]; }
# commands_of DOCUMENT DIRECTORY: a file for each command line that it shows, "    $ ...", with the lines that a \ or a
# here-document up to END adds; but for lines that say "# not run by the tests". What takes hours and CIFAR-10 is cut
# short: generated pictures, one epoch, one run of the study.
commands_of() {
    mkdir -p "$2"
    awk -v to="$2" '
        function run() { if (text != "" && text !~ /# not run by the tests/) {
            file = sprintf("%s/%03d", to, ++count); print text > file; close(file) } text = "" }
        here { text = text "\n" substr($0, 5); if ($1 == "END") here = 0; next }
        more { text = text "\n" $0; more = /\\$/; next }
        { run() }
        /^    \$ / { text = substr($0, 7); more = /\\$/; here = /<<END/ }
        END { run() }' "$1"
    for file in "$2"/*; do
        sed -i 's|\.\./shared/cifar10|synthetic:200|; s/--epochs [1-9][0-9][0-9]*/--epochs 1/
            s/--data synthetic --quick/--data synthetic:200 --quick/; s|studies/assignment.study|& shallower --quick|' "$file"
        grep -q avx2 /proc/cpuinfo || sed -i 's/CAELUM_CPU=avx2/CAELUM_CPU=generic/' "$file" # it can only be lowered
    done
}
# run_commands DIRECTORY: in their order, here; each ends with status 0, or with what "# exit status N" in it says. All
# that they say is in $scratch/said.
run_commands() {
    for file in "$1"/*; do
        wanted=$(sed -n 's/.*  # exit status \([0-9]*\)$/\1/p' "$file")
        expect "${wanted:-0}" sh -c "$(cat "$file")"
        cat "$scratch/out" "$scratch/err" >>"$scratch/said"
    done
}
# outputs_of DOCUMENT: the lines that it shows below its command lines, each up to "..."
outputs_of() {
    awk '
        here { if ($1 == "END") here = 0; next }
        more { more = /\\$/; next }
        /^    \$ / { below = 1; more = /\\$/; here = /<<END/; next }
        !/^    / { below = 0 }
        below { sub(/ *\.\.\..*/, ""); if ($0 ~ /[^ ]/) print substr($0, 5) }' "$1"
}
# links_of DOCUMENT: that the files to which it links are there, with the heading that a link names behind "#"
links_of() {
    grep -o '](\([^) ]*\))' "$1" | sed 's/](//; s/)$//; /:/d' | sort -u >"$scratch/links"
    while IFS='#' read -r file heading; do
        target=$1
        [ -z "$file" ] || target=$(dirname "$1")/$file
        holds "$1 links to $file, which exists" test -e "$target"
        [ -z "$heading" ] || holds "$1 links to '$heading', a heading of $target" has_heading "$target" "$heading"
    done <"$scratch/links"
}
has_heading() {
    sed -n 's/^##* //p' "$1" | tr 'A-Z ' 'a-z-' | sed 's/[^a-z0-9_-]//g' | grep -qxF -e "$2"
}
# twice: a shell with a stopped job refuses the first time, and would then end as if all were well
finish() { [ $failures = 0 ] && echo "all as expected"; exit $((failures > 0)); exit $((failures > 0)); }
# CIFAR-10's directory, or empty
real_data() {
    for place in "${REAL_DATA:-}" "$SOURCE_DIR/../shared/cifar10"; do
        if [ -n "$place" ] && [ -e "$place" ]; then echo "$place"; return; fi
    done
}
