#!/usr/bin/env python3
"""Writes what is too long for a hand into a pack's rules, and each rule's fingerprint.

    generate.py [--check] PACK…   with marks.json: makes organisations.yar of it; then sets `fingerprint` in every rule
                                  --check: writes nothing; exit status 1 where something would be written

A phrase of marks.json becomes one string (two where it is ASCII) that finds it in UTF-8, UTF-16 of both orders, the
language's 8-bit code page, and base64 of UTF-8 wherever it begins in its group of three bytes. docs/rules.md has the
definition of a fingerprint.
"""
import base64
import hashlib
import json
import re
import sys
from pathlib import Path

CODE_PAGE = {"ar": "cp1256", "en": None, "fr": "cp1252", "ru": "cp1251"}


def cases(phrase):
    """As it stands, its first letter small and large, and in capitals: what texts and titles have."""
    found = [phrase, phrase[0].lower() + phrase[1:], phrase[0].upper() + phrase[1:], phrase.upper()]
    return list(dict.fromkeys(found))


def in_base64(data):
    """Its base64 at each of the three places in a group, without the characters that its neighbours share in."""
    for before in range(3):
        text = base64.b64encode(b"\0" * before + data).rstrip(b"=")
        start = -(-before * 8 // 6)
        end = (before + len(data)) * 8 // 6
        yield text[start:end]


def hexadecimal(alternatives):
    parts = [" ".join(f"{byte:02X}" for byte in one) for one in dict.fromkeys(alternatives)]
    return "{ ( " + " | ".join(parts) + " ) }"


def strings(prefix, phrases):
    number = 0
    for language, texts in phrases.items():
        for text in texts:
            number += 1
            name = f"${prefix}_{number:02}"
            encoded = [one for case in cases(text)[:3] for one in in_base64(case.encode())]
            yield f"    // {language}: {text}"
            if text.isascii():
                yield f'    {name} = "{text}" nocase ascii wide'
                yield f"    {name}_base64 = {hexadecimal(encoded)}"
                continue
            plain = [case.encode("utf-8") for case in cases(text)]
            plain += [case.encode(form) for case in cases(text) for form in ("utf-16-le", "utf-16-be")]
            page = CODE_PAGE[language]
            plain += [case.encode(page) for case in cases(text) if page]
            yield f"    {name} = {hexadecimal(plain + encoded)}"


def condition(marks, rule):
    """Of the places where a brand stands: a credit (its verb behind it, or its sender before it) and another formula
    near, or the rule's own formulae near; and no mark of reporting near."""
    near, reporting = rule.get("near", marks["near"]), marks["reporting_near"]
    around = f"in (@[i] - {near}..@[i] + {near})"
    if "formulae" in rule:
        yield f'{rule["least"]} of ($formula*) {around} and'
    else:
        yield f'(any of ($verb*) in (@[i] + ![i]..@[i] + ![i] + {marks["verb_behind"]}) or'
        yield f' any of ($sender*) in (@[i] - {marks["sender_before"]}..@[i])) and'
        yield f"2 of ($verb*, $sender*, $formula*) {around} and"
    yield f"not (any of ($reporting*) in (@[i] - {reporting}..@[i] + {reporting}))))"


def rule_of(marks, rule):
    meta = {"description": rule["description"],
            "designation": f'{marks["list"]}; {rule["entry"]}; listed {rule["listed"]}',
            "category": "violent-extremism", "severity": rule.get("severity", "high"), "author": marks["author"],
            "date": marks["date"], "references": "https://main.un.org/securitycouncil/en/sanctions/1267/aq_sanctions_list",
            "handling": "restricted", "fingerprint": ""}
    formulae = rule.get("formulae", marks["formulae"])
    credits = [] if "formulae" in rule else [*strings("verb", marks["verbs"]), *strings("sender", marks["senders"])]
    lines = [f'rule {rule["name"]} {{', "  meta:", *(f'    {key} = "{value}"' for key, value in meta.items()), "  strings:",
             *strings("brand", rule["brands"]), *credits, *strings("formula", formulae), *strings("reporting", marks["reporting"]), "  condition:",
             "    any of ($brand*) and", "    for any of ($brand*) : ( for any i in (1..#) : (",
             *(f"      {line}" for line in condition(marks, rule)), "}"]
    return "\n".join(lines) + "\n"


def rules_of(marks):
    head = ("// Made by generate.py of marks.json: change that, not this. What may be here, and what may not, is in\n"
            "// signatures/README.md. A match is a lead for a person, never a finding of fact.\n")
    return head + "\n" + "\n".join(rule_of(marks, rule) for rule in marks["rules"])


# A rule of ours: it begins a line, and its closing brace is alone on one.
RULE = re.compile(r"^(?:private |global )*rule (\w+).*?^}$", re.MULTILINE | re.DOTALL)


def fingerprint(rule):
    found = re.search(r"^ *(strings|condition):.*", rule, re.MULTILINE | re.DOTALL)
    body = found[0].rstrip()[:-1]
    return hashlib.sha256(" ".join(body.split()).encode()).hexdigest()


def with_fingerprints(text):
    def mark(found):
        return re.sub(r'fingerprint = "\w*"', f'fingerprint = "{fingerprint(found[0])}"', found[0])
    return RULE.sub(mark, text)


def main(words):
    check = "--check" in words
    changed = []
    for folder in (Path(word) for word in words if word != "--check"):
        texts = {path: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.yar"))}
        made = dict(texts)
        if (folder / "marks.json").exists():
            made[folder / "organisations.yar"] = rules_of(json.loads((folder / "marks.json").read_text(encoding="utf-8")))
        for path, text in made.items():
            text = with_fingerprints(text)
            if text == texts.get(path):
                continue
            changed.append(path)
            if not check:
                path.write_text(text, encoding="utf-8")
    for path in changed:
        print(f"{path}: {'differs' if check else 'written'}")
    return 1 if check and changed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
