#include "report/words.h"

#include <algorithm>

namespace exhibit::report {
namespace {

struct Known {
  std::string_view name;
  Words words;
};

constexpr Known known[] = {
    // custody events (manifest.md)
    {"received", {"Получено", "Атрымана", "Received"}},
    {"opened", {"Вскрыто", "Ускрыта", "Opened"}},
    {"photographed", {"Сфотографировано", "Сфатаграфавана", "Photographed"}},
    {"write-blocker-tested", {"Проверен блокиратор записи", "Правераны блакіратар запісу", "Write blocker tested"}},
    {"acquired", {"Снята копия", "Знята копія", "Acquired"}},
    {"integrity-checked", {"Проверена целостность", "Праверана цэласнасць", "Integrity checked"}},
    {"processed", {"Обработано", "Апрацавана", "Processed"}},
    {"matched", {"Сопоставлено", "Супастаўлена", "Matched"}},
    {"reviewed", {"Просмотрено", "Прагледжана", "Reviewed"}},
    {"disclosed", {"Раскрыто", "Раскрыта", "Disclosed"}},
    {"sealed", {"Опечатано", "Апячатана", "Sealed"}},
    {"transferred", {"Передано", "Перададзена", "Transferred"}},
    {"accepted", {"Принято", "Прынята", "Accepted"}},
    {"returned", {"Возвращено", "Вернута", "Returned"}},
    {"corrected", {"Исправлено", "Выпраўлена", "Corrected"}},
    // integrity (findings.md)
    {"match", {"совпадает с записанной в образе", "супадае з запісанай у вобразе", "equals what the image stores"}},
    {"mismatch",
     {"НЕ совпадает с записанной в образе", "НЕ супадае з запісанай у вобразе",
      "does NOT equal what the image stores"}},
    {"no-stored-digest",
     {"образ не хранит хеш-суммы", "вобраз не захоўвае хэш-сумы", "the image stores no digest to compare with"}},
    {"integrity unreadable", {"прочитано не полностью", "прачытана не цалкам", "couldn't be read whole"}},
    // states of items, classes of bytes
    {"allocated", {"занято", "занята", "allocated"}},
    {"deleted", {"удалено", "выдалена", "deleted"}},
    {"overwritten", {"перезаписано", "перазапісана", "overwritten"}},
    {"orphan", {"без каталога", "без каталога", "orphan"}},
    {"carved", {"извлечено по содержанию", "вынята паводле зместу", "carved"}},
    {"member", {"часть архива", "частка архіва", "member of an archive"}},
    {"slack", {"хвосты", "хвасты", "slack"}},
    {"metadata", {"служебное", "службовае", "metadata"}},
    {"unallocated", {"свободно", "вольна", "unallocated"}},
    {"unreadable", {"нечитаемо", "нечытэльна", "unreadable"}},
    {"gap", {"вне разделов", "па-за раздзеламі", "gaps"}},
    {"hashed", {"хеш-суммы", "хэш-сумы", "hashed"}},
    {"scanned", {"правила", "правілы", "scanned"}},
    {"partition", {"раздел", "раздзел", "partition"}},
    {"unpartitioned", {"без разделов", "без раздзелаў", "unpartitioned"}},
    {"encrypted", {"зашифровано", "зашыфравана", "encrypted"}},
    {"snapshot", {"снимок", "здымак", "snapshot"}},
    // what people write into fields
    {"name", {"имя", "імя", "name"}},
    {"role", {"роль", "роля", "role"}},
    {"organisation", {"организация", "арганізацыя", "organisation"}},
    {"credential", {"удостоверение", "пасведчанне", "credential"}},
    {"post", {"должность", "пасада", "post"}},
    {"address", {"адрес", "адрас", "address"}},
    {"make", {"марка", "марка", "make"}},
    {"model", {"модель", "мадэль", "model"}},
    {"serial", {"серийный номер", "серыйны нумар", "serial"}},
    {"firmware", {"прошивка", "прашыўка", "firmware"}},
    {"mode", {"режим", "рэжым", "mode"}},
    {"purpose", {"назначение", "прызначэнне", "purpose"}},
    {"result", {"результат", "вынік", "result"}},
    {"type", {"вид", "від", "type"}},
    {"number", {"номер", "нумар", "number"}},
    {"date", {"дата", "дата", "date"}},
    {"issuer", {"кем выдано", "кім выдадзена", "issuer"}},
    {"by", {"кем", "кім", "by"}},
    {"seals", {"пломбы", "пломбы", "seals"}},
    {"capacity", {"ёмкость", "ёмістасць", "capacity"}},
    {"interface", {"интерфейс", "інтэрфейс", "interface"}},
    {"condition", {"состояние", "стан", "condition"}},
    {"conditions", {"условия", "умовы", "conditions"}},
    {"reason", {"причина", "прычына", "reason"}},
    {"note", {"примечание", "заўвага", "note"}},
    {"command", {"команда", "каманда", "command"}},
    {"exit_status", {"код завершения", "код завяршэння", "exit status"}},
    {"started", {"начато", "пачата", "started"}},
    {"tool", {"программа", "праграма", "tool"}},
    {"inputs", {"входные данные", "уваходныя даныя", "inputs"}},
    {"version", {"версия", "версія", "version"}},
    {"digests", {"хеш-суммы", "хэш-сумы", "digests"}},
    {"libraries", {"библиотеки", "бібліятэкі", "libraries"}},
    {"corrects", {"исправляет событие №", "выпраўляе падзею №", "corrects event no."}},
    {"findings_sha256", {"SHA-256 результатов", "SHA-256 вынікаў", "SHA-256 of the findings"}},
    {"examiner", {"исследователь", "даследчык", "examiner"}},
    {"specialist", {"специалист", "спецыяліст", "specialist"}},
    {"witness", {"понятой", "паняты", "witness"}},
    {"investigator", {"следователь", "следчы", "investigator"}},
};

}  // namespace

std::string word_for(std::string_view name, std::string_view language) {
  const auto* found =
      std::find_if(std::begin(known), std::end(known), [&](const Known& row) { return row.name == name; });
  return found == std::end(known) ? std::string(name) : found->words.in(language);
}

}  // namespace exhibit::report
