"""More tamperings of a custody ledger, for tamper.py's table: who has no key, and who has one.

Importing this adds them to tamper.TAMPERINGS. As there, names that begin with `control-` aren't tampered.
"""

import base64
import json

from make_case import custody_line
from tamper import TAMPERINGS, TooPoor, entries, flip, tampering
from verify import SignedData, canonical, sha256


def at_least(case, count):
    """The ledger's lines, of which there must be so many."""
    lines = case.custody()
    if len(lines) < count:
        raise TooPoor(f"the good case's ledger has {len(lines)} events, not {count}")
    return lines


def append(case, event, who="insider", signer="signer", cades=True, seal=True, **other):
    """One more event at the end, rightly chained and signed, and claimed by the manifest."""
    lines = at_least(case, 1)
    previous = sha256(lines[-1]).hex()
    case.set_custody(lines + [custody_line(case.keys[who], len(lines) + 1, event, previous, signer, cades, other)])
    if seal:
        case.claim_custody()
        case.seal()


def last_signature(case, edit):
    """Another signature in the last event; chain and manifest are right again, and signed by the insider."""
    lines = entries(case)
    lines[-1]["signature"] = base64.b64encode(edit(base64.b64decode(lines[-1]["signature"]))).decode()
    case.set_custody([canonical(line) for line in lines])
    case.claim_custody()
    case.seal()


def accept_last(case, signer="receiver", **other):
    """The acceptance of the last event, which is a transfer."""
    append(case, "accepted", signer=signer, **{"detail": {"transfer": len(case.custody())}, **other})


def accept(case, **other):
    append(case, "transferred", evidence=["E1"])
    accept_last(case, **{"evidence": ["E1"], **other})


# ---------------------------------------------------------------- nothing is wrong


@tampering
def control_ledger_transfer_and_acceptance(case):
    accept(case)


@tampering
def control_ledger_transfer_of_the_case_and_acceptance_of_it(case):
    append(case, "transferred", evidence=[])
    accept_last(case, evidence=[])


@tampering
def control_ledger_open_transfer_is_told(case):
    append(case, "transferred")


@tampering
def control_ledger_correction(case):
    append(case, "corrected", detail={"corrects": 1, "why": "a slip of the pen"})


# ---------------------------------------------------------------- without a trusted key


@tampering
def ledger_line_twice(case):
    lines = case.custody()
    case.set_custody(lines + lines[-1:])


@tampering
def ledger_first_line_dropped(case):
    case.set_custody(case.custody()[1:])


@tampering
def ledger_middle_line_dropped(case):
    lines = at_least(case, 3)
    case.set_custody(lines[:1] + lines[2:])


@tampering
def ledger_line_inserted_in_the_middle(case):
    """By the insider, rightly signed; the lines after it name another predecessor."""
    lines = at_least(case, 2)
    added = custody_line(case.keys["insider"], 2, "reviewed", sha256(lines[0]).hex())
    case.set_custody(lines[:1] + [added] + lines[1:])


@tampering
def ledger_cut_within_a_line(case):
    case.write("custody.jsonl", case.read("custody.jsonl")[:-40])


@tampering
def ledger_with_an_empty_line(case):
    case.write("custody.jsonl", case.read("custody.jsonl") + b"\n")


@tampering
def ledger_with_bom(case):
    case.write("custody.jsonl", b"\xef\xbb\xbf" + case.read("custody.jsonl"))


@tampering
def ledger_line_respaced(case):
    lines = case.custody()
    case.set_custody(lines[:-1] + [json.dumps(json.loads(lines[-1]), sort_keys=True, ensure_ascii=False).encode()])


@tampering
def ledger_replaced_by_a_strangers(case):
    lines, previous = [], "0" * 64
    for seq, event in enumerate(("received", "processed", "sealed"), 1):
        lines.append(custody_line(case.keys["stranger"], seq, event, previous))
        previous = sha256(lines[-1]).hex()
    case.set_custody(lines)
    case.claim_custody()
    case.seal()


@tampering
def ledger_goes_on_by_a_stranger(case):
    append(case, "disclosed", who="stranger", seal=False)


@tampering
def ledger_goes_on_by_a_stranger_in_a_suite_that_no_verifier_knows(case):
    """RSASSA-PSS: neither good nor bad, so that only the manifest could vouch for the event, and it came before."""
    stranger = case.keys["stranger"]
    if not stranger.path("pss.pem").exists():
        stranger.issue("pss", "signer_extensions", kind="RSA:3072")
    append(case, "disclosed", who="stranger", signer="pss", seal=False)
    *before, entry = entries(case)
    entry.pop("signature")
    signature = stranger.sign(canonical(entry), "pss", extra=["-keyopt", "rsa_padding_mode:pss"])
    entry["signature"] = base64.b64encode(signature).decode()
    case.set_custody([*map(canonical, before), canonical(entry)])


