#!/bin/sh
# A short slice of the comparison: prefilter_compare, the corpora.
set -eu
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
tar -xf "$2/yara/signature-base.tar.xz" -C "$scratch"
"$1" --generate 41 --rules "$scratch/signature-base" "$2/pdq" /usr/bin/true /usr/bin/ls "$scratch/signature-base/yara/gen_webshells.yar"
