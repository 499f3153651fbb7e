"""The entries of a directory, of each file system: where their names stand."""
from structures import number


def entries_of(data, s):
    """(place of a name, its room, place of its length or none) of the entries in a directory's structure."""
    if s.kind in ("ext-directory", "ufs-directory"):
        at = s.offset
        while at + 8 < s.end:
            step = number(data, at + 4, 2)
            length_at = at + (6 if s.kind.startswith("ext") else 7)
            if number(data, at, 4) and data[length_at]:
                yield at + 8, data[length_at], length_at
            if step < 8:
                break
            at += step
    elif s.kind == "fat-directory":
        for at in range(s.offset, s.end - 31, 32):
            if data[at]:
                yield (at + 1, 10, None) if data[at + 11] == 15 else (at, 11, None)
    elif s.kind == "exfat-directory":
        for at in range(s.offset, s.end - 31, 32):
            if data[at] == 0xC1:
                yield at + 2, 30, at - 32 + 3
    elif s.kind == "iso-directory":
        at = s.offset
        while at + 34 < s.end and data[at] >= 34:
            yield at + 33, data[at + 32], at + 32
            at += data[at]
    elif s.kind == "ntfs-record":
        at = s.offset + number(data, s.offset + 20, 2)
        while at + 90 < s.end:
            kind, step = number(data, at, 4), number(data, at + 4, 4)
            if kind == 0x30:
                yield at + 24 + 66, 2 * data[at + 24 + 64], at + 24 + 64
            if kind == 0xFFFFFFFF or step < 24:
                break
            at += step
    elif s.kind == "ntfs-index":
        at = s.offset + 24 + number(data, s.offset + 24, 4)
        while at + 84 < s.end and number(data, at + 8, 2) >= 82:
            yield at + 82, 2 * data[at + 80], at + 80
            at += number(data, at + 8, 2)
    elif s.kind == "hfs-node" and data[s.offset + 8] == 0xFF:
        for i in range(min(number(data, s.offset + 10, 2, "big"), 64)):
            at = s.offset + number(data, s.end - 2 * (i + 1), 2, "big")
            if at + 8 < s.end:
                yield at + 8, 2 * number(data, at + 6, 2, "big"), at + 7
    elif s.kind == "gpt-entries":
        yield from ((at + 56, 72, None) for at in range(s.offset, min(s.end, s.offset + 512), 128))
    elif s.kind == "apm-entry":
        yield s.offset + 16, 32, None
