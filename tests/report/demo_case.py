#!/usr/bin/env python3
"""The demonstration case of the protocols: complete under a profile, invented from end to end.

Usage: demo_case.py FOLDER PROFILE   ->  FOLDER/case   (PROFILE: ru, by, int, or several joined by commas)

Made without Exhibit, as tests/independent/make_case.py makes its case, on whose image and findings it builds.
"""
import hashlib, json, os, sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "independent"))
import make_case
from authority import Authority
from verify import canonical, sha256

PROFILES = HERE.parent.parent / "modules/custody/profiles"

# What is told of each field; by the key, in the language of the profile.
RUSSIAN = {
    "number": "ЛЭ-2026/117", "jurisdiction": "Российская Федерация, г. Тверь", "criminal_case": "№ 12601280001000117",
    "authority": "Постановление о назначении экспертизы от 12.05.2026 № 44, следователь Лебедев А. И.",
    "economic_ground": {"none": "дело не об экономическом преступлении"}, "action": "осмотр и копирование электронного носителя",
    "examiner": "Соколова Мария Ильинична", "post": "старший эксперт, майор юстиции", "agency": "Лаборатория цифровых доказательств, отдел № 3",
    "method": "МЦД-7, версия 2.1, проверена протоколом № 5 от 01.02.2026", "expert": {"none": "экспертиза не назначалась"},
    "legal_assistance": {"none": "иностранные органы не участвуют"}, "language": "русский", "translator": {"none": "все владеют русским языком"},
    "place": "г. Тверь, ул. Новая, 5, каб. 12", "local_time": "2026-05-14 10:05 +03:00", "time_zone": "Europe/Moscow",
    "begun": "2026-05-14 10:20 +03:00", "ended": "2026-05-14 12:47 +03:00", "clock_offset": "отставание 0,4 с от ntp-сервера учреждения",
    "rights_explained": "понятым Орлову и Ёлкиной — статья 60", "liability_warned": "специалист Дроздов",
    "specialist": {"name": "Дроздов Пётр Щукич", "organisation": "Лаборатория цифровых доказательств", "post": "инженер"},
    "specialist_warned": True, "witnesses": [{"name": "Орлов Игорь Юрьевич", "address": "г. Тверь, ул. Садовая, 1"},
                                             {"name": "Ёлкина Анна Эдуардовна", "address": "г. Тверь, пер. Тихий, 9"}],
    "means_warned": "все участники до начала действия",
    "instruments": [{"make": "Образец", "model": "ДК-2", "serial": "0042", "firmware": "1.7", "purpose": "копирование", "result": "образ E1.raw"}],
    "write_blocker": {"make": "Образец", "model": "БЗ-1", "serial": "0007", "firmware": "3.2", "mode": "только чтение"},
    "write_blocker_test": "13.05.2026, запись контрольного сектора отклонена", "photographs": {"none": "фотосъёмка не велась"},
    "source_medium": {"type": "USB-накопитель", "make": "Образец", "model": "Н-16", "serial": "A1B2C3", "capacity": 2621440, "interface": "USB 2.0"},
    "live_state": "выключен, без питания", "copy_medium": {"type": "НЖМД", "serial": "Z9Y8", "result": "E1.raw, 1 файл"},
    "acquisition_digests": "SHA-256 с исходного носителя при копировании, программа ДК-2; совпадает с копией",
    "unreadable_regions": {"none": "прочитано полностью"}, "remarks": {"none": "замечаний не поступило"},
    "copy_for_owner": {"none": "владелец копию не просил"},
    "packing": {"type": "бумажный пакет", "by": "Соколова М. И.", "seals": "№ 000117, № 000118", "note": "подписи понятых"},
    "received_from": "следователь Лебедев А. И.", "purpose": "исследование", "changes": {"none": "изменений не было"},
    "storage": "сейф № 4, ответственная Соколова М. И.", "investigator": "Лебедев Андрей Ильич",
}
BELARUSIAN = {
    **RUSSIAN,
    "number": "ЛД-2026/55", "jurisdiction": "Рэспубліка Беларусь, г. Гродна", "criminal_case": "№ 26011020055",
    "authority": "Пастанова аб правядзенні агляду ад 12.05.2026 № 8, следчы Жаўрук А. У.", "action": "агляд камп’ютарнай інфармацыі",
    "examiner": "Саўчанка Ірына Ўладзіміраўна", "post": "старшы эксперт", "agency": "Лабараторыя лічбавых доказаў",
    "language": "беларуская", "place": "г. Гродна, вул. Ціхая, 3, пакой 7", "information_consent": "Згода ўладальніка ад 12.05.2026",
    "witnesses": [{"name": "Кавалёў Ігар Юр’евіч", "address": "г. Гродна"}, {"name": "Ўласава Яніна", "address": "г. Гродна"}],
    "specialist": {"name": "Дзятлаў Пётр", "organisation": "Лабараторыя лічбавых доказаў", "post": "інжынер"}, "time_zone": "Europe/Minsk",
    "received_from": "следчы Жаўрук А. У.", "storage": "сейф № 2", "investigator": "Жаўрук Алесь",
}
ENGLISH = {
    "number": "L-2026/9", "jurisdiction": "Example State", "authority": "Search warrant 26-mj-0117 of 12 May 2026, issued by the Example Court",
    "examiner": "Alex Examiner", "post": "senior examiner", "agency": "Example Digital Evidence Laboratory", "action": "acquisition and examination",
    "method": "DEL-7, version 2.1, validated by report 5 of 2026", "place": "Example City, 5 New Street, room 12", "local_time": "2026-05-14 10:05 +00:00",
    "time_zone": "Etc/UTC", "clock_offset": "0.4 s behind the laboratory's NTP server", "specialist": {"name": "Robin Specialist", "post": "engineer"},
    "specialist_warned": True,
    "witnesses": {"none": "the law here asks for none"}, "write_blocker": {"make": "Sample", "model": "WB-1", "serial": "0007", "mode": "read only"},
    "write_blocker_test": "13 May 2026, a write to a test sector was refused", "recording": {"none": "the law here asks for none"},
    "source_medium": {"type": "USB stick", "make": "Sample", "model": "N-16", "serial": "A1B2C3", "capacity": 2621440}, "received_from": "Officer Smith",
    "acquisition_digests": {"sha256": "of the original, by the imager: see below", "result": "equal to the copy's"},
    "investigator": "Officer Smith", "purpose": "examination", "changes": {"none": "there were no changes"}, "photographs": {"none": "none were taken"},
}
LANGUAGE = {"ru": RUSSIAN, "by": BELARUSIAN, "int": ENGLISH}
EVENTS = ["received", "write-blocker-tested", "acquired", "integrity-checked", "processed", "sealed"]


