// Rules that a careless prefilter would lose or find too often: prefilter_test.cc has a content for each.
import "pe"
import "math"
import "hash"
include "prefilter_included.inc"

// Any content without a string.
rule size_only { condition: filesize == 7 }
rule header_only { condition: uint16(0) == 0x4b50 and uint32be(4) == 0x14000000 }
rule signed_header { condition: int8(0) == -1 and int16(0) == -2 - 255 and int32be(0) == -65537 }
rule past_the_end { condition: not defined uint32(filesize - 3) and filesize == 9 }
rule not_a { strings: $a = "absent-needle" condition: not $a and filesize == 11 }
rule none_of { strings: $a = "absent-needle" $b = "other-needle" condition: none of them and filesize == 11 }
rule not_any_of { strings: $a = "absent-needle" $b = "other-needle" condition: not any of them and filesize == 11 }
rule zero_of { strings: $a = "absent-needle" condition: 0 of them and filesize == 11 }
rule count_zero { strings: $a = "absent-needle" condition: #a == 0 and filesize == 11 }
rule for_all_zero { strings: $a = "absent-needle" $b = "other-needle" condition: for all of them : ( # == 0 ) and filesize == 11 }
rule for_none { strings: $a = "absent-needle" condition: for none of them : ( $ ) and filesize == 11 }
rule undefined_offset { strings: $a = "absent-needle" condition: not defined @a[1] and filesize == 11 }
rule undefined_length { strings: $a = "absent-needle" condition: not defined !a and filesize == 11 }
rule sum_of_counts { strings: $a = "absent-needle" $b = "other-needle" condition: #a + #b < 1 and filesize == 11 }
rule count_in_none { strings: $a = "absent-needle" condition: #a in (0..100) == 0 and filesize == 11 }
rule or_size { strings: $a = "absent-needle" condition: $a or filesize == 11 }
rule empty_loop { strings: $a = "absent-needle" condition: not (for any i in (1..#a) : ( @a[i] > 0 )) and filesize == 11 }
rule loop_of_numbers { condition: for all i in (1, 2, 3) : ( uint8(i) == 0x61 ) }
rule range_loop { condition: for 2 i in (0..3) : ( uint8(i) == 0x62 ) and filesize < 6 }
rule hashes { condition: hash.md5(0, filesize) == "900150983cd24fb0d6963f7d28e17f72" }
rule entropy { condition: math.entropy(0, filesize) == 0.0 and filesize == 5 }
rule not_a_program { condition: not pe.is_pe and filesize == 13 }
rule program_undefined { condition: not defined pe.number_of_sections and filesize == 13 }
rule no_exports { condition: not defined pe.exports("x") and pe.MACHINE_I386 == 0x14c and filesize == 13 }
rule no_sections { condition: not (for any s in pe.sections : ( s.name == "x" )) and filesize == 13 }
rule variable_empty { condition: filename == "" and not filename contains "x" and filesize == 13 }
rule starts_of_variable { condition: filename startswith "" and not filepath endswith "x" and not owner and filesize == 13 }

// Strings found in ways that are easily overlooked.
rule plain { strings: $a = "plain-literal" condition: $a }
rule short_string { strings: $a = "#~" condition: $a at 3 }
rule no_case { strings: $a = "MiXeD-cAsE" nocase condition: $a }
rule wide_no_case { strings: $a = "WideCase" wide nocase condition: $a }
rule ascii_or_wide { strings: $a = "both-forms" ascii wide condition: $a }
rule keyed { strings: $a = "keyed-secret" xor condition: $a }
rule keyed_range { strings: $a = "ranged-secret" xor(5-9) condition: $a }
rule keyed_wide { strings: $a = "broad-secret" xor wide condition: $a }
rule keyed_to_zeros { strings: $a = "aaaaaaaa" xor condition: #a == 1 }
rule encoded { strings: $a = "based-on-sixty-four" base64 condition: $a }
rule encoded_wide { strings: $a = "based-on-sixty-two" base64wide condition: $a }
rule encoded_alphabet { strings: $a = "other-letters-here" base64("!@#$%^&*(){}[].,|ABCDEFGHIJ\x09LMNOPQRSTUVWXYZabcdefghijklmnopqrstu") condition: $a }
rule whole_word { strings: $a = "wholeword" fullword condition: $a }
rule hex_jump { strings: $a = { 68 65 78 2d [2-6] 6a 75 6d 70 } condition: $a }
rule hex_long_jump { strings: $a = { 66 69 72 73 74 70 61 72 74 [300-600] 6c 61 73 74 70 61 72 74 } condition: $a }
rule hex_alternatives { strings: $a = { 61 6c 74 ( 31 32 | 33 ?? 34 | 35 [1-2] 36 ) 65 6e 64 } condition: $a }
rule hex_nibbles { strings: $a = { 6? ?1 6? ?2 6? ?3 7a } condition: $a }
rule hex_zeros { strings: $a = { 00 00 00 00 2a 00 00 00 00 } condition: $a }
rule expression { strings: $a = /exp(res|ans)(s)?ion[0-9]{2,4}!/ condition: $a }
rule expression_no_case { strings: $a = /ReGuLaR[ -]thing/i condition: $a }
rule expression_wide { strings: $a = /wide(ly|ning) known/ wide condition: $a }
rule expression_without_literal { strings: $a = /[0-9]{3}:[0-9]{3}:[0-9]{3}/ condition: $a }
rule expression_optional { strings: $a = /o\^?p\^?t\^?i\^?o\^?n/ condition: $a }
rule expression_any { strings: $a = /(cat|dog|.{3}bird).{0,4}end/ condition: $a }
rule anchored { strings: $a = /^anchored/ condition: $a }

// Conditions that need strings.
rule at_start { strings: $a = "at-the-start" condition: $a at 0 }
rule in_range { strings: $a = "in-the-range" condition: $a in (5..20) }
rule near_end { strings: $a = "%%" condition: $a in (filesize - 4..filesize) }
rule many { strings: $a = "repeated" condition: #a > 2 }
rule second_place { strings: $a = "twice-there" condition: @a[2] > 20 }
rule length_of { strings: $a = /length[xyz]+/ condition: !a == 9 }
rule each_place { strings: $a = "each-place" condition: for all i in (1..#a) : ( @a[i] > 3 ) and #a > 0 }
rule any_place { strings: $a = "any-place" condition: for any i in (1..#a) : ( uint8(@a[i] + 9) == 0x21 ) }
rule all_strings { strings: $a = "all-one" $b = "all-two" condition: all of them }
rule two_of { strings: $a1 = "set-one" $a2 = "set-two" $a3 = "set-three" condition: 2 of ($a*) }
rule per_cent { strings: $a = "cent-one" $b = "cent-two" $c = "cent-three" condition: 60% of them }
rule of_in_range { strings: $a = "range-one" $b = "range-two" condition: all of them in (0..30) }
rule for_any_at { strings: $a = "for-one" $b = "for-two" condition: for any of them : ( $ at 4 ) }
rule anonymous { strings: $ = "nameless-one" $ = /nameless-(two|three)/ condition: 1 of them }
rule xor_of_numbers { strings: $a = "xor-base" condition: (uint8(@a) ^ uint8(@a + 1)) == 0x17 }
rule pointed_to { strings: $a = "pointed" condition: $a at uint8(0) }
rule distance { strings: $a = "near-one" $b = "near-two" condition: @b - @a < 20 and @b > @a }

// Rules that need others.
private rule hidden { strings: $a = "hidden-string" condition: $a }
private rule hidden_size { condition: filesize == 17 }
rule asks_hidden { strings: $b = "visible-string" condition: hidden and $b }
rule asks_hidden_alone { condition: hidden and not hidden_size }
rule asks_not_hidden { condition: not hidden and filesize == 11 }
rule asks_included { strings: $a = "asks-included" condition: from_include and $a }
rule any_rule { condition: 1 of (plain, no_case) and filesize < 30 }
