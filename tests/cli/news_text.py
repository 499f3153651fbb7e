#!/usr/bin/env python3
"""Texts of the kind that rules must leave alone: encyclopaedias, news, scholarship and forums that name organisations,
their media brands and their publications.

    news_text.py FOLDER MIB

Made of templates: what such texts look like was learnt by reading some, and the sentences are ours. They aren't a sample
of real reporting; a figure measured on them says so. Many carry no mark of reporting (a rule must not need one to keep
quiet), and many have words of a release somewhere in them, as a page about downloads or films does.
"""
import json
import os
import random
import sys

MARKS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../signatures/yara/violent-extremism/marks.json")

SENTENCES = {
    "en": ["A statement carried by {brand} said that the attack had been carried out by its members.",
           "{brand}, the outlet that the group uses for its films, had released a recording the day before.",
           "{brand} was founded in the years of the war, and its logo was seen in several countries.",
           "The court heard that a film with the logo of {brand} was found on the telephone.",
           "Police in the capital detained four people who are said to have shared recordings of {brand}.",
           "The article first appeared in {other}, and later in a collection of documents.",
           "In a chapter on {brand} the author lists {other} and {brand}, and the years in which they appeared.",
           "The minister said that the government would answer calmly and firmly.",
           "The chapter compares {brand} with a magazine whose sections were Open Source Jihad and Hear the World.",
           "Readers were told of headings such as To Our Sisters and Just Terror Tactics in the issue after {other}.",
           "The town was retaken in spring, and its people came back in the following months.",
           "On his channel the presenter presents the film of the week; it has nothing to do with all this."],
    "ar": ["نشرت {brand} تسجيلا مصورا أمس، ولم يتسن التحقق منه.", "ذكرت الصحيفة أن {brand} و{other} تتبعان التنظيم.",
           "قال الوزير إن الحكومة سترد بهدوء وحزم.", "وجدت الشرطة في الهاتف تسجيلا يحمل شعار {brand}.",
           "عاد سكان المدينة إليها في الربيع.", "شهدت المفاوضات تقدما ملحوظا هذا العام."],
    "ru": ["В заявлении, которое распространило {brand}, говорилось о нападении.", "{brand} и {other} известны с первых лет войны.",
           "Суд установил, что в телефоне была запись со знаком {brand}.", "Министр сообщил, что правительство ответит спокойно.",
           "Жители города вернулись весной.", "Ведущий представляет фильм недели; с этим он никак не связан."],
    "fr": ["Un communiqué diffusé par {brand} parlait de l'attaque.", "{brand} et {other} existent depuis les premières années de la guerre.",
           "Le tribunal a entendu qu'une vidéo portant le logo de {brand} se trouvait dans le téléphone.",
           "Le ministre a répondu avec calme.", "Les habitants sont revenus au printemps.", "La chaîne présente le film de la semaine."],
}
SOMETIMES = {"en": ["Download links are at the foot of this page.", "From Wikipedia, the free encyclopedia.", "Letter from the Editor: dear readers."],
             "ar": ["روابط التحميل في أسفل الصفحة.", "من ويكيبيديا الموسوعة الحرة."],
             "ru": ["Ссылки для скачивания внизу страницы.", "Материал из Википедии."],
             "fr": ["Liens de téléchargement en bas de page.", "Un article de Wikipédia."]}


def brands_by_language():
    with open(MARKS, encoding="utf-8") as file:
        rules = json.load(file)["rules"]
    found = {}
    for rule in rules:
        for language, brands in rule["brands"].items():
            found.setdefault(language, []).extend(brands)
    return found


def article(chance, brands):
    language = chance.choice(list(SENTENCES))
    names = brands[language]
    paragraphs = []
    for _ in range(chance.randint(3, 12)):
        chosen = [chance.choice(SENTENCES[language]) for _ in range(chance.randint(3, 8))]
        paragraphs.append(" ".join(one.format(brand=chance.choice(names), other=chance.choice(names)) for one in chosen))
    if chance.random() < 0.5:
        paragraphs.append(chance.choice(SOMETIMES[language]))
    return "\n\n".join(paragraphs) + "\n", language


def write(folder, size, seed=7):
    """Files of articles, `size` bytes in all or a little more; the same from the same seed."""
    chance, brands = random.Random(seed), brands_by_language()
    pages = {"ar": "cp1256", "ru": "cp1251", "fr": "cp1252", "en": "utf-8"}
    os.makedirs(folder, exist_ok=True)
    written = number = 0
    while written < size:
        text, language = article(chance, brands)
        data = text.encode(chance.choice(["utf-8", "utf-8", "utf-16", pages[language]]), "replace")
        with open(os.path.join(folder, f"{number:06}.txt"), "wb") as file:
            file.write(data)
        written += len(data)
        number += 1
    return written


if __name__ == "__main__":
    print(write(sys.argv[1], int(sys.argv[2]) << 20), "bytes")
