import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const WEB = join(import.meta.dirname, "../..");
const PACKAGES = join(WEB, "packages");
const TSC = join(WEB, "node_modules/typescript/bin/tsc");

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Record<string, { readonly types: string; readonly default: string }>;
  readonly dependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
}

async function manifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
}

const USES = `
import { load, type FanlightOptions } from "@fanlight/widget";
import { FanlightChat } from "@fanlight/widget/element";
import { FanlightChat as Chat, useFanlight } from "@fanlight/react";

const options: FanlightOptions = { gateway: "https://chat.example", site: "site_demo" };
load(options).then((chat) => {
  const stop: () => void = chat.on("unread", ({ count }) => count.toFixed());
  chat.on("message", ({ from }) => from === "person");
  chat.identify(async ({ thumbprint }) => thumbprint);
  // @ts-expect-error there is no such event
  chat.on("opened", stop);
  // @ts-expect-error a JWT is asked for
  chat.identify("a.b.c");
});
const element: FanlightChat = document.createElement("fanlight-chat");
element.ask("Where?");
(window.fanlight ||= []).push((chat) => chat.open());
Chat({ ...options, onMessage: ({ from }) => from.length });
// @ts-expect-error a site is needed
Chat({ gateway: "" });
const opened: void = useFanlight()?.open();
export { opened };
`;

let consumer: string;

beforeAll(async () => {
  await run(process.execPath, [join(WEB, "scripts/packages.mjs")]);
  consumer = await mkdtemp(join(tmpdir(), "fanlight-consumer-"));
  const modules = join(consumer, "node_modules");
  await mkdir(join(modules, "@types"), { recursive: true });
  for (const name of ["widget", "react"]) {
    for (const part of ["package.json", "dist"]) {
      const to = join(modules, "@fanlight", name, part);
      await cp(join(PACKAGES, name, part), to, { recursive: true });
    }
  }
  for (const name of ["react", "@types/react", "csstype"]) {
    await symlink(join(WEB, "node_modules", name), join(modules, name));
  }
  await writeFile(join(consumer, "uses.mts"), USES);
}, 60_000);

afterAll(() => rm(consumer, { recursive: true, force: true }));

describe.each(["widget", "react"])("the package %s", (name) => {
  const folder = join(PACKAGES, name);

  it("has every file that it names, and no other dependency than it names", async () => {
    const { exports, dependencies = {}, peerDependencies = {} } = await manifest(folder);
    const allowed = Object.keys({ ...dependencies, ...peerDependencies });
    for (const { types, default: code } of Object.values(exports)) {
      expect(await readFile(join(folder, types), "utf8")).toContain("export");
      expect(await readFile(join(folder, code), "utf8")).toContain("export");
    }
    const dist = join(folder, "dist");
    for (const file of (await readdir(dist)).filter((each) => each.endsWith(".js"))) {
      const imports = (await readFile(join(dist, file), "utf8")).matchAll(/from "([^"]+)"/g);
      const outside = [...imports]
        .map(([, from]) => from)
        .filter((from) => !from?.startsWith("./"));
      expect(outside.filter((from) => !allowed.includes(from ?? ""))).toEqual([]);
    }
  });

  it("has the version of all of Fanlight", async () => {
    const { version, dependencies = {} } = await manifest(folder);
    expect(version).toBe((await manifest(WEB)).version);
    expect(Object.values(dependencies).every((wanted) => wanted === version)).toBe(true);
  });
});

describe("what is built", () => {
  it.each(["bundler", "nodenext"])(
    "has types for who resolves as %s",
    async (resolution) => {
      const module = resolution === "nodenext" ? "nodenext" : "esnext";
      const options = ["--strict", "--noEmit", "--target", "es2022", "--lib", "es2022,dom"];
      const resolving = ["--module", module, "--moduleResolution", resolution, "--types", ""];
      const done = await run(process.execPath, [TSC, ...options, ...resolving, "uses.mts"], {
        cwd: consumer,
      }).catch((error: { stdout: string }) => error);
      expect(done.stdout).toBe("");
    },
    30_000,
  );

  it("can be imported on a server, where it does nothing", async () => {
    const code = 'import("@fanlight/widget/element").then((it) => console.log(Object.keys(it)))';
    const { stdout } = await run(process.execPath, ["--input-type=module", "-e", code], {
      cwd: consumer,
    });
    expect(stdout.trim()).toBe("[ 'FanlightChat' ]");
  });
});
