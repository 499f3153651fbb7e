#!/usr/bin/env python3
# Longer than 500 lines because it is a table: one short function a tampering.
"""Make tampered copies of a good case folder, each named by what was done.

Usage: tamper.py GOODCASE FOLDER   ->  FOLDER/NAME/ for each tampering, FOLDER/trust.pem

Three people tamper. One has no key, and can only change files. A stranger has keys, but none
that is trusted. An insider has a key that is trusted (FOLDER/trust.pem is the case's own CA and
the insider's), so that nothing but the one false claim is wrong and each check must find it alone.
The file is long because it is a table: one short function a tampering.
Names that begin with `control-` are not tampered: both verifiers must accept them.
"""

import argparse
import base64
import json
import re
import shutil
import sys
from datetime import datetime, timezone
from pathlib import Path

from authority import Authority, encode, openssl, with_time_stamp
from make_case import custody_line
from verify import OID_SIGNING_TIME, Der, SignedData, ZERO_DIGEST, canonical, salt, salted_root, sha256, tree_root, whole

TAMPERINGS = []


def tampering(function):
    TAMPERINGS.append((function.__name__.replace("_", "-"), function))
    return function


class TooPoor(Exception):
    """The good case has nothing to do this with."""


class Case:
    """A copy of the good case, with what the tamperers can do to it."""

    def __init__(self, path, good, keys):
        self.path, self.good, self.keys = path, good, keys
        shutil.copytree(good, path)
        entry = self.manifest()["evidence"][0]
        self.id, self.findings_name = entry["id"], entry["findings"]["file"]
        self.signature = "manifest.json.1.p7s"
        self.stamp = "manifest.json.1.tsr"

    # ---- plain files

    def file(self, name):
        path = self.path / name
        path.chmod(0o600)
        return path

    def read(self, name):
        return (self.path / name).read_bytes()

    def write(self, name, data):
        if (self.path / name).exists():
            self.file(name)
        (self.path / name).write_bytes(data)

    def edit(self, name, old, new):
        data = self.read(name)
        assert old in data and old != new, f"{old!r} isn't in {name}"
        self.write(name, data.replace(old, new, 1))

    # ---- findings

    @property
    def salts(self):
        return f"secret/{self.id}.salts"

    def lines(self):
        return self.read(self.findings_name)[:-1].split(b"\n")

    def set_lines(self, lines):
        self.write(self.findings_name, b"".join(line + b"\n" for line in lines))

    def line_of(self, kind, **having):
        """Number and record of the first line of a kind that has the given keys."""
        for number, line in enumerate(self.lines()):
            record = json.loads(line)
            if record["record"] == kind and all(record.get(k) if v is ... else record.get(k) == v for k, v in having.items()):
                return number, record
        raise TooPoor(f"the good case has no {kind} with {having}")

    def change(self, kind, edit, **having):
        number, record = self.line_of(kind, **having)
        edit(record)
        lines = self.lines()
        lines[number] = canonical(record)
        self.set_lines(lines)

    # ---- manifest

    def manifest(self):
        return json.loads(self.read("manifest.json"))

    def set_manifest(self, manifest):
        self.write("manifest.json", canonical(manifest))

    def claim(self, edit):
        manifest = self.manifest()
        edit(manifest["evidence"][0])
        self.set_manifest(manifest)

    def consistent(self):
        """Makes the manifest claim the findings as they now are."""
        lines, data, key = self.lines(), self.read(self.findings_name), self.read(self.salts)
        kinds = [match[1].decode() for line in lines if (match := re.search(rb'"record":"(\w+)"', line))]

        def edit(evidence):
            findings = evidence["findings"]
            findings.update(records=len(lines), bytes=len(data), digests={"sha256": sha256(data).hex()},
                            trees={"sha256": salted_root(lines, key).hex()}, salt_commitment=sha256(key).hex(),
                            counts={"items": kinds.count("item"), "matches": kinds.count("match"),
                                    "problems": kinds.count("problem")})
        self.claim(edit)

    # ---- signatures

    def remove_signatures(self):
        for path in list(self.path.glob("manifest.json.*")):
            path.unlink()

    def seal(self, who="insider", signer="signer", stamped=True):
        self.remove_signatures()
        self.keys[who].seal(self.path, signer=signer, stamped=stamped)

    def insider_findings(self):
        self.consistent()
        self.seal()

    # ---- custody

    def custody(self):
        return self.read("custody.jsonl")[:-1].split(b"\n")

    def set_custody(self, lines):
        self.write("custody.jsonl", b"".join(line + b"\n" for line in lines))

    def claim_custody(self):
        manifest, lines = self.manifest(), self.custody()
        manifest["custody"] = {"events": len(lines), "head": sha256(lines[-1]).hex()}
        self.set_manifest(manifest)

    def rechain(self, entries, who=None):
        """Links the entries anew from the first; signs each that changed where `who` is given."""
        lines, previous = [], ZERO_DIGEST
        for entry in entries:
            if entry["previous"] != previous:
                entry["previous"] = previous
                entry = self.sign_entry(entry, who) if who else entry
            lines.append(canonical(entry))
            previous = sha256(lines[-1]).hex()
        self.set_custody(lines)
        self.claim_custody()

    def sign_entry(self, entry, who="insider"):
        entry.pop("signature", None)
        entry["signature"] = base64.b64encode(self.keys[who].sign(canonical(entry))).decode()
        return entry


