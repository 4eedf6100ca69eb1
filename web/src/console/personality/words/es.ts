/** The same words in Spanish. */

import type { PersonalityWords } from "./en";

export const es: PersonalityWords = {
  locale: "es",
  dir: "ltr",
  own: "Español",
  language: "Idioma de esta página",

  title: "Cómo habla",
  lead: "A un modelo de lenguaje que responde por tu sitio se le dice esto antes que nada. Las entradas de tu base de conocimiento se muestran tal como las escribiste.",
  region: "Personalidad",
  list: "Personalidades",
  site: "Sitio",
  write: "Nueva personalidad",
  origins: { console: "Hechas aquí", folder: "De tu carpeta", fanlight: "De Fanlight" },
  emptyOwn: "Las tuyas estarán aquí. Empieza con una de Fanlight y cambia lo que quieras.",
  inUse: "En uso",
  unsaved: "Sin guardar",
  broken: "No se puede usar",
  untitled: "Todavía sin nombre",
  none: "Sin personalidad",
  noneHint: "El modelo habla a su manera",
  noneBody:
    "No se le dice nada de un nombre, un tono o unas maneras. El modelo habla como le enseñaron quienes lo hicieron, dentro de las reglas de Fanlight.",

  loading: "Cargando cómo hablan los sitios…",
  failedTitle: "No se pudo cargar cómo hablan los sitios",
  noSite: "No hay ningún sitio",
  noSiteBody:
    "Añade una tabla [[sites]] a fanlight.toml; `fanlight init` escribe una para empezar.",
  unknownSite: "No existe ese sitio",
  unknownSiteBody: "Puede que el enlace esté incompleto o que el sitio se haya quitado.",
  first: "Mostrar otro sitio",
  goneTitle: "Esta personalidad no está",
  gone: "Puede que se haya eliminado o que el enlace esté incompleto.",
  absentTitle: "Este gateway no tiene personalidades",
  absentBody: "Se inició sin ellas.",
  again: "Intentar de nuevo",
  undo: "Deshacer",
  back: "Volver a la lista",

  use: "Usar esta",
  useNone: "No usar ninguna",
  save: "Guardar",
  saving: "Guardando…",
  discard: "Descartar",
  remove: "Eliminar",
  undoLast: "Deshacer el último cambio",
  removeInUse: "Está en uso. Elige otra primero.",
  copy: "Hacer la tuya a partir de esta",
  copyOwn: "Duplicar",
  saveKeys: (modifier: string) => `${modifier} + S`,
  saveFirst: "Guárdala primero; después puedes usarla.",
  notSaved: "No se ha guardado.",
  mend: (count: number) =>
    count === 1
      ? "No se ha guardado: corrige el campo marcado."
      : `No se ha guardado: corrige ${count} campos.`,
  savedBy: "Guardada",
  by: (author: string) => `por \u2068${author}\u2069`,
  readOnly: {
    fanlight: "Esta viene con Fanlight y no se cambia aquí.",
    folder: "Esta es un archivo tuyo, en la máquina del gateway, y no se cambia aquí.",
  },
  brokenNote: "Su archivo no se puede usar:",
  changedBy: (author: string) =>
    author === ""
      ? "Alguien la cambió después de que empezaras."
      : `\u2068${author}\u2069 la cambió después de que empezaras.`,
  saveMine: "Guardar la mía en su lugar",
  takeTheirs: "Quedarse con la suya",

  chosen: (author: string) => `La eligió aquí \u2068${author}\u2069`,
  byFile: "Como dice fanlight.toml",
  missing: (name: string) => `La que se eligió aquí, «${name}», ya no está.`,
  reset: (name: string) =>
    name === "" ? "Volver a fanlight.toml: ninguna" : `Volver a fanlight.toml: ${name}`,
  noModels:
    "No hay ningún modelo de lenguaje configurado: todo se responde con las palabras de tu base de conocimiento.",

  any: "A su gusto",
  more: "Más",
  moreHint: "Conocimientos, costumbres, formato",
  groups: {
    who: "Quién es",
    how: "Cómo responde",
    before: "Lo que se dijo antes",
    layout: "Cómo escribe",
  },
  listHint: (most: number) => `Uno por línea, ${most} como máximo.`,
  left: (count: number) => (count === 1 ? "Queda 1 letra" : `Quedan ${count} letras`),
  over: (count: number) => (count === 1 ? "Sobra 1 letra" : `Sobran ${count} letras`),
  flaws: {
    missing: "Ponle un nombre.",
    long: (most: number) => `Que no pase de ${most} letras.`,
    long_line: (most: number) => `Que ninguna línea pase de ${most} letras.`,
    many: (most: number) => `Que no pase de ${most} líneas.`,
  },

  fields: {
    "identity.name": ["Nombre", "Cómo se llama el chat."],
    "identity.role": ["Papel", "Por ejemplo: asistente de la tienda."],
    "identity.expertise": ["Lo que mejor conoce", ""],
    "identity.background": ["Contexto", "Lo que debe saber de ti: dónde estás, qué haces."],
    "communication.tone": ["Tono", ""],
    "communication.verbosity": ["Extensión de las respuestas", ""],
    "communication.formality": ["Trato", ""],
    "communication.use_analogies": ["Compara cosas para aclararlas", ""],
    "communication.use_examples": ["Da ejemplos", ""],
    "communication.use_humor": ["Humor", ""],
    "response_behavior.citation_style": ["Fuentes", ""],
    "response_behavior.clarification": ["Si una pregunta puede significar dos cosas", ""],
    "response_behavior.show_reasoning": [
      "Piensa antes de responder",
      "Lo que piensa queda plegado en el chat, y cuesta más.",
    ],
    "response_behavior.step_by_step": ["Da las instrucciones paso a paso", ""],
    "response_behavior.prioritize": ["Cuando no está seguro", ""],
    "memory_usage.priority": ["Vuelve a los mensajes anteriores", ""],
    "memory_usage.pattern_trust": ["Lo que funcionó antes", ""],
    "memory_usage.historical_context": ["Menciona lo que se dijo antes", ""],
    "formatting.structure": ["Listas", ""],
    "formatting.code_blocks": ["Código", ""],
    "formatting.emphasis": ["Énfasis", ""],
    personality_traits: ["Carácter", "Por ejemplo: paciente."],
    custom_instructions: [
      "Instrucciones",
      "Cualquier otra cosa que deba respetar, con tus palabras. Cómo habla, no qué es verdad: los hechos van en la base de conocimiento.",
    ],
  },

  words: {
    "communication.tone": {
      warm: "Cálido",
      professional: "Profesional",
      direct: "Directo",
      enthusiastic: "Entusiasta",
    },
    "communication.verbosity": {
      concise: "Breves",
      balanced: "Equilibradas",
      detailed: "Detalladas",
    },
    "communication.formality": { casual: "Informal", professional: "Cortés", formal: "Formal" },
    "communication.use_humor": { true: "Humor ligero", false: "Sin bromas" },
    "response_behavior.citation_style": {
      always_cite: "Dice de dónde sale la respuesta",
      cite_patterns: "Lo dice donde importa",
      conversational: "No nombra fuentes",
    },
    "response_behavior.clarification": {
      ask_questions: "Pregunta cuál es",
      make_assumptions: "Toma la más probable y lo dice",
    },
    "response_behavior.prioritize": {
      accuracy: "Lo dice antes que adivinar",
      speed: "Va al grano",
    },
    "memory_usage.priority": {
      when_relevant: "Donde importan",
      frequently: "A menudo",
      always_reference: "Dice siempre cómo se sigue de ellos la respuesta",
    },
    "memory_usage.pattern_trust": {
      balanced: "Se sopesa con lo que se pregunta",
      heavily_favor: "Se prefiere",
    },
    "memory_usage.historical_context": { reference_past: "Puede hacerlo", current_only: "No" },
    "formatting.structure": {
      mixed: "Según el texto",
      bullets: "Donde hay varios puntos",
    },
    "formatting.code_blocks": { separate: "En bloques aparte" },
    "formatting.emphasis": { markdown: "Negrita para lo importante", plain: "Texto sin formato" },
  },
  yes: "Sí",
  no: "No",

  preview: {
    title: "Lo que se le dice a un modelo",
    language: "Idioma",
    lead: "Antes de las reglas de Fanlight, los pasajes y la pregunta.",
    loading: "Preparándolo…",
    failed: "No se pudo preparar.",
  },

  trial: {
    title: "Pruébala",
    field: "La pregunta de un visitante",
    placeholder: "Pregunta como lo haría un visitante…",
    ask: "Preguntar",
    asking: "Preguntando…",
    hint: "Se responde tal como está escrito aquí, guardado o no. No se conserva nada; la respuesta de un modelo cuesta lo que cuesta.",
    byKnowledge:
      "Tu base de conocimiento responde a esto con sus propias palabras, sea cual sea la personalidad.",
    byModel: (model: string) => `Respondió \u2068${model}\u2069`,
    shown: "A un visitante se le mostraría esto",
    notShown: (percent: number) =>
      `No es lo bastante seguro (${percent}\u00a0%): a un visitante se le mostraría lo de abajo y se preguntaría a una persona.`,
    noReply: "Ningún modelo respondió.",
  },

  note: {
    saved: "Guardada.",
    saved_in_use: "Guardada. Tus visitantes la oyen desde la próxima pregunta.",
    undone: "Deshecho.",
    removed: "Eliminada.",
    restored: "Ha vuelto.",
    put_aside: "Apartada.",
    used: "Tus visitantes la oyen desde la próxima pregunta.",
    used_none: "Desde la próxima pregunta el modelo habla a su manera.",
    reset: "fanlight.toml vuelve a elegir.",
    overtaken: "Se ha dejado como está: otra persona la ha cambiado.",
    failed: "No funcionó.",
  },
};
