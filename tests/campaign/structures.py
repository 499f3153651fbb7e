"""Where the metadata lie in an image: what the mutations aim at.

Read from the undamaged image and with little care: a structure that isn't found is not aimed at.
"""
import struct
from dataclasses import dataclass


@dataclass(frozen=True)
class Structure:
    kind: str
    offset: int  # in the file
    length: int
    told: bool = False  # covered by a checksum that must be noticed: any change of it has to be told

    @property
    def end(self):
        return self.offset + self.length


def number(data, offset, size, order="little"):
    return int.from_bytes(data[offset:offset + size], order)


def of_media(data):
    """The structures of a raw image."""
    found, starts = list(tables(data)), {0}
    starts |= {start for start in partitions(data) if 0 < start < len(data)}
    for start in sorted(starts):
        for reader in (ext, ntfs, fat, exfat, hfs, iso, ufs):
            try:
                found += [s for s in reader(data, start) if 0 <= s.offset and s.length > 0 and s.end <= len(data)]
            except (struct.error, IndexError, ZeroDivisionError):
                continue
    return sorted(set(found), key=lambda s: (s.offset, s.length, s.kind))


# ---------------------------------------------------------------- partition tables


def is_table(sector):
    return sector[510:512] == b"\x55\xaa" and all(sector[446 + 16 * i] in (0, 0x80) for i in range(4))


def extended(data):
    """The extended tables' places: UEFI and every PC chain them by the second entry, from the first one's place."""
    if not is_table(data[:512]):
        return []
    first = next((number(data, 454 + 16 * i, 4) for i in range(4) if data[450 + 16 * i] in (5, 15)), 0)
    places, at = [], first
    while at and at * 512 + 512 <= len(data) and at not in places and len(places) < 32:
        places.append(at)
        step = number(data, at * 512 + 470, 4)
        at = first + step if step else 0
    return places


def partitions(data):
    if is_table(data[:512]):
        yield from (512 * number(data, 454 + 16 * i, 4) for i in range(4))
        yield from (512 * (at + number(data, at * 512 + 454, 4)) for at in extended(data))
    if data[512:520] == b"EFI PART":
        yield from (512 * number(data, 1024 + 128 * i + 32, 8) for i in range(4))
    if data[512:514] == b"PM":
        yield from (512 * number(data, 512 * (i + 1) + 8, 4, "big") for i in range(8) if data[512 * (i + 1):512 * (i + 1) + 2] == b"PM")


def tables(data):
    if is_table(data[:512]):
        yield Structure("mbr", 440, 72)
    for at in extended(data):
        yield Structure("extended-table", at * 512 + 446, 66)
    if data[512:520] == b"EFI PART":
        last = 512 * number(data, 512 + 32, 8)
        for header in (512, last):
            if data[header:header + 8] == b"EFI PART":
                yield Structure("gpt-header", header, 92, told=True)
                count, size = number(data, header + 80, 4), number(data, header + 84, 4)
                yield Structure("gpt-entries", 512 * number(data, header + 72, 8), min(count * size, 65536), told=True)
    for i in range(1, 16):
        if data[512 * i:512 * i + 2] == b"PM":
            yield Structure("apm-entry", 512 * i, 512)
    for at in (0, 64, 512):
        if number(data, at, 4) == 0x82564557:
            yield Structure("bsd-label", at, 404)
    if data[508:510] == b"\xda\xbe":
        yield Structure("sun-label", 0, 512)


# ---------------------------------------------------------------- file systems


