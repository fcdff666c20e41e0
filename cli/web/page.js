"use strict";
// The script of the page. It hands the fields to the program in WebAssembly and builds
// elements of what comes back: texts go in as text nodes, and only the elements and
// attributes listed here are made at all.
{
  const svgTags = new Set(["svg", "title", "desc", "path", "rect", "text"]);
  const tags = new Set([...svgTags, "section", "h2", "h3", "p", "span", "strong", "bdi", "code", "pre", "time", "dl", "div", "dt", "dd",
    "table", "thead", "tbody", "tr", "th", "td", "ol", "ul", "li", "figure", "details", "summary"]);
  const attributes = new Set(["class", "id", "role", "scope", "start", "datetime", "tabindex", "aria-label", "aria-labelledby", "aria-hidden",
    "viewBox", "preserveAspectRatio", "width", "height", "x", "y", "rx", "d"]);
  const fields = ["token", "trust", "operation", "resources", "args", "audience", "at", "context", "facts", "channel", "directory", "policy"];
  const byId = (id) => document.getElementById(id);

  const build = (e, inSVG) => {
    if (!e.tag) return document.createTextNode(e.text ?? "");
    if (!tags.has(e.tag)) throw new Error(`an element ${e.tag} is none of ours`);
    inSVG ||= e.tag === "svg";
    const node = inSVG ? document.createElementNS("http://www.w3.org/2000/svg", e.tag) : document.createElement(e.tag);
    for (const { name, value } of e.attrs ?? []) {
      if (!attributes.has(name)) throw new Error(`an attribute ${name} is none of ours`);
      node.setAttribute(name, value);
    }
    for (const child of e.children ?? []) node.append(build(child, inSVG));
    return node;
  };
  const show = (id, body) => byId(id).replaceChildren(...(body ?? []).map((e) => build(e, false)));

  const say = (errors, names) => {
    for (const name of names) {
      const message = errors[name] ?? "", note = byId(`${name}-error`), field = byId(name);
      note.textContent = message;
      note.hidden = message === "";
      if (message) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
  };
  const choices = (id, list) => byId(id).replaceChildren(...(list ?? []).map((value) => Object.assign(document.createElement("option"), { value })));
  const written = () => JSON.stringify({ ...Object.fromEntries(fields.map((f) => [f, byId(f).value])), bearer: byId("bearer").checked });
  // What is shown below says the same to those who see it.
  const tell = (id, status, body) => { byId(id).textContent = status; byId(id).classList.toggle("unseen", Boolean(body)); };
  const forget = () => { show("answer", []); byId("verdict").textContent = ""; };

  let look, ask, timer;
  const read = () => {
    clearTimeout(timer);
    const answer = JSON.parse(look(written()));
    say(answer.errors, ["token", "trust"]);
    show("reading", answer.body);
    tell("status", answer.status || "Paste a token to read it.", answer.body);
    byId("asking").hidden = !answer.body;
    choices("operations", answer.operations);
    choices("audiences", answer.audiences);
    forget();
  };
  const simulate = () => {
    const answer = JSON.parse(ask(written()));
    say(answer.errors, fields.filter((f) => f !== "trust"));
    show("answer", answer.body);
    tell("verdict", answer.status, answer.body);
    fields.map(byId).find((f) => f.getAttribute("aria-invalid"))?.focus();
  };
  // The text is read after the last key stroke, so that nobody hears it spelled.
  const later = () => { clearTimeout(timer); timer = setTimeout(read, 250); };
  const stopped = () => { byId("status").textContent = "The reader has stopped. Load the page again; if it stops at the same token, please report it."; };

  globalThis.whittleReady = (l, a) => {
    delete globalThis.whittleReady;
    look = l;
    ask = a;
    byId("look").addEventListener("submit", (event) => { event.preventDefault(); read(); byId("reading").focus(); });
    byId("token").addEventListener("input", later);
    byId("trust").addEventListener("input", later);
    byId("trust-file").addEventListener("change", async (event) => {
      const file = event.target.files[0];
      if (!file) return;
      const long = file.size > 1 << 20;
      byId("trust").value = long ? "" : await file.text();
      event.target.value = ""; // so that the same file can be opened again when it has changed
      read();
      if (long) say({ trust: "The file is longer than 1 MiB, and no trust file is." }, ["trust"]);
    });
    byId("clear").addEventListener("click", () => {
      byId("look").reset();
      byId("ask").reset();
      say({}, fields);
      read();
      byId("token").focus();
    });
    byId("ask").addEventListener("submit", (event) => { event.preventDefault(); simulate(); });
    byId("ask").addEventListener("input", forget);
    read();
  };

  const start = async () => {
    const text = atob(byId("payload").textContent), packed = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
    const bytes = await new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
    const go = new Go();
    const { instance } = await WebAssembly.instantiate(bytes, go.importObject);
    byId("payload").remove();
    await go.run(instance);
    stopped();
  };
  start().catch((error) => { byId("status").textContent = `The reader cannot start here: ${error.message}`; });
}
