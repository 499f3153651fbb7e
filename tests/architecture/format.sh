#!/bin/bash
# How our C++ looks, checked by the tools of its own trade. Called by `make check`.
#   format.sh format            clang-format over every tracked .cc and .h
#   format.sh tidy BUILD [JOBS] clang-tidy over our sources in BUILD/compile_commands.json
set -euo pipefail
cd "$(dirname "$0")/../.."

case "${1:-}" in
format)
  git ls-files -z '*.cc' '*.h' | xargs -0 -r clang-format --dry-run -Werror
  ;;
tidy)
  build=$(realpath "${2:?format.sh tidy BUILD}")
  # The database also lists what CMake generates; only tracked sources are ours to mend.
  python3 - "$build/compile_commands.json" <<'PYTHON' | xargs -0 -r -n 1 -P "${3:-2}" clang-tidy --quiet -p "$build"
import json, os, subprocess, sys
ours = set(subprocess.run(["git", "ls-files", "-z", "*.cc"], check=True, capture_output=True, text=True).stdout.split("\0"))
compiled = {os.path.relpath(entry["file"]) for entry in json.load(open(sys.argv[1]))}
if not ours & compiled:
    sys.exit("format.sh: none of our sources is in " + sys.argv[1])
sys.stdout.write("".join(name + "\0" for name in sorted(ours & compiled)))
PYTHON
  ;;
*)
  sed -n '2,4s/^# *//p' "$0" >&2
  exit 2
  ;;
esac
