#pragma once
// The signer that --key and --cert name, for all verbs that sign.

#include <exhibit/result.h>

#include <memory>

#include "exhibit/common.h"
#include "manifest/signer.h"

namespace exhibit::cmd {

// --key: PEM or pkcs11:…; --cert: the signer's certificate, then the chain. Both must have been given. A token's module
// sees this process's environment but for what would change what OpenSSL or the loader loads.
Result<std::unique_ptr<manifest::Signer>> open_signer(const options::variables_map& values);

}  // namespace exhibit::cmd
