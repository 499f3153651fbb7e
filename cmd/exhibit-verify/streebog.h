#pragma once
// Streebog (GOST R 34.11-2012; sections of RFC 6986). The standard writes its vectors as numbers with the most
// significant byte first; the bytes that every tool reads and prints are the same numbers the other way round, and so
// it is here: word 0 and byte 0 are the least significant.

#include "sha2.h"

namespace exhibit_verify {

using Block = std::array<std::uint64_t, 8>;

// All in hex. Section 6.2: the substitution pi.
inline constexpr View pi_bytes =
    "fceedd11cf6e3116fbc4fada23c5044de977f0db932e99ba1736f1bb14cd5fc1f918655ae25cef21811c3c428b018e4f058402aee36a8fa0"
    "060bed987fd4d31feb342c51eac848abf22a68a2fd3aceccb5700e56080c7612bf7213479cb75d8715a19629107b9ac7f391786f9d9eb2b1"
    "3275193dff358a7e6d54c680c3bd0d57dff524a93ea843c9d779d6f67c22b903e00fecde7a94b0bcdce828504e330a4aa79760731e006244"
    "1ab83882649f2641ad454692275e552f8ca3a57d69d5953b0758b34086ac1df730376be488d9e789e11b83494c3ff8fe8d53aa90cad88561"
    "207167a42d2b095bcb9b25d0bee56c5259a674d2e6f4b4c0d166afc2394b63b6";
// Section 6.4: the rows of the matrix A; row 0 is for the most significant bit.
inline constexpr View matrix =
    "8e20faa72ba0b47047107ddd9b505a38ad08b0e0c3282d1cd8045870ef14980e6c022c38f90a4c073601161cf205268d1b8e0b0e798c13c8"
    "83478b07b2468764a011d380818e8f405086e740ce47c9202843fd2067adea1014aff010bdd875080ad97808d06cb40405e23c0468365a02"
    "8c711e02341b2d0146b60f011a83988e90dab52a387ae76f486dd4151c3dfdb924b86a840e90f0d2125c354207487869092e94218d243cba"
    "8a174a9ec8121e5d4585254f64090fa0accc9ca9328a89509d4df05d5f661451c0a878a0a1330aa660543c50de970553302a1e286fc58ca7"
    "18150f14b9ec46dd0c84890ad27623e00642ca05693b9f700321658cba93c13886275df09ce8aaa8439da0784e745554afc0503c273aa42a"
    "d960281e9d1d5215e230140fc080298471180a8960409a42b60c05ca30204d215b068c651810a89e456c34887a3805b9ac361a443d1c8cd2"
    "561b0d22900e46692b838811480723ba9bcf4486248d9f5dc3e9224312c8c1a0effa11af0964ee50f97d86d98a327728e4fa2054a80b329c"
    "727d102a548b194e39b008152acb82279258048415eb419d492c024284fbaec0aa16012142f35760550b8e9e21f7a530a48b474f9ef5dc18"
    "70a6a56e2440598e3853dc371220a2471ca76e95091051ad0edd37c48a08a6d807e095624504536c8d70c431ac02a736c83862965601dd1b"
    "641c314b2b8ee083";
// Section 6.5: C_1 to C_12, as printed there.
inline constexpr View constants =
    "b1085bda1ecadae9ebcb2f81c0657c1f2f6a76432e45d016714eb88d7585c4fc4b7ce09192676901a2422a08a460d31505767436cc744d23"
    "dd806559f2a645076fa3b58aa99d2f1a4fe39d460f70b5d7f3feea720a232b9861d55e0f16b501319ab5176b12d699585cb561c2db0aa7ca"
    "55dda21bd7cbcd56e679047021b19bb7f574dcac2bce2fc70a39fc286a3d843506f15e5f529c1f8bf2ea7514b1297b7bd3e20fe490359eb1"
    "c1c93a376062db09c2b6f443867adb31991e96f50aba0ab2ef1fdfb3e81566d2f948e1a05d71e4dd488e857e335c3c7d9d721cad685e353f"
    "a9d72c82ed03d675d8b71333935203be3453eaa193e837f1220cbebc84e3d12e4bea6bacad4747999a3f410c6ca923637f151c1f1686104a"
    "359e35d7800fffbdbfcd1747253af5a3dfff00b723271a167a56a27ea9ea63f5601758fd7c6cfe57ae4faeae1d3ad3d96fa4c33b7a3039c0"
    "2d66c4f95142a46c187f9ab49af08ec6cffaa6b71c9ab7b40af21f66c2bec6b6bf71c57236904f35fa68407a46647d6ef4c70e16eeaac5ec"
    "51ac86febf240954399ec6c7e6bf87c9d3473e33197a93c90992abc52d822c3706476983284a05043517454ca23c4af38886564d3a14d493"
    "9b1f5b424d93c9a703e7aa020c6e41414eb7f8719c36de1e89b4443b4ddbc49af4892bcb929b069069d18d2bd1a5c42f36acc2355951a8d9"
    "a47f0dd4bf02e71e378f5a541631229b944c9ad8ec165fde3a7d3a1b258942243cd955b7e00d0984800a440bdbb2ceb17b2b8a9aa6079c54"
    "0e38dc92cb1f2a607261445183235adbabbedea680056f52382ae548b2e4f3f38941e71cff8a78db1fffe18a1b3361039fe76702af69334b"
    "7a1e6c303b7652f43698fad1153bb6c374b4c7fb98459ced7bcd9ed0efc889fb3002c6cd635afe94d8fa6bbbebab07612001802114846679"
    "8a1d71efea48b9caefbacd1d7d476e98dea2594ac06fd85d6bcaa4cd81f32d1b378ee767f11631bad21380b00449b17acda43c32bcdf1d77"
    "f82012d430219f9b5d80ef9d1891cc86e71da4aa88e12852faf417d5d9b21b9948bc924af11bd720";

// L after S for byte `at` of a word: the product of A with the substituted byte there (sections 6.2 and 6.4).
inline std::array<std::array<std::uint64_t, 256>, 8> make_tables() {
  std::array<std::array<std::uint64_t, 256>, 8> tables{};
  const Bytes pi = *from_hex(pi_bytes);
  const auto rows = words_of_hex(matrix);
  for (std::size_t at = 0; at < 8; ++at) {
    for (std::size_t x = 0; x < 256; ++x) {
      const auto value = static_cast<unsigned char>(pi[x]);
      for (std::size_t bit = 0; bit < 8; ++bit) {
        if ((value >> bit & 1) != 0) tables[at][x] ^= rows[63 - 8 * at - bit];
      }
    }
  }
  return tables;
}

// L(P(S(x))). P (section 6.3) makes byte i of word j into byte j of word i.
inline Block lps(const Block& x) {
  static const auto tables = make_tables();
  Block out{};
  for (std::size_t i = 0; i < 8; ++i) {
    for (std::size_t j = 0; j < 8; ++j) out[i] ^= tables[j][x[j] >> (8 * i) & 0xFF];
  }
  return out;
}

// g_N(h, m) = E(LPS(h ^ N), m) ^ h ^ m (section 8; E, section 7).
inline Block compress(const Block& n, const Block& h, const Block& m) {
  static const auto c = words_of_hex(constants);
  Block key = lps(exclusive_or(h, n));
  Block state = m;
  for (std::size_t round = 0; round < 12; ++round) {
    state = lps(exclusive_or(state, key));
    for (std::size_t i = 0; i < 8; ++i) key[i] ^= c[8 * round + 7 - i];
    key = lps(key);
  }
  return exclusive_or(exclusive_or(exclusive_or(state, key), h), m);
}

// Addition modulo 2^512.
inline void add(Block& sum, const Block& more) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < 8; ++i) {
    const std::uint64_t once = sum[i] + carry;
    carry = once < carry;
    sum[i] = once + more[i];
    carry += sum[i] < once;
  }
}

// Section 9.
class Streebog : public BlockDigest<64> {
 public:
  explicit Streebog(bool wide) : wide_(wide) { h_.fill(wide ? 0 : 0x0101010101010101); }

  Bytes finish() override {
    const std::size_t rest = held().size();
    step(held() + '\x01' + Bytes(63 - rest, '\0'), 8 * rest);
    h_ = compress(Block{}, h_, n_);
    h_ = compress(Block{}, h_, sum_);
    return bytes_of(h_).substr(wide_ ? 0 : 32);
  }

 private:
  void take(View block) override { step(block, 512); }
  void step(View bytes, std::uint64_t bits) {
    const Block block = words_of<Block>(bytes);
    h_ = compress(n_, h_, block);
    add(n_, {bits});
    add(sum_, block);
  }

  bool wide_;
  Block h_, n_{}, sum_{};
};

}  // namespace exhibit_verify
