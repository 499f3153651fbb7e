#!/usr/bin/env python3
# Longer than 500 lines because it is a table: one short function a tampering.
"""Make tampered copies of a good disclosure, each named by what was done.

Usage: make_all(CASE, FOLDER, KEYS) -> names; FOLDER/NAME.json for each.

CASE is a sealed case with a content tree and its salts. As in tamper.py, who has no key changes the file only, and the
insider, whose key is trusted, signs a manifest with one false claim. Names that begin with `control-` aren't tampered.
"""

import base64
import copy
import hashlib
import json

from make_disclosure import Maker, range_proof
from tamper import flip
from verify import SignedData, canonical, content_key, sha256

TAMPERINGS = []


def tampering(function):
    TAMPERINGS.append((function.__name__.replace("_", "-"), function))
    return function


class Disclosure:
    """A copy of the good disclosure; `value` is what is written unless `raw` is set."""

    def __init__(self, maker, value, keys):
        self.maker, self.value, self.keys, self.raw = maker, copy.deepcopy(value), keys, None

    @property
    def bytes(self):
        return self.raw if self.raw is not None else canonical(self.value)

    @property
    def item(self):
        """The disclosed item with the most records."""
        return max(self.value["items"], key=lambda item: len(item["records"]))

    @property
    def volume(self):
        return self.value["volumes"][-1]

    @property
    def between(self):
        """An absence between two keys."""
        return next(one for one in self.value["absent"] if "low" in one and "high" in one)

    def line(self, one, edit):
        record = json.loads(one["line"])
        edit(record)
        one["line"] = canonical(record).decode()

    def cms(self, edit):
        one = self.value["signatures"][0]
        one["cms"] = base64.b64encode(edit(base64.b64decode(one["cms"]))).decode()

    def claim(self, edit, who="insider"):
        """Another manifest, signed anew."""
        manifest = json.loads(self.value["manifest"])
        edit(manifest["evidence"][0]["findings"])
        self.sign(canonical(manifest), who)

    def sign(self, text, who="insider"):
        self.value["manifest"] = text.decode()
        self.value["signatures"] = [{"name": "manifest.json.1.p7s", "cms": base64.b64encode(self.keys[who].sign(text)).decode()}]


# ---------------------------------------------------------------- nothing is wrong


@tampering
def control_untouched(one):
    pass


@tampering
def control_items_only(one):
    one.value.update(volumes=[], absent=[])


@tampering
def control_absences_only(one):
    one.value.update(volumes=[], items=[])


@tampering
def control_without_time_stamp(one):
    one.sign(one.value["manifest"].encode())


@tampering
def control_fewer_of_an_items_last_records(one):
    """Inclusion can't show what is left out at the end; verify says so, and a volume's disclosure does show it."""
    del one.item["records"][-1]


# ---------------------------------------------------------------- the file's form


@tampering
def last_lf_added(one):
    one.raw = one.bytes + b"\n"


@tampering
def respaced(one):
    one.raw = json.dumps(one.value, ensure_ascii=False, sort_keys=True).encode()


@tampering
def cut_short(one):
    one.raw = one.bytes[:-100]


@tampering
def emptied(one):
    one.raw = b""


@tampering
def duplicate_key(one):
    one.raw = b'{"absent":[],' + one.bytes[1:]


@tampering
def of_another_format(one):
    one.value["format"] = "exhibit-disclosure/2"


@tampering
def a_key_more(one):
    one.value["note"] = "nothing else was found"


@tampering
def a_key_more_in_a_record(one):
    one.item["records"][0]["note"] = "true"


@tampering
def a_key_less(one):
    del one.value["volumes"]


@tampering
def nothing_disclosed(one):
    one.value.update(items=[], volumes=[], absent=[])


@tampering
def nested_deeply(one):
    one.raw = b"[" * 200000 + b"]" * 200000


# ---------------------------------------------------------------- manifest and signatures


@tampering
def manifest_changed(one):
    one.value["manifest"] = one.value["manifest"].replace('"size":', '"size":1', 1)


@tampering
def manifest_root_changed_without_signing(one):
    root = one.maker.claim["trees"]["sha256"]
    one.value["manifest"] = one.value["manifest"].replace(root, "ab" * 32)


@tampering
def signatures_removed(one):
    one.value["signatures"] = []


@tampering
def first_signature_removed(one):
    one.value["signatures"][0]["name"] = "manifest.json.2.p7s"


@tampering
def signature_twice(one):
    one.value["signatures"] *= 2


@tampering
def signature_called_otherwise(one):
    one.value["signatures"][0]["name"] = "../manifest.json.1.p7s"


@tampering
def one_bit_of_the_signature(one):
    def edit(data):
        value = SignedData(data).signers[0].signature
        return flip(data, data.index(value) + len(value) - 1)
    one.cms(edit)


@tampering
def signature_with_garbage_after_it(one):
    one.cms(lambda data: data + b"garbage")


@tampering
def signature_over_another_text(one):
    one.cms(lambda data: one.keys["insider"].sign(b"another text"))


