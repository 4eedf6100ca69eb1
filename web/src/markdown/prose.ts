/** What a message's text is drawn with, in one piece that is fetched when it is first wanted. */
export { Markdown } from "./render.tsx";
export { settle } from "./streaming.ts";
