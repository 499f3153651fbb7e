#pragma once
// The JSON of Project VIC's data models (VICS 1.3 and 2.0, and 1.2, which the UK's CAID exports): an object whose
// `value` lists media, or cases with their `Media`. It is read as a stream: such files have gigabytes.
//
// Taken of each medium: MD5, SHA1, what AlternativeHashes has of the algorithms that sets are made of, Category as it
// stands (a number means what the country's profile says), and MediaID as the entry. Names of files, series, victims
// and offenders, tags and comments are not taken; PhotoDNA isn't evaluated. So it doesn't matter how those are
// written: booleans as texts, a Series that is an object, categories that are null.

#include "hashset/format.h"

namespace exhibit::hashset {

// Error (corrupt): it isn't whole, valid JSON, and then nothing of it is to be taken.
Result<void> read_media(const InputFile& file, Sink& sink);

// What stands between `DataModels/` and the quote that ends the model's name; empty where there is none.
std::string_view data_model(std::string_view beginning);

}  // namespace exhibit::hashset
