# setup.sh - sourced by ./run and ./test: brings in the packages that are missing, then builds what $target names. A
# line for each step, and all that a step said where it fails.
# Needs only Debian's base system, apt, and root or sudo; with everything there it touches no network.
set -eu
cd "$(dirname "$0")"

packages="gcc libc6-dev cmake ninja-build make pkg-config
  libpng-dev libjpeg62-turbo-dev libwebp-dev libtiff-dev liblcms2-dev libarchive-dev libjansson-dev
  zlib1g-dev libcairo2-dev fonts-dejavu-core liblapacke-dev libopenblas-dev nettle-dev libprotobuf-c-dev
  protobuf-c-compiler libonnx-dev libcurl4-openssl-dev ca-certificates libmicrohttpd-dev
  libcmocka-dev locales ${more:-}"

quietly() {
    status=0
    "$@" >"$log" 2>&1 || status=$?
    [ $status = 0 ] && return
    cat "$log" >&2
    echo "failed: $*" >&2
    exit $status
}
log=$(mktemp)
trap 'rm -f "$log"' EXIT

missing=
for package in $packages; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing="$missing $package"
done

if [ -n "$missing" ]; then
    install="apt-get install -y --no-install-recommends$missing"
    if [ "$(id -u)" = 0 ]; then as_root=
    elif command -v sudo >/dev/null; then as_root=sudo
    else
        echo "packages are missing; as root, please run: apt-get update && $install" >&2
        exit 1
    fi
    echo "installing what building needs:$missing"
    quietly $as_root apt-get update
    quietly $as_root env DEBIAN_FRONTEND=noninteractive $install
fi

echo "building $what in $PWD/build"
quietly cmake --preset release
quietly cmake --build --preset release --target $target
