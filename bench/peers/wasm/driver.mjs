// Times biscuit-wasm in this process. Reads one command a line and answers with one line
// each, so that a driver can interleave several peers: README.md, in the folder above,
// has the commands. One that makes no sense is answered with `error: ..`.

import { createInterface } from "node:readline";

// The library greets on standard output, which is for answers here.
console.log = console.info = console.debug = () => {};
const { AuthorizerBuilder, Biscuit, PublicKey, SignatureAlgorithm } = await import("@biscuit-auth/biscuit-wasm");

// Its clock stops a decision after a millisecond of wall time whatever the limits say,
// so that a decision is tried again when the machine was busy with something else.
const tries = 20;
const limits = { max_facts: 10_000_000, max_iterations: 1_000_000, max_time_micro: 600_000_000 };

let token, authorizer;

const settings = {
  versions: () => "@biscuit-auth/biscuit-wasm 0.6.0 on Node " + process.versions.node,
  token(hex, root) {
    const bytes = Buffer.from(hex, "hex");
    const key = PublicKey.fromString(root.replace("ed25519/", ""), SignatureAlgorithm.Ed25519);
    token = { bytes, key, biscuit: Biscuit.fromBytes(bytes, key) };
    return "ok";
  },
  authorizer(hex) {
    const source = Buffer.from(hex, "hex").toString();
    authorizer = { source, builder: parse(source) };
    return "ok";
  },
};

// What can be timed. What lives in WebAssembly is freed: nothing else collects it in time.
const operations = {
  verify: () => Biscuit.fromBytes(token.bytes, token.key).free(),
  policy: () => parse(authorizer.source).free(),
  authorize: () => authorize(token.biscuit),
  cold() {
    const biscuit = Biscuit.fromBytes(token.bytes, token.key);
    try {
      authorize(biscuit);
    } finally {
      biscuit.free();
    }
  },
};

function parse(source) {
  const builder = new AuthorizerBuilder();
  builder.addCode(source);
  return builder;
}

// Joins token and authorizer, and decides. Anything but the first policy is an error.
function authorize(biscuit) {
  for (let i = 1; ; i++) {
    try {
      return decide(biscuit);
    } catch (e) {
      if (i === tries || !text(e).includes("Timeout")) throw e;
    }
  }
}

function decide(biscuit) {
  const builder = new AuthorizerBuilder();
  builder.merge(authorizer.builder);
  const joined = builder.buildAuthenticated(biscuit);
  try {
    const policy = joined.authorizeWithLimits(limits);
    if (policy !== 0) throw new Error(`policy ${policy} decided`);
  } finally {
    joined.free();
  }
}

// Answers "WALL CPU" in nanoseconds, CPU being the time of all threads of this process.
function time(run, word) {
  const times = Number(word);
  if (!Number.isSafeInteger(times)) throw new Error(`${word} is no number of times`);
  const cpu = process.cpuUsage();
  const wall = process.hrtime.bigint();
  for (let i = 0; i < times; i++) run();
  const took = process.hrtime.bigint() - wall;
  const used = process.cpuUsage(cpu);
  return `${took} ${(used.user + used.system) * 1000}`;
}

const text = (e) => (e instanceof Error ? e.message : JSON.stringify(e));

function answer(line) {
  const [name, ...words] = line.split(" ");
  if (Object.hasOwn(settings, name)) return settings[name](...words);
  if (Object.hasOwn(operations, name)) return time(operations[name], words[0]);
  throw new Error("no such command");
}

for await (const line of createInterface({ input: process.stdin })) {
  let said;
  try {
    said = answer(line);
  } catch (e) {
    said = "error: " + text(e).replaceAll("\n", " ");
  }
  process.stdout.write(said + "\n");
}
