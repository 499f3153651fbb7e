#pragma once
// The protocol of a case, for paper: what its profile asks for, who did what, what was found and what not, the digests
// to compare, how to check, and where to sign.

#include <vector>

#include "report/case_facts.h"
#include "report/case_summary.h"
#include "report/document.h"

namespace exhibit::report {

// The facts name a profile and a language of it.
Document protocol_of(const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits);

// Its parts, in files of their own.
void add_fields(Document& document, const CaseFacts& facts);
void add_missing(Document& document, const CaseFacts& facts);
void add_custody(Document& document, const CaseFacts& facts);
void add_exhibits(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits);
void add_findings(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits);
void add_tool(Document& document, const CaseFacts& facts);
void add_digests(Document& document, const CaseFacts& facts);
void add_verification(Document& document, const CaseFacts& facts);
void add_signatures(Document& document, const CaseFacts& facts);
// Under `int`: the text of a certification under FRE 902(14).
void add_certification(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits);

// A field's value for a reader: "none, because …", lists by line, members with the words for their keys.
std::string value_text(const base::Json& value, const std::string& language);

// What an evidence record says of its integrity, in words.
std::string integrity_text(const base::Json& evidence, const std::string& language);

// What the case lacks of what its profiles require, exhibit by exhibit.
std::vector<custody::Missing> missing_of(const CaseFacts& facts);

// A field as a row: what is told of it, or that it is missing; nothing where nobody asks for it. `seq`: of the event.
void add_field(Document& document, const CaseFacts& facts, const custody::Field& field, const base::Json& value,
               const std::vector<custody::Missing>& missing, std::uint64_t seq = 0);

// The profiles' fields of one place ("case", "event:acquired"), each once; by number.
std::vector<const custody::Field*> fields_at(const CaseFacts& facts, const std::string& where);

// The name of an algorithm as its standard writes it.
std::string algorithm_name(const std::string& algorithm);

}  // namespace exhibit::report