def entries(case):
    return [json.loads(line) for line in case.custody()]


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]


# ---------------------------------------------------------------- controls: nothing is wrong


@tampering
def control_untouched(case):
    pass


@tampering
def control_salt_key_not_handed_out(case):
    case.file(case.salts).unlink()


@tampering
def control_resigned_by_a_trusted_signer(case):
    case.seal()


@tampering
def control_resigned_without_time_stamp(case):
    case.seal(stamped=False)


@tampering
def control_second_signature(case):
    case.keys["insider"].seal(case.path, number=2)


@tampering
def control_ledger_goes_on_after_the_manifest(case):
    lines = case.custody()
    case.set_custody(lines + [custody_line(case.keys["insider"], len(lines) + 1, "disclosed", sha256(lines[-1]).hex())])


@tampering
def control_record_changed_consistently_by_a_trusted_signer(case):
    case.change("item", lambda item: item.update(type="text/x-other"))
    case.insider_findings()


@tampering
def control_signed_by_a_now_expired_certificate_in_its_time(case):
    case.remove_signatures()
    case.write(case.signature, backdated(case, "20180601000000Z"))


# ---------------------------------------------------------------- findings, without a key


@tampering
def one_byte_of_a_record(case):
    data = case.read(case.findings_name)
    case.write(case.findings_name, flip(data, data.rindex(b'"path":"/') + 9))


@tampering
def one_hex_digit_of_a_digest(case):
    def edit(item):
        digest = item["digests"]["sha256"]
        item["digests"]["sha256"] = ("0" if digest[0] != "0" else "1") + digest[1:]
    case.change("item", edit, digests=...)


@tampering
def two_lines_swapped(case):
    lines = case.lines()
    number, _ = case.line_of("item")
    lines[number], lines[number + 1] = lines[number + 1], lines[number]
    case.set_lines(lines)


@tampering
def record_dropped(case):
    number, _ = case.line_of("item")
    case.set_lines(case.lines()[:number] + case.lines()[number + 1:])


@tampering
def last_record_dropped(case):
    case.set_lines(case.lines()[:-1])


@tampering
def leaf_duplicated(case):
    number, _ = case.line_of("item")
    lines = case.lines()
    case.set_lines(lines[:number] + [lines[number]] + lines[number:])


@tampering
def last_leaf_duplicated(case):
    """The odd-leaf duplication of older trees gives the same root for this; RFC 9162 doesn't."""
    case.set_lines(case.lines() + case.lines()[-1:])


@tampering
def record_added(case):
    lines = case.lines()
    problem = canonical({"record": "problem", "where": case.id, "stage": "read", "cause": "timeout", "detail": "invented"})
    case.set_lines(lines[:-1] + [problem] + lines[-1:])


@tampering
def evidence_record_tells_what_the_manifest_claims(case):
    """An item's times changed, and the claims of the signed manifest written into the file, to answer for it."""
    number, item = case.line_of("item")
    item["times"] = {"modified": "2001-01-01T00:00:00Z"}
    lines = case.lines()
    record = json.loads(lines[0])
    record["findings"] = case.manifest()["evidence"][0]["findings"]
    case.set_lines([canonical(record), *lines[1:number], canonical(item), *lines[number + 1:]])


@tampering
def findings_emptied(case):
    case.write(case.findings_name, b"")


