#!/bin/sh
# cross.sh [ARCH...] - builds caelum for other machines, aarch64 and s390x, whose bytes are in the other order, by Debian's cross
# compilers, runs it there by qemu-user, and compares what it makes with what build/caelum makes here, on a machine with AVX2:
# models after some steps, on generated pictures and on files, arrays for NumPy and back, a code file, pictures decoded and
# reconstructed. Needs gcc-aarch64-linux-gnu, gcc-s390x-linux-gnu and qemu-user; the libraries are fetched into build-cross,
# nothing is installed. Prints a line for each machine; exit status 1 where something differs.
cd "$(dirname "$0")/.." || exit 1
here=$PWD failed=0
[ $# -gt 0 ] || set -- aarch64 s390x

fetch() { # the libraries of another machine, in $root
    mkdir -p "$cross/lists/partial" "$cross/cache/archives/partial" "$root" && : >"$cross/status"
    options="-q -o Dir::State::lists=$cross/lists -o Dir::State::status=$cross/status -o Dir::Cache=$cross/cache
        -o APT::Architecture=$debian -o APT::Architectures=$debian -o Debug::NoLocking=1"
    apt-get $options update && apt-get $options install -y --no-install-recommends --download-only libc6-dev libpng-dev \
        libjpeg-dev libarchive-dev libjansson-dev zlib1g-dev nettle-dev || exit 1
    for package in "$cross"/cache/archives/*.deb; do dpkg-deb -x "$package" "$root"; done
    find "$root" -type l -lname '/*' | while read -r link; do ln -sf "$root$(readlink "$link")" "$link"; done
    touch "$root/whole"
}

build() {
    cat >"$cross/toolchain.cmake" <<END
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR $arch)
set(CMAKE_C_COMPILER $arch-linux-gnu-gcc)
set(CMAKE_OBJCOPY $arch-linux-gnu-objcopy)
set(CMAKE_SYSROOT $root)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
END
    export PKG_CONFIG_LIBDIR="$root/usr/lib/$arch-linux-gnu/pkgconfig:$root/usr/share/pkgconfig" PKG_CONFIG_SYSROOT_DIR="$root"
    cmake -S . -B "$cross/build" -G Ninja -DCMAKE_TOOLCHAIN_FILE="$cross/toolchain.cmake" -DCMAKE_BUILD_TYPE=Release \
        -DCAELUM_TESTS=OFF $CROSS_OPTIONS >"$cross/build.log" && cmake --build "$cross/build" --target caelum_cli >>"$cross/build.log" ||
        { tail -30 "$cross/build.log"; exit 1; }
    unset PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR
}

# make_all DIRECTORY PROGRAM...: every command of the comparison, and the hashes of what it makes
make_all() (
    rm -rf "$1" && mkdir -p "$1" && cd "$1" || exit 1
    shift
    export CAELUM_CACHE="$PWD/cache" HOME="$PWD" LC_ALL=C
    printf 'input 3\nconv 8 relu\nmaxpool\nconv 8 gelu\nlatent\nupsample\nconv 3 sigmoid\n' >tiny.net
    {
        "$@" train tiny.net --data synthetic:40:16 --batch 8 --epochs 2 -o run -q
        "$@" export run/last.safetensors -o run.npz
        "$@" import run.npz --net tiny.net --height 16 --width 16 -o back.safetensors
        "$@" data export synthetic:40:32 --count 3 -o pictures -q
        "$@" data export synthetic:40:32 --split train --count 20 -o more -q
        "$@" train tiny.net --data more --batch 8 --epochs 1 -o folder -q
        "$@" encode pictures/*.png -m "$here/models/code-small.safetensors" -o codes.clmc -q
        "$@" decode codes.clmc -m "$here/models/code-small.safetensors" -o decoded -q
        "$@" reconstruct "$here/models/best.safetensors" pictures/00000.png -o reconstructed -q
    } >log 2>&1 || { cat log; exit 1; }
    sha256sum run/last.safetensors back.safetensors folder/last.safetensors codes.clmc \
        pictures/*.png decoded/*.png reconstructed/*.png
)

make_all "$here/build-cross/here" "$here/build/caelum" >build-cross/here.sums || { cat build-cross/here.sums; exit 1; }
for arch; do
    debian=$arch cross=$here/build-cross/$arch root=$here/build-cross/$arch/root
    [ "$arch" != aarch64 ] || debian=arm64
    [ -e "$root/whole" ] || fetch >"$cross.log" 2>&1 || { tail "$cross.log"; exit 1; }
    build
    make_all "$cross/made" "qemu-$arch" -L "$root" "$cross/build/caelum" >"$cross.sums" || { tail -5 "$cross.sums"; failed=1; continue; }
    differ=$(diff build-cross/here.sums "$cross.sums" | sed -n 's/^> [0-9a-f]* *//p')
    echo "$arch: $(wc -l <"$cross.sums") files, $(echo "$differ" | grep -c .) differ" $differ
    [ -z "$differ" ] || failed=1
done
exit $failed
