"""The ways in which an image is damaged. Each is a function of a seeded generator and a draft, and says what it did.

Seeds make the same damage again as long as this file, structures.py and bases.py are the same.
"""
import binascii
import struct
import zlib

import structures
from entries import entries_of
from structures import number

HUGE = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0xFFFFFFFE, 1 << 40, (1 << 63) - 1, 1 << 63,
        (1 << 64) - 1, (1 << 64) - 512)
LARGEST_GROWTH = 1 << 20


class NotHere(Exception):
    """This mutation has nothing to aim at in this image."""


class Draft:
    """A base being damaged: its files, and where their structures were."""

    def __init__(self, base):
        self.base = base
        self.files = [[name, bytearray(data)] for name, data in base.files]
        self.checksums_mended = False  # so that what `told` promises no longer holds
        self.cut = None  # bytes that are left of a raw image
        self._structures = {}

    def structures(self, index=0):
        if index not in self._structures:
            of = structures.of_ewf if self.base.type == "e01" else structures.of_media
            self._structures[index] = of(self.base.files[index][1])
        return self._structures[index]

    def pick_file(self, rng):
        index = rng.randrange(len(self.files))
        return index, self.files[index][1]

    def pick(self, rng, *kinds, index=0):
        """A structure of one of the kinds (by their beginnings; none: any), each kind as likely as the others."""
        here = [s for s in self.structures(index) if not kinds or s.kind.startswith(kinds)]
        here = [s for s in here if s.end <= len(self.files[index][1])]
        if not here:
            raise NotHere
        kind = rng.choice(sorted({s.kind for s in here}))
        return rng.choice([s for s in here if s.kind == kind])

    def told_damage(self):
        """The kinds of checked structures that are no longer what they were."""
        if self.checksums_mended:
            return []
        harmed = set()
        for index, (_, before) in enumerate(self.base.files):
            if index >= len(self.files):
                return []
            after = self.files[index][1]
            for s in self.structures(index):
                changed = before[s.offset:s.end] != after[s.offset:s.end]
                # Without its magic number and without a second superblock nothing says that there was an ext file system.
                lost = s.kind.startswith("ext") and after[1080:1082] != b"\x53\xef"
                # Nor is exFAT known by a boot region of which both copies are gone.
                lost |= s.kind.startswith("exfat") and after[3:11] != b"EXFAT   " and after[6144 + 3:6144 + 11] != b"EXFAT   "
                # Or that lies under a whole BSD label (its magic number): then the medium is what the label says.
                lost |= s.kind.startswith("exfat") and after[3:11] != b"EXFAT   " and after[512:516] == b"WEV\x82"
                # Nor a GPT whose headers are both gone.
                lost |= s.kind.startswith("gpt") and after[512:520] != b"EFI PART" and after[-512:-504] != b"EFI PART"
                if s.told and changed and not lost:
                    harmed.add(s.kind)
        return sorted(harmed)


def put(data, offset, value, size, order="little"):
    if offset < 0 or offset + size > len(data):
        raise NotHere
    data[offset:offset + size] = (value & ((1 << 8 * size) - 1)).to_bytes(size, order)


# ---------------------------------------------------------------- anywhere


def truncate_at_structure(rng, draft, donors):
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, index=index)
    at = rng.choice([s.offset, s.end, s.offset + rng.randrange(s.length), s.end // 512 * 512]) + rng.choice([0, 0, 0, -1, 1])
    return cut(draft, index, max(0, min(at, len(data) - 1)))


def truncate_anywhere(rng, draft, donors):
    index, data = draft.pick_file(rng)
    return cut(draft, index, rng.randrange(len(data)) if rng.random() < 0.7 else max(0, len(data) - rng.randrange(1, 4096)))


def cut(draft, index, at):
    before = sum(len(data) for _, data in draft.files[:index])
    del draft.files[index][1][at:]
    if draft.base.raw and index == len(draft.files) - 1:
        draft.cut = before + at
    return f"file {index} cut at {at}"


def flip_bits(rng, draft, donors):
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, index=index)
    places = [rng.randrange(s.offset, s.end) for _ in range(rng.choice([1, 1, 2, 4, 16]))]
    for place in places:
        data[place] ^= 1 << rng.randrange(8)
    return f"{s.kind}: bits of bytes {places}"


def flip_anywhere(rng, draft, donors):
    index, data = draft.pick_file(rng)
    places = [rng.randrange(len(data)) for _ in range(rng.choice([1, 4, 64]))]
    for place in places:
        data[place] ^= 1 << rng.randrange(8)
    return f"bits of bytes {places[:4]}…"


def set_bytes(rng, draft, donors):
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, index=index)
    at = rng.randrange(s.offset, s.end)
    length = min(rng.choice([1, 2, 4, 8, 64]), s.end - at)
    fill = rng.choice([b"\x00", b"\xff", b"\x7f", b"\x80", None])
    data[at:at + length] = rng.randbytes(length) if fill is None else fill * length
    return f"{s.kind}: {length} bytes at {at}"


