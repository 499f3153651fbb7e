// Items whose content only their file system can give (compressed, or its place isn't told), and carved ones, one
// reading each.

#include "base/record.h"
#include "worker/examination.h"
#include "worker/item_content.h"

namespace exhibit::worker {
namespace {

// A member was examined where its archive was expanded, and can't be had without that.
void pass_on_member(const Item& item, std::string_view record, const Context& context, Examiner& examiner,
                    Output& output) {
  examiner.pass_on(record);
  if (context.rules != nullptr) {
    const char* what = "a member of another item: it is scanned where that is expanded (exhibit expand --rules)";
    output.problem({item.id, "scan", name_of(ErrorCode::unsupported), {}, what});
  }
  if (item.type && match::is_perceived(*item.type, context.perceived)) {
    const char* what = "a member of another item: it is decoded where that is expanded (exhibit expand --perceptual)";
    output.problem({item.id, "decode", name_of(ErrorCode::unsupported), {}, what});
  }
}

}  // namespace

Result<void> run_examine(Context& context, const Task& task, Output& output) {
  OpenVolume* volume = EXHIBIT_TRY(context.open_volume(task.arguments));
  Examiner examiner(context, task.arguments.value("digests", std::vector<std::string>()), output);
  examiner.pass_over(task.skip());
  while (const base::RecordLine* record = task.next_record()) {
    const Item item = EXHIBIT_TRY(base::item_from_record(*record));
    if (!has_content(item)) {
      examiner.pass_on(record->text());
      continue;
    }
    if (item.state == ItemState::member) {
      pass_on_member(item, record->text(), context, examiner, output);
      continue;
    }
    if (const auto refusal = too_large(item, volume->bytes().size())) {
      examiner.refuse(item, record->text(), *refusal);
      continue;
    }
    output.touch(item.id, item.size);
    const auto content = content_of(item, *volume);
    if (content.ok()) {
      examiner.examine(item, record->text(), **content);
    } else {
      examiner.refuse(item, record->text(), content.error());
    }
  }
  return {};
}

extern const Role examine_role;
const Role examine_role = {"examine", run_examine};

}  // namespace exhibit::worker
