#include "manifest/openssl.h"

#include <openssl/err.h>
#include <openssl/pem.h>

#include <ctime>
#include <limits>

#include "base/json.h"
#include "hash/multi_digest.h"
#include "manifest/file.h"

namespace exhibit::manifest::openssl {

std::string oid_of(const ASN1_OBJECT* object) {
  char text[128];
  const int length = object == nullptr ? 0 : OBJ_obj2txt(text, sizeof text, object, 1);
  return length <= 0 || static_cast<std::size_t>(length) >= sizeof text ? "unreadable" : std::string(text);
}

std::string oid_of(const X509_ALGOR* algorithm) {
  const ASN1_OBJECT* object = nullptr;
  X509_ALGOR_get0(&object, nullptr, nullptr, algorithm);
  return oid_of(object);
}

std::string bytes_of(const ASN1_STRING* string) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(string)),
          static_cast<std::size_t>(ASN1_STRING_length(string))};
}

Bio memory(std::string_view bytes) {
  if (bytes.size() > static_cast<std::size_t>(std::numeric_limits<int>::max())) return nullptr;
  return Bio(BIO_new_mem_buf(bytes.empty() ? "" : bytes.data(), static_cast<int>(bytes.size())));
}

std::optional<std::int64_t> seconds_of(const ASN1_TIME* time) {
  std::tm parts = {};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  return static_cast<std::int64_t>(timegm(&parts));
}

std::string name_of(const X509* certificate) {
  const Bio out(BIO_new(BIO_s_mem()));
  if (!out || X509_NAME_print_ex(out.get(), X509_get_subject_name(certificate), 0,
                                 (XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB)) < 0)
    return "unreadable";
  char* text = nullptr;
  const long length = BIO_get_mem_data(out.get(), &text);
  return length <= 0 ? "unnamed" : std::string(text, static_cast<std::size_t>(length));
}

std::string fingerprint_of(const X509* certificate) {
  return base::to_hex(hash::digest_of("sha256", der_of(certificate, i2d_X509)));
}

Certificate share(X509* certificate) {
  X509_up_ref(certificate);
  return Certificate(certificate);
}

Result<std::vector<Certificate>> certificates_of_pem(std::string_view pem, const std::filesystem::path& path) {
  const Bio in = memory(pem);
  std::vector<Certificate> found;
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) found.emplace_back(certificate);
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  const std::string why = last_error();
  if (!at_end) return file_error(ErrorCode::corrupt, path, "a certificate in it is broken (" + why + ")");
  if (found.empty())
    return file_error(ErrorCode::invalid_argument, path, "holds no certificate; give PEM (BEGIN CERTIFICATE)");
  return found;
}

std::string last_error() {
  const unsigned long code = ERR_peek_last_error();
  ERR_clear_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  return reason == nullptr ? "no reason given" : reason;
}

}  // namespace exhibit::manifest::openssl
