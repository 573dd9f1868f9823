#!/bin/sh
# hostile.sh PROGRAM SOURCE OUT [N [READER...]] - what N (1000) hostile files for each reader take: those of the corpora with bits,
# sizes and structure changed. Each may take a second of processor time and 256 MB; what takes more, or breaks the reader, stays in
# OUT. Prints figures; exit status 1 if there are findings.
program=$1 source=$2 out=$3 n=${4:-1000}
mkdir -p "$out" && out=$(cd "$out" && pwd) && source=$(cd "$source" && pwd) || exit 1
shift 3
[ $# = 0 ] || shift
[ $# -gt 0 ] || set -- $("$program")
for reader; do
    FUZZ_READER=$reader "$program" "$source/corpus/$reader" "$n" "$out/$reader"
done | tee "$out/hostile.log"
awk '/ files, at most / { kinds++; files += $2; if ($6 > slowest) slowest = $6; if ($8 > largest) largest = $8; next }
    { findings++ }
    END { printf "%d kinds, %d files, at most %.2f s and %d MB, %d findings\n", kinds, files, slowest, largest, findings
          exit findings > 0 || kinds < n }' n=$# "$out/hostile.log"
