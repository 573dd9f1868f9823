# docs/tutorial.md from top to bottom in an empty directory, by what `cmake --install` puts elsewhere; and it prints what the
# page shows.
. "$SOURCE_DIR/tests/cli/lib.sh"
: "${BUILD_DIR:?build directory}"
document=$SOURCE_DIR/docs/tutorial.md
to=$scratch/to
expect 0 cmake --install "$BUILD_DIR" --prefix "$to"
libdir=$(dirname "$(find "$to" -name libcaelum.so | head -1)")
PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir PYTHONPATH=$to/lib/python3/dist-packages
export PKG_CONFIG_PATH LD_LIBRARY_PATH PYTHONPATH
mkdir bin && ln -s /usr/bin/python3 bin/python3
PATH=$to/bin:$scratch/bin:$PATH

commands_of "$document" commands
sed -i "s|/usr/share|$to/share|g" commands/*
outputs_of "$document" >shown
if ! /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    echo "no numpy here: the Python part was not tried"
    rm "$(grep -l python3 commands/*)"
    sed -i '/^(2, 3, 32, 32)/d' shown
fi
mkdir empty && cd empty || exit 1
run_commands ../commands
# the same digits wherever there is fused multiply-add
if grep -q avx2 /proc/cpuinfo; then
    while IFS= read -r line; do
        holds "it prints what is shown: $line" grep -qF -e "$line" ../said
    done <../shown
fi
finish
