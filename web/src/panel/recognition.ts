/** Whether this browser takes down speech; all else about it is fetched when it is wanted. */
import type { RecognitionMaker } from "./listening.ts";

interface Recognisers {
  readonly SpeechRecognition?: RecognitionMaker;
  readonly webkitSpeechRecognition?: RecognitionMaker;
}

export function recogniser(): RecognitionMaker | undefined {
  const { SpeechRecognition, webkitSpeechRecognition } = globalThis as Recognisers;
  return SpeechRecognition ?? webkitSpeechRecognition;
}
