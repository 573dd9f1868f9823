# What `cmake --install` puts into a directory is all that a C, CMake or Python program needs: the header alone,
# pkg-config, shared and static library with no more symbols than the header has, the examples, the program; and
# uninstall.
. "$SOURCE_DIR/tests/cli/lib.sh"
: "${BUILD_DIR:?build directory}"
to=$scratch/to
expect 0 cmake --install "$BUILD_DIR" --prefix "$to"
libdir=$(dirname "$(find "$to" -name libcaelum.so | head -1)")
PKG_CONFIG_PATH=$libdir/pkgconfig LD_LIBRARY_PATH=$libdir
export PKG_CONFIG_PATH LD_LIBRARY_PATH
models=$to/share/caelum/models

grep -o 'caelum_[a-z0-9_]*(\|caelum_[a-z]*_words\|caelum_train_options' "$to/include/caelum.h" | tr -d '(' | sort -u >declared
nm -D --defined-only "$libdir/libcaelum.so" | sed -n 's/.* [TDRB] //p' | sed 's/@.*//' | sort -u >exported
holds "exported symbols are those of the header" diff declared exported
nm -g --defined-only "$libdir/libcaelum.a" | sed -n 's/^[0-9a-f]* [A-Z] //p' | sort -u >archived
holds "the archive's symbols are those of the header" diff declared archived
holds "the shared library has a versioned name" sh -c "objdump -p '$libdir/libcaelum.so' | grep -q 'SONAME.*libcaelum.so.0'"

echo '#include <caelum.h>' >alone.c
strict="-Wall -Wextra -pedantic -Werror"
# shellcheck disable=SC2086 # words are arguments
expect 0 cc -std=c11 $strict -I"$to/include" -c alone.c -o alone.o
if c++ --version >/dev/null 2>&1; then
    expect 0 c++ -x c++ -std=c++11 $strict -I"$to/include" -c alone.c -o alone.o
else
    echo "no C++ compiler here: the header was not tried in C++"
fi

# The examples, by the commands in their first lines.
for example in train reconstruct colorize network loop threads frames judge; do
    # shellcheck disable=SC2046
    expect 0 cc -std=c11 -Wall -Wextra -Werror "$SOURCE_DIR/examples/$example.c" $(pkg-config --cflags --libs caelum) -lm -pthread -o $example
done
# shellcheck disable=SC2046
expect 0 cc -Wall -Wextra -Werror "$SOURCE_DIR/examples/embed.c" "-DMODEL=\"$models/standard.safetensors\"" $(pkg-config --cflags --libs caelum) -o embed
expect 0 ./train "$models/standard.net" synthetic:200 run 1
says out "epoch 1 of 1"
says out "this network"
says out "PCA 768"
expect 4 ./train missing.net synthetic:200 run2 1
says err "missing.net"
"$CAELUM" data export synthetic:100 --split train --count 2 -o photos >/dev/null || exit 1
picture=$(find photos -type f | sort | head -1)
expect 0 ./reconstruct "$models/best.safetensors" "$picture" best.png
says out "32x32 pixels, mean squared error 0.00"
expect 0 ./reconstruct "$models/standard.safetensors" "$picture" standard.png
expect 0 ./embed "$picture" embedded.png
holds "embedded weights do what those in the file do" cmp standard.png embedded.png
expect 0 ./colorize "$models/colorize.safetensors" "$picture" colored.png 16 16 220 30 30
says out "colorfulness"
expect 4 ./colorize "$models/colorize.safetensors" missing.png colored.png
for example in loop threads; do
    expect 0 ./$example "$models/standard.safetensors" 0.1
    says out "pictures a second"
    expect 2 ./$example missing.safetensors
    says err "missing.safetensors"
done
expect 4 ./judge missing.safetensors 4 4
says err "missing.safetensors"
expect 2 ./judge "$models/standard.safetensors" 0 4
expect 0 ./frames
says out "enough"
says out "the strangest of the next 100 frames is number 37"
expect 0 ./network own.safetensors
says out "output with 0.25"
expect 0 "$to/bin/caelum" inspect own.safetensors

# The archive beside a program's own functions, whose names are not its business.
cat >static.c <<'END'
#include <caelum.h>
#include <stdio.h>
int mem_alloc(void), net_plan(void), conv_pack(void);
int mem_alloc(void) { return 1; }
int net_plan(void) { return 2; }
int conv_pack(void) { return 3; }
int main(int argc, char **argv) {
    struct caelum_error err = {0};
    caelum_model *model = NULL;
    struct caelum_picture in = {0}, out = {0};
    const struct caelum_colorize_settings settings = caelum_colorize_defaults();
    const int code = argc != 4 || caelum_model_load(&model, argv[1], &err) != 0 ||
                     caelum_picture_load(&in, argv[2], &err) != 0 ||
                     caelum_colorize(model, &in, &settings, &out, &err) != 0 ||
                     caelum_picture_save(&out, argv[3], &err) != 0;
    printf("%s\n", code ? err.text : "done");
    caelum_picture_free(&in);
    caelum_picture_free(&out);
    caelum_model_close(&model);
    return mem_alloc() + net_plan() + conv_pack() == 6 ? code : 1;
}
END
link_by() { # OUTPUT WORDS...
    output=$1
    shift
    cc -Wall -Werror static.c -o "$output" -Wl,--as-needed "$@"
}
# shellcheck disable=SC2046
expect 0 link_by static "$libdir/libcaelum.a" $(pkg-config --cflags --libs --static caelum)
# shellcheck disable=SC2046
expect 0 link_by shared $(pkg-config --cflags --libs caelum)
holds "the program does without the shared library" sh -c "! objdump -p static | grep 'NEEDED.*libcaelum'"
expect 0 ./static "$models/colorize.safetensors" "$picture" static.png
expect 0 ./shared "$models/colorize.safetensors" "$picture" shared.png
holds "static and shared are the same library" cmp static.png shared.png

# CMake
mkdir consumer && cp "$SOURCE_DIR/examples/network.c" consumer/
cat >consumer/CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.16)
project(consumer C)
find_package(caelum 0.1 REQUIRED)
add_executable(consumer network.c)
target_link_libraries(consumer PRIVATE caelum::caelum m)
END
expect 0 cmake -S consumer -B consumer/build -DCMAKE_PREFIX_PATH="$to"
expect 0 cmake --build consumer/build
expect 0 consumer/build/consumer cmake.safetensors
holds "the same file" cmp own.safetensors cmake.safetensors

# Python finds the library as every program does, and the models next to it.
if /usr/bin/python3 -c 'import numpy' 2>/dev/null; then
    expect 0 env PYTHONPATH="$to/lib/python3/dist-packages" /usr/bin/python3 -B -c \
        'import caelum; print(caelum.library.library().path(), caelum.Model("standard"))'
    says out "$libdir/libcaelum.so.0.1.0 <caelum.Model: reconstruct, input 3 x 32 x 32"
else
    echo "no numpy here: the Python package was not tried"
fi

# The installed program, elsewhere, finds its models.
expect 0 "$to/bin/caelum" colorize "$picture" -o colored
expect 0 make -C "$SOURCE_DIR" -s uninstall DESTDIR= BUILD="$BUILD_DIR"
holds "nothing is left but empty directories" sh -c "! find '$to' -not -type d | grep ."
finish
