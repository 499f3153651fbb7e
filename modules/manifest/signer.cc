#include "manifest/signer.h"

#include <openssl/err.h>

#include "manifest/file.h"
#include "manifest/openssl.h"
#include "manifest/signed_data.h"
#include "manifest/signed_data_writer.h"
#include "manifest/signing_key.h"
#include "manifest/trust_path.h"

namespace exhibit::manifest {
namespace {

class KeySigner : public Signer {
 public:
  KeySigner(std::unique_ptr<SigningKey> key, std::vector<openssl::Certificate> certificates)
      : key_(std::move(key)), certificates_(std::move(certificates)) {}

  Result<std::string> sign(std::string_view content, std::int64_t time) const override {
    if (const auto defect = certificate_defect(certificates_.front().get(), time, false)) {
      return Error{
          ErrorCode::invalid_argument, "the certificate of " + name() + " can't sign now: " + *defect, name(), {}};
    }
    return make_signed_data(*key_, certificates_, {.bytes = content, .type = data_type, .time = time});
  }

  std::string name() const override { return openssl::name_of(certificates_.front().get()); }

 private:
  std::unique_ptr<SigningKey> key_;
  std::vector<openssl::Certificate> certificates_;  // the signer's first
};

}  // namespace

Result<std::unique_ptr<Signer>> open_signer(const std::string& key_file,
                                            const std::vector<std::filesystem::path>& certificate_files,
                                            const std::vector<std::string>& environment) {
  if (certificate_files.empty())
    return file_error(ErrorCode::invalid_argument, key_file, "no certificate was given for it");
  auto key = EXHIBIT_TRY(open_signing_key(key_file, environment));
  std::vector<openssl::Certificate> certificates;
  for (const auto& file : certificate_files) {
    const std::string pem = EXHIBIT_TRY(read_whole(file));
    auto found = EXHIBIT_TRY(openssl::certificates_of_pem(pem, file));
    for (auto& one : found) certificates.push_back(std::move(one));
  }
  if (!key->is_key_of(certificates.front().get())) {
    return file_error(ErrorCode::invalid_argument, key_file,
                      "isn't the key of the certificate in " + certificate_files.front().string());
  }
  return std::unique_ptr<Signer>(std::make_unique<KeySigner>(std::move(key), std::move(certificates)));
}

}  // namespace exhibit::manifest
