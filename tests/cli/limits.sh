# Under limits on threads and memory the program works as far as it can, and says so where it can't: other people's
# libraries, which would end it, wait for ever or raise signals there, are kept out of the way.
. "$SOURCE_DIR/tests/cli/lib.sh"
net=$SOURCE_DIR/models/standard.net
export ASAN_OPTIONS=detect_leaks=0 # the search for leaks wants a process of its own
train="train $net --data synthetic:200 --epochs 1"

holds "OpenBLAS is not loaded with the program" sh -c "! ldd '$CAELUM' | grep -i 'blas\|lapack'"
# shellcheck disable=SC2086 # words are arguments
expect 0 "$CAELUM" $train -o free --threads 8

# Threads: root is not limited, so somebody else has to be it.
chmod 755 "$scratch"
as_nobody() { # LIMIT COMMAND...: with at most LIMIT threads and processes
    limit=$1
    shift
    setpriv --reuid 65534 --clear-groups prlimit --nproc="$limit" "$@"
}
if as_nobody 1 "$CAELUM" version >/dev/null 2>&1; then
    mkdir -m 777 "$scratch/nobody"
    for limit in 1 2 5; do
        # shellcheck disable=SC2086
        expect 0 as_nobody $limit "$CAELUM" $train -o nobody/$limit --threads 8
        holds "the same weights with $limit threads" cmp free/best.safetensors nobody/$limit/best.safetensors
    done
    expect 0 env CAELUM_CACHE="$scratch/nobody/cache" setpriv --reuid 65534 --clear-groups prlimit --nproc=1 \
        "$CAELUM" eval free/best.safetensors --data synthetic:200
    says out "PCA 768"
elif [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --clear-groups true 2>/dev/null &&
    setpriv --reuid 65534 --clear-groups test -x "$CAELUM"; then
    holds "the program starts where only one thread may run" as_nobody 1 "$CAELUM" version
else
    echo "not root, or no setpriv and prlimit: no limit on threads was tried"
fi

# Memory, in KiB; a sanitizer wants more than there is.
in_memory() { # LIMIT COMMAND...
    limit=$1
    shift
    (ulimit -v "$limit" && exec timeout 60 "$@")
}
if in_memory 400000 "$CAELUM" version >/dev/null 2>&1; then
    expect 0 in_memory 200000 "$CAELUM" version
    expect 7 in_memory 400000 "$CAELUM" eval free/best.safetensors --data synthetic:200 --cache-dir other
    says err "512 MiB for LAPACK"
    expect 0 in_memory 400000 "$CAELUM" eval free/best.safetensors --data synthetic:200 --no-baselines
    # shellcheck disable=SC2086
    expect 0 in_memory 400000 "$CAELUM" $train -o small --threads 2
    # 64 stacks of 8 MiB don't fit, but none of them ends the program
    # shellcheck disable=SC2086
    in_memory 700000 "$CAELUM" $train -o stacks --threads 64 >out 2>err
    status=$?
    [ $status = 0 ] || holds "out of memory by our own words: $status" grep 'out of memory' err
    # what comes last is what fails first: charts and sheets need memory, and the models are there
    for limit in 90000 93000 96000 100000 104000 108000; do
        # shellcheck disable=SC2086
        in_memory $limit "$CAELUM" $train -o "tight$limit" --threads 1 >out 2>err
        status=$?
        holds "no signal, no hang in $limit KiB: $status" test $status -lt 124
        [ ! -e "tight$limit/curves.svg" ] || expect 0 "$CAELUM" inspect "tight$limit/best.safetensors"
    done
else
    echo "the program can't be started with 400,000 KiB: no limit on memory was tried"
fi
finish
