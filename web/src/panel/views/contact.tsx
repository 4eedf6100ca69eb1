/** A small form for a visitor who wants to hear elsewhere too: nothing is sent without the tick. */
import type { RefObject, VNode } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import type { Escalation } from "../../vault/entry.ts";
import { contactOf, turnToOffer } from "../contact.ts";
import { usePanel } from "./context.ts";

const LONGEST = 200;

interface ContactProps {
  readonly turnId: string;
  readonly escalation: Escalation;
}

/** What became of the contact, and the way to leave one. */
export function Contact({ turnId, escalation }: ContactProps): VNode | null {
  const { state } = usePanel();
  const [open, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const say = state.say.value;
  const { contact } = escalation;
  const close = () => {
    setOpen(false);
    // The button is drawn in the form's place.
    requestAnimationFrame(() => button.current?.focus());
  };
  const offered = turnToOffer(state.entries.value) === turnId;
  if (!contact && !offered) return null;
  return (
    <div class="contact">
      <p class="small" role="status">
        {contact && say(`contact.${contact}`)}
      </p>
      {offered && open && <ContactForm turnId={turnId} close={close} sent={() => setOpen(false)} />}
      {offered && !open && (
        <button ref={button} type="button" class="link" onClick={() => setOpen(true)}>
          {say("contact.offer")}
        </button>
      )}
    </div>
  );
}

type Wrong = "contact.invalid" | "contact.unticked";

interface FormProps {
  readonly turnId: string;
  readonly close: () => void;
  readonly sent: () => void;
}

function ContactForm({ turnId, close, sent }: FormProps): VNode {
  const { state, escalations } = usePanel();
  const say = state.say.value;
  const [wrong, setWrong] = useState<Wrong | undefined>(undefined);
  const field = useRef<HTMLInputElement>(null);
  const tick = useRef<HTMLInputElement>(null);
  const wording = say("contact.consent", { name: state.config.name });
  useEffect(() => field.current?.focus(), []);
  const onSubmit = (event: Event) => {
    event.preventDefault();
    const contact = contactOf(field.current?.value ?? "");
    if (!contact || !tick.current?.checked) {
      setWrong(contact ? "contact.unticked" : "contact.invalid");
      (contact ? tick : field).current?.focus();
      return;
    }
    void escalations.leaveContact(turnId, contact, wording);
    sent();
    // What had the focus has gone.
    state.composing.value += 1;
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "Escape") return;
    // The panel stays: only the form goes.
    event.preventDefault();
    close();
  };
  return (
    <form noValidate onSubmit={onSubmit} onKeyDown={onKeyDown}>
      <Fields {...{ turnId, wrong, wording, field, tick }} />
      {wrong && (
        <p class="wrong" role="alert" id={`${turnId}:wrong`}>
          {say(wrong)}
        </p>
      )}
      <div class="contact-buttons">
        <button type="submit" class="button strong">
          {say("contact.send")}
        </button>
        <button type="button" class="button" onClick={close}>
          {say("cancel")}
        </button>
      </div>
    </form>
  );
}

interface FieldsProps {
  readonly turnId: string;
  readonly wrong: Wrong | undefined;
  readonly wording: string;
  readonly field: RefObject<HTMLInputElement | null>;
  readonly tick: RefObject<HTMLInputElement | null>;
}

function Fields({ turnId, wrong, wording, field, tick }: FieldsProps): VNode {
  const say = usePanel().state.say.value;
  const told = (key: Wrong) =>
    wrong === key ? { "aria-invalid": true, "aria-describedby": `${turnId}:wrong` } : {};
  return (
    <>
      <label for={`${turnId}:contact`}>{say("contact.label")}</label>
      <input
        ref={field}
        id={`${turnId}:contact`}
        type="text"
        // An address or a number runs left to right in every language.
        dir="ltr"
        inputMode="email"
        autoComplete="email"
        maxLength={LONGEST}
        {...told("contact.invalid")}
      />
      <label class="check">
        <input ref={tick} type="checkbox" {...told("contact.unticked")} />
        <span>{wording}</span>
      </label>
    </>
  );
}
