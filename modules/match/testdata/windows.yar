// For a content of several windows: whatever a border could get wrong.
import "hash"
import "math"
import "pe"

rule literal {
  strings:
    $a = "needle"
    $word = "needle" fullword
    $wide = "needle" wide nocase
    $xor = "needle" xor(1-255)
  condition: any of them
}
rule exact_count {
  strings: $a = "needle"
  condition: #a == COUNT and @a[1] == 100 and @a[COUNT] > 33000000
}
rule far_apart {
  strings:
    $head = "first-of-all"
    $tail = "last-of-all"
  condition: $head at 0 and $tail at (filesize - 11) and @tail - @head > 30MB
}
rule anchored {
  strings:
    $a = /^needle/
    $b = /\bneedle\b/
    $c = /needle$/
    $d = /x{1,3000}needle/
    $e = /needle[y]{1,5000}/
  condition: any of them
}
rule jump_inside_a_block {
  strings: $a = { 48 45 41 44 31 [1000-30000] 54 41 49 4c 31 }
  condition: $a
}
// A head at the end of one window, a tail that has the wanted distance only if offsets forget the window.
rule jump_that_is_not_there {
  strings: $a = { 48 45 41 44 32 [100-20000] 54 41 49 4c 32 }
  condition: $a
}
rule numbers_at_borders {
  condition:
    uint32be(0xfffffe) == 0x4d5a9000 or (uint16(0x1000000) == 0x5a4d and uint32(0x2000000 - 2) != 0 and
    uint8(filesize - 1) == 0x6c)
}
rule not_a_program { condition: pe.is_pe or pe.number_of_sections > 0 }
rule entry { condition: defined entrypoint }
rule whole_hash { condition: hash.md5(0, filesize) == "MD5" }
rule range_hash { condition: hash.sha256(16777000, 1000) == "SHA256" }
rule range_entropy { condition: math.entropy(16000000, 2000000) > 7.9 and math.entropy(0, filesize) > 7.9 }
rule in_range {
  strings: $a = "needle"
  condition: for any i in (1..#a) : (@a[i] > 16777200 and @a[i] < 16777300) and
    #a in (0..16860000) > 6 and #a in (0..33560000) > 8
}