@tampering
def signature_that_is_no_base64(one):
    one.value["signatures"][0]["cms"] = "=" + one.value["signatures"][0]["cms"][1:]


@tampering
def signed_by_a_stranger(one):
    one.sign(one.value["manifest"].encode(), "stranger")


@tampering
def time_stamp_of_another_signature(one):
    insider = one.keys["insider"]
    other = insider.stamp(insider.sign(b"another"))
    one.value["signatures"][0]["timestamp"] = base64.b64encode(other).decode()


# ---------------------------------------------------------------- items


@tampering
def item_record_changed(one):
    one.line(one.item["records"][0], lambda record: record.update(path="/harmless.txt"))


@tampering
def match_changed(one):
    one.line(one.item["records"][1], lambda record: record.update(severity="high"))


@tampering
def item_salt_changed(one):
    one.item["records"][0]["salt"] = "ab" * 32


@tampering
def item_salt_uppercased(one):
    one.item["records"][0]["salt"] = one.item["records"][0]["salt"].upper()


@tampering
def item_index_changed(one):
    for record in one.item["records"]:
        record["index"] += 1


@tampering
def item_index_beyond_the_tree(one):
    for number, record in enumerate(one.item["records"]):
        record["index"] = 2**40 + number


@tampering
def path_hash_changed(one):
    one.item["records"][0]["paths"]["sha256"][0] = "ab" * 32


@tampering
def path_cut_short(one):
    del one.item["records"][0]["paths"]["sha256"][-1]


@tampering
def path_too_long(one):
    one.item["records"][0]["paths"]["sha256"].append("ab" * 32)


@tampering
def path_emptied(one):
    one.item["records"][0]["paths"]["sha256"] = []


@tampering
def path_removed(one):
    one.item["records"][0]["paths"] = {}


@tampering
def path_of_another_algorithm(one):
    paths = one.item["records"][0]["paths"]
    paths["md5"] = paths.pop("sha256")


@tampering
def record_of_another_item_added(one):
    """Rightly proved, but it belongs to another item, which stands next to it."""
    last = one.item["records"][-1]["index"] + 1
    more = next(i for i in one.maker.records[last:last + 1] if i["record"] == "item")
    one.item["records"] += one.maker.item(more["id"])["records"]


@tampering
def records_of_an_item_swapped(one):
    records = one.item["records"]
    records[1], records[2] = records[2], records[1]


@tampering
def record_left_out_in_the_middle(one):
    del one.item["records"][1]


@tampering
def item_record_left_out(one):
    del one.item["records"][0]


@tampering
def item_called_otherwise(one):
    one.item["item"] += "x"


@tampering
def item_of_no_records(one):
    one.item["records"] = []


@tampering
def item_of_another_exhibit(one):
    one.item["evidence"] = "E2"


@tampering
def item_line_with_lf(one):
    one.item["records"][0]["line"] += "\n"


@tampering
def item_line_respaced(one):
    one.item["records"][0]["line"] = one.item["records"][0]["line"].replace('":', '": ', 1)


@tampering
def node_passed_off_as_a_leaf(one):
    """The two leaves below a node, glued, as if they were a record: RFC 9162's prefixes forbid it."""
    record = one.item["records"][0]
    one.item["records"] = [record]
    leaves = one.maker.leaves("sha256")
    index = record["index"] & ~1
    record["line"] = (leaves[index] + leaves[index + 1]).decode("latin-1")
    del record["paths"]["sha256"][0]


# ---------------------------------------------------------------- volumes


@tampering
def volume_record_left_out_in_the_middle(one):
    del one.volume["records"][2]


@tampering
def volume_record_changed(one):
    one.line(one.volume["records"][2], lambda record: record.update(state="allocated", size=1))


@tampering
def volume_cut_at_the_end_with_a_right_proof(one):
    """A true range, but it doesn't reach the volume's coverage."""
    volume = one.volume
    del volume["records"][-1]
    volume["proofs"]["sha256"] = [h.hex() for h in range_proof(one.maker.leaves("sha256"), volume["first"], len(volume["records"]), sha256)]


@tampering
def volume_cut_at_the_front_with_a_right_proof(one):
    volume = one.volume
    del volume["records"][0]
    volume["first"] += 1
    volume["proofs"]["sha256"] = [h.hex() for h in range_proof(one.maker.leaves("sha256"), volume["first"], len(volume["records"]), sha256)]


@tampering
def volume_first_changed(one):
    one.volume["first"] -= 1


@tampering
def volume_first_beyond_the_tree(one):
    one.volume["first"] = 2**50


@tampering
def volume_called_otherwise(one):
    one.volume["volume"] += "x"


@tampering
def volume_proof_hash_changed(one):
    one.volume["proofs"]["sha256"][0] = "ab" * 32


@tampering
def volume_proof_hash_more(one):
    one.volume["proofs"]["sha256"].append("ab" * 32)


@tampering
def volume_proof_hash_less(one):
    del one.volume["proofs"]["sha256"][-1]


@tampering
def volume_proof_turned_round(one):
    one.volume["proofs"]["sha256"].reverse()


