/** How things stand between the draft and what visitors get, and the button that makes them one. */

import { useState } from "preact/hooks";
import { progress } from "../../knowledge/progress";
import type { Building, Site } from "../../knowledge/wire";
import { useConsole, useStrings } from "../context";
import { Dialog } from "../dialogs";
import { AlertIcon, GaugeIcon } from "../icons";
import { Time } from "../text";
import { Settings } from "./settings";

export function Publishing() {
  const { knowledge } = useConsole();
  const { knowledge: words } = useStrings();
  const [asking, setAsking] = useState(false);
  const [settings, setSettings] = useState(false);
  const { value: site } = knowledge.site;
  if (site === null) return null;
  const publish = async (): Promise<void> => {
    if (knowledge.deeds.busy.value) await knowledge.deeds.save();
    if (knowledge.editor.isChanged.value) setAsking(true);
    else await knowledge.publish();
  };
  return (
    <section class="publishing" aria-label={words.publish.region}>
      {site.failed !== null && site.building === null && (
        <p class="publish-failed" role="alert">
          <AlertIcon />
          <span>{words.publish.failed(site.failed)}</span>
        </p>
      )}
      {site.building === null ? <Standing site={site} /> : <Progress building={site.building} />}
      <button
        type="button"
        class="button-text"
        aria-label={words.settings.open}
        title={words.settings.open}
        onClick={() => setSettings(true)}
      >
        <GaugeIcon />
      </button>
      <PublishButton site={site} onPublish={() => void publish()} />
      <Asking open={asking} onClose={() => setAsking(false)} />
      <Settings open={settings} onClose={() => setSettings(false)} />
    </section>
  );
}

function Standing({ site }: { site: Site }) {
  const { publish } = useStrings().knowledge;
  if (site.changes > 0) return <p class="publish-state">{publish.changes(site.changes)}</p>;
  if (site.unpublished) return <p class="publish-state">{publish.learnt}</p>;
  return (
    <p class="publish-state" title={site.publishedAt === null ? publish.never : undefined}>
      {site.publishedAt === null ? (
        publish.none
      ) : (
        <>
          {publish.at} <Time at={site.publishedAt} style="since" />
        </>
      )}
    </p>
  );
}

function Progress({ building }: { building: Building }) {
  const { publish } = useStrings().knowledge;
  const percent = Math.round(progress(building) * 100);
  return (
    <div class="publish-progress">
      <p class="publish-state" role="status">
        {publish.steps[building.step]}
      </p>
      <svg
        class="progress"
        viewBox="0 0 100 4"
        preserveAspectRatio="none"
        role="progressbar"
        aria-label={publish.progress}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
      >
        <rect class="scale-all" width="100" height="4" />
        <rect class="scale-part" width={Math.max(2, percent)} height="4" />
      </svg>
    </div>
  );
}

/** Where nothing is known to differ it stays, quietly: the site's files may have been changed. */
function PublishButton({ site, onPublish }: { site: Site; onPublish: () => void }) {
  const { publish } = useStrings().knowledge;
  const idle = site.building === null;
  const waits = site.changes > 0 || site.unpublished;
  const again = idle && (site.failed !== null || (!waits && site.publishedAt !== null));
  return (
    <button
      type="button"
      class={idle && (waits || site.failed !== null) ? "button button-primary" : "button"}
      aria-disabled={!idle}
      title={idle && !waits ? publish.againHelp : undefined}
      onClick={() => idle && onPublish()}
    >
      {again ? publish.again : publish.button}
    </button>
  );
}

/** Asked before publishing with text in the editor that is not saved. */
function Asking({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { knowledge } = useConsole();
  const { publish } = useStrings().knowledge;
  const answer = (then: () => Promise<unknown>) => (): void => {
    onClose();
    void then();
  };
  return (
    <Dialog open={open} title={publish.unsavedTitle} onClose={onClose}>
      <p class="dialog-lead">{publish.unsavedBody}</p>
      <div class="dialog-choices">
        <button
          type="button"
          class="button button-primary"
          onClick={answer(async () => (await knowledge.deeds.save()) && knowledge.publish())}
        >
          {publish.unsavedSave}
        </button>
        <button type="button" class="button" onClick={answer(() => knowledge.publish())}>
          {publish.unsavedDrop}
        </button>
        <button type="button" class="button" onClick={onClose}>
          {publish.unsavedCancel}
        </button>
      </div>
    </Dialog>
  );
}
