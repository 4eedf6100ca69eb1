/**
 * Who the host page's server says its visitor is.
 *
 * Decides: whose storage this panel opens, and which JWT goes with a new session. Nothing here is believed:
 * the gateway verifies the JWT. Refuses: to open a session for another visitor than the one whose storage
 * is open; the panel starts over instead, so that nobody sees another's lines.
 */
import { base64url, sha256, utf8 } from "./encoding.ts";

/** Asks the host page for a JWT for this key: empty where nobody is signed in, rejected where it fails. */
export type AskHost = (thumbprint: string) => Promise<string>;

function payloadOf(jwt: string): Readonly<Record<string, unknown>> {
  const part = jwt.split(".")[1] ?? "";
  const text = atob(part.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const value: unknown = JSON.parse(new TextDecoder().decode(bytes));
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** The subject that the gateway will give a session under this JWT; empty for nobody. */
export function subjectOf(jwt: string): string {
  if (!jwt) return "";
  const { iss, sub } = payloadOf(jwt);
  if (typeof iss !== "string" || typeof sub !== "string") throw new TypeError("not an identity");
  return `user:${iss}|${sub}`;
}

export class Identity {
  #last: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly host: AskHost,
    private readonly thumbprint: string,
    /** Empty for an anonymous visitor. */
    readonly subject: string,
    private readonly onChange: () => void,
  ) {}

  /** Learns who is there. A host page that does not answer has an anonymous visitor. */
  static async learn(ask: AskHost, thumbprint: string, onChange: () => void): Promise<Identity> {
    const subject = await ask(thumbprint)
      .then(subjectOf)
      .catch(() => "");
    return new Identity(ask, thumbprint, subject, onChange);
  }

  /** The name of this visitor's storage: the site's own for an anonymous one. It tells nobody who it is. */
  async storeName(siteKey: string): Promise<string> {
    if (!this.subject) return siteKey;
    return `${siteKey}.${base64url(await sha256(utf8(this.subject))).slice(0, 22)}`;
  }

  /** Whether the host page still names this visitor. One that cannot say is taken to have nobody new. */
  async isSame(): Promise<boolean> {
    return this.#ask(this.thumbprint)
      .then(subjectOf)
      .then(
        (subject) => subject === this.subject,
        () => true,
      );
  }

  /** A new JWT for a new session; undefined for an anonymous visitor. */
  async jwt(thumbprint: string): Promise<string | undefined> {
    let jwt: string;
    let subject: string;
    try {
      jwt = await this.#ask(thumbprint);
      subject = subjectOf(jwt);
    } catch (error) {
      if (!this.subject) return undefined;
      throw error;
    }
    if (subject !== this.subject) {
      this.onChange();
      throw new Error("the visitor has changed");
    }
    return jwt || undefined;
  }

  /** Asks when the last question has been answered: the host page is asked one at a time. */
  #ask(thumbprint: string): Promise<string> {
    const answer = this.#last.then(() => this.host(thumbprint));
    this.#last = answer.catch(() => undefined);
    return answer;
  }
}
