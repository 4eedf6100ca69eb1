/** The log-in form, and what stands in its place while the gateway is asked or silent. */

import type { ComponentChildren, RefObject } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Trouble } from "../api";
import type { Strings } from "../strings";
import { explain } from "../words";
import { useConsole, useStrings } from "./context";
import { Mark } from "./icons";

export function Login({ ended }: { ended: boolean }) {
  const strings = useStrings();
  return (
    <Door title={strings.login.title}>
      <p class="door-lead">{ended ? strings.login.ended : strings.login.lead}</p>
      <LoginForm />
    </Door>
  );
}

export function Checking() {
  const strings = useStrings();
  return (
    <main class="door door-quiet">
      <Mark size={40} />
      <p role="status">{strings.checking}</p>
    </main>
  );
}

export function Unavailable() {
  const { session } = useConsole();
  const { unavailable } = useStrings();
  return (
    <Door title={unavailable.title}>
      <p class="door-lead" role="status">
        {unavailable.body}
      </p>
      <button type="button" class="button button-wide" onClick={() => void session.check()}>
        {unavailable.retry}
      </button>
    </Door>
  );
}

function Door({ title, children }: { title: string; children: ComponentChildren }) {
  return (
    <main class="door">
      <div class="door-card">
        <Mark size={40} />
        <h1>{title}</h1>
        {children}
      </div>
    </main>
  );
}

function LoginForm() {
  const { session } = useConsole();
  const strings = useStrings();
  const field = useRef<HTMLInputElement>(null);
  const [missing, setMissing] = useState(false);
  const wait = useWait();
  const trouble = session.trouble.value;
  const error = missing ? strings.login.empty : trouble && message(trouble, strings);

  useEffect(() => field.current?.focus(), []);
  useEffect(() => {
    if (trouble !== null) field.current?.select();
  }, [trouble]);

  const submit = (event: Event): void => {
    event.preventDefault();
    const token = field.current?.value.trim() ?? "";
    setMissing(token === "");
    if (token === "") field.current?.focus();
    else void session.logIn(token);
  };

  return (
    <form class="login" onSubmit={submit} noValidate>
      <label for="token">{strings.login.token}</label>
      <TokenField field={field} bad={Boolean(error)} onInput={() => setMissing(false)} />
      <p id="token-hint" class="hint">
        {strings.login.hint}
      </p>
      <p id="token-error" class="error" role="alert">
        {error}
      </p>
      <button type="submit" class="button button-primary button-wide" aria-disabled={wait > 0}>
        {submitLabel(session.busy.value, wait, strings)}
      </button>
    </form>
  );
}

interface TokenFieldProps {
  readonly field: RefObject<HTMLInputElement | null>;
  readonly bad: boolean;
  readonly onInput: () => void;
}

function TokenField({ field, bad, onInput }: TokenFieldProps) {
  const { login } = useStrings();
  const [shown, setShown] = useState(false);
  return (
    <div class="login-field">
      <input
        ref={field}
        id="token"
        name="token"
        type={(shown ? "text" : "password") as "password"} // the types know one at a time
        autoComplete="current-password"
        autoCapitalize="none"
        spellcheck={false}
        dir="ltr"
        aria-invalid={bad ? "true" : undefined}
        aria-describedby={bad ? "token-hint token-error" : "token-hint"}
        onInput={onInput}
      />
      <button
        type="button"
        class="button-text"
        aria-controls="token"
        onClick={() => setShown(!shown)}
      >
        {shown ? login.hide : login.show}
      </button>
    </div>
  );
}

/** Seconds until another try makes sense, counted down. */
function useWait(): number {
  const { session, ports } = useConsole();
  const until = session.waitUntil.value;
  const [, tick] = useState(0);
  const left = Math.max(0, Math.ceil((until - ports.now()) / 1000));
  useEffect(() => {
    if (left === 0) return;
    return ports.after(1000, () => tick((count) => count + 1));
  });
  return left;
}

function submitLabel(busy: boolean, wait: number, strings: Strings): string {
  if (busy) return strings.login.submitting;
  return wait > 0 ? strings.login.wait(wait) : strings.login.submit;
}

function message(trouble: Trouble, strings: Strings): string {
  switch (trouble.kind) {
    case "signed_out":
      return strings.login.wrong;
    case "limited":
      return trouble.retryAfter === null
        ? strings.trouble.limited
        : strings.login.limited(trouble.retryAfter);
    case "unreachable":
      return strings.login.unreachable;
    case "broken":
      return strings.login.broken;
    case "refused":
      return trouble.status === 403 ? strings.login.wrong : explain(trouble, strings);
  }
}
