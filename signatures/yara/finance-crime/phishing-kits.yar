// Kits that take card and bank data from visitors and send them away.

rule phishing_kit_mailer
{
  meta:
    description = "PHP that mails card or bank data from a form, with the visitor's address, as phishing kits do"
    designation = "none: the form of a tool"
    category = "phishing-kit"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://attack.mitre.org/techniques/T1598/"
    fingerprint = "c2047b14a51d5a5c2fa55cecd1aa2fc05fb291a8216d3bb2153764630e8f0763"
  strings:
    $php = "<?php" nocase
    $send_1 = /\bmail\s{0,2}\(/
    $send_2 = "api.telegram.org/bot"
    $card_1 = /\$_POST\[\s{0,2}['"](cc|ccnum|cardnumber|card_number|cvv|cvv2|cvc|exp|expdate|ssn|pin|atm)['"]/ nocase
    $visitor_1 = "REMOTE_ADDR"
    $visitor_2 = "HTTP_USER_AGENT"
    $result_1 = "fullz" nocase
    $result_2 = "resultbox" nocase
    $result_3 = "scam page" nocase
    $result_4 = "scampage" nocase
    $result_5 = "BIN :" nocase
    $result_6 = "-=[" 
  condition:
    $php and any of ($send*) and $card_1 and any of ($visitor*) and any of ($result*)
}
