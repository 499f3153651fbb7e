#!/usr/bin/env python3
"""Do two verifiers agree on a good case and on its tampered copies?

Usage: test_tampering.py [--exhibit build/bin/exhibit] [--case GOODCASE --trust CA.pem] [--keep FOLDER] [--only NAME]

verify.py and `exhibit verify` must both accept the good case and the controls (exit 0), and both
refuse every tampered copy (1 or 3). Without --case, a case made by make_case.py is used; without
--exhibit, verify.py alone is tried.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import make_case
import tamper

HERE = Path(__file__).resolve().parent
TIME_LIMIT = 120


def run(command):
    """Exit code and the last words; a time-out counts as -1."""
    try:
        done = subprocess.run(list(map(str, command)), capture_output=True, timeout=TIME_LIMIT)
    except subprocess.TimeoutExpired:
        return -1, "time limit"
    text = (done.stdout + done.stderr).decode("utf-8", "replace").strip().split("\n")
    failed = [line for line in text if line.startswith("FAILED")]
    return done.returncode, (failed or text)[0]


def right(code, accept):
    return code == 0 if accept else code in (1, 3)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--exhibit", type=Path)
    parser.add_argument("--case", type=Path)
    parser.add_argument("--trust", type=Path)
    parser.add_argument("--keep", type=Path, help="leave the copies in this new folder")
    parser.add_argument("--only", help="just this tampering")
    parser.add_argument("--verbose", action="store_true", help="say what each verifier found first")
    arguments = parser.parse_args()
    if bool(arguments.case) != bool(arguments.trust):
        parser.error("--case and --trust belong together")
    with tempfile.TemporaryDirectory(prefix="exhibit-tamper-") as temporary:
        folder = arguments.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        return compare(arguments, folder)


def compare(arguments, folder):
    good, trust = arguments.case, arguments.trust
    if not good:
        good = make_case.make_case(folder / "good")
        trust = folder / "good/ca.pem"
    if arguments.only:
        tamper.TAMPERINGS[:] = [t for t in tamper.TAMPERINGS if t[0] == arguments.only]
    names, poor = tamper.make_all(good, folder / "copies", trust)
    bundle = folder / "copies/trust.pem"
    passed, wrong = 0, []
    print(f"{'verify.py':>9} {'exhibit':>8}  case")
    for name, path, anchors in [("good case, its own CA", good, trust)] + [(n, folder / "copies" / n, bundle) for n in names]:
        accept = path == good or name.startswith("control-")
        results = [run([sys.executable, HERE / "verify.py", path, "--trust", anchors])]
        if arguments.exhibit:
            results.append(run([arguments.exhibit, "verify", path, "--trust", anchors]))
        good_here = all(right(code, accept) for code, _ in results)
        codes = [str(code) for code, _ in results] + ["-"] * (2 - len(results))
        print(f"{codes[0]:>9} {codes[1]:>8}  {name}{'' if good_here else '   <-- expected ' + ('0' if accept else '1 or 3')}")
        if arguments.verbose or not good_here:
            print("".join(f"{'':20}{words[:200]}\n" for _, words in results), end="")
        passed += good_here
        if not good_here:
            wrong.append(name)
    for name, why in poor:
        print(f"{'-':>9} {'-':>8}  {name}: not made: {why}")
    for name in wrong:
        print(f"disagreement: {name}")
    print(f"{passed} passed, {len(wrong)} failed")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
