// Drives Chromium through what a test asks for and prints what it saw, as JSON: the
// test decides. Each step of the input is a list of an action and its arguments.
//
//   node drive.mjs CHROMIUM INPUT.json
import { readFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const [, , executablePath, input] = process.argv;
const sessions = JSON.parse(readFileSync(input, "utf8"));
const profile = mkdtempSync(join(tmpdir(), "whittle-chromium-"));
const options = {
  executablePath,
  headless: true,
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync"],
};

// A session is one document: {page, width, height, dark, steps}.
const play = async (session, n) => {
  const browser = await chromium.launchPersistentContext(join(profile, String(n)), {
    ...options,
    viewport: { width: session.width, height: session.height ?? 900 },
    colorScheme: session.dark ? "dark" : "light",
    reducedMotion: "reduce",
    bypassCSP: session.axe === true, // axe is a script that the page's own policy would not let in
  });
  const saw = { requests: [], complaints: [], results: [] };
  try {
    const page = browser.pages()[0] ?? await browser.newPage();
    browser.on("request", (r) => saw.requests.push(r.url()));
    page.on("websocket", (w) => saw.requests.push(w.url()));
    page.on("console", (m) => saw.complaints.push(m.text()));
    page.on("pageerror", (e) => saw.complaints.push(String(e)));
    page.on("dialog", (d) => { saw.complaints.push("dialog: " + d.message()); d.dismiss(); });
    page.setDefaultTimeout(120000);
    await page.goto(session.page);
    for (const [action, ...args] of session.steps) saw.results.push(await actions[action](page, ...args));
  } finally {
    await browser.close();
  }
  return saw;
};

const actions = {
  fill: (page, selector, value) => page.locator(selector).fill(value),
  click: (page, selector) => page.locator(selector).click(),
  press: (page, key) => page.keyboard.press(key),
  file: (page, selector, path) => page.locator(selector).setInputFiles(path),
  // until waits until the text of an element has a piece in it.
  until: (page, selector, piece) => page.waitForFunction(([s, p]) => document.querySelector(s)?.textContent.includes(p), [selector, piece]).then(() => true),
  text: (page, selector) => page.locator(selector).allInnerTexts(),
  count: (page, selector) => page.locator(selector).count(),
  value: (page, selector) => page.locator(selector).inputValue(),
  attribute: (page, selector, name) => page.locator(selector).first().getAttribute(name),
  focused: (page) => page.evaluate(() => document.activeElement?.id || document.activeElement?.textContent || ""),
  eval: (page, expression) => page.evaluate(expression),
  // wide reports how much wider than the window the page is.
  wide: (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth),
  shot: (page, path, options) => page.screenshot({ path, ...options }).then(() => path),
  // axe returns a line for each thing that keeps somebody from using the page.
  axe: async (page) => {
    await page.addScriptTag({ content: axe });
    const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations", "passes"] }));
    return { passes: passes.length, violations: violations.flatMap((v) => v.nodes.map((n) => `${v.id}: ${n.target.join(" ")}: ${n.failureSummary}`)) };
  },
};

try {
  const saw = [];
  for (const [n, session] of sessions.entries()) saw.push(await play(session, n));
  process.stdout.write(JSON.stringify(saw));
} finally {
  rmSync(profile, { recursive: true, force: true });
}
