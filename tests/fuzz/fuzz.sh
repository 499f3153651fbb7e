#!/usr/bin/env bash
# Builds the fuzzers and runs them: fuzz.sh SECONDS JOBS [NAME…], each for SECONDS, JOBS at a time.
# What they learn stays in build-fuzz/corpus/NAME, what they die on in build-fuzz/found/NAME-…
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:?fuzz.sh SECONDS JOBS [NAME…]} jobs=${2:-1}
shift 2
build=$PWD/build-fuzz
[ -f "$build/build.ninja" ] || cmake --preset fuzz >/dev/null
cmake --build "$build" --target fuzzers -j "$jobs"
[ -d "$build/seeds" ] || python3 -B tests/fuzz/seeds.py "$build/seeds"
names=("$@")
if [ ${#names[@]} -eq 0 ]; then
  for source in tests/fuzz/*_fuzzer.cc; do
    name=${source##*/}
    names+=("${name%_fuzzer.cc}")
  done
fi
mkdir -p "$build/found"
# libewf and libtsk lose memory on damaged input, and libewf asks for what a damaged chunk says (4 GiB): told no.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1:max_allocation_size_mb=1024:${ASAN_OPTIONS:-} UBSAN_OPTIONS=print_stacktrace=1 build seconds
run_one() {
  local name=$1
  mkdir -p "$build/corpus/$name"
  local status=0
  "$build/bin/${name}_fuzzer" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -malloc_limit_mb=8192 -max_len=524288 -use_value_profile=1 \
    -print_final_stats=1 -artifact_prefix="$build/found/$name-" "$build/corpus/$name" "$build/seeds/$name" \
    >"$build/found/$name.log" 2>&1 || status=$?
  printf '%-10s exit %s, %s runs, %s\n' "$name" "$status" "$(sed -n 's/^stat::number_of_executed_units: //p' "$build/found/$name.log")" \
    "$(grep -o 'cov: [0-9]* ft: [0-9]*' "$build/found/$name.log" | tail -n 1)"
  [ "$status" -eq 0 ] || { grep -aE 'ERROR|SUMMARY|hold:|internal error' "$build/found/$name.log" | head -n 5; return 1; }
}
export -f run_one
printf '%s\n' "${names[@]}" | xargs -P "$jobs" -I{} bash -c 'run_one {}'
