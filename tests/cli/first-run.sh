# ./run and ./test, with programs in place of cmake, ctest, dpkg-query and caelum that write down how they were called: what
# is built, where a training goes, what is said.
. "$SOURCE_DIR/tests/cli/lib.sh"
mkdir -p tree/scripts tree/build bin
cp "$SOURCE_DIR/run" "$SOURCE_DIR/test" tree/ && cp "$SOURCE_DIR/scripts/setup.sh" tree/scripts/ || exit 1
stand_in() {
    printf '#!/bin/sh\necho "%s $*" >>"%s/calls"\n%s\n' "$(basename "$1")" "$scratch" "$2" >"$1"
    chmod +x "$1"
}
stand_in bin/cmake 'seq 300'
stand_in bin/ctest 'echo tested'
stand_in bin/dpkg-query 'echo install ok installed'
stand_in tree/build/caelum '[ "$2" != cache ] || exec test -e fetched; while [ $# -gt 1 ]; do [ "$1" = --out ] && mkdir -p "$2"; shift; done; true'
PATH=$scratch/bin:$PATH
called() { holds "called: $1" grep -qF -e "$1" calls; }

expect 0 tree/run
called "cmake --build --preset release --target caelum_cli"
called "--data synthetic --epochs 20 --batch 50 --seed 1 --out runs/first-run"
says out "training on generated pictures, because there is no CIFAR-10 in ../shared/cifar10 or data, and it was not fetched, into runs/first-run"
says out "build/caelum data fetch cifar-10; then ./run trains on it"
holds "a line for each step" test "$(grep -c . out)" = 4
holds "nothing is written over" sh -c '! grep -q -e --force calls'
expect 0 tree/run
called "--out runs/first-run-2"
touch tree/fetched
expect 0 tree/run
called "--data cifar-10 --epochs 5 --batch 50 --seed 1 --out runs/first-run-3"
says out "training on cifar-10, which was fetched, into runs/first-run-3"
holds "what is there is not offered" sh -c '! grep "data fetch" out'
mkdir tree/pictures
expect 0 env CAELUM_DATA=pictures tree/run
called "--data pictures --epochs 5 --batch 50 --seed 1 --out runs/first-run-4"
says out "training on pictures, which is there, into runs/first-run-4"

expect 0 tree/test -R some
called "cmake --build --preset release --target all"
called "ctest --preset release --progress -R some"
holds "a line for the build" test "$(grep -c . out)" = 2

stand_in bin/cmake 'echo "why it failed"; exit 5'
expect 5 tree/run
says err "why it failed"
says err "failed: cmake --preset release"
finish
