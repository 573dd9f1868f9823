# confine: what has got into the reader of a picture starts no programs, opens no sockets and traces nothing (sham/outside.c).
. "$SOURCE_DIR/tests/cli/lib.sh"
if ! grep -qs '^Seccomp:' /proc/self/status || ldd "$CAELUM" | grep -q 'libasan\|libtsan'; then
    echo "skipped: no filters in this kernel, or a build with sanitizers"
    exit 77
fi
expect 0 "$CAELUM" data export synthetic:20 --split train -o in -q
for command in "colorize in -o colored" "denoise in -o clean" "data info in"; do
    expect 0 env LD_PRELOAD="$OUTSIDE" "$CAELUM" $command
    case $command in
    data*) answer=done ;; # which can fetch
    *) answer='Operation not permitted' ;;
    esac
    for call in socket ptrace execve; do
        says err "$call: $answer"
        holds "$command: each $call ends so" test "$(grep -c "^$call:" err)" = "$(grep -c "^$call: $answer" err)"
    done
done
finish
