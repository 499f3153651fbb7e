#include "worker/libraries.h"

#include <archive.h>
#include <libewf.h>
#include <libpff.h>
#include <magic.h>
#include <openssl/crypto.h>
#include <tsk/libtsk.h>
#include <yara.h>

namespace exhibit::worker {

base::Json library_versions() {
  return {{"ewf", libewf_get_version()},
          {"tsk", tsk_version_get_str()},
          {"yara", YR_VERSION},
          {"archive", archive_version_string()},
          {"pff", libpff_get_version()},
          {"magic", std::to_string(magic_version())},
          {"openssl", OpenSSL_version(OPENSSL_VERSION_STRING)}};
}

}  // namespace exhibit::worker
