// Payment-card data. The numbers' checksum (Luhn) is verified in code: docs/rules.md, "Features".

rule card_track_1
{
  meta:
    description = "Track 1 of a card's magnetic stripe, as readers and skimmers write it"
    designation = "none: the form of data, ISO/IEC 7813"
    category = "payment-card"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "ISO/IEC 7813:2006"
    feature = "luhn"
    fingerprint = "9fef6723506d11bb339ee935d179e015ec13f45fb0b23f0f23298bab23f80269"
  strings:
    $data = /%B[3-6][0-9]{12,18}\^[A-Z0-9 \/.'-]{2,26}\^[0-9]{7}/ ascii wide
  condition:
    $data
}

rule card_track_2
{
  meta:
    description = "Track 2 of a card's magnetic stripe, as readers and skimmers write it"
    designation = "none: the form of data, ISO/IEC 7813"
    category = "payment-card"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "ISO/IEC 7813:2006"
    feature = "luhn"
    fingerprint = "e6ab1d2e9a759c6674ef6b362cbf9d9a0d2d88a7cd607f8323834d062f28342f"
  strings:
    // The end of the validity and the service codes that cards have: 101, 201, 121, 221, 106, 126, 206, 226, 601
    $data = /;[3-6][0-9]{12,18}=[0-9]{2}(0[1-9]|1[0-2])(101|201|121|221|106|126|206|226|601)[0-9]{0,16}\?/ ascii wide
  condition:
    $data
}

rule card_dump_lines
{
  meta:
    description = "Lines of a card's number, validity and security code, as dumps of cards are sold, with words of the trade"
    designation = "none: the form of data"
    category = "payment-card"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "ISO/IEC 7812-1:2017"
    feature = "luhn"
    feature_least = 3
    fingerprint = "76838a70a2e01d4d552efbb4d7508095ffc436e5898132ec958cc2d5abb174de"
  strings:
    $data = /[3-6][0-9]{12,18}[|;:,\/][ ]?(0?[1-9]|1[0-2])[|;:,\/][ ]?(20)?[2-4][0-9][|;:,\/][ ]?[0-9]{3,4}/ fullword ascii wide
    $word_1 = "cvv" nocase ascii wide
    $word_2 = "fullz" nocase ascii wide
    $word_3 = "track2" nocase ascii wide
    $word_4 = "ccnum" nocase ascii wide
    $word_5 = "card number" nocase ascii wide
    $word_6 = "expiry" nocase ascii wide
    $word_7 = "carding" nocase ascii wide
  condition:
    any of ($word*) and #data >= 3
}
