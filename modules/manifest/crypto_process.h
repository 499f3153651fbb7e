#pragma once
// The process in which OpenSSL's engines run: gost (GOST R 34.10-2012) and pkcs11 (keys in tokens and smart cards).
// The trusted program loads no engine: a raw digest, a key and a signature go out, an answer comes back. For this
// module's own files.

#include <exhibit/result.h>
#include <sys/types.h>

#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/unique_fd.h"

namespace exhibit::manifest {

// The program exhibit-crypto, which lies beside this program; started when it is first asked, ended with this object.
// One question at a time, from any thread. The questions, all bytes in lower-case hex:
//   {"do": "verify", "key": SPKI, "digest": …, "signature": …}                      ->  {"valid": bool}    (GOST)
//   {"do": "sign", "key": PKCS#8, "digest": …}                                      ->  {"signature": …}   (GOST)
//   {"do": "public", "key": PKCS#8}                                                 ->  {"key": SPKI}      (GOST)
//   the last two with {"uri": "pkcs11:…", "module": path, "pin": text} in place of "key" (P-256 and RSA with SHA-256)
//   {"do": "state"}                                          ->  {"engine": whether it is there, "seal": what it got}
class CryptoProcess {
 public:
  enum class Engine { gost, token };

  // `environment`: NAME=VALUE, all that the process gets; a token's module may need some.
  explicit CryptoProcess(Engine engine, std::vector<std::string> environment = {})
      : engine_(engine), environment_(std::move(environment)) {}
  ~CryptoProcess() { end(); }
  CryptoProcess(const CryptoProcess&) = delete;
  CryptoProcess& operator=(const CryptoProcess&) = delete;

  // Error (unsupported) where the program or the engine that it needs isn't there, or says that it can't; the message
  // says which.
  Result<base::Json> ask(const base::Json& question);

 private:
  Result<void> start();
  Result<void> spawn(const std::string& program, int socket);
  // Sends a line and gives the line that comes back.
  Result<std::string> exchange(std::string_view line);
  void end();

  const Engine engine_;
  const std::vector<std::string> environment_;
  std::mutex mutex_;
  base::UniqueFd socket_;
  pid_t pid_ = -1;
};

// Asks the one that all of this program shares, for GOST; it has no environment.
Result<base::Json> ask_crypto_process(const base::Json& question);

}  // namespace exhibit::manifest