@tampering
def volume_without_records(one):
    one.volume["records"] = []


# ---------------------------------------------------------------- absence


@tampering
def absence_of_what_is_there(one):
    """The digest of a disclosed item, with the proof for its neighbour's neighbours."""
    digest = next(r["digests"]["sha256"] for r in one.maker.records if r.get("digests") and r["record"] == "item")
    at = one.maker.keys.index(content_key(bytes.fromhex(digest)))
    entry = {"evidence": one.maker.id, "digest": "sha256:" + digest}
    for side, index in (("low", at - 1), ("high", at + 1)):
        if 0 <= index < len(one.maker.keys):
            entry[side] = one.maker.neighbour(index)
    one.value["absent"].append(entry)


@tampering
def absence_of_what_is_there_with_itself_as_neighbour(one):
    digest = next(r["digests"]["sha256"] for r in one.maker.records if r.get("digests") and r["record"] == "item")
    at = one.maker.keys.index(content_key(bytes.fromhex(digest)))
    entry = {"evidence": one.maker.id, "digest": "sha256:" + digest, "high": one.maker.neighbour(at)}
    if at > 0:
        entry["low"] = one.maker.neighbour(at - 1)
    one.value["absent"].append(entry)


@tampering
def absence_digest_changed(one):
    """The proof of one digest under another that isn't between the same neighbours."""
    entry = one.between
    low, high = bytes.fromhex(entry["low"]["key"]), bytes.fromhex(entry["high"]["key"])
    digests = (hashlib.sha256(bytes([i])).hexdigest() for i in range(256))
    entry["digest"] = "sha256:" + next(d for d in digests if not low < content_key(bytes.fromhex(d)) < high)


@tampering
def absence_key_changed(one):
    one.between["low"]["key"] = "00" * 32


@tampering
def absence_neighbour_left_out(one):
    del one.between["low"]


@tampering
def absence_both_neighbours_left_out(one):
    del one.between["low"], one.between["high"]


@tampering
def absence_neighbours_swapped(one):
    entry = one.between
    entry["low"], entry["high"] = entry["high"], entry["low"]


@tampering
def absence_index_changed(one):
    one.between["high"]["index"] += 1


@tampering
def absence_between_keys_that_are_no_neighbours(one):
    entry = one.between
    at = entry["low"]["index"]
    assert at > 0 or entry["high"]["index"] < len(one.maker.keys) - 1
    if at > 0:
        entry["low"] = one.maker.neighbour(at - 1)
    else:
        entry["high"] = one.maker.neighbour(entry["high"]["index"] + 1)


@tampering
def absence_path_cut_short(one):
    del one.between["low"]["paths"]["sha256"][-1]


@tampering
def absence_of_a_digest_of_another_kind(one):
    one.between["digest"] = "md5:" + "ab" * 16


# ---------------------------------------------------------------- the insider: the signature holds, a claim is false


@tampering
def signed_but_another_root(one):
    one.claim(lambda findings: findings["trees"].update(sha256="ab" * 32))


@tampering
def signed_but_other_number_of_records(one):
    one.claim(lambda findings: findings.update(records=2 * findings["records"]))


@tampering
def signed_but_no_content_tree(one):
    one.claim(lambda findings: findings.pop("content"))


@tampering
def signed_but_another_content_root(one):
    one.claim(lambda findings: findings["content"]["trees"].update(sha256="ab" * 32))


@tampering
def signed_but_other_number_of_contents(one):
    one.claim(lambda findings: findings["content"].update(entries=3 * findings["content"]["entries"]))


@tampering
def signed_but_a_second_tree_without_proofs(one):
    def edit(findings):
        findings["trees"]["sha512"] = findings["content"]["trees"]["sha512"] = "ab" * 64
    one.claim(edit)


@tampering
def signed_but_manifest_not_canonical(one):
    one.sign(one.value["manifest"].encode() + b"\n")


def absences(keys, count=40):
    """Digests that aren't there: one below all keys, one above, the others between."""
    digests = sorted(((content_key(d), d.hex()) for d in (hashlib.sha256(bytes([i])).digest() for i in range(count))))
    chosen = [digests[0][1], digests[-1][1]] + [d for k, d in digests if keys[0] < k < keys[-1]][:2]
    return ["sha256:" + digest for digest in dict.fromkeys(chosen)]


def make_all(case, folder, keys):
    maker = Maker(case)
    items = [r["id"] for r in maker.records if r["record"] == "item"]
    busy = [r["item"] for r in maker.records if r["record"] == "match" and r["item"] in items]
    volumes = [r["id"] for r in maker.records if r["record"] == "volume"]
    good = maker.disclosure([busy[0], items[0], items[-1]], [volumes[0], volumes[-1]], absences(maker.keys))
    folder.mkdir(parents=True, exist_ok=True)
    for name, tamper in TAMPERINGS:
        one = Disclosure(maker, good, keys)
        tamper(one)
        (folder / f"{name}.json").write_bytes(one.bytes)
    return [name for name, _ in TAMPERINGS]
