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
cd "$work"

say "What is in it"
run "$bin/exhibit" info drive.E01 --json | head -c 600; echo

say "Keys and certificates of a demonstration authority, for the examiner and the officer who brought the drive"
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Demonstration authority' \
    -keyout ca.key -out ca.pem -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
printf 'keyUsage=critical,digitalSignature\n' >signer.ext
for who in 'A. Examiner' 'B. Officer'; do
    name=$(printf '%s' "${who#* }" | tr '[:upper:]' '[:lower:]')
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "/CN=$who" -keyout "$name.key" -out "$name.csr" 2>/dev/null
    openssl x509 -req -in "$name.csr" -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile signer.ext -out "$name.pem" 2>/dev/null
done

say "The ledger begins before the processing: the drive is received, and copied before witnesses"
for event in received acquired; do
    run "$bin/exhibit" custody add case --event "$event" --from "$here/custody/$event.json" --key examiner.key --cert examiner.pem
done

say "Process: items, digests, matches, coverage"
code=0
run "$bin/exhibit" process drive.E01 --case case --number DEMO-1 --title 'Demonstration' --authority 'order 1 of 2024-05-01' \
    --examiner 'A. Examiner' --case-fields "$here/custody/case.json" --hashset known.sha256 --rules demo.yar || code=$?
[ "$code" -eq 0 ] || [ "$code" -eq 4 ]

say "Leads (each for a person to look at; none is a finding of fact)"
grep -h '"record":"match"' case/findings/E1.jsonl

say "Is everything told that a joint case of two states asks for?"
run "$bin/exhibit" profile check case --profile ru,by

say "Seal: manifest and signature"
run "$bin/exhibit" seal case --key examiner.key --cert examiner.pem

say "The drive is handed over; the other side accepts with a key of its own, and keeps the ledger's head"
run "$bin/exhibit" custody add case --event transferred --from "$here/custody/transferred.json" --key examiner.key --cert examiner.pem
run "$bin/exhibit" custody add case --event accepted --from "$here/custody/accepted.json" --key officer.key --cert officer.pem | tee receipt.json

say "Verify, with the image read again, and with the head that the other side kept"
run "$bin/exhibit" verify case --trust ca.pem --evidence E1=drive.E01 --head-from receipt.json

say "The same, by an independent script and by openssl alone"
run python3 "$here/../tests/independent/verify.py" case --trust ca.pem | tail -n 3
run openssl cms -verify -binary -inform DER -in case/manifest.json.1.p7s -content case/manifest.json -CAfile ca.pem -purpose any -out /dev/null

say "For other tools, and for paper"
run "$bin/exhibit" report case --to dfxml -o drive.dfxml
run "$bin/exhibit" report case --to bodyfile -o drive.body
run mactime -b drive.body -d -z UTC | tail -n 3
run "$bin/exhibit" report case --to pdf -o protocol.pdf
pdftotext -layout protocol.pdf - | head -n 14

say "One byte of the findings changed: verify must say no"
cp -r case changed && sed -i '0,/allocated/s/allocated/Allocated/' changed/findings/E1.jsonl
if "$bin/exhibit" verify changed --trust ca.pem | grep -E 'FAILED|verdict'; then :; fi
say "Done."
