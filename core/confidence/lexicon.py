"""The words that turn a statement round, put it off, or count, in English, Spanish and Hebrew.

Decides nothing: it is data. Words are in normalised form (`kb.normalise`), phrases are patterns
over the raw text in lower case. A language that is missing here only has fewer signals.
"""

from __future__ import annotations

import re
from typing import Final

from kb.normalise import words

NEGATIONS: Final = frozenset(
    words(
        """not no never without cannot none nobody nothing neither nor only
        no nunca jamas sin ningun ninguna ninguno nadie nada tampoco solo solamente unicamente
        לא אין אינו אינה אינם אינן בלי ללא אף מעולם רק בלבד"""
    )
)
"""Words that deny, or deny all the rest ("only")."""

OPPOSITES: Final = frozenset(
    words(
        """closed closes forbidden prohibited excluded excludes impossible unable invalid
        unavailable refused denied free gratis gratuito gratuita gratuitos gratuitas cerrado cerrada
        cerrados cerradas prohibido prohibida excluido imposible
        סגור סגורה סגורים אסור אסורה אסורים חינם בחינם"""
    )
)
"""Words that say the contrary of what is usually asked: open, allowed, included, to be paid."""

YES: Final = frozenset(words("yes yeah sure certainly si claro כן בטח בוודאי"))
NO: Final = frozenset(words("no nope לא"))

NUMBER_WORDS: Final = {
    word: value
    for value, names in {
        "1": "one once uno una un אחד אחת פעם",
        "2": "two twice couple dos שני שתי שניים שתיים פעמיים",
        "3": "three tres שלושה שלוש שלושת",
        "4": "four cuatro ארבעה ארבע",
        "5": "five cinco חמישה חמש",
        "6": "six seis שישה שש",
        "7": "seven siete שבעה שבע",
        "8": "eight ocho שמונה",
        "9": "nine nueve תשעה תשע",
        "10": "ten diez עשרה עשר",
        "11": "eleven once",
        "12": "twelve dozen doce docena",
        "13": "thirteen trece",
        "14": "fourteen catorce",
        "15": "fifteen quince",
        "17": "seventeen diecisiete",
        "20": "twenty veinte עשרים",
        "30": "thirty treinta שלושים",
        "40": "forty cuarenta ארבעים",
        "50": "fifty cincuenta חמישים",
        "60": "sixty sesenta שישים",
        "100": "hundred cien מאה",
        "1000": "thousand mil אלף",
    }.items()
    for word in words(names)
}
"""What a number is when it is written out. "One" is too often an article to be missed."""
UNCOUNTED: Final = frozenset({"1"})

REFUSALS: Final = re.compile(
    r"\b(?:i (?:do not|don[’']t) (?:know|have (?:any )?(?:information|details|data))"
    r"|i(?:[’']m| am) (?:not (?:sure|able|certain)|unable|afraid i (?:can|do))"
    r"|i (?:cannot|can[’']t|could ?n[’']t|could not|won[’']t)"
    r" (?:answer|help|find|assist|say|provide)"
    r"|i (?:can )?only answer|as an ai\b"
    r"|no (?:lo )?s[eé]\b|no estoy segur|no puedo (?:responder|ayudar|contestar)"
    r"|no (?:tengo|dispongo de) (?:informaci[oó]n|datos)|no encuentro|no he encontrado)"
    r"|(?:אני |אנחנו )?לא (?:יודע|יודעת|יודעים|בטוח|בטוחה|בטוחים)|אין לי (?:מידע|תשובה)"
    r"|(?:אני )?לא (?:יכול|יכולה|מצליח|מצליחה) (?:לענות|לעזור|למצוא)|לא מצאתי"
)
"""What says that there is no answer."""

HEDGES: Final = re.compile(
    r"\b(?:maybe|perhaps|possibly|probably|might|i (?:think|believe|guess|suppose|assume)"
    r"|as far as i know|it seems|it depends|hard to say|usually|typically|in general|generally"
    r"|somehow|quiz[aá]s?|tal vez|a lo mejor|puede que|creo que|supongo|me parece|parece que"
    r"|posiblemente|probablemente|normalmente|por lo general|en general|depende)\b"
    r"|אולי|ייתכן|יתכן|כנראה|נראה לי|לדעתי|אני חושב|אני חושבת|בדרך כלל|תלוי"
)
"""What says that the answer is a guess."""

PERSONS: Final = frozenset(
    words(
        """i me my mine we us our you your yours
        yo me mi mis mio nosotros nos nuestro nuestra tu tus te usted ustedes vosotros os vuestra
        tengo puedo quiero necesito debo tienen hacen ofrecen
        אני אנחנו לי שלי לנו שלנו אתה אתם לך לכם שלך שלכם אצלכם"""
    )
)
"""Words of a question that is about the visitor or the site, and not about the world."""

HOW_MANY: Final = re.compile(
    r"\bhow (?:many|much|long|late|early|old|far|fast|soon|often|big|heavy|deep|high|tall|wide)\b"
    r"|\bwh(?:en|at (?:time|year|price|share|percentage|date))\b|\b(?:in )?which (?:year|month)\b"
    r"|\buntil when|\bwhat does .{1,60} cost|\bup to how"
    r"|\bcu[aá]nt[oa]s?\b|\bcu[aá]ndo\b"
    r"|\b(?:a|desde|hasta) qu[eé] hora|\b(?:en )?qu[eé] (?:año|mes|fecha)"
    r"|(?:^|\s)(?:כמה|מתי|באיזה שנה|באיזו שנה|באיזו שעה"
    r"|מאיזו שעה|עד מתי|מה (?:אורך|גובה|עומק|המחיר|העמלה))"
)
WHO: Final = re.compile(r"\b(?:who|whom|whose|qui[eé]n(?:es)?)\b|(?:^|\s)(?:מי|למי)\s")
"""What kind of answer a question asks for."""
TIMES: Final = frozenset(
    words(
        """january february march april may june july august september october november december
        enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
        ינואר פברואר מרץ אפריל מאי יוני יולי אוגוסט ספטמבר אוקטובר נובמבר דצמבר
        monday tuesday wednesday thursday friday saturday sunday midnight noon
        lunes martes miercoles jueves viernes sabado domingo medianoche mediodia"""
    )
)
"""Words that tell a time as a number does."""
