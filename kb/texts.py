"""What the widget says when the knowledge base has no text of its own for it.

Decides the default greeting, fallback and offline notice in each supported language.
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
}
