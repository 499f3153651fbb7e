// No other rule of this file matches where the global ones don't.
global rule small { condition: filesize < 1000 }
global private rule marked { strings: $a = "global-mark" $b = "mark-global" condition: any of them }
rule behind_globals { strings: $a = "behind-the-globals" condition: $a }
rule behind_globals_always { condition: filesize == 11 }
