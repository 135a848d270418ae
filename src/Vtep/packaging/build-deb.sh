#!/usr/bin/env bash
# Builds the Debian package vtep_<version>_amd64.deb.
#
#   src/Vtep/packaging/build-deb.sh [--binary FILE] [OUTDIR]
#
# FILE is the native program; without it, it is published first, which takes a minute. OUTDIR is artifacts/packages by default.
#
# The same sources make the same package, byte for byte: every file gets the time of the last commit, or SOURCE_DATE_EPOCH. Nothing here needs
# root: dpkg-deb writes root as the owner. What is packed is listed in stage(); the maintainer scripts are in debian/.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)

readonly usage="Usage: build-deb.sh [--binary FILE] [OUTDIR]"
binary= out=$root/artifacts/packages
while [[ $# -gt 0 ]]; do
    case $1 in
        --binary) binary=$(realpath "${2:?$usage}"); shift ;;
        -h | --help) echo "$usage"; exit 0 ;;
        -*) echo "build-deb.sh: '$1' is not understood. $usage" >&2; exit 2 ;;
        *) out=$1 ;;
    esac
    shift
done
for tool in dpkg-deb gzip strip; do
    command -v "$tool" > /dev/null || { echo "build-deb.sh: '$tool' is missing; it is in Debian's packages dpkg, gzip and binutils." >&2; exit 1; }
done

version=$(sed -n 's:.*<Version>\(.*\)</Version>.*:\1:p' "$root/Directory.Build.props")
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$root" log -1 --format=%ct 2> /dev/null || stat -c %Y "$root/CHANGELOG.md")}
export SOURCE_DATE_EPOCH
date=$(LC_ALL=C date -u -R -d "@$SOURCE_DATE_EPOCH")

if [[ -z $binary ]]; then
    (cd "$root" && dotnet publish src/Vtep -c Release -r linux-x64 -v q --nologo)
    binary=$root/artifacts/publish/Vtep/release_linux-x64/vtep
fi

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022
chmod 755 "$stage"

put() { # put MODE SOURCE TARGET
    install -D -m "$1" "$2" "$stage/$3"
}

put_if_there() { # what other parts of the project bring
    [[ ! -e $2 ]] || put "$@"
}

compress() { # without name and time, as Debian asks
    gzip -9n "$stage/$1"
}

stage_program() {
    put 755 "$binary" usr/bin/vtep
    strip --strip-unneeded "$stage/usr/bin/vtep"
    local folder
    # The empty root of the service: its own file system is bound to these.
    for folder in usr etc run proc sys dev tmp var/tmp var/lib; do
        install -d -m 755 "$stage/usr/lib/vtep/root/$folder"
    done
    for folder in bin sbin lib lib64; do
        ln -s "usr/$folder" "$stage/usr/lib/vtep/root/$folder"
    done
}

stage_service() {
    put 644 "$here/systemd/vtep.service" lib/systemd/system/vtep.service
    put 644 "$here/systemd/vtep-setup.service" lib/systemd/system/vtep-setup.service
    put 644 "$here/sysusers.d/vtep.conf" usr/lib/sysusers.d/vtep.conf
    put 644 "$here/tmpfiles.d/vtep.conf" usr/lib/tmpfiles.d/vtep.conf
    put 644 "$here/sysctl.d/60-vtep.conf" usr/lib/sysctl.d/60-vtep.conf
    put 755 "$here/systemd/is-configured" usr/lib/vtep/is-configured
    put 644 "$here/examples/vtep.jsonc" etc/vtep/vtep.jsonc
    put 644 "$here/examples/vtep.jsonc" usr/share/vtep/vtep.jsonc # what is-configured compares with
}

stage_documents() {
    local page
    for page in vtep.8 vtep.jsonc.5; do
        put 644 "$here/man/$page" "usr/share/man/man${page##*.}/$page"
        compress "usr/share/man/man${page##*.}/$page"
    done
    put 644 "$here/completion/vtep.bash" usr/share/bash-completion/completions/vtep
    put 644 "$here/completion/_vtep" usr/share/zsh/vendor-completions/_vtep
    put 644 "$here/debian/README.Debian" usr/share/doc/vtep/README.Debian
    put 644 "$here/debian/copyright" usr/share/doc/vtep/copyright
    put 644 "$root/CHANGELOG.md" usr/share/doc/vtep/NEWS
    compress usr/share/doc/vtep/NEWS
    printf 'vtep (%s) unstable; urgency=medium\n\n  * Release %s; NEWS.gz says what it brings.\n\n -- %s  %s\n' \
        "$version" "$version" "$(maintainer)" "$date" > "$stage/usr/share/doc/vtep/changelog"
    compress usr/share/doc/vtep/changelog
    put 644 "$here/debian/lintian-overrides" usr/share/lintian/overrides/vtep
}

stage_examples() {
    local examples=usr/share/doc/vtep/examples file
    put 644 "$root/samples/vtep.jsonc" $examples/vtep.jsonc
    put 644 "$root/samples/directory.json" $examples/directory.json
    put 644 "$here/nft/vtep.nft" $examples/vtep.nft
    for file in "$here"/examples/vtep.service.d/*.conf; do
        put 644 "$file" "$examples/vtep.service.d/${file##*/}"
    done
    put_if_there 644 "$root/src/Vtep/Configuration/vtep.schema.json" usr/share/vtep/vtep.schema.json
    for file in "$here"/grafana/* "$here"/prometheus/*; do
        put_if_there 644 "$file" "usr/share/vtep/${file#"$here/"}"
    done
}

maintainer() { sed -n 's/^Maintainer: //p' "$here/debian/control"; }

stage_control() {
    local script
    install -d -m 755 "$stage/DEBIAN"
    for script in postinst prerm postrm; do
        put 755 "$here/debian/$script" "DEBIAN/$script"
    done
    echo /etc/vtep/vtep.jsonc > "$stage/DEBIAN/conffiles"
    (cd "$stage" && find . -type f ! -path './DEBIAN/*' ! -path './etc/*' -printf '%P\n' | LC_ALL=C sort | xargs md5sum) > "$stage/DEBIAN/md5sums"
    local size
    size=$(find "$stage" -path "$stage/DEBIAN" -prune -o -type f -printf '%s\n' | awk '{ sum += int(($1 + 1023) / 1024) } END { print sum }')
    sed "s/@VERSION@/$version/; s/@SIZE@/$size/" "$here/debian/control" > "$stage/DEBIAN/control"
    chmod 644 "$stage/DEBIAN/"{conffiles,md5sums,control}
}

stage_program
stage_service
stage_documents
stage_examples
stage_control
find "$stage" -exec touch --no-dereference --date="@$SOURCE_DATE_EPOCH" {} +
mkdir -p "$out"
dpkg-deb --root-owner-group -Zxz --build "$stage" "$out/vtep_${version}_amd64.deb" > /dev/null
echo "$out/vtep_${version}_amd64.deb"
