"""The peers' pipeline (../shared/peers/peer_pipeline.sh) run once, and what its stages took."""
import os, re, shutil
from material import EXTERNAL_VARIABLES
from measure import measured

# By how a stage's name begins in stages.txt.
YARA = ("yara ",)
CARVING = ("scalpel", "foremost", "hashdeep on carved")


def run(shared, e01, folder, compiled_rules, hash_set, carver):
    cost = measured(["bash", os.path.join(shared, "peers", "peer_pipeline.sh"), e01, folder, compiled_rules, hash_set, carver],
                    env={**os.environ, "EXT": EXTERNAL_VARIABLES, "LC_ALL": "C.UTF-8"})
    stages = {}
    with open(os.path.join(folder, "stages.txt"), encoding="utf-8") as file:
        for line in file:
            name, seconds = re.fullmatch(r"(.*?)\s+([\d.]+) s", line.rstrip()).groups()
            stages[name] = float(seconds)
    shutil.rmtree(folder)
    if cost.status != 0 or "TOTAL" not in stages:
        raise SystemExit(f"bench: the peers' pipeline failed: exit {cost.status}\n{cost.errors[-2000:]}")
    stages.pop("TOTAL")
    return cost, stages


def seconds(stages, without=()):
    return sum(took for name, took in stages.items() if not name.startswith(without))
