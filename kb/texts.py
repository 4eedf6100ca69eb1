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
        "en": "I am not sure about that one. I have passed your question to a person, who will answer here.",
        "es": "No estoy seguro de eso. He pasado tu pregunta a una persona, que responderá aquí.",
        "he": "אין לי תשובה בטוחה לשאלה הזאת. העברתי אותה לנציג, והתשובה תופיע כאן.",
    },
    "offline": {
        "en": "You are offline. I can still answer from what I know; the rest waits until you are back.",
        "es": "No tienes conexión. Puedo responder con lo que sé; lo demás espera a que vuelvas.",
        "he": "אין חיבור לרשת. אפשר לקבל תשובות ממה שידוע לי, והשאר ימתין עד שהחיבור יחזור.",
    },
}
