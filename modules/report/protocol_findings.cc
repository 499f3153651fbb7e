// Exhibits, what was found in them and what not, and by which tool, in a protocol.

#include <algorithm>

#include "report/exporter.h"
#include "report/protocol.h"
#include "report/words.h"

namespace exhibit::report {

using base::Json;

namespace {

void add_digest_fields(Document& document, const Json& digests, const std::string& label) {
  for (const auto& [algorithm, digest] : digests.items()) {
    if (digest.is_string()) document.field(label + algorithm_name(algorithm), digest.get<std::string>(), "mono");
  }
}

std::string counts_text(const Json& counts, const std::string& language) {
  std::string text;
  for (const auto& [key, count] : counts.items())
    text += (text.empty() ? "" : ", ") + word_for(key, language) + " " + std::to_string(count.get<std::uint64_t>());
  return text;
}

std::string segments_text(const Json& evidence) {
  std::string text = text_of(evidence, "format");
  const auto segments = evidence.find("segments");
  if (segments == evidence.end() || !segments->is_array()) return text;
  constexpr std::size_t most_named = 20;
  for (std::size_t i = 0; i < std::min(segments->size(), most_named); ++i)
    text += (i == 0 ? ": " : ", ") + text_of(segments->at(i), "name");
  return segments->size() > most_named ? text + ", … (" + std::to_string(segments->size()) + ")" : text;
}

void add_exhibit(Document& document, const CaseFacts& facts, const ExhibitSummary& summary) {
  const std::string& language = facts.language;
  const std::string id = text_of(summary.evidence, "id");
  document.text("subheading", words::exhibit.in(language) + (" " + id));
  document.field(words::format.in(language), segments_text(summary.evidence));
  document.field(words::size.in(language), std::to_string(size_of(summary.evidence, "size")));
  document.field(words::integrity.in(language), integrity_text(summary.evidence, language));
  if (const auto digests = summary.evidence.find("digests"); digests != summary.evidence.end())
    add_digest_fields(document, *digests, words::media_digest.in(language));
  if (const auto digests = summary.evidence.find("stored_digests"); digests != summary.evidence.end())
    add_digest_fields(document, *digests, words::stored_digest.in(language));
  if (const std::string root = text_of(summary.evidence, "block_root"); !root.empty())
    document.field(words::block_root.in(language), root, "mono");
  for (const Exhibit& exhibit : facts.exhibits) {
    if (exhibit.id != id || !exhibit.claim) continue;
    add_digest_fields(document, exhibit.claim->findings.digests, words::findings_digest.in(language));
    add_digest_fields(document, exhibit.claim->findings.trees, words::tree_root.in(language));
  }
}

void add_volumes(Document& document, const std::string& language, const ExhibitSummary& summary) {
  document.text("subheading", words::volumes.in(language) + (": " + text_of(summary.evidence, "id")));
  const double widths[] = {0.26, 0.2, 0.19, 0.19, 0.16};
  document.row({{words::volume.in(language), "head", widths[0]},
                {words::kind.in(language), "head", widths[1]},
                {words::offset.in(language), "head", widths[2]},
                {words::bytes.in(language), "head", widths[3]},
                {words::file_system.in(language), "head", widths[4]}});
  for (const Json& volume : summary.volumes) {
    const auto filesystem = volume.find("filesystem");
    const std::string type =
        filesystem != volume.end() && filesystem->is_object() ? text_of(*filesystem, "type") : std::string();
    document.row({{text_of(volume, "id"), "tiny-mono", widths[0]},
                  {word_for(text_of(volume, "kind"), language), "tiny", widths[1]},
                  {std::to_string(size_of(volume, "offset")), "tiny-mono", widths[2]},
                  {std::to_string(size_of(volume, "size")), "tiny-mono", widths[3]},
                  {type, "tiny", widths[4]}});
  }
}

void add_leads(Document& document, const std::string& language, const ExhibitSummary& summary) {
  document.text("subheading", words::leads.in(language) + (": " + text_of(summary.evidence, "id")));
  if (summary.leads == 0) {
    document.text("text", words::no_leads.in(language));
    return;
  }
  const double widths[] = {0.62, 0.2, 0.18};
  document.row({{words::item.in(language), "head", widths[0]},
                {words::by_what.in(language), "head", widths[1]},
                {words::places.in(language), "head", widths[2]}});
  for (const Lead& lead : summary.first_leads) {
    document.row({{lead.item + (lead.facts.empty() ? "" : "\n" + lead.facts), "tiny-mono", widths[0]},
                  {lead.by, "tiny", widths[1]},
                  {lead.places, "tiny-mono", widths[2]}});
  }
  if (summary.leads > summary.first_leads.size())
    document.text("text", words::more_in_findings.in(language) + std::to_string(summary.leads));
}

void add_problems(Document& document, const std::string& language, const ExhibitSummary& summary) {
  document.text("subheading", words::problems.in(language) + (": " + text_of(summary.evidence, "id")));
  if (summary.problems == 0) {
    document.text("text", words::no_problems.in(language));
    return;
  }
  const double widths[] = {0.45, 0.55};
  document.row({{words::where.in(language), "head", widths[0]}, {words::cause.in(language), "head", widths[1]}});
  for (const Json& problem : summary.first_problems) {
    document.row({{text_of(problem, "where"), "tiny-mono", widths[0]},
                  {text_of(problem, "stage") + ": " + text_of(problem, "cause") + ": " + text_of(problem, "detail"),
                   "tiny", widths[1]}});
  }
  if (summary.problems > summary.first_problems.size())
    document.text("text", words::more_in_findings.in(language) + std::to_string(summary.problems));
}

}  // namespace

std::string integrity_text(const Json& evidence, const std::string& language) {
  const std::string integrity = text_of(evidence, "integrity");
  // The class of bytes has the same name.
  return word_for(integrity == manifest::unreadable ? "integrity unreadable" : integrity, language);
}

void add_exhibits(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits) {
  document.text("heading", words::section_evidence.in(facts.language));
  for (const ExhibitSummary& summary : exhibits) add_exhibit(document, facts, summary);
}

void add_findings(Document& document, const CaseFacts& facts, const std::vector<ExhibitSummary>& exhibits) {
  const std::string& language = facts.language;
  document.text("heading", words::section_findings.in(language));
  for (const ExhibitSummary& summary : exhibits) {
    add_volumes(document, language, summary);
    document.text("subheading", words::coverage.in(language) + (": " + text_of(summary.evidence, "id")));
    document.field(words::counts.in(language), std::to_string(summary.items) + " / " + std::to_string(summary.leads) +
                                                   " / " + std::to_string(summary.problems));
    document.field(words::states.in(language), counts_text(Json(summary.states), language));
    for (const Json& coverage : summary.coverage) {
      document.field(text_of(coverage, "where"), counts_text(coverage.at("bytes"), language) + "\n" +
                                                     words::examined.in(language) + ": " +
                                                     counts_text(coverage.at("examined"), language));
    }
    add_leads(document, language, summary);
    add_problems(document, language, summary);
  }
}

void add_tool(Document& document, const CaseFacts& facts) {
  const std::string& language = facts.language;
  document.text("heading", words::section_tool.in(language));
  document.field(words::tool.in(language), text_of(facts.tool, "name") + " " + text_of(facts.tool, "version"));
  document.field(words::revision.in(language), text_of(facts.tool, "source_revision"), "mono");
  document.field(words::build.in(language), text_of(facts.tool, "build_sha256"), "mono");
  if (const auto libraries = facts.tool.find("libraries"); libraries != facts.tool.end() && libraries->is_object()) {
    std::string text;
    for (const auto& [name, version] : libraries->items()) {
      if (version.is_string()) text += (text.empty() ? "" : ", ") + name + " " + version.get<std::string>();
    }
    document.field(words::libraries.in(language), text);
  }
  for (const manifest::Input& input : facts.inputs) {
    const auto digest = input.digests.find("sha256");
    document.field(input.kind + ": " + input.name,
                   words::entries.in(language) + (": " + std::to_string(input.entries)) +
                       (digest == input.digests.end() ? "" : "\nSHA-256 " + digest->second),
                   "mono");
  }
}

}  // namespace exhibit::report
