#!/bin/sh
# sanitize.sh [CTEST ARGUMENTS...] - the tests with AddressSanitizer and UndefinedBehaviorSanitizer (preset asan), and those of
# the library, which has the threads, with ThreadSanitizer (preset tsan). Ends with a line for each; exit status 1 where a test
# fails. It takes hours: `scripts/sanitize.sh -R fuzz` takes minutes.
cd "$(dirname "$0")/.." || exit 1
failed=0
figures=
for preset in asan tsan; do
    cmake --preset $preset && cmake --build --preset $preset || exit 1
    leave_out=nothing
    [ $preset = asan ] || leave_out='^(cli|page|python|torture|crash|fuzz)'
    ctest --preset $preset -E "$leave_out" "$@" | tee build-$preset/sanitize.log
    figures="$figures$preset: $(sed -n 's/^\(.*tests passed.*\)/\1/p; s/^Total Test time (real) = *\(.*\)/\1/p' build-$preset/sanitize.log | paste -sd, -)
"
    grep -q '100% tests passed' build-$preset/sanitize.log || failed=1
done
printf '%s' "$figures"
exit $failed
