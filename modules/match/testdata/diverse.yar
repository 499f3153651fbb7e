// Rules of every kind, none about anything: the module's tests compare Exhibit with `yara` on them.
import "elf"
import "hash"
import "math"
import "pe"

private rule is_elf { condition: uint32be(0) == 0x7f454c46 }

rule text_nocase_wide {
  meta:
    category = "text"
    severity = 3
  strings:
    $a = "copyright" nocase ascii wide
    $b = "GNU" fullword
  condition: any of them
}
rule hex_jumps_alternatives {
  meta:
    severity = "low"
  strings:
    $a = { 48 89 ( e5 | ?? 24 ) [0-6] 48 8? }
    $b = { 00 00 [2-4] ff ff }
  condition: $a or $b
}
rule hex_long_jump {
  strings:
    $a = { 2e 74 65 78 74 00 [-] 2e 64 61 74 61 00 }
    $b = { 47 43 43 3a [0-400] 2e }
  condition: $a or $b
}
rule regular_expression {
  strings:
    $a = /[a-z_]{3,12}@@?GLIBC_2\.[0-9]+/
    $b = /\bversion [0-9]+(\.[0-9]+)*\b/ nocase
    $c = /^#!.{1,40}\n/
  condition: any of them
}
rule small_file { condition: filesize > 0 and filesize < 20KB }
rule empty_file { condition: filesize == 0 }
rule magic_number { condition: uint16(0) == 0x5a4d or uint16be(0) == 0xffd8 or uint16be(0) == 0x2321 }
rule many_of {
  strings:
    $a1 = "malloc"
    $a2 = "free"
    $a3 = "printf"
    $a4 = "strlen" xor(0-3)
    $b = "usage" base64
  condition: 2 of ($a*) or $b or for any of ($a*) : ( # > 3 and @[1] < 8192 )
}
rule entry_point { condition: pe.entry_point > 0 or elf.entry_point > 0x1000 }
rule counts {
  strings:
    $a = "error" nocase
    $b = { 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 }
  condition: #a > 5 and #b in (0..4096) < 100 and @a[2] > @a[1] and !a[1] == 5
}
rule uses_private { condition: is_elf and math.entropy(0, filesize) > 5.5 }
rule hash_of_head { condition: filesize >= 2 and hash.md5(0, 2) == "58f7ddc3b34ce1e0d1dae1b3ad9d4bd4" }