def ext(data, start):
    sb = start + 1024
    if data[sb + 56:sb + 58] != b"\x53\xef":
        return
    block = 1024 << min(number(data, sb + 24, 4), 6)
    blocks, per_group, first = number(data, sb + 4, 4), number(data, sb + 32, 4), number(data, sb + 20, 4)
    inodes, inode_size = number(data, sb + 40, 4), number(data, sb + 88, 2) or 128
    wide = number(data, sb + 96, 4) & 0x80
    descriptor = (number(data, sb + 254, 2) or 64) if wide else 32
    checked = bool(number(data, sb + 100, 4) & 0x400)  # metadata_csum
    yield Structure("ext-superblock", sb, 1024, told=checked)
    groups = min(-(-(blocks - first) // per_group), 64)
    at = start + (first + 1) * block
    yield Structure("ext-descriptors", at, groups * descriptor, told=checked)
    for group in range(groups):
        base = at + group * descriptor
        yield Structure("ext-bitmap", start + number(data, base, 4) * block, block)
        yield Structure("ext-bitmap", start + number(data, base + 4, 4) * block, block)
        table = start + number(data, base + 8, 4) * block
        for i in range(min(inodes, 256)):
            place = table + i * inode_size
            if number(data, place, 2):
                yield Structure("ext-inode", place, inode_size)
        if group:
            yield Structure("ext-backup", start + (first + group * per_group) * block, 1024)
    for place in range(start, min(start + blocks * block, len(data)), block):
        if data[place + 4:place + 7] == b"\x0c\x00\x01" and data[place + 8:place + 10] == b".\0":
            yield Structure("ext-directory", place, block)
        elif data[place:place + 2] == b"\x0a\xf3":
            yield Structure("ext-extents", place, block)
        elif data[place:place + 4] == b"\xc0\x3b\x39\x98":
            yield Structure("ext-journal", place, block)


def ntfs(data, start):
    if data[start + 3:start + 11] != b"NTFS    ":
        return
    yield Structure("ntfs-boot", start, 512)
    end = min(len(data), start + 512 * number(data, start + 40, 8))
    for place in range(start + 1024, end - 1023, 512):
        if data[place:place + 4] == b"FILE":
            yield Structure("ntfs-record", place, min(1024, number(data, place + 24, 4) or 1024))
        elif data[place:place + 4] == b"INDX":
            yield Structure("ntfs-index", place, min(4096, end - place))


def fat(data, start):
    sector, cluster = number(data, start + 11, 2), data[start + 13] * number(data, start + 11, 2)
    if data[start + 510:start + 512] != b"\x55\xaa" or sector not in (512, 1024, 2048, 4096) or not cluster or data[start + 3:start + 8] == b"NTFS ":
        return
    reserved, copies, root = number(data, start + 14, 2), data[start + 16], number(data, start + 17, 2)
    length = number(data, start + 22, 2) or number(data, start + 36, 4)
    yield Structure("fat-boot", start, 512)
    if not number(data, start + 22, 2):
        yield Structure("fat-info", start + sector, 512)
    for copy in range(copies):
        # The entries in use lie at its start; most of the rest is empty.
        yield Structure("fat-table", start + (reserved + copy * length) * sector, min(length * sector, 2048))
    first = start + (reserved + copies * length) * sector
    yield Structure("fat-directory", first, min(root * 32 if root else cluster, 1024))
    for place in range(first + root * 32, min(len(data), first + (16 << 20)), cluster):
        if data[place:place + 12] == b".          \x10":
            yield Structure("fat-directory", place, min(cluster, 1024))


def exfat(data, start):
    if data[start + 3:start + 11] != b"EXFAT   ":
        return
    sector = 1 << data[start + 108]
    cluster = sector << data[start + 109]
    # VolumeFlags and PercentInUse are outside the checksum (exFAT specification, 3.4).
    yield Structure("exfat-boot", start, 106, told=False)
    yield Structure("exfat-boot", start + 64, 40, told=True)
    yield Structure("exfat-checksum", start + 11 * sector, sector, told=True)
    yield Structure("exfat-backup", start + 12 * sector, 512)
    yield Structure("exfat-table", start + number(data, start + 80, 4) * sector, min(1024, number(data, start + 84, 4) * sector))
    heap = start + number(data, start + 88, 4) * sector
    todo, seen = [number(data, start + 96, 4)], set()
    while todo and len(seen) < 32:
        at = todo.pop()
        if at in seen or at < 2:
            continue
        seen.add(at)
        place = heap + (at - 2) * cluster
        yield Structure("exfat-directory", place, min(cluster, 2048))
        for entry in range(place, min(place + cluster, len(data) - 64), 32):
            if data[entry] == 0x85 and data[entry + 4] & 0x10:
                todo.append(number(data, entry + 32 + 20, 4))
            elif data[entry] == 0x81:
                yield Structure("exfat-bitmap", heap + (number(data, entry + 20, 4) - 2) * cluster, 64)


def hfs(data, start):
    header = start + 1024
    if data[header:header + 2] not in (b"H+", b"HX"):
        return
    block = number(data, header + 40, 4, "big")
    yield Structure("hfs-header", header, 512)
    for fork in (112, 192, 272, 352):  # allocation, extents, catalog, attributes files
        place = start + number(data, header + fork + 16, 4, "big") * block
        length = number(data, header + fork + 20, 4, "big") * block
        if fork == 112:
            yield Structure("hfs-bitmap", place, min(length, 512))
            continue
        size = number(data, place + 14 + 18, 2, "big")
        for node in range(place, place + length, size):
            if any(data[node:node + 14]):
                yield Structure("hfs-node", node, size)


def iso(data, start):
    if data[start + 0x8001:start + 0x8006] != b"CD001":
        return
    seen = set()
    for at in range(start + 0x8000, start + 0x8000 + 2048 * 8, 2048):
        if data[at + 1:at + 6] != b"CD001":
            break
        yield Structure("iso-descriptor", at, 2048)
        if data[at] not in (1, 2):
            continue
        yield Structure("iso-path-table", start + 2048 * number(data, at + 140, 4), max(10, number(data, at + 132, 4)))
        todo = [(number(data, at + 158, 4), number(data, at + 166, 4))]
        while todo and len(seen) < 40:
            place, length = todo.pop()
            if place in seen:
                continue
            seen.add(place)
            yield Structure("iso-directory", start + 2048 * place, min(length, 4096))
            entry = start + 2048 * place
            while entry < start + 2048 * place + length and entry + 34 < len(data) and data[entry]:
                if data[entry + 25] & 2 and data[entry + 32] > 0 and data[entry + 33] > 1:
                    todo.append((number(data, entry + 2, 4), number(data, entry + 10, 4)))
                entry += data[entry]


def ufs(data, start):
    for place, magic in ((8192, b"\x54\x19\x01\x00"), (65536, b"\x19\x01\x54\x19")):
        if data[start + place + 1372:start + place + 1376] == magic:
            yield Structure("ufs-superblock", start + place, 1376)
    else:
        if data[start + 8192 + 1372:start + 8192 + 1376] != b"\x54\x19\x01\x00" and data[start + 65536 + 1372:start + 65536 + 1376] != b"\x19\x01\x54\x19":
            return
    for place in range(start, len(data) - 1024, 512):
        if data[place + 4:place + 8] == b"\x55\x02\x09\x00":
            yield Structure("ufs-group", place, 1024)
        elif data[place + 4:place + 8] == b"\x0c\x00\x04\x01" and data[place + 8:place + 10] == b".\0":
            yield Structure("ufs-directory", place, 512)


# ---------------------------------------------------------------- EWF


def of_ewf(data):
    """The sections of one segment file and what is in them; all but the header texts have checksums."""
    found, at = [Structure("ewf-signature", 0, 13)], 13
    while at + 76 <= len(data):
        kind = data[at:at + 16].rstrip(b"\0").decode("ascii", "replace")
        following, size = struct.unpack_from("<QQ", data, at + 16)
        found.append(Structure("ewf-descriptor", at, 76, told=True))
        end = following if following > at else min(at + max(size, 76), len(data))
        if end > at + 76:
            name = kind if kind in ("volume", "disk", "data", "hash", "digest", "table", "table2", "sectors") else "header"
            found.append(Structure("ewf-" + name, at + 76, end - at - 76, told=name in ("volume", "disk", "hash", "digest")))
        if following <= at:
            break
        at = following
    return found
