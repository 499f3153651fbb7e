#pragma once
// The process in which OpenSSL's engines run: gost (GOST R 34.10-2012) and pkcs11 (keys in tokens and smart cards).
// The trusted program loads no engine: a raw digest, a key and a signature go out, an answer comes back. For this
// module's own files.

#include <exhibit/result.h>

#include "base/json.h"

namespace exhibit::manifest {

// Asks the program exhibit-crypto, which lies beside this program; it is started when it is first asked, with an empty
// environment, and ends with this process. One question at a time, from any thread. Error (unsupported) where the
// program or the engine that it needs isn't there, or says that it can't; the message says which. The questions:
//   {"do": "verify", "key": SPKI, "digest": …, "signature": …}  ->  {"valid": bool}           (GOST)
//   {"do": "sign", "key": PKCS#8 | "uri": pkcs11:…, "digest": …}  ->  {"signature": …}
//   {"do": "public", "key": … | "uri": …}  ->  {"key": SPKI}
// All bytes are lower-case hex.
Result<base::Json> ask_crypto_process(const base::Json& question);

}  // namespace exhibit::manifest
