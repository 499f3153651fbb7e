#!/usr/bin/env bash
# Makes a small drive of harmless content: make_drive.sh FILE. Needs no root: sfdisk, mkfs.fat and mtools work on files.
set -eu
file=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export SOURCE_DATE_EPOCH=1704067200 MTOOLS_SKIP_CHECK=1 TZ=UTC
truncate -s 24M "$file"
printf 'label: dos\nlabel-id: 0x45584942\nstart=2048, size=40960, type=6\n' | sfdisk -q "$file"
truncate -s 20M "$work/volume"
mkfs.fat -F 16 -n EVIDENCE -i 45584942 "$work/volume" >/dev/null
printf 'harmless, but known\n' >"$work/notice.txt"
printf 'A letter with a phrase that the rule looks for.\n' >"$work/letter.txt"
printf 'Deleted, but not gone: a phrase that the rule looks for.\n' >"$work/gone.txt"
mmd -i "$work/volume" ::Letters
mcopy -i "$work/volume" "$work/notice.txt" ::notice.txt
mcopy -i "$work/volume" "$work/letter.txt" ::Letters/letter.txt
mcopy -i "$work/volume" "$work/gone.txt" ::Letters/gone.txt
mdel -i "$work/volume" ::Letters/gone.txt
dd if="$work/volume" of="$file" bs=1M seek=1 conv=notrunc status=none
