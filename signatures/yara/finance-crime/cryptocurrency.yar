// Cryptocurrency: addresses and keys whose checksum is verified in code (docs/rules.md, "Features"), and wallets' files.

rule bitcoin_segwit_address
{
  meta:
    description = "A segregated witness address of Bitcoin or Litecoin with a right checksum"
    designation = "none: the form of data, BIP 173 and BIP 350"
    category = "cryptocurrency-address"
    severity = "medium"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://github.com/bitcoin/bips/blob/master/bip-0350.mediawiki"
    feature = "bech32"
    fingerprint = "51dc46cfe8ef883f8d95c08dba2889c7e0d3e9fac97cc980a28b1cc05429835b"
  strings:
    $data_bitcoin = /bc1[02-9ac-hj-np-z]{11,71}/ fullword ascii wide
    $data_bitcoin_capitals = /BC1[02-9AC-HJ-NP-Z]{11,71}/ fullword ascii wide
    $data_litecoin = /ltc1[02-9ac-hj-np-z]{11,71}/ fullword ascii wide
  condition:
    any of them
}

rule base58_address
{
  meta:
    description = "An address of Bitcoin, Litecoin, Dogecoin or Tron with a right checksum, beside words of the trade"
    designation = "none: the form of data, Base58Check"
    category = "cryptocurrency-address"
    severity = "medium"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://en.bitcoin.it/wiki/Base58Check_encoding"
    feature = "base58check"
    fingerprint = "8e53710f08a3be2c94d2d18af2f91f2d4907956422bc6123f84c35523944a01c"
  strings:
    $data = /[13LMDT][1-9A-HJ-NP-Za-km-z]{25,34}/ fullword ascii wide
    $word_1 = "bitcoin" nocase ascii wide
    $word_2 = "litecoin" nocase ascii wide
    $word_3 = "dogecoin" nocase ascii wide
    $word_4 = "BTC" fullword ascii wide
    $word_5 = "USDT" fullword ascii wide
    $word_6 = "TRC20" fullword ascii wide
    $word_7 = "crypto wallet" nocase ascii wide
  condition:
    any of ($word*) and $data
}

rule bitcoin_private_key
{
  meta:
    description = "A private key in the wallet import format, or an extended private key, with a right checksum"
    designation = "none: the form of data, Base58Check and BIP 32"
    category = "cryptocurrency-key"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki"
    feature = "base58check"
    fingerprint = "4ba4b32745b20990d44232825a8076a08e61893b529cecd4abba2879e299ea27"
  strings:
    $data_extended = /[xyz]prv[1-9A-HJ-NP-Za-km-z]{107,108}/ fullword ascii wide
    $data_import = /(5[HJK][1-9A-HJ-NP-Za-km-z]{49}|[KL][1-9A-HJ-NP-Za-km-z]{51})/ fullword ascii wide
    $word_1 = "bitcoin" nocase ascii wide
    $word_2 = "private key" nocase ascii wide
    $word_3 = "dumpwallet" nocase ascii wide
    $word_4 = "BTC" fullword ascii wide
    $word_5 = "wallet" nocase ascii wide
  condition:
    $data_extended or (any of ($word*) and $data_import)
}

rule bitcoin_core_wallet
{
  meta:
    description = "A wallet.dat of Bitcoin Core or its like, as a Berkeley DB"
    designation = "none: the form of a file"
    category = "cryptocurrency-wallet"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://en.bitcoin.it/wiki/Wallet"
    fingerprint = "17508efb68e919892a6046c882bc55d41bf8f65cd2a4d7e96e00c3934b2a0b27"
  strings:
    $btree = { 00 00 00 00 01 00 00 00 00 00 00 00 62 31 05 00 }
    $key_1 = "\x0adefaultkey"
    $key_2 = "\x04mkey"
    $key_3 = "\x04ckey"
    $key_4 = "\x07keymeta"
    $key_5 = "\x09bestblock"
  condition:
    $btree and 2 of ($key*)
}

rule electrum_wallet
{
  meta:
    description = "A wallet's file of Electrum"
    designation = "none: the form of a file"
    category = "cryptocurrency-wallet"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://electrum.readthedocs.io/en/latest/faq.html"
    fingerprint = "0391aae11b8667d41c18582fb4dba8eb6ea2a08b7978c7204e6d2993b19e3261"
  strings:
    $seed_version = "\"seed_version\":"
    $wallet_type = "\"wallet_type\":"
    $keystore = "\"keystore\":"
    $key_1 = "\"xpub\":"
    $key_2 = "\"xprv\":"
  condition:
    $seed_version and $wallet_type and ($keystore or any of ($key*))
}

rule ethereum_keystore
{
  meta:
    description = "A key file of an Ethereum client, version 3"
    designation = "none: the form of a file, Web3 Secret Storage"
    category = "cryptocurrency-wallet"
    severity = "high"
    author = "Exhibit"
    date = "2026-11-25"
    references = "https://ethereum.org/en/developers/docs/data-structures-and-encoding/web3-secret-storage/"
    fingerprint = "2a29b9757bdf57b841fbb8eec63e81303c3d1c8816650e8605b35442a1e9ac6e"
  strings:
    $ciphertext = "\"ciphertext\"" nocase
    $parameters = "\"kdfparams\"" nocase
    $mac = /"mac"\s{0,4}:\s{0,4}"[0-9a-f]{64}"/ nocase
    $version = /"version"\s{0,4}:\s{0,4}3/
  condition:
    all of them
}