def huge_number(rng, draft, donors):
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, index=index)
    done = []
    for _ in range(rng.choice([1, 1, 2, 3])):
        size = rng.choice([2, 4, 4, 8])
        at = s.offset + rng.randrange(max(1, s.length // size)) * size
        value, order = rng.choice(HUGE), rng.choice(["little", "little", "big"])
        if at + size > s.end:
            continue
        if rng.random() < 0.3:
            value = number(data, at, size, order) + rng.choice([-1, 1, 2, 512, -512])
        put(data, at, value, size, order)
        done.append((at, size, value))
    return f"{s.kind}: numbers {done}"


def wipe_structure(rng, draft, donors):
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, index=index)
    fill = rng.choice([b"\x00", b"\xff", b"\xe5", None])
    data[s.offset:s.end] = rng.randbytes(s.length) if fill is None else fill * s.length
    return f"{s.kind} at {s.offset} overwritten"


def copy_structure(rng, draft, donors):
    """One structure over another of its kind: two files of the same content, directories in each other's place."""
    index, data = draft.pick_file(rng)
    source = draft.pick(rng, index=index)
    target = draft.pick(rng, source.kind, index=index)
    if source == target:
        raise NotHere
    length = min(source.length, target.length)
    data[target.offset:target.offset + length] = data[source.offset:source.offset + length]
    return f"{source.kind} at {source.offset} over the one at {target.offset}"


def splice(rng, draft, donors):
    """Bytes of another image: its metadata in place of ours, or any piece of it anywhere."""
    donor = rng.choice(donors)
    _, other = rng.choice(donor.files)
    index, data = draft.pick_file(rng)
    if rng.random() < 0.6:
        s, t = draft.pick(rng, index=index), Draft(donor).pick(rng)
        other, at, begin, length = donor.files[0][1], s.offset, t.offset, min(s.length, t.length)
    else:
        length = min(rng.choice([512, 4096, 65536]), len(other))
        begin = rng.randrange(len(other) - length + 1) // 512 * 512
        at = rng.choice([0, rng.randrange(len(data)) // 512 * 512])
    piece = other[begin:begin + length][:len(data) - at]
    data[at:at + len(piece)] = piece
    return f"{len(piece)} bytes of {donor.name} from {begin} at {at}"


def grow(rng, draft, donors):
    name, data = draft.files[-1]
    length = rng.choice([1, 511, 512, 4096, LARGEST_GROWTH])
    data += bytes(length) if rng.random() < 0.5 else rng.randbytes(length)
    return f"{length} bytes behind the end"


def segments(rng, draft, donors):
    """Files of a set missing, twice, changed for each other, empty."""
    if len(draft.files) < 2:
        raise NotHere
    draft.checksums_mended = True  # they aren't the files that they were
    first, second = rng.sample(range(len(draft.files)), 2)
    what = rng.choice(["missing", "changed", "twice", "empty"])
    if what == "missing" and second > 0:
        draft.files.pop(second)
    elif what == "changed":
        draft.files[first][1], draft.files[second][1] = draft.files[second][1], draft.files[first][1]
    elif what == "twice":
        draft.files[second][1][:] = draft.files[first][1]
    else:
        draft.files[second][1].clear()
    return f"segment {second} {what} ({first})"


# ---------------------------------------------------------------- names


BAD_NAMES = (b"\xff\xfe\xff\xfe", b"\xc0\x80", b"\xed\xa0\x80\xed\xb0\x80", b"\xf8\x88\x80\x80\x80", b"../../..", b"/", b"\0\0\0", b"\r\n\x1b[2J",
             b"\xe2\x80\xae", b"\xd8\x00\xdc\x00", b"\x00\xd8\x00\xd8", b":", b"." * 8)


def names(rng, draft, donors):
    """What a directory calls its entries: not UTF-8, control characters, separators, lengths up to the limit."""
    s = draft.pick(rng, "ext-directory", "fat-directory", "exfat-directory", "iso-directory", "ntfs-record", "ntfs-index", "hfs-node",
                   "ufs-directory", "gpt-entries", "apm-entry")
    data, bad = draft.files[0][1], rng.choice(BAD_NAMES) * rng.choice([1, 1, 8, 40])
    entries = list(entries_of(data, s))
    if not entries:
        raise NotHere
    at, length, length_at = rng.choice(entries)
    if length_at is not None and rng.random() < 0.4:
        data[length_at] = rng.choice([0, 1, 255, 254, 128])
        length = min(255, s.end - at)
    piece = bad[:max(1, length)][:s.end - at]
    data[at:at + len(piece)] = piece
    return f"{s.kind}: name at {at} becomes {piece[:12]!r}"


# ---------------------------------------------------------------- cycles and overlaps


def cycle(rng, draft, donors):
    """Something that leads back to where it came from: chains, directories, trees, extended tables, sections."""
    s = draft.pick(rng, "fat-table", "fat-directory", "exfat-table", "exfat-directory", "ext-directory", "ext-inode", "ext-extents",
                   "ntfs-record", "ntfs-index", "iso-directory", "iso-path-table", "hfs-node", "extended-table", "ewf-descriptor")
    return {"fat-table": chain, "exfat-table": chain, "extended-table": extended_table, "ewf-descriptor": section_chain,
            "ext-inode": ext_tree, "ext-extents": ext_tree, "hfs-node": hfs_links, "ntfs-index": number_swap, "ntfs-record": ntfs_parent,
            "iso-path-table": number_swap}.get(s.kind, directory)(rng, draft, s)


def chain(rng, draft, s):
    """Links of clusters in a ring, or into another chain."""
    data = draft.files[0][1]
    boot = next(b for b in draft.structures() if b.kind in ("fat-boot", "exfat-boot") and b.offset <= s.offset)
    width = 4 if s.kind == "exfat-table" or number(data, boot.offset + 22, 2) == 0 else 2
    entries = [i for i in range(2, s.length // width) if number(data, s.offset + i * width, width)]
    if not entries:
        raise NotHere
    for _ in range(rng.choice([1, 3, 12])):
        here, there = rng.choice(entries), rng.choice(entries + [2])
        put(data, s.offset + here * width, rng.choice([here, there, here - 1, here + 1]), width)
    return f"{s.kind}: links at {s.offset}"


def extended_table(rng, draft, s):
    data, at = draft.files[0][1], s.offset - 446
    places = structures.extended(draft.base.files[0][1])
    to = (rng.choice(places + [0]) - places[0]) & 0xFFFFFFFF
    data[at + 466] = 5
    put(data, at + 470, to, 4)
    put(data, at + 474, 1000, 4)
    return f"the extended table at {at} goes on at {to}"


def section_chain(rng, draft, s):
    data = draft.files[0][1]
    places = [t.offset for t in draft.structures() if t.kind == "ewf-descriptor"]
    put(data, s.offset + 16, rng.choice(places), 8)
    mend_section(draft, data, s.offset)
    return f"the section at {s.offset} is followed by an earlier one"


def directory(rng, draft, s):
    """An entry that leads to its own directory, to one above it or to another."""
    data = draft.files[0][1]
    step = {"fat-directory": 32, "exfat-directory": 32}.get(s.kind)
    if s.kind in ("ext-directory", "ufs-directory"):
        places = [name - 8 for name, _, _ in entries_of(data, s)]
        others = [number(data, place, 4) for place in places[:2]] + [2]
        at = rng.choice(places)
        put(data, at, rng.choice(others), 4)
        if rng.random() < 0.7:
            data[at + 7] = 2
        return f"{s.kind}: entry at {at} leads back"
    if s.kind == "iso-directory":
        places = [name - 33 for name, _, _ in entries_of(data, s)]
        at, other = rng.choice(places), rng.choice(places[:2])
        data[at + 2:at + 18] = data[other + 2:other + 18]
        data[at + 25] |= 2
        return f"{s.kind}: record at {at} has the extent of the one at {other}"
    places = [at for at in range(s.offset, s.end - 31, step) if data[at] not in (0, 0xE5)]
    if not places:
        raise NotHere
    field = 26 if s.kind == "fat-directory" else 20
    at, other = rng.choice(places), rng.choice(places)
    value = rng.choice([number(data, other + field, 2), 0, 2, 3, number(data, at + field, 2) - 1])
    put(data, at + field, value, 2)
    if s.kind == "fat-directory" and data[at + 11] != 15 and rng.random() < 0.8:
        data[at + 11] |= 0x10
    return f"{s.kind}: entry at {at} has first cluster {value}"


def ext_tree(rng, draft, s):
    """A tree of extents or of indirect blocks that holds itself."""
    data = draft.files[0][1]
    sb = next(t for t in draft.structures() if t.kind == "ext-superblock" and t.offset <= s.offset)
    block = 1024 << min(number(data, sb.offset + 24, 4), 6)
    own = (s.offset - sb.offset + 1024) // block
    at = s.offset + (40 if s.kind == "ext-inode" else 0)
    if data[at:at + 2] == b"\x0a\xf3":
        put(data, at + 2, rng.choice([1, 1, 4]), 2)
        put(data, at + 6, rng.choice([1, 5, 0xFFFF, number(data, at + 6, 2)]), 2)
        put(data, at + 16, rng.choice([own, own + 1, 1, 0xFFFFFFFF]), 4)
    else:
        for i in range(rng.choice([1, 3, 15])):
            put(data, at + 4 * (14 - i), rng.choice([own, own, number(data, at, 4)]), 4)
    put(data, s.offset + 4, rng.choice([0xFFFFFFFF, 1 << 20, number(data, s.offset + 4, 4)]), 4) if s.kind == "ext-inode" else None
    return f"{s.kind}: tree at {at} leads to block {own}"


def hfs_links(rng, draft, s):
    data = draft.files[0][1]
    put(data, s.offset + rng.choice([0, 4]), rng.randrange(8), 4, "big")
    if rng.random() < 0.5:
        put(data, s.end - 2 * rng.randrange(1, 4), number(data, s.end - 2, 2, "big"), 2, "big")
    return f"{s.kind}: links of the node at {s.offset}"


def ntfs_parent(rng, draft, s):
    data = draft.files[0][1]
    places = [name - 66 for name, _, _ in entries_of(data, s)]
    if not places:
        raise NotHere
    at = rng.choice(places)
    put(data, at, rng.choice([number(data, s.offset + 44, 4), 5, rng.randrange(64)]), 6)
    return f"{s.kind}: parent of the name at {at}"


def number_swap(rng, draft, s):
    """Two numbers of one structure in each other's place."""
    data = draft.files[0][1]
    a, b = (s.offset + rng.randrange(max(1, s.length // 8)) * 8 for _ in range(2))
    if max(a, b) + 8 > s.end:
        raise NotHere
    data[a:a + 8], data[b:b + 8] = data[b:b + 8], data[a:a + 8]
    return f"{s.kind}: the numbers at {a} and {b}"


def overlap(rng, draft, donors):
    """Two files or partitions over the same bytes."""
    s = draft.pick(rng, "mbr", "extended-table", "gpt-entries", "apm-entry", "ext-inode", "fat-directory", "exfat-directory", "iso-directory")
    data = draft.files[0][1]
    if s.kind in ("mbr", "extended-table"):
        base = s.end - 66
        here, there = (base + 16 * i for i in rng.sample(range(4), 2))
        data[here + 4] = data[here + 4] or 6
        put(data, here + 8, number(data, there + 8, 4) + rng.choice([0, 1, -1, 100]), 4)
        put(data, here + 12, rng.choice([number(data, there + 12, 4), 1, 0xFFFFFFFF, 1000]), 4)
    elif s.kind == "gpt-entries":
        here = s.offset + 128 * rng.randrange(3)
        data[here:here + 32] = data[s.offset:s.offset + 16] + rng.randbytes(16)
        put(data, here + 32, rng.choice([64, 65, 0, 3000, (1 << 63)]), 8)
        put(data, here + 40, rng.choice([64, 3999, 2000, (1 << 64) - 1]), 8)
        mend_gpt(draft, data)
    elif s.kind == "apm-entry":
        put(data, s.offset + 8, rng.choice([0, 1, 64, 0xFFFFFFFF]), 4, "big")
    elif s.kind == "ext-inode":
        other = draft.pick(rng, "ext-inode")
        data[s.offset + 40:s.offset + 100] = data[other.offset + 40:other.offset + 100]
        put(data, s.offset + 4, number(data, other.offset + 4, 4) + rng.choice([0, 1, 4096, 1 << 20]), 4)
    else:
        return directory(rng, draft, s)
    return f"{s.kind} at {s.offset} over its neighbour"


# ---------------------------------------------------------------- with the checksums mended


def mend_section(draft, data, at):
    put(data, at + 72, zlib.adler32(data[at:at + 72]), 4)
    draft.checksums_mended = True


def mend_gpt(draft, data):
    draft.checksums_mended = True
    for header in [s.offset for s in draft.structures() if s.kind == "gpt-header"]:
        count, size, at = number(data, header + 80, 4), number(data, header + 84, 4), 512 * number(data, header + 72, 8)
        if count * size <= 1 << 20:
            put(data, header + 88, binascii.crc32(data[at:at + count * size]), 4)
        put(data, header + 16, 0, 4)
        put(data, header + 16, binascii.crc32(data[header:header + 92]), 4)


def mended(rng, draft, donors):
    """A number changed in a structure whose checksum is then made right: what only plausibility can refuse."""
    index, data = draft.pick_file(rng)
    s = draft.pick(rng, "ewf-descriptor", "ewf-volume", "ewf-data", "ewf-table", "ewf-digest", "ewf-hash", "gpt-header", "gpt-entries",
                   "exfat-boot", index=index)
    length = {"ewf-descriptor": 40, "ewf-volume": 64, "ewf-data": 64, "gpt-header": 92, "gpt-entries": 256, "exfat-boot": 120}.get(s.kind, 60)
    for _ in range(rng.choice([1, 1, 2])):
        size = rng.choice([1, 4, 8])
        at = s.offset + rng.randrange(max(1, min(length, s.length) // size)) * size
        value = rng.choice(HUGE) if rng.random() < 0.6 else number(data, at, size) + rng.choice([-1, 1, 512, 1 << 16])
        put(data, at, value, size)
    draft.checksums_mended = True
    if s.kind == "ewf-descriptor":
        mend_section(draft, data, s.offset)
    elif s.kind.startswith("ewf-table"):
        count = number(data, s.offset, 4)
        put(data, s.offset + 20, zlib.adler32(data[s.offset:s.offset + 20]), 4)
        end = min(s.offset + 24 + 4 * count, s.end - 4)
        put(data, end, zlib.adler32(data[s.offset + 24:end]), 4)
    elif s.kind.startswith("ewf"):
        put(data, s.end - 4, zlib.adler32(data[s.offset:s.end - 4]), 4)
    elif s.kind.startswith("gpt"):
        mend_gpt(draft, data)
    else:
        mend_exfat(data, s.offset)
    return f"{s.kind} at {s.offset}, checksum mended"


def mend_exfat(data, start):
    """exFAT specification, 3.4."""
    sector = 1 << min(data[start + 108], 12)
    total = 0
    for i in range(min(11 * sector, len(data) - start)):
        if i not in (106, 107, 112):
            total = ((total << 31 | total >> 1) + data[start + i]) & 0xFFFFFFFF
    for at in range(start + 11 * sector, start + 12 * sector, 4):
        put(data, at, total, 4)


def several(rng, draft, donors):
    done = []
    for _ in range(rng.randrange(2, 6)):
        try:
            done.append(rng.choice([flip_bits, set_bytes, huge_number, wipe_structure, copy_structure, cycle, overlap, names, splice])(
                rng, draft, donors))
        except NotHere:
            continue
    if not done:
        raise NotHere
    return "; ".join(done)


KINDS = (truncate_at_structure, truncate_anywhere, flip_bits, flip_anywhere, set_bytes, huge_number, wipe_structure, copy_structure, splice,
         grow, segments, names, cycle, overlap, mended, several)


def damage(rng, base, donors):
    """(name of the mutation, what it did, the draft): drawn until one fits and changes something."""
    while True:
        kind, draft = rng.choice(KINDS), Draft(base)
        try:
            what = kind(rng, draft, donors)
        except (NotHere, struct.error, IndexError, ValueError):
            continue
        if [data for _, data in draft.files] != [data for _, data in base.files]:
            return kind.__name__, what, draft
