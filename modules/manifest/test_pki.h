#pragma once
// For tests: an authority with keys and certificates made by the openssl command, in a scratch folder.

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "support/test_support.h"

namespace exhibit::manifest::test {

class Pki {
 public:
  Pki() {
    exhibit::test::write_file(folder_ / "ca.cnf", R"([ca]
default_ca = ca_default
[ca_default]
dir = )" + folder_.path().string() + R"(
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
policy = policy
default_md = sha256
unique_subject = no
[policy]
commonName = supplied
[req]
distinguished_name = name
[name]
[ca_ext]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer_ext]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature, nonRepudiation
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[tsa_ext]
basicConstraints = CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[encipher_ext]
basicConstraints = CA:FALSE
keyUsage = critical, keyEncipherment
[tsa]
default_tsa = tsa_config
[tsa_config]
dir = )" + folder_.path().string() + R"(
serial = $dir/tsa_serial
signer_cert = $dir/tsa.pem
signer_key = $dir/tsa.key
certs = $dir/ca.pem
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha384, sha512
accuracy = secs:1
ordering = yes
ess_cert_id_alg = sha256
)");
    exhibit::test::write_file(folder_ / "index.txt", "");
    exhibit::test::write_file(folder_ / "serial", "1000");
    exhibit::test::write_file(folder_ / "tsa_serial", "01");
    root("ca");
    issue("signer", "signer_ext");
    issue("tsa", "tsa_ext");
  }

  std::filesystem::path key(const std::string& name) const { return folder_ / (name + ".key"); }
  std::filesystem::path certificate(const std::string& name) const { return folder_ / (name + ".pem"); }
  std::filesystem::path configuration() const { return folder_ / "ca.cnf"; }
  std::filesystem::path operator/(const std::string& name) const { return folder_ / name; }

  // A self-signed root.
  void root(const std::string& name) {
    make_key(name, "P-256");
    openssl({"req", "-x509", "-new", "-key", key(name), "-out", certificate(name), "-subj", "/CN=" + name, "-config",
             configuration(), "-extensions", "ca_ext", "-days", "3650", "-set_serial", "1"});
  }

  // A certificate of its own key, by `ca`.
  void issue(const std::string& name, const std::string& extensions, const std::string& kind = "P-256",
             const std::string& from = "20260101000000Z", const std::string& to = "20350101000000Z",
             const std::string& ca = "ca", const std::string& common_name = {}) {
    make_key(name, kind);
    openssl({"req", "-new", "-key", key(name), "-out", folder_ / (name + ".csr"), "-subj",
             "/CN=" + (common_name.empty() ? name : common_name), "-config", configuration()});
    openssl({"ca", "-batch", "-notext", "-config", configuration(), "-cert", certificate(ca), "-keyfile", key(ca),
             "-extensions", extensions, "-startdate", from, "-enddate", to, "-in", folder_ / (name + ".csr"), "-out",
             certificate(name)});
  }

  void make_key(const std::string& name, const std::string& kind) {
    if (kind.starts_with("RSA-")) {
      openssl({"genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:" + kind.substr(4), "-out", key(name)});
    } else {
      openssl({"genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:" + kind, "-out", key(name)});
    }
  }

  // Of a certificate, in hex.
  std::string serial(const std::string& name) const {
    std::string text = openssl({"x509", "-in", certificate(name), "-noout", "-serial"}).substr(7);
    text.pop_back();
    return text;
  }

  // Runs `openssl …`; throws where it fails.
  static std::string openssl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "openssl");
    const auto finished = exhibit::test::run(arguments);
    if (finished.status != 0) throw std::runtime_error("openssl " + arguments[1] + ": " + finished.err);
    return finished.out;
  }

 private:
  exhibit::test::TemporaryDirectory folder_;
};

}  // namespace exhibit::manifest::test
