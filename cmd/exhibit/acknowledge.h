#pragma once
// Content of restricted leads (rules and sets with `handling: restricted`) is not given out without a word, which is an
// event of the ledger. Which leads there are is known from the case that --case names.

#include <exhibit/result.h>

#include <string>

#include "exhibit/common.h"

namespace exhibit::cmd {

// --acknowledge, --from, --key, --cert; --case is the verb's own.
void add_acknowledge_options(options::options_description& described);

// Whether the content of `item` (empty: of every item) may be given out. Without --case: yes, nothing is known. With
// restricted leads to it, to what lies in it or what it lies in, --acknowledge is needed: then this appends the event
// `reviewed` with the leads in detail.acknowledged. Error: says what to give.
Result<void> allow_content(const options::variables_map& values, const std::string& item);

}  // namespace exhibit::cmd
