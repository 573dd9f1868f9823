# setup.sh - sourced by ./run and ./test: brings in the packages that are missing, then builds.
# Needs only Debian's base system, apt, and root or sudo; with everything there it touches no network.
set -eu
cd "$(dirname "$0")"

packages="gcc libc6-dev cmake ninja-build make pkg-config
  libpng-dev libjpeg62-turbo-dev libwebp-dev liblcms2-dev libarchive-dev libjansson-dev zlib1g-dev
  libcairo2-dev fonts-dejavu-core liblapacke-dev libopenblas-dev nettle-dev libprotobuf-c-dev
  protobuf-c-compiler libonnx-dev libhdf5-dev libcmocka-dev locales"

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
    $as_root apt-get update -qq
    $as_root env DEBIAN_FRONTEND=noninteractive $install >/dev/null
fi

make