@tampering
def ledger_goes_on_with_an_event_before_the_last(case):
    lines = at_least(case, 2)
    added = custody_line(case.keys["insider"], len(lines), "disclosed", sha256(lines[-2]).hex())
    case.set_custody(lines + [added])


# ---------------------------------------------------------------- signatures that hold, or nearly


@tampering
def ledger_one_bit_of_a_signature(case):
    def edit(data):
        value = SignedData(data).signers[0].signature
        return flip(data, data.index(value) + len(value) - 1)
    last_signature(case, edit)


@tampering
def ledger_signature_with_garbage_after_it(case):
    last_signature(case, lambda data: data + b"garbage")


@tampering
def ledger_signature_cut_short(case):
    last_signature(case, lambda data: data[:-10])


@tampering
def ledger_signature_holds_its_own_content(case):
    lines = entries(case)
    signed = {key: value for key, value in lines[-1].items() if key != "signature"}
    last_signature(case, lambda data: case.keys["insider"].sign(canonical(signed), extra=["-nodetach"]))


@tampering
def ledger_signature_that_is_no_base64(case):
    lines = entries(case)
    lines[-1]["signature"] = "\n" + lines[-1]["signature"]
    case.set_custody([canonical(line) for line in lines])
    case.claim_custody()
    case.seal()


@tampering
def ledger_signed_with_expired_certificate(case):
    append(case, "reviewed", signer="expired")


@tampering
def ledger_signed_by_a_time_stamp_authority(case):
    append(case, "reviewed", signer="tsa")


@tampering
def ledger_signed_without_signing_certificate_attribute(case):
    append(case, "reviewed", cades=False)


# ---------------------------------------------------------------- the insider: all signatures hold, the form doesn't


def signed_event(name, kind="reviewed", **other):
    def tamper(case):
        own = {"detail": {"corrects": len(at_least(case, 1)) + 1}} if name == "corrects-itself" else {}
        append(case, kind, **other, **own)
    TAMPERINGS.append(("signed-but-event-" + name, tamper))


signed_event("time-without-zone", time="2024-05-02T10:00:09")
signed_event("time-with-offset", time="2024-05-02T10:00:09+03:00")
signed_event("seq-is-text", seq="5")
signed_event("previous-uppercased", previous="AB" * 32)
signed_event("place-is-a-number", place=7)
signed_event("actor-without-role", actor={"name": "A", "organisation": "B", "credential": "C"})
signed_event("actor-is-text", actor="A. Examiner")
signed_event("participant-without-name", participants=[{"role": "witness"}])
signed_event("participants-are-text", participants="two witnesses")
signed_event("evidence-is-a-number", evidence=[1])
signed_event("detail-is-a-number", detail=7)
signed_event("corrects-nothing", kind="corrected", detail="a slip of the pen")
signed_event("corrects-itself", kind="corrected")
signed_event("corrects-what-is-to-come", kind="corrected", detail={"corrects": 99})


# ---------------------------------------------------------------- the insider: what the events must agree on


@tampering
def signed_but_accepted_by_the_side_that_handed_over(case):
    accept(case, signer="signer")


@tampering
def signed_but_accepted_without_naming_the_transfer(case):
    accept(case, detail="taken over")


@tampering
def signed_but_accepted_what_is_no_transfer(case):
    accept(case, detail={"transfer": 1})


@tampering
def signed_but_accepted_what_is_to_come(case):
    append(case, "accepted", signer="receiver", detail={"transfer": len(case.custody()) + 2})
    append(case, "transferred")


@tampering
def signed_but_accepted_twice(case):
    accept(case)
    append(case, "accepted", signer="receiver", detail={"transfer": len(case.custody()) - 1})


@tampering
def signed_but_accepted_another_exhibit(case):
    accept(case, evidence=["E7"])


@tampering
def signed_but_accepted_before_it_was_handed_over(case):
    accept(case, time="2024-05-01T10:00:00Z")


@tampering
def signed_but_credential_of_somebody_else(case):
    append(case, "reviewed", actor={"name": "A. Examiner", "role": "examiner", "organisation": "Laboratory", "credential": "CN=Somebody Else"})


@tampering
def signed_but_event_later_than_its_signature(case):
    append(case, "reviewed", time="2090-01-01T00:00:00Z")
