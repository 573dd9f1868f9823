#!/bin/sh
# fuzz.sh PROGRAM SOURCE OUT [READER...] - tries each reader for FUZZ_SECONDS (60) of processor time on its corpus and what earlier
# calls have found, in OUT. What breaks a reader, takes it more than a second of work or 256 MB stays in OUT/findings.
# Prints figures; exit status 1 if there are findings. FUZZ_READER and `libFuzzer` say how one is tried again:
#   FUZZ_READER=png PROGRAM OUT/findings/png-crash-...
program=$1 source=$2 out=$3
shift 3
mkdir -p "$out/findings" && out=$(cd "$out" && pwd) && source=$(cd "$source" && pwd) || exit 1
# 256 MB of the reader's own: the program with all its counters takes up to 128, and AddressSanitizer as much again
export ASAN_OPTIONS=quarantine_size_mb=8:allocator_may_return_null=1:detect_leaks=1
export UBSAN_OPTIONS=print_stacktrace=1 LSAN_OPTIONS="suppressions=$source/../lsan.supp:print_suppressions=0"
[ $# -gt 0 ] || set -- $("$program")
readers=0 runs=0 found=0
for reader; do
    mkdir -p "$out/$reader"
    dictionary=$source/$reader.dict
    [ -f "$dictionary" ] || dictionary=
    FUZZ_READER=$reader "$program" "$out/$reader" "$source/corpus/$reader" ${dictionary:+-dict="$dictionary"} \
        -max_total_time="${FUZZ_SECONDS:-60}" -timeout=25 -rss_limit_mb=640 -malloc_limit_mb=256 -max_len=20000 -len_control=20 \
        -print_final_stats=1 -artifact_prefix="$out/findings/$reader-" >"$out/$reader.log" 2>&1
    status=$?
    n=$(sed -n 's/^stat::number_of_executed_units: *//p' "$out/$reader.log")
    echo "$reader: ${n:-0} executions$([ $status = 0 ] || echo ", a finding: $(grep -aE -m1 '^SUMMARY|expected' "$out/$reader.log")")"
    readers=$((readers + 1)) runs=$((runs + ${n:-0}))
    [ $status = 0 ] || found=$((found + 1))
done
echo "$readers readers, $runs executions, $found findings"
[ $found = 0 ]
