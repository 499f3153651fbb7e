// The text of a certification under Rule 902(14) of the US Federal Rules of Evidence: data copied from an electronic
// medium, authenticated by a process of digital identification, by a certification of a qualified person that complies
// with Rule 902(11) or (12); the committee's note of 2017 names the comparison of hash values of original and copy.
// A lawyer confirms the text, not a programmer.

#include "report/exporter.h"
#include "report/protocol.h"
#include "report/words.h"

namespace exhibit::report {

using base::Json;

namespace {

constexpr const char* blank = "______________________";

std::string or_blank(const std::string& text) { return text.empty() ? blank : text; }

// What the acquisition's record tells of the original's digests, so that they stand beside the copy's.
void add_told_digests(Document& document, const CaseFacts& facts) {
  bool any = false;
  for (const custody::Field* field : fields_at(facts, "event:acquired")) {
    if (field->key != "acquisition_digests") continue;
    for (const custody::Told& told : custody::told(*field, facts.fields, facts.events)) {
      if (!custody::is_told(told.value)) continue;
      document.field("Original medium, as recorded when it was acquired (event no. " + std::to_string(told.seq) + ")",
                     value_text(told.value, "en"), "mono");
      any = true;
    }
  }
  if (!any) document.field("Original medium, as recorded when it was acquired", "NOT TOLD by the case", "missing");
}

void add_copy(Document& document, const ExhibitSummary& summary) {
  const std::string id = text_of(summary.evidence, "id");
  for (const auto& [group, label] : {std::pair("stored_digests", ": stored in the copy when it was made, "),
                                     std::pair("digests", ": computed from the copy, ")}) {
    const auto digests = summary.evidence.find(group);
    if (digests == summary.evidence.end()) continue;
    for (const auto& [algorithm, digest] : digests->items()) {
      if (digest.is_string()) document.field(id + label + algorithm_name(algorithm), digest.get<std::string>(), "mono");
    }
  }
  document.field(id + ": comparison", integrity_text(summary.evidence, "en"));
}

}  // namespace

void add_certification(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits) {
  document.page();
  document.text("title", "Certification of data copied from an electronic medium");
  document.text("subject", "Federal Rules of Evidence, Rule 902(14); case " + facts.field("number"));
  document.text("small",
                "A form to be completed, and confirmed by counsel, before it is signed. Rule 902(11) asks that "
                "the other side have reasonable written notice and the chance to inspect.");
  document.text("text", "1. I, " + or_blank(facts.field("examiner")) + ", am " + or_blank(facts.field("post")) +
                            " at " + or_blank(facts.field("agency")) +
                            ". My training and experience that qualify me for "
                            "this certification: " +
                            blank + blank + blank + ".");
  document.text("text",
                "2. The exhibits below are copies of data from electronic media. Each was identified by a process of "
                "digital identification: a digest (hash value) is computed from every byte of the data; the digests of "
                "original and copy are equal only where the data are the same, as far as the algorithm lets nobody "
                "make two that share one.");
  document.text("text", "3. The digests are:");
  add_told_digests(document, facts);
  for (const ExhibitSummary& summary : exhibits) add_copy(document, summary);
  document.text("text",
                "4. The digests of the copies were computed with " + text_of(facts.tool, "name") + " " +
                    text_of(facts.tool, "version") +
                    "; they can be computed again with public tools, as this record tells under 'How to verify'.");
  if (facts.sealed())
    document.text("text",
                  "5. The record of the examination is the file manifest.json with the digests printed in this "
                  "record under 'Digests of the manifest'.");
  document.text("text", "I certify under penalty of perjury that the foregoing is true and correct.");
  document.signature("Qualified person", facts.field("examiner"), "signature, place, date");
}

}  // namespace exhibit::report
