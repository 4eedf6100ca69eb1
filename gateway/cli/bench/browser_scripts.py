"""What runs inside the pages that `fanlight bench widget` opens."""

from __future__ import annotations

from typing import Final

VISITOR: Final = """
addEventListener("click", (event) => {
  window.fanlightClicked ??= performance.timeOrigin + event.timeStamp;
}, true);
if (/^\\/panel\\//.test(location.pathname)) {
  // The gateway is not asked then, however slowly Python comes.
  Object.defineProperty(Navigator.prototype, "onLine", { get: () => false });
  const answers = () => document.querySelectorAll(".answer .origin").length;
  let asked = false;
  let before = 0;
  const step = () => {
    document.querySelector(".consent .choices .strong")?.click();
    const field = document.querySelector("textarea");
    const noted = document.documentElement.dataset;
    const now = performance.timeOrigin + performance.now();
    if (field) noted.usable ??= now;
    if (field && field.value === "" && !asked) {
      field.value = "QUESTION";
      field.dispatchEvent(new Event("input", { bubbles: true }));
    }
    if (!asked && document.querySelector('.send[aria-disabled="false"]')) {
      asked = true;
      before = answers();
      field.form.requestSubmit();
    }
    if (asked && answers() > before) {
      noted.answered ??= now;
    }
  };
  new MutationObserver(step).observe(document, {
    attributes: true, attributeFilter: ["aria-disabled"], childList: true, subtree: true,
  });
}
"""
"""Agrees, asks QUESTION as soon as it can; notes when it could, and when the answer stood there."""

REMEMBER_PYTHON: Final = """
const post = Worker.prototype.postMessage;
Worker.prototype.postMessage = function (message, ...rest) {
  if (message?.type === "load") window.fanlightPython = message;
  return post.call(this, message, ...rest);
};
"""
"""Notes where the page finds Python, its index and the embedding."""

QUERIES: Final = """async ({ questions }) => {
  const { python, knowledge } = window.fanlightPython;
  const { loadPyodide } = await import(`${python.runtime}pyodide.mjs`);
  const pyodide = await loadPyodide({
    indexURL: python.runtime,
    stdLibURL: python.stdlib,
    lockFileContents: python.lock,
    packageBaseUrl: python.runtime,
  });
  const urls = [knowledge.index, knowledge.embedding].filter((url) => url !== null);
  const files = await Promise.all(urls.map(async (url) => (await fetch(url)).arrayBuffer()));
  pyodide.globals.set("files", pyodide.toPy(files.map((file) => new Uint8Array(file))));
  pyodide.globals.set("questions", pyodide.toPy(questions));
  return pyodide.runPython(`
import json, time
from host import load

kb = load(*files)

def seconds(question):
    asked = {"question": question, "locale": "en", "question_locale": None}
    request = json.dumps({**asked, "threshold": 0.55, "online": False})
    began = time.perf_counter()
    kb.respond(request)
    return time.perf_counter() - began

half = len(questions) // 2
for question in questions[:half]:
    seconds(question)
[sorted(seconds(question) for _ in range(3))[1] for question in questions[half:]]
`).toJs();
}"""
"""Asks the page's own knowledge base in Python, and gives the seconds that each question took.

The first half only warms up: the browser still compiles then. Of the rest each is asked three times
and its median counts, so that what else the machine does is left out.
"""

ASK_OFTEN: Final = """async ({ questions, turns }) => {
  // Nobody but the browser answers, however slowly Python comes.
  Object.defineProperty(Navigator.prototype, "onLine", { get: () => false, configurable: true });
  dispatchEvent(new Event("offline"));
  const look = (seen) => new Promise((resolve) => {
    const step = () => {
      if (!seen()) return;
      watch.disconnect();
      resolve();
    };
    const watch = new MutationObserver(step);
    watch.observe(document.body, {
      attributes: true, attributeFilter: ["aria-busy"], childList: true, subtree: true,
    });
    step();
  });
  const last = () => [...document.querySelectorAll(".exchange")].at(-1);
  for (let n = 0; n < turns; n += 1) {
    const before = last()?.id;
    const field = document.querySelector("textarea");
    field.value = questions[n % questions.length];
    field.dispatchEvent(new Event("input", { bubbles: true }));
    field.form.requestSubmit();
    await look(() => last()?.id !== before && last().querySelector(".answer .origin"));
  }
}"""
"""Asks so many questions one after the other; done when the last answer stands there."""

WATCH_TYPING: Final = """() => {
  const took = [];
  window.fanlightTyping = took;
  addEventListener("keydown", () => {
    const began = performance.now();
    let handled = 0;
    requestAnimationFrame(() => {
      const drawing = performance.now();
      const { port1, port2 } = new MessageChannel();
      // Heard once the frame has been laid out and painted.
      port1.onmessage = () => took.push(handled + performance.now() - drawing);
      port2.postMessage("");
    });
    addEventListener("input", () => {
      // After the view's own work, which waits for this task's end, too.
      queueMicrotask(() => queueMicrotask(() => (handled = performance.now() - began)));
    }, { once: true });
  }, true);
}"""
"""Notes the work for each letter: for the event, and then for the frame that shows it."""

WATCH_FRAMES: Final = """() => {
  const took = [];
  window.fanlightFrames = took;
  const step = () => {
    const drawing = performance.now();
    const { port1, port2 } = new MessageChannel();
    // Heard once the frame has been laid out and painted.
    port1.onmessage = () => took.push(performance.now() - drawing);
    port2.postMessage("");
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
}"""
"""Notes the page's own work for each frame, in milliseconds."""

WATCH_OTHER: Final = """
addEventListener("click", (event) => {
  const clicked = event.timeStamp;
  const step = () => {
    const field = document.querySelector("deep-chat")?.shadowRoot?.querySelector("#text-input");
    if (field?.isContentEditable && field.getBoundingClientRect().height > 0) {
      document.documentElement.dataset.usable = performance.now() - clicked;
    } else {
      setTimeout(step);
    }
  };
  step();
}, { once: true, capture: true });
"""
"""Writes down how long after the click the other chat could be written in."""
