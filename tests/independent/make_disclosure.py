#!/usr/bin/env python3
"""Make a disclosure without Exhibit, from the specification alone.

Usage: make_disclosure.py CASE DISCLOSURE.json [--item ID]... [--volume ID]... [--absent sha256:HEX]...

CASE is a sealed case with its salts; of its first exhibit only.
"""

import argparse
import base64
import bisect
import json
import sys
from pathlib import Path

from make_case import content_keys
from verify import RECORD_ALGORITHMS, canonical, content_key, salt, tree_root


def audit_path(leaves, index, digest):
    """RFC 9162 section 2.1.3.1, from the leaf up."""
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    if index < middle:
        return audit_path(leaves[:middle], index, digest) + [tree_root(leaves[middle:], digest)]
    return audit_path(leaves[middle:], index - middle, digest) + [tree_root(leaves[:middle], digest)]


def range_proof(leaves, first, count, digest, low=0):
    """The roots of the largest subtrees that hold nothing of the range, from left to right."""
    high = low + len(leaves)
    if high <= first or low >= first + count:
        return [tree_root(leaves, digest)]
    if len(leaves) == 1:
        return []
    middle = 1 << (len(leaves) - 1).bit_length() - 1
    return (range_proof(leaves[:middle], first, count, digest, low)
            + range_proof(leaves[middle:], first, count, digest, low + middle))


class Maker:
    def __init__(self, case):
        self.case = Path(case)
        self.manifest = (self.case / "manifest.json").read_bytes()
        self.entry = json.loads(self.manifest)["evidence"][0]
        self.id, self.claim = self.entry["id"], self.entry["findings"]
        self.lines = (self.case / self.claim["file"]).read_bytes()[:-1].split(b"\n")
        self.records = [json.loads(line) for line in self.lines]
        key = (self.case / f"secret/{self.id}.salts").read_bytes()
        self.salts = [salt(key, index) for index in range(len(self.lines))]
        self.keys = content_keys(self.records)

    def function(self, name):
        return lambda data: RECORD_ALGORITHMS[name](data).digest()

    def leaves(self, name):
        digest = self.function(name)
        return [digest(b"\0" + s + line) for s, line in zip(self.salts, self.lines)]

    def by_tree(self, trees, proof):
        """Algorithm -> the hashes that `proof` finds for its digest function, as hex."""
        return {name: [one.hex() for one in proof(name, self.function(name))] for name in trees}

    def record(self, index):
        return {"line": self.lines[index].decode(), "salt": self.salts[index].hex()}

    def item(self, name):
        first = next(i for i, r in enumerate(self.records) if r["record"] == "item" and r["id"] == name)
        last = first + 1
        while self.records[last]["record"] in ("match", "problem") and name in (self.records[last].get("item"), self.records[last].get("where")):
            last += 1
        return {"evidence": self.id, "item": name,
                "records": [{"index": i, **self.record(i), "paths": self.by_tree(
                    self.claim["trees"], lambda a, d, i=i: audit_path(self.leaves(a), i, d))} for i in range(first, last)]}

    def volume(self, name):
        first = next(i for i, r in enumerate(self.records) if r["record"] == "volume" and r["id"] == name)
        last = next(i for i, r in enumerate(self.records) if r["record"] == "coverage" and r["where"] == name)
        return {"evidence": self.id, "volume": name, "first": first,
                "records": [self.record(i) for i in range(first, last + 1)],
                "proofs": self.by_tree(self.claim["trees"], lambda a, d: range_proof(self.leaves(a), first, last + 1 - first, d))}

    def absent(self, digest):
        at = bisect.bisect_left(self.keys, content_key(bytes.fromhex(digest.removeprefix("sha256:"))))
        entry = {"evidence": self.id, "digest": digest}
        for side, index in (("low", at - 1), ("high", at)):
            if 0 <= index < len(self.keys):
                entry[side] = self.neighbour(index)
        return entry

    def neighbour(self, index):
        def path(name, digest):
            return audit_path([digest(b"\0" + key) for key in self.keys], index, digest)
        return {"index": index, "key": self.keys[index].hex(), "paths": self.by_tree(self.claim["content"]["trees"], path)}

    def signatures(self):
        found = []
        for path in sorted(self.case.glob("manifest.json.*.p7s"), key=lambda path: int(path.name.split(".")[2])):
            one = {"name": path.name, "cms": base64.b64encode(path.read_bytes()).decode()}
            if path.with_suffix(".tsr").exists():
                one["timestamp"] = base64.b64encode(path.with_suffix(".tsr").read_bytes()).decode()
            found.append(one)
        return found

    def disclosure(self, items=(), volumes=(), absent=()):
        return {"format": "exhibit-disclosure/1", "manifest": self.manifest.decode(), "signatures": self.signatures(),
                "items": [self.item(one) for one in items], "volumes": [self.volume(one) for one in volumes],
                "absent": [self.absent(one) for one in absent]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("case")
    parser.add_argument("out", type=Path)
    for name in ("item", "volume", "absent"):
        parser.add_argument(f"--{name}", action="append", default=[])
    arguments = parser.parse_args()
    value = Maker(arguments.case).disclosure(arguments.item, arguments.volume, arguments.absent)
    arguments.out.write_bytes(canonical(value))


if __name__ == "__main__":
    sys.exit(main())
