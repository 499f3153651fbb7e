"""What can be done to a disclosure: a table of tamperings, one short function each. Some are of somebody without a key, who can only change
the file; some of an insider, who has the case folder with its salts and so can prove whatever is in the trees, or has a trusted key."""
import base64, hashlib, hmac, json, os
from support import findings

ITEM = "E1/p2/i28:/Каталог/файл 3.jpg"  # with two leads; OTHER_ITEM stands right behind it
OTHER_ITEM = "E1/p2/i30:/Каталог/файл 4.jpg"


def sha256(data):
    return hashlib.sha256(data).digest()


def canonical(value):
    """RFC 8785, as far as a disclosure needs it: its keys are ASCII, its numbers whole."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


# The tree of RFC 9162 section 2.1 by its definition.
def split(count):
    k = 1
    while k * 2 < count:
        k *= 2
    return k


def root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"")
    k = split(len(leaves))
    return sha256(b"\1" + root(leaves[:k]) + root(leaves[k:]))


def path(leaves, index):
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return path(leaves[:k], index) + [root(leaves[k:])] if index < k else path(leaves[k:], index - k) + [root(leaves[:k])]


def outside(leaves, first, end, low=0):
    high = low + len(leaves)
    if high <= first or low >= end:
        return [root(leaves)]
    if len(leaves) == 1:
        return []
    k = split(len(leaves))
    return outside(leaves[:k], first, end, low) + outside(leaves[k:], first, end, low + k)


def hexes(hashes):
    return [value.hex() for value in hashes]


class Insider:
    """Has the case folder, and so can prove whatever is in the trees that were sealed."""

    def __init__(self, case, evidence):
        with open(os.path.join(case, "secret", evidence + ".salts"), "rb") as file:
            key = file.read()
        self.evidence, self.lines = evidence, findings(case, evidence).splitlines()
        self.salts = [hmac.digest(key, b"exhibit-salt" + i.to_bytes(8, "big"), "sha256") for i in range(len(self.lines))]
        self.leaves = [sha256(b"\0" + salt + line) for salt, line in zip(self.salts, self.lines)]
        digests = {json.loads(line).get("digests", {}).get("sha256") for line in self.lines if b'"record":"item"' in line} - {None}
        self.keys = sorted(sha256(b"exhibit-content" + bytes.fromhex(digest)) for digest in digests)
        self.key_leaves = [sha256(b"\0" + key) for key in self.keys]

    def record(self, index):
        return {"index": index, "line": self.lines[index].decode(), "salt": self.salts[index].hex(), "paths": {"sha256": hexes(path(self.leaves, index))}}

    def volume(self, name, first, end):
        return {"evidence": self.evidence, "volume": name, "first": first, "proofs": {"sha256": hexes(outside(self.leaves, first, end))},
                "records": [{"line": self.lines[i].decode(), "salt": self.salts[i].hex()} for i in range(first, end)]}

    def neighbour(self, index):
        return {"index": index, "key": self.keys[index].hex(), "paths": {"sha256": hexes(path(self.key_leaves, index))}}

    def index_of(self, kind, key, value):
        return next(i for i, line in enumerate(self.lines) if json.loads(line)["record"] == kind and json.loads(line)[key] == value)


TAMPERINGS = []


def tampering(function):
    """`function(d, t)` changes the parsed disclosure `d`, or returns bytes to stand in its place; `t` is the test case."""
    TAMPERINGS.append(function)
    return function


# ---- items

@tampering
def a_changed_line(d, t):
    record = d["items"][0]["records"][0]
    record["line"] = record["line"].replace('"state":"allocated"', '"state":"deleted"')

@tampering
def a_changed_match(d, t):
    record = d["items"][0]["records"][1]
    record["line"] = record["line"].replace('"source":"known.', '"source":"illegal.')

@tampering
def a_line_that_is_not_canonical(d, t):
    record = d["items"][0]["records"][0]
    record["line"] = record["line"].replace('{"', '{ "', 1)

@tampering
def a_changed_salt(d, t):
    record = d["items"][0]["records"][0]
    record["salt"] = bytes.fromhex(record["salt"])[::-1].hex()

@tampering
def a_short_salt(d, t):
    d["items"][0]["records"][0]["salt"] = d["items"][0]["records"][0]["salt"][:-2]

@tampering
def indices_moved_by_one(d, t):
    for record in d["items"][0]["records"]:
        record["index"] += 1

@tampering
def an_index_beyond_the_tree(d, t):
    d["items"][0]["records"] = d["items"][0]["records"][:1]
    d["items"][0]["records"][0]["index"] += 1 << 40

@tampering
def a_changed_path_element(d, t):
    hashes = d["items"][0]["records"][0]["paths"]["sha256"]
    hashes[2] = hashes[2][:-1] + ("0" if hashes[2][-1] != "0" else "1")

@tampering
def a_path_element_dropped(d, t):
    d["items"][0]["records"][0]["paths"]["sha256"].pop()

@tampering
def a_path_element_too_many(d, t):
    hashes = d["items"][0]["records"][0]["paths"]["sha256"]
    hashes.append(hashes[0])

@tampering
def a_tree_without_its_path(d, t):
    d["items"][0]["records"][0]["paths"] = {}

@tampering
def a_path_of_a_tree_that_is_not_there(d, t):
    paths = d["items"][0]["records"][0]["paths"]
    paths["streebog256"] = paths["sha256"]

@tampering
def records_swapped(d, t):
    records = d["items"][0]["records"]
    records[0], records[1] = records[1], records[0]

@tampering
def lines_swapped(d, t):
    one, two = d["items"][0]["records"][:2]
    one["line"], two["line"] = two["line"], one["line"]

@tampering
def the_first_record_of_an_item_dropped(d, t):
    del d["items"][0]["records"][0]

@tampering
def a_record_between_dropped(d, t):
    del d["items"][0]["records"][1]

@tampering
def all_records_of_an_item_dropped(d, t):
    d["items"][0]["records"] = []

@tampering
def an_item_under_another_id(d, t):
    d["items"][0]["item"] = OTHER_ITEM

@tampering
def a_lead_of_another_item(d, t):
    """Under the item stands a record that is in the tree, and right after it, but about another."""
    records = d["items"][0]["records"]
    records.append(t.insider.record(records[-1]["index"] + 1))

@tampering
def an_item_moved_to_another_exhibit(d, t):
    d["items"][0]["evidence"] = "E2"

@tampering
def an_item_of_no_exhibit(d, t):
    d["items"][0]["evidence"] = "E9"

# ---- volumes

@tampering
def the_first_of_a_volume_dropped(d, t):
    del d["volumes"][0]["records"][0]

@tampering
def the_first_of_a_volume_dropped_and_its_index_moved(d, t):
    del d["volumes"][0]["records"][0]
    d["volumes"][0]["first"] += 1

@tampering
def the_last_of_a_volume_dropped(d, t):
    del d["volumes"][0]["records"][-1]

@tampering
def a_record_of_a_volume_dropped(d, t):
    del d["volumes"][0]["records"][5]

@tampering
def a_record_of_a_volume_doubled(d, t):
    d["volumes"][0]["records"].insert(5, d["volumes"][0]["records"][5])

@tampering
def records_of_a_volume_swapped(d, t):
    records = d["volumes"][0]["records"]
    records[4], records[5] = records[5], records[4]

@tampering
def a_changed_line_of_a_volume(d, t):
    record = d["volumes"][0]["records"][0]
    record["line"] = record["line"].replace('"slot":1', '"slot":2')

@tampering
def a_changed_salt_of_a_volume(d, t):
    records = d["volumes"][0]["records"]
    records[3]["salt"] = records[2]["salt"]

@tampering
def a_volume_moved_by_one(d, t):
    d["volumes"][0]["first"] += 1

@tampering
def a_proof_hash_too_many(d, t):
    hashes = d["volumes"][0]["proofs"]["sha256"]
    hashes.append(hashes[-1])

@tampering
def a_proof_hash_missing(d, t):
    d["volumes"][0]["proofs"]["sha256"].pop()

@tampering
def a_changed_proof_hash(d, t):
    d["volumes"][0]["proofs"]["sha256"][0] = "00" * 32

@tampering
def proof_hashes_in_another_order(d, t):
    d["volumes"][0]["proofs"]["sha256"].reverse()

@tampering
def a_tree_without_its_proof(d, t):
    d["volumes"][0]["proofs"] = {}

@tampering
def a_volume_under_another_id(d, t):
    d["volumes"][0]["volume"] = "E1/p1"

@tampering
def a_volume_of_another_exhibit(d, t):
    d["volumes"][0]["evidence"] = "E2"

@tampering
def a_proved_range_that_ends_early(d, t):
    volume = d["volumes"][0]
    d["volumes"][0] = t.insider.volume(volume["volume"], volume["first"], volume["first"] + len(volume["records"]) - 1)

@tampering
def a_proved_range_that_begins_late(d, t):
    volume = d["volumes"][0]
    d["volumes"][0] = t.insider.volume(volume["volume"], volume["first"] + 1, volume["first"] + len(volume["records"]))

@tampering
def two_volumes_as_one(d, t):
    first = t.insider.index_of("volume", "id", "E1/p1")
    d["volumes"][0] = t.insider.volume("E1/p1", first, t.insider.index_of("coverage", "where", "E1/p2") + 1)

@tampering
def a_volume_without_records(d, t):
    d["volumes"][0]["records"] = []

# ---- absence

@tampering
def a_low_neighbour_above_the_key(d, t):
    i = d["absent"][0]["high"]["index"]
    d["absent"][0].update(low=t.insider.neighbour(i), high=t.insider.neighbour(i + 1))

@tampering
def a_high_neighbour_below_the_key(d, t):
    i = d["absent"][0]["low"]["index"]
    d["absent"][0].update(low=t.insider.neighbour(i - 1), high=t.insider.neighbour(i))

@tampering
def a_neighbour_that_is_the_key(d, t):
    """A content that is there, between itself and the next."""
    d["absent"][0].update(digest=t.present, low=t.insider.neighbour(t.present_at), high=t.insider.neighbour(t.present_at + 1))

@tampering
def neighbours_that_do_not_stand_side_by_side(d, t):
    """A content that is there, between the one below and the one above."""
    d["absent"][0].update(digest=t.present, low=t.insider.neighbour(t.present_at - 1), high=t.insider.neighbour(t.present_at + 1))

@tampering
def a_content_between_neighbours_that_lie_about_their_place(d, t):
    d["absent"][0].update(digest=t.present, low=t.insider.neighbour(t.present_at - 1), high=t.insider.neighbour(t.present_at + 1))
    d["absent"][0]["high"]["index"] -= 1

@tampering
def only_a_low_neighbour_that_is_not_the_last(d, t):
    del d["absent"][0]["high"]

@tampering
def only_a_high_neighbour_that_is_not_the_first(d, t):
    del d["absent"][0]["low"]

@tampering
def no_neighbours_though_there_are_contents(d, t):
    del d["absent"][0]["low"], d["absent"][0]["high"]

@tampering
def an_invented_neighbour(d, t):
    key = bytes.fromhex(d["absent"][0]["low"]["key"])
    d["absent"][0]["low"]["key"] = (key[:-1] + bytes([key[-1] ^ 1])).hex()

@tampering
def another_digest(d, t):
    d["absent"][0]["digest"] = t.present

@tampering
def an_absence_in_another_exhibit(d, t):
    d["absent"][0]["evidence"] = "E2"

@tampering
def an_absence_without_a_trees_path(d, t):
    d["absent"][0]["high"]["paths"] = {}

# ---- the manifest and its signatures; an insider's are signed anew

def claim(d, t, change):
    manifest = json.loads(d["manifest"])
    change(manifest["evidence"][0]["findings"])
    d["manifest"] = canonical(manifest).decode()
    d["signatures"] = [{"name": "manifest.json.1.p7s", "cms": base64.b64encode(t.authority.sign(d["manifest"].encode())).decode()}]

@tampering
def a_manifest_changed(d, t):
    d["manifest"] = d["manifest"].replace("17/2026", "18/2026")

@tampering
def a_manifest_with_a_space(d, t):
    d["manifest"] = d["manifest"].replace("{", "{ ", 1)

@tampering
def another_tree_size_signed(d, t):
    """Twice as many: one more would change no path but those along the right edge, and is for `verify` on the case to find."""
    claim(d, t, lambda findings: findings.update(records=findings["records"] * 2))

@tampering
def another_root_signed(d, t):
    claim(d, t, lambda findings: findings["trees"].update(sha256="00" * 32))

@tampering
def another_number_of_contents_signed(d, t):
    claim(d, t, lambda findings: findings["content"].update(entries=findings["content"]["entries"] * 2))

@tampering
def no_contents_signed(d, t):
    """Of an empty tree nothing need be shown, but its root is that of no leaves."""
    claim(d, t, lambda findings: findings["content"].update(entries=0))
    del d["absent"][0]["low"], d["absent"][0]["high"]

@tampering
def no_content_tree_signed(d, t):
    claim(d, t, lambda findings: findings.pop("content"))

@tampering
def the_manifest_of_another_case(d, t):
    d["manifest"], d["signatures"] = t.other_case["manifest"], t.other_case["signatures"]

@tampering
def a_signature_changed(d, t):
    signature = bytearray(base64.b64decode(d["signatures"][0]["cms"]))
    signature[-3] ^= 1
    d["signatures"][0]["cms"] = base64.b64encode(signature).decode()

@tampering
def no_signature(d, t):
    d["signatures"] = []

@tampering
def a_signature_of_another_case(d, t):
    d["signatures"] = t.other_case["signatures"]

@tampering
def a_signature_under_another_name(d, t):
    d["signatures"][0]["name"] = "manifest.json.2.p7s"

@tampering
def a_strangers_signature(d, t):
    d["signatures"][0]["cms"] = base64.b64encode(t.stranger.sign(d["manifest"].encode())).decode()
    d["signatures"][0].pop("timestamp", None)

@tampering
def a_time_stamp_over_something_else(d, t):
    d["signatures"][0]["timestamp"] = base64.b64encode(t.authority.stamp(t.authority.sign(b"something else"))).decode()

# ---- form

@tampering
def a_line_feed_at_the_end(d, t):
    return canonical(d) + b"\n"

@tampering
def trailing_bytes(d, t):
    return canonical(d) + b"{}"

@tampering
def spaces_between(d, t):
    return json.dumps(d, ensure_ascii=False, sort_keys=True).encode()

@tampering
def keys_in_another_order(d, t):
    return json.dumps(dict(reversed(sorted(d.items()))), ensure_ascii=False, separators=(",", ":")).encode()

@tampering
def a_key_twice(d, t):
    return canonical(d).replace(b'{"absent":', b'{"absent":[],"absent":', 1)

@tampering
def a_key_that_the_format_does_not_have(d, t):
    d["items"][0]["note"] = "this file is evidence of guilt"

@tampering
def a_missing_key(d, t):
    del d["volumes"]

@tampering
def nothing_disclosed(d, t):
    d.update(items=[], volumes=[], absent=[])

@tampering
def another_format(d, t):
    d["format"] = "exhibit-disclosure/2"

@tampering
def an_index_as_a_string(d, t):
    d["items"][0]["records"][0]["index"] = str(d["items"][0]["records"][0]["index"])

@tampering
def hex_in_upper_case(d, t):
    d["items"][0]["records"][0]["salt"] = d["items"][0]["records"][0]["salt"].upper()

@tampering
def base64_without_its_padding(d, t):
    d["signatures"][0]["cms"] = d["signatures"][0]["cms"][:-1]

@tampering
def a_time_stamp_that_is_null(d, t):
    d["signatures"][0]["timestamp"] = None

@tampering
def a_file_cut_short(d, t):
    return canonical(d)[:-100]
