#!/usr/bin/env bash
# The main job on a small drive that is made here: image it as E01, process, seal, verify, show.
set -eu
bin=$(realpath "$1")/bin
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
say() { printf '\n\033[1m%s\033[0m\n' "$*"; }
run() { printf '$ %s\n' "$*"; "$@"; }

say "A small drive: MBR, one FAT16 volume, with a deleted file; acquired as E01"
"$here/make_drive.sh" "$work/drive.raw"
ewfacquire -u -q -t "$work/drive" -f encase6 -c fast -C DEMO-1 -E EV-1 -e 'A. Examiner' -D 'demonstration drive' -N none \
    -m fixed -M logical "$work/drive.raw" >/dev/null
printf '%s  notice.txt\n' "$(printf 'harmless, but known\n' | sha256sum | cut -d' ' -f1)" >"$work/known.sha256"
cat >"$work/demo.yar" <<'RULE'
rule demo_phrase { meta: category = "demonstration" severity = "low" strings: $phrase = "a phrase that the rule looks for" condition: $phrase }
RULE
cat >"$work/case.json" <<'FIELDS'
{"received": {"place": "Laboratory, room 1", "local_time": "2026-01-15T10:05+03:00", "time_zone": "Europe/Minsk", "received_from": "B. Officer",
              "purpose": "search for known files", "source_medium": {"type": "USB stick", "serial": "DEMO-1"}}}
FIELDS
cd "$work"

say "What is in it"
run "$bin/exhibit" info drive.E01 --json | head -c 600; echo

say "Process: items, digests, matches, coverage"
code=0
run "$bin/exhibit" process drive.E01 --case case --number DEMO-1 --title 'Demonstration' --authority 'order 1 of 2026-01-01' \
    --examiner 'A. Examiner' --case-fields case.json --hashset known.sha256 --rules demo.yar || code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 4 ]

say "Leads (each for a person to look at; none is a finding of fact)"
grep -h '"record":"match"' case/findings/E1.jsonl

say "Seal: a key and certificates of a demonstration authority"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Demonstration authority' \
    -keyout ca.key -out ca.pem -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj '/CN=A. Examiner' -keyout examiner.key -out examiner.csr 2>/dev/null
printf 'keyUsage=critical,digitalSignature\n' >examiner.ext
openssl x509 -req -in examiner.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile examiner.ext -out examiner.pem 2>/dev/null
run "$bin/exhibit" seal case --key examiner.key --cert examiner.pem

say "Verify, with the image read again"
run "$bin/exhibit" verify case --trust ca.pem --evidence E1=drive.E01

say "The same, by an independent script and by openssl alone"
run python3 "$here/../tests/independent/verify.py" case --trust ca.pem | tail -n 3
run openssl cms -verify -binary -inform DER -in case/manifest.json.1.p7s -content case/manifest.json -CAfile ca.pem -purpose any -out /dev/null

say "One byte of the findings changed: verify must say no"
cp -r case changed && sed -i '0,/allocated/s/allocated/Allocated/' changed/findings/E1.jsonl
if "$bin/exhibit" verify changed --trust ca.pem | grep -E 'FAILED|verdict'; then :; fi
say "Done."
