// Ten rules over harmless strings, for the benchmark: text, nocase, wide, hex with jumps and a regular expression.
rule account_words { strings: $a = "account number" nocase condition: $a }
rule invoice_words { strings: $a = "invoice" nocase $b = "transfer" nocase condition: all of them }
rule wide_words { strings: $a = "password" wide nocase condition: $a }
rule mail_address { strings: $a = /[a-z0-9]{3,16}@example[0-9]{1,3}\.org/ condition: $a }
rule jpeg_with_exif { strings: $a = { FF D8 FF E1 ?? ?? 45 78 69 66 00 00 } condition: $a }
rule png_header { strings: $a = { 89 50 4E 47 0D 0A 1A 0A [4] 49 48 44 52 } condition: $a }
rule zip_of_a_document { strings: $a = { 50 4B 03 04 [22-26] ( 77 6F 72 64 | 5B 43 6F 6E ) } $b = "word/" condition: all of them }
rule pdf_header { strings: $a = "%PDF-1." condition: $a at 0 }
rule sqlite_header { strings: $a = "SQLite format 3" condition: $a at 0 }
rule elf_with_a_socket { strings: $a = { 7F 45 4C 46 02 } $b = "socket" fullword $c = "connect" fullword condition: $a at 0 and $b and $c }
