"""What the widget says when the knowledge base has no text of its own for it.

Decides the default greeting, fallback (also for when nobody is there), offline notice and question
back in each supported language.
"""

from __future__ import annotations

from typing import Final

from kb.entry import SystemText

DEFAULT_TEXTS: Final[dict[SystemText, dict[str, str]]] = {
    "greeting": {
        "en": "Hello! What would you like to know?",
        "es": "¡Hola! ¿Qué te gustaría saber?",
        "he": "שלום! מה תרצו לדעת?",
    },
    "fallback": {
        "en": "I am not sure about that one, so a person will answer you here.",
        "es": "De eso no estoy seguro: te responderá aquí una persona.",
        "he": "אין לי תשובה בטוחה לשאלה הזאת, ולכן יענה לך כאן אדם.",
    },
    "offline": {
        "en": "You are offline. I can still answer what I know; the rest waits for the connection.",
        "es": "No tienes conexión. Puedo responder con lo que sé; lo demás espera a que vuelvas.",
        "he": "אין חיבור לרשת. אפשר לקבל תשובות ממה שידוע לי, והשאר ימתין עד שהחיבור יחזור.",
    },
    "clarify": {
        "en": "Which of these do you mean?",
        "es": "¿Cuál de estas preguntas es la tuya?",
        "he": "למה התכוונת?",
    },
    "out_of_hours": {
        "en": "I am not sure about that one, and nobody is here now. A person will answer you here "
        "when we are back.",
        "es": "De eso no estoy seguro, y ahora no hay nadie. Te responderá aquí una persona cuando "
        "volvamos.",
        "he": "אין לי תשובה בטוחה לשאלה הזאת, ואין כאן איש כרגע. אדם יענה לך כאן כשנחזור.",
    },
}