@tampering
def findings_cut_in_the_middle_of_a_line(case):
    data = case.read(case.findings_name)
    case.write(case.findings_name, data[:len(data) // 2])


@tampering
def findings_with_crlf(case):
    case.write(case.findings_name, case.read(case.findings_name).replace(b"\n", b"\r\n"))


@tampering
def findings_without_last_lf(case):
    case.write(case.findings_name, case.read(case.findings_name)[:-1])


@tampering
def findings_with_an_empty_line_at_the_end(case):
    case.write(case.findings_name, case.read(case.findings_name) + b"\n")


@tampering
def findings_with_bom(case):
    case.write(case.findings_name, b"\xef\xbb\xbf" + case.read(case.findings_name))


@tampering
def findings_file_missing(case):
    case.file(case.findings_name).unlink()


@tampering
def findings_file_replaced_by_a_folder(case):
    case.file(case.findings_name).unlink()
    (case.path / case.findings_name).mkdir()


@tampering
def extra_findings_file(case):
    case.write("findings/E9.jsonl", case.read(case.findings_name))


@tampering
def foreign_salt_key(case):
    case.write(case.salts, sha256(case.read(case.salts)))


@tampering
def salt_key_cut_short(case):
    case.write(case.salts, case.read(case.salts)[:31])


# ---------------------------------------------------------------- manifest, without a key


@tampering
def manifest_respaced(case):
    case.write("manifest.json", json.dumps(case.manifest(), ensure_ascii=False, sort_keys=True).encode())


@tampering
def manifest_with_last_lf(case):
    case.write("manifest.json", case.read("manifest.json") + b"\n")


@tampering
def manifest_key_order_changed(case):
    manifest = case.manifest()
    items = list(manifest.items())[::-1]
    case.write("manifest.json", json.dumps(dict(items), ensure_ascii=False, separators=(",", ":")).encode())


@tampering
def manifest_duplicate_key(case):
    data = case.read("manifest.json")
    case.write("manifest.json", b'{"case":{},' + data[1:])


@tampering
def manifest_emptied(case):
    case.write("manifest.json", b"")


@tampering
def manifest_missing(case):
    case.file("manifest.json").unlink()


@tampering
def manifest_is_an_array(case):
    case.write("manifest.json", b"[]")


@tampering
def manifest_nested_deeply(case):
    case.write("manifest.json", b"[" * 200000 + b"]" * 200000)


@tampering
def manifest_and_findings_consistently_changed_but_not_resigned(case):
    case.change("item", lambda item: item.update(path="/nothing.txt"), digests=...)
    case.consistent()


@tampering
def case_number_changed(case):
    manifest = case.manifest()
    manifest["case"]["number"] = "changed"
    case.set_manifest(manifest)


# ---------------------------------------------------------------- signatures and time-stamps, without a trusted key


@tampering
def all_signatures_removed(case):
    case.remove_signatures()


@tampering
def signature_file_removed(case):
    case.file(case.signature).unlink()


@tampering
def first_of_two_signatures_removed(case):
    case.keys["insider"].seal(case.path, number=2)
    case.file(case.signature).unlink()
    (case.path / case.stamp).unlink(missing_ok=True)


@tampering
def second_signature_is_a_strangers(case):
    case.keys["stranger"].seal(case.path, number=2, stamped=False)


@tampering
def signature_emptied(case):
    case.write(case.signature, b"")


@tampering
def one_bit_of_the_signature_value(case):
    data = case.read(case.signature)
    value = SignedData(data).signers[0].signature
    case.write(case.signature, flip(data, data.index(value) + len(value) - 1))


@tampering
def one_bit_of_the_enclosed_certificate(case):
    data = case.read(case.signature)
    certificate = SignedData(data).certificates[0]
    case.write(case.signature, flip(data, certificate.end - 1))


@tampering
def trailing_garbage_after_the_cms(case):
    case.write(case.signature, case.read(case.signature) + b"garbage")


@tampering
def cms_cut_short(case):
    case.write(case.signature, case.read(case.signature)[:-10])


@tampering
def signature_over_another_file(case):
    case.write(case.signature, case.keys["insider"].sign(b"another file"))
    (case.path / case.stamp).unlink(missing_ok=True)


@tampering
def signature_over_the_old_manifest(case):
    """A trusted signature, but over what the manifest was before its title changed."""
    case.seal()
    manifest = case.manifest()
    manifest["case"]["title"] = "changed"
    case.set_manifest(manifest)


@tampering
def signature_with_its_own_content(case):
    """Not detached: the CMS holds the good manifest, the folder another one."""
    case.seal()
    insider = case.keys["insider"]
    case.write(case.signature, insider.sign(case.read("manifest.json"), extra=["-nodetach"]))
    (case.path / case.stamp).unlink()
    manifest = case.manifest()
    manifest["case"]["title"] = "changed"
    case.set_manifest(manifest)


@tampering
def resigned_by_a_stranger(case):
    case.change("item", lambda item: item.update(path="/nothing.txt"), digests=...)
    case.consistent()
    case.seal("stranger")


@tampering
def resigned_by_a_stranger_of_the_same_name(case):
    case.change("item", lambda item: item.update(path="/nothing.txt"), digests=...)
    case.consistent()
    case.seal("namesake")


@tampering
def signed_with_expired_certificate(case):
    case.seal(signer="expired", stamped=False)


@tampering
def signed_with_certificate_of_tomorrow(case):
    case.seal(signer="future", stamped=False)


@tampering
def signed_by_a_certificate_that_a_signer_issued(case):
    insider = case.keys["insider"]
    case.remove_signatures()
    case.write(case.signature, insider.sign(case.read("manifest.json"), "leafs-leaf", chain=insider.path("signer.pem")))


def signed_by_what_is_trusted_and_unfit(name, kind="P-256", extensions="signer_extensions", extra=(), **issue):
    """Trusted, valid, and the bytes are signed: but by a key that is too weak, or for something else, or in a way that
    manifest.md hasn't."""
    def tamper(case):
        insider = case.keys["insider"]
        if name != "ca" and not insider.path(f"{name}.pem").exists():
            insider.issue(name, extensions, kind=kind, **issue)
        case.remove_signatures()
        case.write(case.signature, insider.sign(case.read("manifest.json"), name, extra=extra))
    tamper.__name__ = f"signed_by_what_is_trusted_but_{name}"
    return tampering(tamper)


signed_by_what_is_trusted_and_unfit("for_encipherment", extensions="encipherment_extensions")
signed_by_what_is_trusted_and_unfit("ca")
signed_by_what_is_trusted_and_unfit("of_rsa_1024", "RSA:1024")
signed_by_what_is_trusted_and_unfit("of_rsa_2048", "RSA:2048")
signed_by_what_is_trusted_and_unfit("on_brainpool", "brainpoolP256r1")
signed_by_what_is_trusted_and_unfit("on_secp256k1", "secp256k1")
signed_by_what_is_trusted_and_unfit("certified_over_sha1", digest="sha1")
signed_by_what_is_trusted_and_unfit("by_pss", "RSA:3072", extra=["-keyopt", "rsa_padding_mode:pss"])


@tampering
def control_signed_by_rsa_3072(case):
    insider = case.keys["insider"]
    insider.issue("rsa-3072", "signer_extensions", kind="RSA:3072")
    case.seal(signer="rsa-3072")


@tampering
def control_signed_on_p521(case):
    insider = case.keys["insider"]
    insider.issue("p-521", "signer_extensions", kind="P-521")
    case.seal(signer="p-521")


@tampering
def signed_without_signing_certificate_attribute(case):
    case.remove_signatures()
    case.write(case.signature, case.keys["insider"].sign(case.read("manifest.json"), cades=False))


@tampering
def signed_without_any_attributes(case):
    case.remove_signatures()
    case.write(case.signature, case.keys["insider"].sign(case.read("manifest.json"), cades=False, extra=["-noattr"]))


@tampering
def signed_with_sha1(case):
    case.remove_signatures()
    case.write(case.signature, case.keys["insider"].sign(case.read("manifest.json"), digest="sha1"))


@tampering
def certificate_swapped(case):
    """A trusted signature whose enclosed certificate is another one for the same key, name and serial."""
    insider = case.keys["insider"]
    case.remove_signatures()
    case.write(case.signature, swap_certificate(insider.sign(case.read("manifest.json")), insider.path("twin.pem")))


@tampering
def certificate_swapped_for_another_persons(case):
    insider = case.keys["insider"]
    case.remove_signatures()
    case.write(case.signature, swap_certificate(insider.sign(case.read("manifest.json")), insider.path("tsa.pem")))


@tampering
def certificate_taken_out(case):
    case.write(case.signature, swap_certificate(case.read(case.signature), None))


@tampering
def signers_taken_out(case):
    info = whole(case.read(case.signature), "CMS").children()
    parts = [part.raw for part in info[1].children()[0].children()]
    parts[-1] = encode(0x31, b"")
    case.write(case.signature, encode(0x30, info[0].raw + encode(0xA0, encode(0x30, b"".join(parts)))))


@tampering
def timestamp_of_another_signature(case):
    insider = case.keys["insider"]
    answer = insider.stamp(insider.sign(case.read("manifest.json")))
    case.write(case.stamp, answer)


@tampering
def timestamp_attribute_of_another_signature(case):
    insider = case.keys["insider"]
    case.seal()
    answer = insider.stamp(insider.sign(case.read("manifest.json")))
    case.write(case.signature, with_time_stamp(case.read(case.signature), Der(answer).children()[1].raw))


@tampering
def timestamp_by_a_strangers_authority(case):
    case.write(case.stamp, case.keys["stranger"].stamp(case.read(case.signature)))


@tampering
def timestamp_by_a_signer_of_the_trusted_authority(case):
    """A token like any other, but its certificate isn't for time-stamping."""
    insider = case.keys["insider"]
    case.seal(stamped=False)
    signature = case.read(case.signature)
    sha256_oid, value = bytes.fromhex("0609608648016503040201"), SignedData(signature).signers[0].signature
    imprint = encode(0x30, encode(0x30, sha256_oid) + encode(0x04, sha256(value)))
    info = encode(0x30, encode(0x02, b"\1") + bytes.fromhex("06042a030401") + imprint + encode(0x02, b"\1") +
                  encode(0x18, datetime.now(timezone.utc).strftime("%Y%m%d%H%M%SZ").encode()))
    token = insider.sign(info, extra=["-nodetach", "-econtent_type", "1.2.840.113549.1.9.16.1.4"])
    case.write(case.stamp, encode(0x30, encode(0x30, encode(0x02, b"\0")) + token))


@tampering
def timestamp_emptied(case):
    case.write(case.stamp, b"")


@tampering
def timestamp_one_bit(case):
    case.seal()
    data = case.read(case.stamp)
    case.write(case.stamp, flip(data, len(data) - 1))


@tampering
def timestamp_with_garbage_after_it(case):
    case.seal()
    case.write(case.stamp, case.read(case.stamp) + b"\0\0")


@tampering
def timestamp_without_a_signature(case):
    case.seal()
    case.write("manifest.json.2.tsr", case.read(case.stamp))


@tampering
def timestamp_after_the_certificate_ended(case):
    """By the signer's word it was signed in 2018; the time-stamp, years after the end of the certificate, knows better."""
    case.remove_signatures()
    signature = backdated(case, "20180601000000Z")
    answer = case.keys["insider"].stamp(signature)
    case.write(case.signature, with_time_stamp(signature, Der(answer).children()[1].raw))
    case.write(case.stamp, answer)


@tampering
def signed_after_the_certificate_ended_by_its_own_word(case):
    case.remove_signatures()
    case.write(case.signature, backdated(case, "20210601000000Z"))


# ---------------------------------------------------------------- custody ledger, without a trusted key


@tampering
def custody_line_edited(case):
    lines = entries(case)
    lines[-1]["time"] = "2020-01-01T00:00:00Z"
    case.set_custody([canonical(line) for line in lines])


@tampering
def custody_line_edited_and_chain_mended(case):
    """No key: the chain and the manifest's head are right again, the edited line's signature isn't."""
    lines = entries(case)
    lines[0]["time"] = "2020-01-01T00:00:00Z"
    case.rechain(lines)
    case.seal()


@tampering
def custody_previous_changed_and_later_lines_rehashed_unsigned(case):
    lines = entries(case)
    lines[0]["actor"]["name"] = "Somebody Else"
    case.rechain(lines)


@tampering
def custody_signature_of_another_line(case):
    lines = entries(case)
    lines[0]["signature"] = lines[-1]["signature"] if len(lines) > 1 else ""
    case.rechain(lines)
    case.seal()


@tampering
def custody_signature_removed(case):
    lines = entries(case)
    del lines[-1]["signature"]
    case.rechain(lines)
    case.seal()


@tampering
def custody_signature_empty(case):
    lines = entries(case)
    lines[-1]["signature"] = ""
    case.rechain(lines)
    case.seal()


@tampering
def custody_line_signed_by_a_stranger(case):
    lines = entries(case)
    lines[-1]["detail"] = {"note": "changed"}
    case.sign_entry(lines[-1], "stranger")
    case.rechain(lines)
    case.seal()


@tampering
def ledger_truncated(case):
    case.set_custody(case.custody()[:-1])


@tampering
def ledger_emptied(case):
    case.write("custody.jsonl", b"")


@tampering
def ledger_missing(case):
    case.file("custody.jsonl").unlink()


@tampering
def ledger_reordered(case):
    lines = case.custody()
    lines[0], lines[-1] = lines[-1], lines[0]
    case.set_custody(lines if len(lines) > 1 else lines * 2)


@tampering
def ledger_forked(case):
    """Two lines with the same predecessor, each rightly signed."""
    lines = case.custody()
    last = json.loads(lines[-1])
    fork = custody_line(case.keys["insider"], last["seq"], "reviewed", last["previous"])
    case.set_custody(lines + [fork])


@tampering
def ledger_without_last_lf(case):
    case.write("custody.jsonl", case.read("custody.jsonl")[:-1])


@tampering
def ledger_with_crlf(case):
    case.write("custody.jsonl", case.read("custody.jsonl").replace(b"\n", b"\r\n"))


@tampering
def ledger_with_unsigned_line_at_the_end(case):
    lines = case.custody()
    last = json.loads(lines[-1])
    last.update(seq=last["seq"] + 1, event="accepted", previous=sha256(lines[-1]).hex())
    case.set_custody(lines + [canonical(last)])


# ---------------------------------------------------------------- the insider: all signatures hold, one claim is false


@tampering
def signed_but_custody_seq_skips_one(case):
    lines = case.custody()
    added = custody_line(case.keys["insider"], len(lines) + 2, "reviewed", sha256(lines[-1]).hex())
    case.set_custody(lines + [added])
    case.claim_custody()
    case.seal()


@tampering
def signed_but_custody_chain_broken(case):
    lines = case.custody()
    added = custody_line(case.keys["insider"], len(lines) + 1, "reviewed", "ab" * 32)
    case.set_custody(lines + [added])
    case.claim_custody()
    case.seal()


@tampering
def signed_but_custody_chain_begins_elsewhere(case):
    case.set_custody([custody_line(case.keys["insider"], 1, "received", "ab" * 32)])
    case.claim_custody()
    case.seal()


@tampering
def signed_but_custody_event_unknown(case):
    lines = case.custody()
    added = custody_line(case.keys["insider"], len(lines) + 1, "lost", sha256(lines[-1]).hex())
    case.set_custody(lines + [added])
    case.claim_custody()
    case.seal()


@tampering
def signed_but_custody_head_of_another_line(case):
    manifest, lines = case.manifest(), case.custody()
    manifest["custody"]["head"] = sha256(lines[0] + b" ").hex()
    case.set_manifest(manifest)
    case.seal()


@tampering
def signed_but_custody_has_fewer_events_than_claimed(case):
    manifest = case.manifest()
    manifest["custody"]["events"] += 1
    case.set_manifest(manifest)
    case.seal()


def signed_claim(name, edit):
    """An insider's signature over a manifest with one false claim about the findings."""
    def tamper(case):
        case.claim(edit)
        case.seal()
    TAMPERINGS.append(("signed-but-" + name, tamper))


def in_findings(**changes):
    return lambda evidence: evidence["findings"].update({k: v(evidence["findings"][k]) for k, v in changes.items()})


def upper(digests):
    return {name: value.upper() for name, value in digests.items()}


signed_claim("count-off-by-one", in_findings(counts=lambda c: {**c, "items": c["items"] + 1}))
signed_claim("matches-off-by-one", in_findings(counts=lambda c: {**c, "matches": c["matches"] + 1}))
signed_claim("count-is-a-string", in_findings(counts=lambda c: {**c, "items": str(c["items"])}))
signed_claim("records-off-by-one", in_findings(records=lambda n: n - 1))
signed_claim("bytes-off-by-one", in_findings(bytes=lambda n: n + 1))
signed_claim("digest-uppercased", in_findings(digests=upper))
signed_claim("digest-of-other-findings", in_findings(digests=lambda d: {"sha256": "ab" * 32}))
signed_claim("no-sha256-digest", in_findings(digests=lambda d: {"md5": "ab" * 16}))
signed_claim("root-of-another-tree", in_findings(trees=lambda t: {**t, "sha256": sha256(b"").hex()}))
signed_claim("root-uppercased", in_findings(trees=upper))
signed_claim("no-tree", in_findings(trees=lambda t: {}))
signed_claim("salt-commitment-of-another-key", in_findings(salt_commitment=lambda c: "ab" * 32))
signed_claim("findings-file-outside-the-folder", in_findings(file=lambda f: "../" + f))
signed_claim("evidence-digest-changed", lambda e: e["digests"].update(sha256="ab" * 32))
signed_claim("evidence-size-changed", lambda e: e.update(size=e["size"] + 512))
signed_claim("evidence-integrity-changed", lambda e: e.update(integrity="mismatch"))
signed_claim("block-root-changed", lambda e: e.update(block_root="ab" * 32))
signed_claim("evidence-renamed", lambda e: e.update(id="E7"))
signed_claim("media-digest-left-out", lambda e: e["digests"].pop("md5"))
signed_claim("evidence-key-more", lambda e: e.update(note="unknown"))
signed_claim("findings-key-more", lambda e: e["findings"].update(note="unknown"))
signed_claim("tree-that-is-no-digest", in_findings(trees=lambda t: {**t, "streebog256": "none"}))


def signed_manifest(name, edit):
    """An insider's signature over a manifest that isn't of the format."""
    def tamper(case):
        manifest = case.manifest()
        edit(manifest)
        case.set_manifest(manifest)
        case.seal()
    TAMPERINGS.append(("signed-but-" + name, tamper))


signed_manifest("created-at-no-time", lambda m: m.update(created="yesterday"))
signed_manifest("made-by-a-nameless-tool", lambda m: m["tool"].pop("name"))
signed_manifest("custody-key-more", lambda m: m["custody"].update(note="unknown"))
signed_manifest("manifest-key-more", lambda m: m.update(note="unknown"))


@tampering
def signed_but_root_without_salts(case):
    lines = case.lines()
    case.claim(in_findings(trees=lambda t: {"sha256": tree_root([sha256(b"\0" + line) for line in lines]).hex()}))
    case.seal()


@tampering
def signed_but_root_with_odd_leaves_duplicated(case):
    lines, key = case.lines(), case.read(case.salts)
    level = [sha256(b"\0" + salt(key, i) + line) for i, line in enumerate(lines)]
    if len(level) & (len(level) - 1) == 0:
        raise TooPoor("the tree is a full one: no odd leaf")
    while len(level) > 1:
        level += level[-1:] * (len(level) % 2)
        level = [sha256(b"\1" + level[i] + level[i + 1]) for i in range(0, len(level), 2)]
    case.claim(in_findings(trees=lambda t: {"sha256": level[0].hex()}))
    case.seal()


@tampering
def signed_but_evidence_listed_twice(case):
    manifest = case.manifest()
    manifest["evidence"] *= 2
    case.set_manifest(manifest)
    case.seal()


@tampering
def signed_but_no_evidence(case):
    manifest = case.manifest()
    manifest["evidence"] = []
    case.set_manifest(manifest)
    case.file(case.findings_name).unlink()
    case.seal()


@tampering
def signed_but_of_another_format(case):
    manifest = case.manifest()
    manifest["format"] = "exhibit-manifest/9"
    case.set_manifest(manifest)
    case.seal()


@tampering
def signed_but_float_instead_of_integer(case):
    size = str(case.manifest()["evidence"][0]["size"]).encode()
    case.edit("manifest.json", b'"size":' + size, b'"size":' + size + b".0")
    case.seal()


@tampering
def signed_but_manifest_respaced(case):
    manifest_respaced(case)
    case.seal()


@tampering
def signed_but_manifest_with_duplicate_key(case):
    manifest_duplicate_key(case)
    case.seal()


@tampering
def signed_but_manifest_with_bom(case):
    case.write("manifest.json", b"\xef\xbb\xbf" + case.read("manifest.json"))
    case.seal()


@tampering
def signed_but_manifest_with_escaped_letter(case):
    case.edit("manifest.json", b'"case":', b'"\\u0063ase":')
    case.seal()


def signed_findings(name, kind, edit, **having):
    """An insider's consistent manifest and signature over findings that contradict themselves."""
    def tamper(case):
        case.change(kind, edit, **having)
        case.insider_findings()
    TAMPERINGS.append(("signed-but-" + name, tamper))


signed_findings("coverage-changed", "coverage", lambda c: c["bytes"].update(unallocated=c["bytes"].get("unallocated", 0) + 1))
signed_findings("coverage-class-unknown", "coverage", lambda c: c["bytes"].update(other=0))
signed_findings("coverage-class-negative", "coverage",
                lambda c: c["bytes"].update(allocated=c["bytes"].get("allocated", 0) - (1 << 40), gap=c["bytes"].get("gap", 0) + (1 << 40)))
signed_findings("item-of-another-volume", "item", lambda i: i.update(volume="E1/p99"))
signed_findings("match-of-no-item", "match", lambda m: m.update(item=m["item"] + "x"))
signed_findings("problem-of-another-evidence", "problem", lambda p: p.update(where="E9/p1"))
signed_findings("volume-resized", "volume", lambda v: v.update(size=v["size"] + 512))
signed_findings("volume-of-no-parent", "volume", lambda v: v.update(parent="E1/p98"))
signed_findings("evidence-size-in-findings-changed", "evidence", lambda e: e.update(size=e["size"] + 1))


def signed_lines(name, edit):
    """The same for findings whose lines are no more what the format says."""
    def tamper(case):
        lines = edit(case, case.lines())
        case.set_lines(lines)
        case.consistent()
        case.seal()
    TAMPERINGS.append(("signed-but-" + name, tamper))


def edit_line(case, lines, kind, edit):
    number, _ = case.line_of(kind)
    changed = edit(lines[number])
    assert changed != lines[number]
    return lines[:number] + [changed] + lines[number + 1:]


def swapped(case, lines):
    number, _ = case.line_of("item")
    return lines[:number] + [lines[number + 1], lines[number]] + lines[number + 2:]


def volume_without_coverage(case, lines):
    number, _ = case.line_of("coverage")
    return lines[:number] + lines[number + 1:]


def coverage_twice(case, lines):
    number, _ = case.line_of("coverage")
    return lines[:number] + [lines[number]] + lines[number:]


def doubled(case, lines):
    number, _ = case.line_of("item")
    return lines[:number] + [lines[number]] + lines[number:]


signed_lines("two-items-swapped", swapped)
signed_lines("item-twice", doubled)
signed_lines("volume-without-coverage", volume_without_coverage)
signed_lines("coverage-twice", coverage_twice)
signed_lines("evidence-last", lambda case, lines: lines[1:] + lines[:1])
signed_lines("space-in-a-record", lambda case, lines: edit_line(case, lines, "item", lambda l: l.replace(b'":', b'": ', 1)))
signed_lines("duplicate-key-in-a-record", lambda case, lines: edit_line(case, lines, "item", lambda l: b'{"record":"item",' + l[1:]))
signed_lines("float-in-a-record", lambda case, lines: edit_line(case, lines, "item", lambda l: l.replace(b'"size":', b'"size":1.5,"sizf":', 1)))
signed_lines("integer-beyond-2-53", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":9007199254740993}'))
signed_lines("lone-surrogate", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":"\\ud800"}'))
signed_lines("invalid-utf-8", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":"\xff"}'))
signed_lines("utf-8-of-a-surrogate", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":"\xed\xa0\x80"}'))
signed_lines("overlong-utf-8", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":"\xc1\xa1"}'))
signed_lines("slash-escaped", lambda case, lines: edit_line(case, lines, "item", lambda l: l[:-1] + b',"zzz":"\\/"}'))
signed_lines("carriage-return-in-a-line", lambda case, lines: edit_line(case, lines, "item", lambda l: l + b"\r"))
signed_lines("record-of-unknown-kind", lambda case, lines: lines[:-1] + [b'{"record":"verdict"}'] + lines[-1:])
signed_lines("line-that-is-not-json", lambda case, lines: lines[:-1] + [b"nonsense"] + lines[-1:])
signed_lines("line-nested-deeply", lambda case, lines: lines[:-1] + [b'{"record":"problem","where":' + b"[" * 100000 + b"]" * 100000 + b"}"] + lines[-1:])
signed_lines("no-records", lambda case, lines: [])


# ---------------------------------------------------------------- how the copies are made


def backdated(case, time):
    """A signature by the insider's expired certificate, with `time` as its signing time."""
    insider = case.keys["insider"]
    info = whole(insider.sign(case.read("manifest.json"), "expired"), "CMS").children()
    parts = info[1].children()[0].children()
    fields = parts[-1].children()[0].children()
    old = next(a.raw for a in fields[3].children() if a.children()[0].oid() == OID_SIGNING_TIME)
    new = encode(0x30, Der(old).children()[0].raw + encode(0x31, encode(0x17, time[2:].encode())))
    attributes = sorted([a.raw for a in fields[3].children() if a.raw != old] + [new])  # SET OF: X.690 11.6
    insider.path("attributes.der").write_bytes(encode(0x31, b"".join(attributes)))  # RFC 5652 5.4: signed as a SET
    value = openssl("dgst", "-sha256", "-sign", insider.path("expired.key"), insider.path("attributes.der"))
    signer = [f.raw for f in fields[:3]] + [encode(0xA0, b"".join(attributes)), fields[4].raw, encode(0x04, value)]
    signers = encode(0x31, encode(0x30, b"".join(signer)))
    return encode(0x30, info[0].raw + encode(0xA0, encode(0x30, b"".join(p.raw for p in parts[:-1]) + signers)))


def swap_certificate(signature, certificate):
    """The CMS with other enclosed certificates."""
    info = whole(signature, "CMS").children()
    parts = [part for part in info[1].children()[0].children() if part.tag != 0xA0]
    enclosed = encode(0xA0, openssl("x509", "-in", certificate, "-outform", "DER")) if certificate else b""
    data = b"".join(part.raw for part in parts[:3]) + enclosed + b"".join(part.raw for part in parts[3:])
    return encode(0x30, info[0].raw + encode(0xA0, encode(0x30, data)))


def make_keys(folder):
    insider = Authority(folder / "insider", "Insider")
    insider.issue("expired", "signer_extensions", "20150101000000Z", "20200101000000Z")
    insider.issue("receiver", "signer_extensions")  # the other side of a transfer
    insider.issue("future", "signer_extensions", "20900101000000Z", "20990101000000Z")
    insider.issue("leafs-leaf", "signer_extensions", issuer="signer")
    twin(insider)
    return {"insider": insider, "stranger": Authority(folder / "stranger", "Stranger"),
            "namesake": Authority(folder / "namesake", "Insider")}


def twin(insider):
    """Another certificate for the signer's key, with the same issuer and serial number."""
    serial = openssl("x509", "-in", insider.path("signer.pem"), "-noout", "-serial").decode().strip().split("=")[1]
    openssl("x509", "-req", "-in", insider.path("signer.csr"), "-CA", insider.path("ca.pem"), "-CAkey", insider.path("ca.key"),
            "-set_serial", f"0x{serial}", "-days", "99", "-out", insider.path("twin.pem"))


def make_all(good, folder, trust):
    """Makes every copy below `folder`; returns the names, and those that the good case is too poor for."""
    keys = make_keys(folder / "keys")
    (folder / "trust.pem").write_bytes(trust.read_bytes() + keys["insider"].trust.read_bytes())
    made, poor = [], []
    for name, tamper in TAMPERINGS:
        case = Case(folder / name, good, keys)
        try:
            tamper(case)
            made.append(name)
        except TooPoor as error:
            shutil.rmtree(case.path)
            poor.append((name, str(error)))
    return made, poor


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("case", type=Path)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--trust", type=Path, required=True, help="the good case's own CA")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    made, poor = make_all(arguments.case, arguments.folder, arguments.trust)
    print("\n".join(made))
    for name, why in poor:
        print(f"not made: {name}: {why}", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
