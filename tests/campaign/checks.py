"""What must hold of a run over a damaged image, whatever the damage.

Form, order, identities, references and coverage of the findings, and each digest against the bytes of its extents, are
checked by tests/independent/verify.py, which shares no code with Exhibit.
"""
import base64
import hashlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "independent"))
import verify  # noqa: E402

GOOD_EXITS = (0, 1, 3, 4)
# A worker's allowance is for what it allocates; its program and libraries are mapped besides.
MEMORY_ROOM = 64 << 20
SMALLEST_WORKER = 96 << 20  # cmd/exhibit/session.cc


class Silent(verify.Report):
    def ok(self, name, detail):
        pass

    def skip(self, why, name, detail):
        pass


class Media(verify.Image):
    """The image's bytes as they lie in memory."""

    def __init__(self, findings, media):
        self.name, self.evidence, self.findings = "E1", findings.records[0], findings
        self.report, self.file = Silent(), io.BytesIO(media)


@dataclass
class Verdict:
    failures: list = field(default_factory=list)
    problems: int = 0
    causes: dict = field(default_factory=dict)  # cause of a problem -> how many
    records: list = field(default_factory=list)


def read(path):
    """The records of a findings file, each line canonical."""
    return [verify.parse_canonical(line) for line in verify.lines_of(path.read_bytes(), path.name)]


def check(base, draft, run, case, memory, jobs):
    verdict = Verdict()
    say = verdict.failures.append
    if run.code is None:
        say("hang: it ran into the wall clock's limit")
    elif run.code not in GOOD_EXITS:
        say(f"exit code {run.code}: {run.errors.strip()[-300:]}")
    ceiling = max(SMALLEST_WORKER, memory // jobs) + MEMORY_ROOM
    if run.largest > ceiling:
        say(f"memory: a process of {run.largest >> 20} MiB, {ceiling >> 20} are allowed")
    if run.together > max(SMALLEST_WORKER * jobs, memory) + MEMORY_ROOM:
        say(f"memory: {run.together >> 20} MiB in all processes, the ceiling is {memory >> 20}")
    path = Path(case) / "findings" / "E1.jsonl"
    if not path.exists():
        if run.code in (0, 1, 4):
            say(f"exit code {run.code} without findings")
        return verdict
    try:
        verdict.records = read(path)
        findings = verify.Findings("E1", "findings", verdict.records, Silent())
        findings.identities()
        findings.order()
        findings.references()
        findings.coverage()
    except (verify.Refused, KeyError, UnicodeError) as error:
        say(f"findings: {error!r}")
        return verdict
    for record in verdict.records:
        if record["record"] == "problem":
            verdict.problems += 1
            verdict.causes[record["cause"]] = verdict.causes.get(record["cause"], 0) + 1
    agreement(verdict, run.code, findings.records[0])
    digests(base, draft, findings, verdict)
    losses(base, draft, run.code, verdict)
    return verdict


def agreement(verdict, code, evidence):
    """The exit code says what the findings say."""
    bad = evidence.get("integrity") in ("mismatch", "unreadable")
    expected = 1 if bad else 4 if verdict.problems else 0
    if code in (0, 1, 4) and code != expected:
        verdict.failures.append(f"exit code {code} where integrity is {evidence.get('integrity')} and problems are {verdict.problems}")


def digests(base, draft, findings, verdict):
    """No wrong digest: of the medium, and of each item that has extents and no doubt."""
    evidence = findings.records[0]
    if base.raw:
        media = b"".join(data for _, data in draft.files)
        claimed = evidence.get("digests", {}).get("sha256")
        if evidence["format"] not in ("raw", "split-raw"):
            return  # a splice has made a container of it
        if claimed and claimed != hashlib.sha256(media).hexdigest():
            verdict.failures.append("the medium's digest is wrong")
    else:
        # Stored digests that are still the undamaged ones, and match: then the bytes are the undamaged ones too.
        if evidence.get("integrity") != "match" or evidence.get("stored_digests") != base.findings.get("stored_digests") or not base.media:
            return
        media = base.media
        if evidence["digests"].get("sha256") != hashlib.sha256(media).hexdigest():
            verdict.failures.append("integrity match over other bytes than the undamaged image's")
            return
    image = Media(findings, media)
    for item in findings.items.values():
        if image.unreadable(item):
            continue
        try:
            image.item(item)
        except (verify.Refused, KeyError) as error:
            verdict.failures.append(f"{item['id']}: {error}")


def losses(base, draft, code, verdict):
    """What is gone is told. Only damage that no reader may overlook counts here: bytes cut off that allocated files
    need, structures whose checksum no longer holds, and media of an EWF set that aren't what they were."""
    if code != 0:
        return
    if harmed := draft.told_damage():
        verdict.failures.append(f"exit code 0 though a checksum doesn't hold: {', '.join(harmed)}")
    recognised = any("filesystem" in record for record in verdict.records)
    # Cut before its superblock, a file system has left nothing to recognise it by.
    if draft.cut is not None and recognised:
        lost = [item for item, end in base.findings.get("ends", ()) if end > draft.cut]
        if lost:
            verdict.failures.append(f"exit code 0 though the image ends before {lost[0]} (and {len(lost) - 1} more)")
    sums = verdict.records[0].get("digests", {})
    if not base.raw and not draft.checksums_mended and sums.get("sha256") != base.findings.get("digests", {}).get("sha256"):
        verdict.failures.append("exit code 0 though the set's bytes aren't what they were")


def learn(case):
    """What the undamaged image's findings say, for comparison: digests, and how far each allocated file reaches."""
    path = Path(case) / "findings" / "E1.jsonl"
    records = read(path) if path.exists() else [{}]
    starts, ends = {}, []
    for record in records:
        if record.get("record") == "volume":
            starts[record["id"]] = record["offset"] + starts.get(record.get("parent"), 0)
    for record in records:
        if record.get("record") == "item" and record["state"] == "allocated" and record.get("digests") and record.get("extents"):
            ends.append((record["id"], max(starts[record["volume"]] + offset + length if offset >= 0 else 0 for offset, length in record["extents"])))
    return {"stored_digests": records[0].get("stored_digests"), "digests": records[0].get("digests", {}), "ends": ends}


def crash_notes(case):
    """What the workers that ended said, out of the log of the run."""
    path = Path(case) / "log" / "runs.jsonl"
    notes = []
    if path.exists():
        for line in path.read_text(encoding="utf-8").splitlines():
            for entry in verify.json.loads(line).get("lines", []):
                if "worker_ended" in entry:
                    words = base64.b64decode(entry.get("stderr", "")).decode("utf-8", "replace").strip()
                    notes.append((entry["worker_ended"], entry.get("touched", ""), words[-200:]))
    return notes