def fields_of(profiles):
    for name in profiles:
        yield from json.loads((PROFILES / (name + ".json")).read_text(encoding="utf-8"))["fields"]


def told(profiles, where, leave_out=()):
    values = LANGUAGE[profiles[0]]
    fields = [field["key"] for field in fields_of(profiles) if field["where"] == where and field["key"] not in leave_out]
    return {key: values[key] for key in fields if key in values}


def make_demo(folder, profile, leave_out=(), witnesses=True, change=None, events=EVENTS):
    """`leave_out`: keys that nobody tells; `change`: a function that is given the findings' records; `events`: of the ledger."""
    folder, profiles = Path(folder), profile.split(",")
    case = folder / "case"
    for part in ("findings", "secret", "log"):
        (case / part).mkdir(parents=True)
    authority = Authority(folder / "authority")
    image = make_case.make_image()
    records = make_case.make_records(image)
    records = change(records) if change else records
    lines = [canonical(record) for record in records]
    data = b"".join(line + b"\n" for line in lines)
    key = sha256(b"a key that a real case draws at random")
    (case / "findings/E1.jsonl").write_bytes(data)
    (case / "secret/E1.salts").write_bytes(key)
    examiner = LANGUAGE[profiles[0]]["examiner"]
    ledger, previous = [], make_case.ZERO_DIGEST
    for seq, name in enumerate(events, 1):
        detail = told(profiles, "event:" + name, leave_out)
        if not witnesses:
            detail.pop("witnesses", None)
        place = detail.pop("place", LANGUAGE[profiles[0]]["place"])
        people = [{"name": LANGUAGE[profiles[0]]["investigator"], "role": "investigator"}] if name == "acquired" and "participants" not in leave_out else []
        entry = {"seq": seq, "time": f"2026-05-14T07:{seq:02}:00Z", "event": name, "participants": people, "place": place,
                 "actor": {"name": examiner, "role": "examiner", "organisation": LANGUAGE[profiles[0]]["agency"], "credential": "7"},
                 "evidence": ["E1"], "detail": detail, "previous": previous}
        entry["signature"] = make_case.base64.b64encode(authority.sign(canonical(entry))).decode()
        ledger.append(canonical(entry))
        previous = sha256(ledger[-1]).hex()
    (case / "custody.jsonl").write_bytes(b"".join(line + b"\n" for line in ledger))
    evidence = {name: records[0][name] for name in ("id", "size", "digests", "integrity", "block_root")}
    manifest = {"format": "exhibit-manifest/1",
                "case": {"title": "Demonstration", **told(profiles, "case", leave_out), "profile": profile},
                "tool": {"name": "exhibit", "version": "0.1.0", "source_revision": "0" * 40, "build_sha256": "00" * 32,
                         "libraries": {"libewf": "20140813", "tsk": "4.11.1", "yara": "4.2.3", "openssl": "3.0"}},
                "inputs": [{"kind": "yara", "name": "demo.yar", "version": "", "entries": 1, "digests": {"sha256": "ab" * 32}}],
                "evidence": [{**evidence, "findings": make_case.findings_claim(lines, key, data)}],
                "custody": {"events": len(ledger), "head": previous}, "created": "2026-05-14T10:15:00Z"}
    (case / "manifest.json").write_bytes(canonical(manifest))
    authority.seal(case)
    return case


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    print(make_demo(sys.argv[1], sys.argv[2]))
