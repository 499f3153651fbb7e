#pragma once
// What a protocol says by itself, in the languages of the profiles. Labels of fields are the profiles' own.

#include <string>
#include <string_view>

namespace exhibit::report {

struct Words {
  const char *ru, *be, *en;
  const char* in(std::string_view language) const { return language == "ru" ? ru : language == "be" ? be : en; }
};

// The name of an event of the ledger, of an integrity, of a state, of a class of bytes, of a key within a field's
// value: as it stands where there is no word for it.
std::string word_for(std::string_view name, std::string_view language);

namespace words {

inline constexpr Words protocol_title = {"Протокол исследования электронного носителя информации",
                                         "Пратакол даследавання электроннага носьбіта інфармацыі",
                                         "Record of the examination of an electronic medium"};
inline constexpr Words case_number = {"Дело", "Справа", "Case"};
inline constexpr Words page_of = {"страница {page} из {pages}", "старонка {page} з {pages}", "page {page} of {pages}"};
inline constexpr Words lead_notice = {
    "Совпадение — это указание, которое должен проверить человек; установленным фактом оно не является. Содержимое "
    "здесь "
    "не показано: только имена, хеш-суммы и места.",
    "Супадзенне — гэта ўказанне, якое павінен праверыць чалавек; устаноўленым фактам яно не з’яўляецца. Змесціва тут "
    "не "
    "паказана: толькі імёны, хэш-сумы і месцы.",
    "A match is a lead for a person to examine; it is not a finding of fact. No content is shown here: only names, "
    "digests and places."};
inline constexpr Words not_sealed = {
    "Дело не опечатано: манифеста ещё нет, и ничто из сказанного здесь не подписано.",
    "Справа не апячатана: маніфеста яшчэ няма, і нішто са сказанага тут не падпісана.",
    "The case isn't sealed: there is no manifest yet, and nothing that is said here is signed."};
inline constexpr Words made = {"Манифест составлен", "Маніфест складзены", "Manifest made"};
inline constexpr Words profile = {"Профиль", "Профіль", "Profile"};
inline constexpr Words title = {"Наименование", "Найменне", "Title"};
inline constexpr Words yes = {"да", "так", "yes"};
inline constexpr Words no = {"нет", "не", "no"};
inline constexpr Words none_because = {"нет, так как: ", "няма, бо: ", "none, because: "};
inline constexpr Words not_told = {"НЕ УКАЗАНО", "НЕ ПАКАЗАНА", "NOT TOLD"};

inline constexpr Words section_case = {"Дело", "Справа", "The case"};
inline constexpr Words section_missing = {"Чего в деле недостаёт", "Чаго ў справе не хапае", "What the case lacks"};
inline constexpr Words section_evidence = {"Доказательства", "Доказы", "Exhibits"};
inline constexpr Words section_custody = {"Журнал хранения и передачи", "Журнал захоўвання і перадачы",
                                          "Custody ledger"};
inline constexpr Words section_findings = {"Результаты", "Вынікі", "Findings"};
inline constexpr Words section_tool = {"Программа и входные данные", "Праграма і ўваходныя даныя", "Tool and inputs"};
inline constexpr Words section_digests = {"Хеш-суммы манифеста", "Хэш-сумы маніфеста", "Digests of the manifest"};
inline constexpr Words section_verify = {"Как проверить", "Як праверыць", "How to verify"};
inline constexpr Words section_remarks = {"Замечания участников", "Заўвагі ўдзельнікаў",
                                          "Remarks of those who took part"};
inline constexpr Words section_signatures = {"Подписи", "Подпісы", "Signatures"};

inline constexpr Words nothing_missing = {"Все поля, которых требует профиль, указаны.",
                                          "Усе палі, якіх патрабуе профіль, паказаны.",
                                          "Every field that the profile requires is told."};
inline constexpr Words missing_notice = {
    "Профиль требует этих полей, а в деле они не указаны:", "Профіль патрабуе гэтых палёў, а ў справе яны не паказаны:",
    "The profile requires these fields, and the case doesn't tell them:"};
inline constexpr Words sealed_incomplete = {"Опечатано неполным по причине", "Апячатана няпоўным па прычыне",
                                            "Sealed incomplete, because"};
inline constexpr Words field = {"Поле", "Поле", "Field"};
inline constexpr Words required_by = {"Требует", "Патрабуе", "Required by"};
inline constexpr Words where = {"Где", "Дзе", "Where"};
inline constexpr Words event_number = {"событие № ", "падзея № ", "event no. "};
inline constexpr Words no_event = {"нет события", "няма падзеі", "no event"};

inline constexpr Words exhibit = {"Доказательство", "Доказ", "Exhibit"};
inline constexpr Words size = {"Размер носителя, байт", "Памер носьбіта, байт", "Size of the medium, bytes"};
inline constexpr Words format = {"Формат образа, файлы", "Фармат вобраза, файлы", "Format of the image, files"};
inline constexpr Words integrity = {"Целостность", "Цэласнасць", "Integrity"};
inline constexpr Words media_digest = {"Хеш-сумма носителя, ", "Хэш-сума носьбіта, ", "Digest of the medium, "};
inline constexpr Words stored_digest = {"В образе записано, ", "У вобразе запісана, ", "Stored in the image, "};
inline constexpr Words block_root = {"Корень дерева блоков", "Корань дрэва блокаў", "Root of the tree of blocks"};
inline constexpr Words findings_digest = {"Хеш-сумма результатов, ", "Хэш-сума вынікаў, ", "Digest of the findings, "};
inline constexpr Words tree_root = {"Корень дерева результатов, ", "Корань дрэва вынікаў, ",
                                    "Root of the findings' tree, "};
inline constexpr Words volumes = {"Тома и разделы", "Тамы і раздзелы", "Volumes"};
inline constexpr Words volume = {"Том", "Том", "Volume"};
inline constexpr Words kind = {"Вид", "Від", "Kind"};
inline constexpr Words offset = {"Смещение", "Зрух", "Offset"};
inline constexpr Words bytes = {"Байт", "Байт", "Bytes"};
inline constexpr Words file_system = {"Файловая система", "Файлавая сістэма", "File system"};
inline constexpr Words counts = {"Найдено объектов / указаний / не сделано",
                                 "Знойдзена аб’ектаў / указанняў / не зроблена", "Items / leads / things not done"};
inline constexpr Words states = {"Объекты по состоянию", "Аб’екты паводле стану", "Items by state"};
inline constexpr Words coverage = {"Охват, байт", "Ахоп, байт", "Coverage, bytes"};
inline constexpr Words examined = {"Исследовано", "Даследавана", "Examined"};
inline constexpr Words leads = {"Указания, которые должен проверить человек",
                                "Указанні, якія павінен праверыць чалавек", "Leads for a person to examine"};
inline constexpr Words no_leads = {"Совпадений нет.", "Супадзенняў няма.", "There are none."};
inline constexpr Words item = {"Объект", "Аб’ект", "Item"};
inline constexpr Words by_what = {"По чему", "Паводле чаго", "By what"};
inline constexpr Words places = {"Места: смещение + длина", "Месцы: зрух + даўжыня", "Places: offset + length"};
inline constexpr Words problems = {"Что не сделано и почему", "Што не зроблена і чаму", "What wasn't done, and why"};
inline constexpr Words no_problems = {"Сделано всё.", "Зроблена ўсё.", "Everything was done."};
inline constexpr Words cause = {"Причина", "Прычына", "Cause"};
inline constexpr Words more_in_findings = {"Здесь показаны первые; остальные — в файлах findings/. Всего: ",
                                           "Тут паказаны першыя; астатнія — у файлах findings/. Усяго: ",
                                           "The first are shown here, the others stand in findings/. In all: "};

inline constexpr Words no_events = {"Событий нет.", "Падзей няма.", "There are no events."};
inline constexpr Words time = {"Время (UTC)", "Час (UTC)", "Time (UTC)"};
inline constexpr Words actor = {"Кто", "Хто", "Who"};
inline constexpr Words place = {"Место", "Месца", "Place"};
inline constexpr Words participants = {"Участники", "Удзельнікі", "Participants"};
inline constexpr Words open_transfers = {"Передано, но приём не подтверждён", "Перададзена, але прыём не пацверджаны",
                                         "Handed over, and not accepted yet"};
inline constexpr Words told_without_event = {"Указано в деле, без события", "Паказана ў справе, без падзеі",
                                             "Told by the case, without an event"};

inline constexpr Words tool = {"Программа", "Праграма", "Tool"};
inline constexpr Words build = {"SHA-256 сборки", "SHA-256 зборкі", "SHA-256 of the build"};
inline constexpr Words revision = {"Исходный текст", "Зыходны тэкст", "Source revision"};
inline constexpr Words libraries = {"Библиотеки", "Бібліятэкі", "Libraries"};
inline constexpr Words entries = {"записей", "запісаў", "entries"};

inline constexpr Words digests_explained = {
    "Эти хеш-суммы вычислены от точных байтов файла manifest.json. QR-код содержит их же. Подписи от руки под этим "
    "протоколом относятся к файлу с такими хеш-суммами.",
    "Гэтыя хэш-сумы вылічаны ад дакладных байтаў файла manifest.json. QR-код змяшчае іх жа. Подпісы ад рукі пад гэтым "
    "пратаколам адносяцца да файла з такімі хэш-сумамі.",
    "These digests are of the exact bytes of manifest.json. The QR code holds the same. Signatures by hand under this "
    "record are about the file with these digests."};
inline constexpr Words verify_whole = {
    "Всё дело, вместе с образом (подписи, журнал, деревья, содержимое каждого объекта заново):",
    "Уся справа, разам з вобразам (подпісы, журнал, дрэвы, змесціва кожнага аб’екта нанава):",
    "The whole case, with the image read again (signatures, ledger, trees, the content of each item):"};
inline constexpr Words verify_digest = {
    "Хеш-суммы манифеста общедоступными средствами:", "Хэш-сумы маніфеста агульнадаступнымі сродкамі:",
    "The digests of the manifest with public tools:"};
inline constexpr Words verify_belt = {
    "belt-hash: любым средством, реализующим СТБ 34.101.31; exhibit verify вычисляет её тоже.",
    "belt-hash: любым сродкам, якое рэалізуе СТБ 34.101.31; exhibit verify вылічвае яе таксама.",
    "belt-hash: any product that implements STB 34.101.31; exhibit verify computes it too."};
inline constexpr Words verify_signature = {"Электронная подпись:", "Электронны подпіс:", "The electronic signature:"};
inline constexpr Words verify_image = {"Хеш-сумма носителя по образу (raw; E01 — через ewfexport или ewfmount):",
                                       "Хэш-сума носьбіта паводле вобраза (raw; E01 — праз ewfexport або ewfmount):",
                                       "The digest of the medium from a raw image (of E01: through ewfexport or "
                                       "ewfmount):"};

inline constexpr Words author = {"Составитель", "Складальнік", "Author"};
inline constexpr Words specialist = {"Специалист", "Спецыяліст", "Specialist"};
inline constexpr Words witness = {"Понятой", "Паняты", "Witness"};
inline constexpr Words participant = {"Участник", "Удзельнік", "Participant"};
inline constexpr Words sign_here = {"подпись, дата", "подпіс, дата", "signature, date"};

}  // namespace words
}  // namespace exhibit::report
