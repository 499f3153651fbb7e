#!/bin/bash
# score.sh CARVE_FILE CORPORA [NAME…]: recall and precision of the carver alone on the challenges, by SHA-256.
set -e
carver=$1 corpora=$2
shift 2
for truth in "$corpora"/carving/*.truth.jsonl; do
  name=$(basename "$truth" .truth.jsonl)
  out=$(mktemp -d)
  "$carver" "$corpora/carving/$name.img" --out "$out" > /dev/null
  echo "$name $(python3 "$corpora/tools/carve_score.py" "$truth" "$out")"
  rm -rf "$out"
done
